/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/daemon/peer.h"
#include "engine/daemon/server.h"
#include "engine/daemon/spamd/request.h"
#include "engine/protocol/spamd.h"

/* spamd's limits; libspamc's own lines are shorter. */
static const size_t LINE_MAX_BYTES = 8192;
static const size_t HEADERS_MAX = 1100;

/* After the reply a client that has not ended its own side is listened to for
 * so long: closing a socket with unread bytes would reset it, and the client
 * might never see why it was refused. */
static const uint64_t LINGER_MS = 5000;

/* While shutting down: for clients that have not begun to send. */
static const uint64_t DRAIN_IDLE_MS = 1000;

static const char SHUTTING_DOWN[] = "shutting down";
static const char TOO_MANY[] = "too busy: all connections are in use";

/* Refused connections that may linger beyond max-connections. */
static const size_t REFUSED_MAX = 256;

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
	size_t held; /* bytes of session and reply, as the server accounts them */
	size_t unsent; /* bytes of the reply at the last look */
	struct spamd_session *session;
	struct peer peer;
	struct request request;
	struct connection *next;
	struct connection **previous; /* what points to this one */
};

/* --- The server's list --------------------------------------------------- */

static void enlist(struct connection *connection)
{
	struct server *server = connection->server;

	connection->next = server->connections;
	connection->previous = &server->connections;
	if (connection->next)
		connection->next->previous = &connection->next;
	server->connections = connection;
	server->connection_count++;
	server->refused_count += connection->refused;
	server->counters.connections++;
}

static void delist(struct connection *connection)
{
	struct server *server = connection->server;

	*connection->previous = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	server->connection_count--;
	server->refused_count -= connection->refused;
}

/* --- Closing ------------------------------------------------------------- */

static void account(struct connection *connection, size_t held)
{
	connection->server->held_bytes += held - connection->held;
	connection->held = held;
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct server *server = connection->server;

	if (--connection->open_handles > 0)
		return;
	account(connection, 0);
	spamd_session_free(&connection->session);
	buffer_free(&connection->request.reply);
	delist(connection);
	free(connection);
	server_on_disconnect(server);
}

static void close_connection(struct connection *connection)
{
	assert(connection->state != WORKING);
	if (connection->state == CLOSED)
		return;
	connection->state = CLOSED;
	uv_close(&connection->socket.handle, on_closed);
	uv_close((uv_handle_t *)&connection->timer, on_closed);
}

/* --- Answering ----------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void start_timer(struct connection *connection, uint64_t milliseconds)
{
	uv_timer_start(&connection->timer, on_timer, milliseconds, 0);
}

static uint64_t progress_ms(const struct connection *connection)
{
	if (connection->server->state == SERVER_FORCED)
		return DRAIN_IDLE_MS;
	return connection->server->settings.body_timeout * 1000;
}

static uint64_t linger_ms(const struct connection *connection)
{
	return connection->server->state == SERVER_RUNNING ? LINGER_MS : DRAIN_IDLE_MS;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(connection->server->read_buffer, SERVER_READ_SIZE);
}

static void on_discard(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	(void)buffer;
	if (length < 0)
		close_connection(stream->data);
}

static void on_shutdown(uv_shutdown_t *shutdown, int error)
{
	struct connection *connection = shutdown->data;

	if (connection->state != ANSWERING)
		return;
	if (error || connection->ended ||
		uv_read_start(&connection->socket.stream, on_alloc, on_discard) != 0) {
		close_connection(connection);
		return;
	}
	connection->state = LINGERING;
	start_timer(connection, linger_ms(connection));
}

/* Errors come to the shutdown as well. */
static void on_written(uv_write_t *write, int error)
{
	struct connection *connection = write->data;

	(void)error;
	account(connection, 0);
	buffer_free(&connection->request.reply);
}

/* Has the client ended its side, and nothing of what it sent is left to be read? */
static bool has_ended(const struct connection *connection)
{
	uv_os_fd_t fd;
	char byte;

	if (connection->ended)
		return true;
	return uv_fileno(&connection->socket.handle, &fd) == 0 &&
		recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Sends what the socket takes now; returns the rest. */
static uv_buf_t send_now(struct connection *connection)
{
	struct buffer *reply = &connection->request.reply;
	uv_buf_t data = uv_buf_init(reply->data, (unsigned)reply->length);
	int sent = data.len > 0 ? uv_try_write(&connection->socket.stream, &data, 1) : 0;

	if (sent > 0) {
		data.base += sent;
		data.len -= (size_t)sent;
	}
	return data;
}

/* Sends the reply of the request, which may be empty, and our end. The client
 * may still be sending: that is read when the reply is out. Mostly it has ended, and
 * the socket takes all at once: then there is nothing to wait for. */
static void answer(struct connection *connection)
{
	struct buffer *reply = &connection->request.reply;

	connection->state = ANSWERING;
	spamd_session_free(&connection->session);
	uv_read_stop(&connection->socket.stream);
	uv_buf_t data = send_now(connection);
	if (data.len == 0 && has_ended(connection)) {
		close_connection(connection);
		return;
	}
	connection->unsent = data.len;
	account(connection, reply->capacity);
	start_timer(connection, progress_ms(connection));
	if (data.len > 0 &&
		uv_write(&connection->write, &connection->socket.stream, &data, 1, on_written) != 0)
		close_connection(connection);
	else if (uv_shutdown(&connection->shutdown, &connection->socket.stream, on_shutdown) != 0)
		close_connection(connection);
}

/* Does the text repeat what the client sent? spamd's words for it are kept. */
static bool is_echo(const char *text)
{
	static const char PREFIX[] = "Bad header line: ";
	const size_t length = sizeof(PREFIX) - 1;

	return strlen(text) > length && memcmp(text, PREFIX, length) == 0 && text[length] != '(';
}

/* What the client sent may be a part of a message: not for the log. */
static void answer_error(struct connection *connection, enum spamd_code code, const char *text)
{
	server_log_refusal(connection->server, LOG_INFO,
		(struct log_field[]){log_text("reason", is_echo(text) ? "Bad request line" : text),
			peer_log(&connection->peer), {0}});
	connection->request.reply = BUFFER_INIT(SERVER_READ_SIZE);
	spamd_reply_error(&connection->request.reply, code, text);
	answer(connection);
}

static void on_done(struct request *request)
{
	struct connection *connection =
		(struct connection *)((char *)request - offsetof(struct connection, request));

	answer(connection);
}

/* --- Receiving ----------------------------------------------------------- */

static void on_event(struct connection *connection, enum spamd_event event)
{
	struct request *request = &connection->request;
	const char *text;

	switch (event) {
	case SPAMD_NEED_MORE:
		break;
	case SPAMD_ERROR:
		connection->server->counters.refused.malformed++;
		enum spamd_code code = spamd_session_error(connection->session, &text);
		answer_error(connection, code, text);
		break;
	case SPAMD_REQUEST:
		/* The client's end is still listened for: see on_surplus. */
		uv_timer_stop(&connection->timer);
		connection->state = WORKING;
		request->server = connection->server;
		request->spamd = spamd_session_request(connection->session);
		request->peer = &connection->peer;
		request->done = on_done;
		request_start(request);
		break;
	}
}

static bool is_held_too_much(const struct server *server)
{
	return server->held_bytes > server->settings.max_buffered_bytes;
}

static void feed(struct connection *connection, const char *data, size_t length)
{
	enum spamd_event event = spamd_session_feed(connection->session, data, length);

	connection->begun = true;
	account(connection, spamd_session_size(connection->session));
	if (event == SPAMD_NEED_MORE && is_held_too_much(connection->server)) {
		connection->server->counters.refused.memory++;
		answer_error(connection, SPAMD_TEMPFAIL, "too busy: no memory for another message");
		return;
	}
	if (!spamd_session_in_headers(connection->session))
		start_timer(connection, progress_ms(connection));
	on_event(connection, event);
}

/* What comes after the request: mostly the end. Anything else is left for when the
 * reply is out. */
static void on_surplus(struct connection *connection, ssize_t length)
{
	connection->ended = length == UV_EOF;
	if (length != 0)
		uv_read_stop(&connection->socket.stream);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct connection *connection = stream->data;

	if (connection->state != RECEIVING) {
		on_surplus(connection, length);
	} else if (length > 0) {
		feed(connection, buffer->base, (size_t)length);
	} else if (length == UV_EOF) {
		connection->ended = true;
		if (connection->begun)
			on_event(connection, spamd_session_end(connection->session));
		else
			close_connection(connection); /* somebody looked whether we live */
	} else if (length < 0) {
		close_connection(connection);
	}
}

/* --- Time ---------------------------------------------------------------- */

static void time_out(struct connection *connection)
{
	const struct settings *settings = &connection->server->settings;
	char text[96];

	if (!connection->begun && connection->server->state != SERVER_RUNNING) {
		answer_error(connection, SPAMD_TEMPFAIL, SHUTTING_DOWN);
		return;
	}
	connection->server->counters.refused.timeouts++;
	if (spamd_session_in_headers(connection->session))
		snprintf(text, sizeof(text), "Timeout: (no complete headers in %u seconds)",
			(unsigned)settings->header_timeout);
	else
		snprintf(text, sizeof(text), "Timeout: (no byte of the message in %u seconds)",
			(unsigned)settings->body_timeout);
	answer_error(connection, SPAMD_TIMEOUT, text);
}

/* A slow reader is waited for as long as it takes a byte now and then. */
static void check_progress(struct connection *connection)
{
	size_t unsent = uv_stream_get_write_queue_size(&connection->socket.stream);

	if (unsent >= connection->unsent) {
		connection->server->counters.refused.timeouts++;
		close_connection(connection);
		return;
	}
	connection->unsent = unsent;
	start_timer(connection, progress_ms(connection));
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	switch (connection->state) {
	case RECEIVING:
		time_out(connection);
		break;
	case ANSWERING:
		check_progress(connection);
		break;
	case LINGERING:
		close_connection(connection);
		break;
	case WORKING:
	case CLOSED:
		break;
	}
}

void connections_drain(struct server *server)
{
	for (struct connection *each = server->connections; each; each = each->next) {
		if (each->state == LINGERING || (each->state == RECEIVING && !each->begun))
			start_timer(each, DRAIN_IDLE_MS);
	}
}

void connections_expire(struct server *server)
{
	for (struct connection *each = server->connections; each; each = each->next) {
		if (each->state == RECEIVING)
			answer_error(each, SPAMD_TEMPFAIL, SHUTTING_DOWN);
		else if (each->state == ANSWERING || each->state == LINGERING)
			close_connection(each);
	}
}

/* --- Accepting ----------------------------------------------------------- */

static void init_handles(struct connection *connection, const uv_stream_t *listening)
{
	uv_loop_t *loop = &connection->server->loop;

	if (uv_handle_get_type((const uv_handle_t *)listening) == UV_TCP)
		uv_tcp_init(loop, &connection->socket.tcp);
	else
		uv_pipe_init(loop, &connection->socket.pipe, 0);
	uv_timer_init(loop, &connection->timer);
	connection->open_handles = 2;
	connection->socket.handle.data = connection;
	connection->timer.data = connection;
	connection->write.data = connection;
	connection->shutdown.data = connection;
}

/* A few kilobytes. Without them we end: libuv would wait for this client to be
 * accepted before it looked at another one. */
static struct connection *new_connection(struct server *server, const uv_stream_t *listening)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	struct spamd_limits limits = {
		.message = server->settings.max_message_bytes,
		.line = LINE_MAX_BYTES,
		.headers = HEADERS_MAX,
	};

	if (!connection)
		abort();
	connection->server = server;
	connection->session = spamd_session_new(&limits);
	if (!connection->session)
		abort();
	init_handles(connection, listening);
	return connection;
}

static void identify(struct connection *connection)
{
	uv_os_fd_t fd;

	if (uv_fileno(&connection->socket.handle, &fd) == 0)
		peer_identify(&connection->peer, fd);
}

/* When even those who are refused are too many, nobody waits for them to read
 * it. */
static void refuse(struct connection *connection)
{
	struct server *server = connection->server;
	char line[128];

	server->counters.refused.connections++;
	if (server->refused_count <= REFUSED_MAX && server_has_room(server)) {
		answer_error(connection, SPAMD_TEMPFAIL, TOO_MANY);
		return;
	}
	int length = snprintf(line, sizeof(line), "SPAMD/1.0 %d %s\r\n", SPAMD_TEMPFAIL, TOO_MANY);
	uv_buf_t data = uv_buf_init(line, (unsigned)length);
	uv_try_write(&connection->socket.stream, &data, 1);
	close_connection(connection);
}

void connection_accept(struct server *server, uv_stream_t *listening)
{
	size_t open = server->connection_count - server->refused_count;
	bool full = open >= server->settings.max_connections || !server_has_room(server);
	struct connection *connection = new_connection(server, listening);

	connection->refused = full;
	enlist(connection);
	if (uv_accept(listening, &connection->socket.stream) != 0) {
		close_connection(connection);
		return;
	}
	identify(connection);
	if (full) {
		refuse(connection);
	} else if (uv_read_start(&connection->socket.stream, on_alloc, on_read) != 0) {
		close_connection(connection);
	} else {
		start_timer(connection, server->settings.header_timeout * 1000);
	}
}
