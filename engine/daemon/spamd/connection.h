/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One client: a stream, the session that reads its request, the request while
 * it is worked on, the reply on its way out. Loop thread only. */
#pragma once

#include <uv.h>

struct server;

/* Takes the next connection of a listening stream. */
void connection_accept(struct server *server, uv_stream_t *listening);

/* The server shuts down: who has not begun to send gets a short time. */
void connections_drain(struct server *server);

/* The time is over: whatever is not being worked on ends. */
void connections_expire(struct server *server);
