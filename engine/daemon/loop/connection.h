/* A client of a stream protocol, from accept to close: bytes in, bytes out, and how long it
 * may take. What the bytes say its protocol knows. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "engine/base/buffer.h"
#include "engine/daemon/loop/admission.h"
#include "engine/daemon/loop/pace.h"
#include "engine/daemon/peer.h"

/* While shutting down: for clients that have not begun to send, and to take the end. */
enum { DRAIN_IDLE_MS = 1000 };

union stream {
	uv_handle_t handle;
	uv_stream_t stream;
	uv_pipe_t pipe;
	uv_tcp_t tcp;
};

/* OPEN: the protocol gets what comes. BUSY: a task is at work, and nothing else may close
 * the connection. LEAVING: the last bytes leave, then our end. LINGERING: the client's end
 * is waited for. CLOSED: the loop closes the handles, then the memory is freed. */
enum connection_state {
	CONNECTION_OPEN,
	CONNECTION_BUSY,
	CONNECTION_LEAVING,
	CONNECTION_LINGERING,
	CONNECTION_CLOSED,
};

struct stream_protocol;
struct transport;

/* The first member of what a protocol keeps of a client. */
struct connection {
	struct server *server;
	struct peer peer;
	bool tcp;
	bool ended; /* the client's side has ended */
	enum connection_state state; /* to be read only */

	/* Private to connection.c and transport.c. */
	struct transport *transport;
	const struct stream_protocol *protocol;
	void (*gone)(struct connection *connection);
	union stream socket;
	uv_timer_t timer;
	uv_shutdown_t shutdown;
	int open_handles;
	bool entered;
	enum admitted admitted;
	size_t held; /* bytes, as the server accounts them */
	struct pace pace; /* of the message, then of the last bytes */
	size_t unsent; /* of the last bytes, when it was looked last */
	LIST_ENTRY(connection) link;
};

/* What a protocol does with its connections. */
struct stream_protocol {
	size_t size; /* of what it keeps of a client; zeroed before `accepted` */
	size_t refused_most; /* clients that are told that there is no place */
	bool shared; /* each client has a quota of the places */

	/* A client has connected; one that is not admitted is to be told so, or closed. */
	void (*accepted)(struct connection *connection, enum admitted admitted);
	/* While it is OPEN: bytes have come; the client's side has ended; the time of
	 * connection_set_timer is over. */
	void (*received)(struct connection *connection, const char *bytes, size_t length);
	void (*ended)(struct connection *connection);
	void (*timed_out)(struct connection *connection);
	/* A shutdown begins, or has waited long enough (`forced`), while it is OPEN. */
	void (*shutting_down)(struct connection *connection, bool forced);
	/* Once after `accepted`: it is closed, and what the protocol keeps is to be freed, but
	 * for the connection. */
	void (*closed)(struct connection *connection);
};

/* Not while it is BUSY. What has been sent may still leave, what the client sends is not
 * read: see connection_leave. */
void connection_close(struct connection *connection);

/* A task is at work from now on: no time runs. Then it is OPEN again. */
void connection_begin_work(struct connection *connection);
void connection_end_work(struct connection *connection);

/* Leaves what the client sends in the socket; reads it again. */
void connection_pause(struct connection *connection);
void connection_resume(struct connection *connection);

/* The protocol's `timed_out` is called then. */
void connection_set_timer(struct connection *connection, uint64_t milliseconds);

/* So many bytes of a message have come, and more shall: the timer runs for as long as a
 * client may be silent by body-timeout, or until it is too slow in the mean. */
void connection_keep_pace(struct connection *connection, size_t bytes);

/* The connection holds so many bytes of the daemon's memory. */
void connection_hold(struct connection *connection, size_t bytes);

/* Sends the bytes, which it takes over. When they cannot be sent the connection closes. */
void connection_send(struct connection *connection, struct buffer *bytes);

/* Bytes that wait to be taken. */
size_t connection_unsent(const struct connection *connection);

/* Sends the last bytes, which it takes over and which may be none, and our end. Then the
 * client is listened to until it ends, too, and the connection closes. */
void connection_leave(struct connection *connection, struct buffer *bytes);

/* --- For transport.c ------------------------------------------------------ */

void stream_init(uv_loop_t *loop, union stream *socket, bool tcp);

/* A connection of `protocol`, for uv_accept; never NULL. `gone` is called when the loop has
 * closed it, and frees it with g_free. */
struct connection *connection_new(struct server *server, const struct stream_protocol *protocol,
	bool tcp, void (*gone)(struct connection *connection));
