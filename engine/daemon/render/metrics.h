/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The daemon's counters in Prometheus' text format (version 0.0.4). */
#pragma once

struct server;

/* To be freed with free; NULL when out of memory. */
char *metrics_render(const struct server *server);
