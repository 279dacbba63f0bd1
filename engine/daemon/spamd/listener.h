/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Where clients connect: the Unix socket in the runtime directory or those that
 * systemd passed, and TCP on loopback when configured. */
#pragma once

#include "engine/base/status.h"

struct server;
struct listener;

/* Opens all of them; on failure none is left open. */
enum status listeners_open(struct server *server, struct failure *failure);

/* Stops accepting; removes the socket that this process made. The memory is
 * freed when the loop has closed the handles. */
void listeners_close(struct server *server);
