/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the milter share: milter.c opens the sockets, connection.c serves a
 * mail server that has connected. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "engine/daemon/milter/milter.h"

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
};

struct milter {
	struct server *server;
	struct milter_listener *listeners;
	struct milter_connection *connections;
	size_t count;
	size_t refused_count; /* of them */
	int references; /* handles that the loop still has to close */
	bool closed;
};

/* milter.c: frees it when it is closed and no handle is left. */
void milter_release(struct milter *milter);

/* connection.c */
void milter_init_stream(uv_loop_t *loop, union stream *socket, bool tcp);

/* Takes the next connection of a listening stream; one for which there is no room is told
 * so, or closed. */
void milter_accept_connection(struct milter *milter, uv_stream_t *listening, bool tcp);

/* Closes connections: those without a message at work, or all, when none has one. */
void milter_close_idle(struct milter *milter);
void milter_close_all(struct milter *milter);
