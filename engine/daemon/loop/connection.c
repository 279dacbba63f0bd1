/* A client of a stream protocol: its states, its time, its bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/connection.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/state.h"
#include "engine/daemon/server.h"

/* After the last bytes a client that has not ended its own side is listened to for so long:
 * closing a socket with unread bytes would reset it, and the client might never see why it
 * was refused. */
static const uint64_t LINGER_MS = 5000;

/* --- States -------------------------------------------------------------- */

static void move_connection(struct connection *connection, enum connection_state to)
{
	static const unsigned MOVES[] = {
		[CONNECTION_OPEN] = STATE_BIT(CONNECTION_BUSY) | STATE_BIT(CONNECTION_LEAVING) |
			STATE_BIT(CONNECTION_CLOSED),
		[CONNECTION_BUSY] = STATE_BIT(CONNECTION_OPEN) | STATE_BIT(CONNECTION_LEAVING),
		[CONNECTION_LEAVING] =
			STATE_BIT(CONNECTION_LINGERING) | STATE_BIT(CONNECTION_CLOSED),
		[CONNECTION_LINGERING] = STATE_BIT(CONNECTION_CLOSED),
		[CONNECTION_CLOSED] = 0,
	};

	ASSERT_OWNER();
	STATE_MOVE(connection->state, to, MOVES);
}

void connection_begin_work(struct connection *connection)
{
	uv_timer_stop(&connection->timer);
	move_connection(connection, CONNECTION_BUSY);
}

void connection_end_work(struct connection *connection)
{
	move_connection(connection, CONNECTION_OPEN);
}

void connection_hold(struct connection *connection, size_t bytes)
{
	admission_hold(connection->server, &connection->held, bytes);
}

/* --- Life ---------------------------------------------------------------- */

void stream_init(uv_loop_t *loop, union stream *socket, bool tcp)
{
	if (tcp)
		uv_tcp_init(loop, &socket->tcp);
	else
		uv_pipe_init(loop, &socket->pipe, 0);
}

/* Without the few kilobytes of a connection we end: libuv would wait for this client to be
 * accepted before it looked at another one. */
struct connection *connection_new(struct server *server, const struct stream_protocol *protocol,
	bool tcp, void (*gone)(struct connection *connection))
{
	struct connection *connection = g_malloc0(protocol->size);

	connection->server = server;
	connection->protocol = protocol;
	connection->tcp = tcp;
	connection->gone = gone;
	stream_init(&server->loop, &connection->socket, tcp);
	uv_timer_init(&server->loop, &connection->timer);
	connection->open_handles = 2;
	connection->socket.handle.data = connection;
	connection->timer.data = connection;
	connection->shutdown.data = connection;
	return connection;
}

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	if (--connection->open_handles > 0)
		return;
	if (connection->entered)
		connection->protocol->closed(connection);
	connection_hold(connection, 0);
	connection->gone(connection);
}

void connection_close(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSED)
		return;
	move_connection(connection, CONNECTION_CLOSED);
	uv_close(&connection->socket.handle, on_connection_closed);
	uv_close((uv_handle_t *)&connection->timer, on_connection_closed);
}

/* --- Time ---------------------------------------------------------------- */

static void on_connection_timer(uv_timer_t *timer);

void connection_set_timer(struct connection *connection, uint64_t milliseconds)
{
	uv_timer_start(&connection->timer, on_connection_timer, milliseconds, 0);
}

/* How long a client may take or give no byte, or until it is too slow in the mean; 0 = it
 * is. */
static uint64_t progress_ms(const struct connection *connection)
{
	const struct server *server = connection->server;
	uint64_t silence = server->settings.body_timeout * 1000;
	uint64_t left = pace_left(&connection->pace, uv_now(&server->loop), silence);

	if (server->state == SERVER_FORCED)
		return DRAIN_IDLE_MS;
	return left < silence ? left : silence;
}

void connection_keep_pace(struct connection *connection, size_t bytes)
{
	if (connection->pace.started == 0)
		pace_begin(&connection->pace, uv_now(&connection->server->loop));
	connection->pace.bytes += bytes;
	connection_set_timer(connection, progress_ms(connection));
}

/* A slow reader is waited for as long as it takes a byte now and then, and enough in all. */
static void check_progress(struct connection *connection)
{
	size_t unsent = connection_unsent(connection);

	if (unsent < connection->unsent)
		connection->pace.bytes += connection->unsent - unsent;
	if (unsent >= connection->unsent || progress_ms(connection) == 0) {
		connection->server->counters.refused.timeouts++;
		connection_close(connection);
		return;
	}
	connection->unsent = unsent;
	connection_set_timer(connection, progress_ms(connection));
}

static void on_connection_timer(uv_timer_t *timer)
{
	struct connection *connection = timer->data;

	switch (connection->state) {
	case CONNECTION_OPEN:
		connection->protocol->timed_out(connection);
		break;
	case CONNECTION_LEAVING:
		check_progress(connection);
		break;
	case CONNECTION_LINGERING:
		connection_close(connection);
		break;
	case CONNECTION_BUSY:
	case CONNECTION_CLOSED:
		break;
	}
}

/* --- Reading ------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct server *server = ((struct connection *)handle->data)->server;

	(void)suggested;
	*buffer = uv_buf_init(server->read_buffer, sizeof(server->read_buffer));
}

/* While a task is at work mostly the end comes. Anything else is left for when the last
 * bytes are out. */
static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct connection *connection = stream->data;
	const struct stream_protocol *protocol = connection->protocol;

	if (length == 0)
		return;
	connection->ended |= length == UV_EOF;
	if (connection->state != CONNECTION_OPEN)
		uv_read_stop(stream);
	else if (length > 0)
		protocol->received(connection, buffer->base, (size_t)length);
	else if (length == UV_EOF)
		protocol->ended(connection);
	else
		connection_close(connection);
}

void connection_pause(struct connection *connection)
{
	uv_read_stop(&connection->socket.stream);
}

void connection_resume(struct connection *connection)
{
	int error = uv_read_start(&connection->socket.stream, on_alloc, on_read);

	if (error && error != UV_EALREADY)
		connection_close(connection);
}

/* --- Writing ------------------------------------------------------------- */

struct write {
	uv_write_t request;
	char *data;
};

static void on_written(uv_write_t *request, int error)
{
	struct write *write = (struct write *)request;
	struct connection *connection = request->data;

	free(write->data);
	g_free(write);
	if (connection->state == CONNECTION_LEAVING)
		connection_hold(connection, 0);
	if (error && connection->state != CONNECTION_BUSY)
		connection_close(connection);
}

/* Mostly the socket takes all at once: then there is nothing to wait for. */
void connection_send(struct connection *connection, struct buffer *bytes)
{
	uv_stream_t *stream = &connection->socket.stream;
	uv_buf_t rest = uv_buf_init(bytes->data, (unsigned)bytes->length);
	struct write *write;

	if (bytes->length == 0 || connection->state == CONNECTION_CLOSED)
		return;
	int sent = uv_try_write(stream, &rest, 1);
	if (sent > 0) {
		rest.base += sent;
		rest.len -= (size_t)sent;
	}
	if (rest.len == 0) {
		buffer_free(bytes);
		return;
	}
	write = g_new0(struct write, 1);
	write->data = bytes->data;
	write->request.data = connection;
	*bytes = BUFFER_INIT(bytes->limit);
	if (uv_write(&write->request, stream, &rest, 1, on_written) != 0) {
		free(write->data);
		g_free(write);
		connection_close(connection);
	}
}

size_t connection_unsent(const struct connection *connection)
{
	return uv_stream_get_write_queue_size(&connection->socket.stream);
}

/* --- Leaving ------------------------------------------------------------- */

static void on_surplus(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	(void)buffer;
	if (length < 0)
		connection_close(stream->data);
}

static void on_shutdown(uv_shutdown_t *shutdown, int error)
{
	struct connection *connection = shutdown->data;
	bool running = connection->server->state == SERVER_RUNNING;

	if (connection->state != CONNECTION_LEAVING)
		return;
	if (error || connection->ended ||
		uv_read_start(&connection->socket.stream, on_alloc, on_surplus) != 0) {
		connection_close(connection);
		return;
	}
	move_connection(connection, CONNECTION_LINGERING);
	connection_set_timer(connection, running ? LINGER_MS : DRAIN_IDLE_MS);
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

/* The client may still be sending: that is read when the last bytes are out. Mostly it has
 * ended. */
void connection_leave(struct connection *connection, struct buffer *bytes)
{
	size_t size = bytes->capacity;

	move_connection(connection, CONNECTION_LEAVING);
	uv_read_stop(&connection->socket.stream);
	connection_send(connection, bytes);
	buffer_free(bytes);
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection->unsent = connection_unsent(connection);
	connection_hold(connection, connection->unsent > 0 ? size : 0);
	if (connection->unsent == 0 && has_ended(connection)) {
		connection_close(connection);
		return;
	}
	pace_begin(&connection->pace, uv_now(&connection->server->loop));
	connection_set_timer(connection, progress_ms(connection));
	if (uv_shutdown(&connection->shutdown, &connection->socket.stream, on_shutdown) != 0)
		connection_close(connection);
}
