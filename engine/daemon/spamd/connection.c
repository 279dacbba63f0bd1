/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/daemon/server.h"
#include "engine/daemon/spamd/internal.h"
#include "engine/service/query/query.h"

/* spamd's limit of a line; libspamc's own are shorter. Exim writes a line for each
 * recipient and has no limit of its own. */
static const size_t LINE_MAX_BYTES = 8192;
static const size_t HEADERS_MAX = 100000;

static const char SHUTTING_DOWN[] = "shutting down";
static const char TOO_MANY[] = "too busy: all connections are in use";

/* Refused connections that may linger beyond max-connections. */
static const size_t REFUSED_MAX = 256;

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
	if (connection->counted)
		quota_give(server->quota, peer_client(&connection->peer));
	server->refused_count -= connection->refused;
}

/* --- Closing ------------------------------------------------------------- */

void connection_account(struct connection *connection, size_t held)
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
	connection_account(connection, 0);
	spamd_session_free(&connection->session);
	buffer_free(&connection->request.reply);
	delist(connection);
	free(connection);
	server_on_disconnect(server);
}

void connection_close(struct connection *connection)
{
	assert(connection->state != WORKING);
	if (connection->state == CLOSED)
		return;
	connection->state = CLOSED;
	uv_close(&connection->socket.handle, on_closed);
	uv_close((uv_handle_t *)&connection->timer, on_closed);
}

/* --- Shared with answer.c ------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

void connection_start_timer(struct connection *connection, uint64_t milliseconds)
{
	uv_timer_start(&connection->timer, on_timer, milliseconds, 0);
}

uint64_t connection_progress_ms(const struct connection *connection)
{
	const struct server *server = connection->server;
	uint64_t silence = server->settings.body_timeout * 1000;
	uint64_t left = pace_left(&connection->pace, uv_now(&server->loop), silence);

	if (server->state == SERVER_FORCED)
		return DRAIN_IDLE_MS;
	return left < silence ? left : silence;
}

void connection_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(connection->server->read_buffer, SERVER_READ_SIZE);
}

/* --- Receiving ----------------------------------------------------------- */

static void on_done(struct request *request)
{
	struct connection *connection =
		(struct connection *)((char *)request - offsetof(struct connection, request));

	connection_answer(connection);
}

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
		connection_answer_error(connection, code, text);
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
	connection_account(connection, spamd_session_size(connection->session));
	if (event == SPAMD_NEED_MORE && is_held_too_much(connection->server)) {
		connection->server->counters.refused.memory++;
		connection_answer_error(
			connection, SPAMD_TEMPFAIL, "too busy: no memory for another message");
		return;
	}
	if (!spamd_session_in_headers(connection->session)) {
		if (connection->pace.started == 0)
			pace_begin(&connection->pace, uv_now(&connection->server->loop));
		connection->pace.bytes += length;
		connection_start_timer(connection, connection_progress_ms(connection));
	}
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
			connection_close(connection); /* somebody looked whether we live */
	} else if (length < 0) {
		connection_close(connection);
	}
}

/* --- Time ---------------------------------------------------------------- */

static void time_out(struct connection *connection)
{
	const struct settings *settings = &connection->server->settings;
	char text[96];

	if (!connection->begun && connection->server->state != SERVER_RUNNING) {
		connection_answer_error(connection, SPAMD_TEMPFAIL, SHUTTING_DOWN);
		return;
	}
	connection->server->counters.refused.timeouts++;
	if (spamd_session_in_headers(connection->session))
		snprintf(text, sizeof(text), "Timeout: (no complete headers in %u seconds)",
			(unsigned)settings->header_timeout);
	else
		snprintf(text, sizeof(text),
			"Timeout: (no byte of the message in %u seconds, or too few in all)",
			(unsigned)settings->body_timeout);
	connection_answer_error(connection, SPAMD_TIMEOUT, text);
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	switch (connection->state) {
	case RECEIVING:
		time_out(connection);
		break;
	case ANSWERING:
		connection_check_progress(connection);
		break;
	case LINGERING:
		connection_close(connection);
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
			connection_start_timer(each, DRAIN_IDLE_MS);
	}
}

void connections_expire(struct server *server)
{
	for (struct connection *each = server->connections; each; each = each->next) {
		if (each->state == RECEIVING)
			connection_answer_error(each, SPAMD_TEMPFAIL, SHUTTING_DOWN);
		else if (each->state == ANSWERING || each->state == LINGERING)
			connection_close(each);
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
		.recipients = QUERY_MAX_USERS,
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
		connection_answer_error(connection, SPAMD_TEMPFAIL, TOO_MANY);
		return;
	}
	int length = snprintf(line, sizeof(line), "SPAMD/1.0 %d %s\r\n", SPAMD_TEMPFAIL, TOO_MANY);
	uv_buf_t data = uv_buf_init(line, (unsigned)length);
	uv_try_write(&connection->socket.stream, &data, 1);
	connection_close(connection);
}

void connection_accept(struct server *server, uv_stream_t *listening)
{
	size_t open = server->connection_count - server->refused_count;
	size_t most = server->settings.max_connections;
	struct connection *connection = new_connection(server, listening);
	bool accepted = uv_accept(listening, &connection->socket.stream) == 0;

	if (accepted)
		identify(connection);
	if (accepted && open < most && server_has_room(server))
		connection->counted =
			quota_take(server->quota, peer_client(&connection->peer), most);
	connection->refused = !connection->counted;
	enlist(connection);
	if (!accepted) {
		connection_close(connection);
	} else if (connection->refused) {
		refuse(connection);
	} else if (uv_read_start(&connection->socket.stream, connection_on_alloc, on_read) != 0) {
		connection_close(connection);
	} else {
		connection_start_timer(connection, server->settings.header_timeout * 1000);
	}
}
