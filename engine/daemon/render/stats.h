/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The answer to STATS. */
#pragma once

struct server;

/* JSON, to be freed with free; NULL when out of memory. */
char *stats_render(const struct server *server);
