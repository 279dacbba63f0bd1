/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the files of a SPAMD connection share: connection.c takes clients and their
 * requests in, answer.c sends a reply and ends. */
#pragma once

#include "engine/daemon/loop/pace.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/spamd/connection.h"
#include "engine/daemon/spamd/request.h"
#include "engine/protocol/spamd.h"

/* While shutting down: for clients that have not begun to send, and to take the end. */
enum { DRAIN_IDLE_MS = 1000 };

/* RECEIVING, WORKING, ANSWERING, LINGERING, CLOSED; from RECEIVING straight to
 * ANSWERING with an error, and from anywhere but WORKING to CLOSED. */
enum state { RECEIVING, WORKING, ANSWERING, LINGERING, CLOSED };

struct connection {
	struct server *server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} socket;
	uv_timer_t timer;
	uv_write_t write;
	uv_shutdown_t shutdown;
	int open_handles;
	enum state state;
	bool begun; /* a byte has come */
	bool ended; /* the peer's side has ended */
	bool refused; /* at accept; takes no part in max-connections */
	bool counted; /* in its client's quota */
	size_t held; /* bytes of session and reply, as the server accounts them */
	struct pace pace; /* of the message, then of the reply */
	size_t unsent; /* bytes of the reply at the last look */
	struct spamd_session *session;
	struct peer peer;
	struct request request;
	struct connection *next;
	struct connection **previous; /* what points to this one */
};

/* connection.c: not while the request is worked on. */
void connection_close(struct connection *connection);
/* The server's account of what it holds for this connection. */
void connection_account(struct connection *connection, size_t held);
/* What happens when the time is over depends on the state. */
void connection_start_timer(struct connection *connection, uint64_t milliseconds);
/* How long a client may take or give no byte, or until it is too slow in the mean; 0 = it
 * is. */
uint64_t connection_progress_ms(const struct connection *connection);
void connection_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer);

/* answer.c: sends the reply of the request, which may be empty, and our end; then the
 * connection closes by itself. */
void connection_answer(struct connection *connection);
/* The same with an error, which is logged. */
void connection_answer_error(struct connection *connection, enum spamd_code code, const char *text);
/* The timer's while a reply leaves. */
void connection_check_progress(struct connection *connection);
