/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * A reply leaves, then our end; a client that has not ended its own side is listened to
 * for a while. Knows nothing of what was asked. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/daemon/server.h"
#include "engine/daemon/spamd/internal.h"

/* After the reply a client that has not ended its own side is listened to for
 * so long: closing a socket with unread bytes would reset it, and the client
 * might never see why it was refused. */
static const uint64_t LINGER_MS = 5000;

static uint64_t linger_ms(const struct connection *connection)
{
	return connection->server->state == SERVER_RUNNING ? LINGER_MS : DRAIN_IDLE_MS;
}

static void on_discard(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	(void)buffer;
	if (length < 0)
		connection_close(stream->data);
}

static void on_shutdown(uv_shutdown_t *shutdown, int error)
{
	struct connection *connection = shutdown->data;

	if (connection->state != ANSWERING)
		return;
	if (error || connection->ended ||
		uv_read_start(&connection->socket.stream, connection_on_alloc, on_discard) != 0) {
		connection_close(connection);
		return;
	}
	connection->state = LINGERING;
	connection_start_timer(connection, linger_ms(connection));
}

/* Errors come to the shutdown as well. */
static void on_written(uv_write_t *write, int error)
{
	struct connection *connection = write->data;

	(void)error;
	connection_account(connection, 0);
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
void connection_answer(struct connection *connection)
{
	struct buffer *reply = &connection->request.reply;

	connection->state = ANSWERING;
	spamd_session_free(&connection->session);
	uv_read_stop(&connection->socket.stream);
	uv_buf_t data = send_now(connection);
	if (data.len == 0 && has_ended(connection)) {
		connection_close(connection);
		return;
	}
	connection->unsent = data.len;
	pace_begin(&connection->pace, uv_now(&connection->server->loop));
	connection_account(connection, reply->capacity);
	connection_start_timer(connection, connection_progress_ms(connection));
	if (data.len > 0 &&
		uv_write(&connection->write, &connection->socket.stream, &data, 1, on_written) != 0)
		connection_close(connection);
	else if (uv_shutdown(&connection->shutdown, &connection->socket.stream, on_shutdown) != 0)
		connection_close(connection);
}

/* Does the text repeat what the client sent? spamd's words for it are kept. */
static bool is_echo(const char *text)
{
	static const char PREFIX[] = "Bad header line: ";
	const size_t length = sizeof(PREFIX) - 1;

	return strlen(text) > length && memcmp(text, PREFIX, length) == 0 && text[length] != '(';
}

/* What the client sent may be a part of a message: not for the log. */
void connection_answer_error(struct connection *connection, enum spamd_code code, const char *text)
{
	server_log_refusal(connection->server, LOG_INFO,
		(struct log_field[]){log_text("reason", is_echo(text) ? "Bad request line" : text),
			peer_log(&connection->peer), {0}});
	connection->request.reply = BUFFER_INIT(SERVER_READ_SIZE);
	spamd_reply_error(&connection->request.reply, code, text);
	connection_answer(connection);
}

/* A slow reader is waited for as long as it takes a byte now and then, and enough in all. */
void connection_check_progress(struct connection *connection)
{
	size_t unsent = uv_stream_get_write_queue_size(&connection->socket.stream);

	if (unsent < connection->unsent)
		connection->pace.bytes += connection->unsent - unsent;
	if (unsent >= connection->unsent || connection_progress_ms(connection) == 0) {
		connection->server->counters.refused.timeouts++;
		connection_close(connection);
		return;
	}
	connection->unsent = unsent;
	connection_start_timer(connection, connection_progress_ms(connection));
}
