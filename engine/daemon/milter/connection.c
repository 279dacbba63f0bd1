/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One mail server, from accept to close: its bytes go to a session (protocol/milter.h),
 * whose messages become tasks, whose answers are written. */
#include <assert.h>
#include <glib.h>
#include <stdlib.h>

#include "engine/daemon/milter/answer.h"
#include "engine/daemon/milter/internal.h"
#include "engine/daemon/server.h"
#include "engine/service/query/query.h"

/* Between two commands a mail server is silent while its own client is: SMTP allows
 * minutes. */
static const uint64_t SILENCE_MS = 3600 * 1000;

/* A mail server for which there is no room is told so within this time; of such
 * connections there are no more than so many, beyond that they are just closed. */
static const uint64_t REFUSED_MS = 5000;
static const size_t REFUSED_MAX = 1024;

/* In a shutdown an answer has so long to leave. */
static const uint64_t FAREWELL_MS = 200;

static const size_t REPLY_MAX = FORGED_MAX_BYTES + 65536;

/* Answers that a mail server has not read yet: one waits for each before it goes on. */
static const size_t UNSENT_MAX = FORGED_MAX_BYTES + 4 * 65536;

/* A connection of a mail server: one message after another. READING until a
 * message is complete, JUDGING until the task is done, which it may be as soon as it is
 * started: STARTING until then; CLOSING is final. */
struct milter_connection {
	struct milter *milter;
	union stream socket;
	uv_timer_t timer;
	int open_handles;
	enum { READING, STARTING, JUDGING, CLOSING } state;
	struct milter_session *session;
	size_t held;
	struct peer peer;
	struct task task;
	bool left_out; /* the message is not to be judged */
	bool refused; /* takes no part in max-connections */
	bool hurried; /* the timer runs for the rest of a command */
	size_t commands; /* taken when it was started */
	struct milter_connection *next, **place;
};

/* --- The end of a connection ------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
	struct milter_connection *connection = handle->data;
	struct milter *milter = connection->milter;
	struct server *server = milter->server;

	milter->references--;
	if (--connection->open_handles > 0)
		return;
	*connection->place = connection->next;
	if (connection->next)
		connection->next->place = connection->place;
	milter->count--;
	milter->refused_count -= connection->refused;
	server->held_bytes -= connection->held;
	milter_session_free(&connection->session);
	g_free(connection);
	milter_release(milter);
	server_on_disconnect(server);
}

/* Not while a task is at work: its end closes. */
static void close_connection(struct milter_connection *connection)
{
	if (connection->state == CLOSING)
		return;
	connection->state = CLOSING;
	uv_close(&connection->socket.handle, on_closed);
	uv_close((uv_handle_t *)&connection->timer, on_closed);
}

/* --- Writing ------------------------------------------------------------------------ */

struct write {
	uv_write_t request;
	char *data;
};

static void on_written(uv_write_t *request, int error)
{
	struct write *write = (struct write *)request;
	struct milter_connection *connection = request->data;

	free(write->data);
	g_free(write);
	if (error && connection->state != JUDGING)
		close_connection(connection);
}

/* Takes the buffer's bytes over. */
static void send_bytes(struct milter_connection *connection, struct buffer *buffer)
{
	struct write *write;
	uv_buf_t bytes;

	if (buffer->length == 0 || connection->state == CLOSING)
		return;
	write = g_new0(struct write, 1);
	write->data = buffer->data;
	bytes = uv_buf_init(buffer->data, (unsigned)buffer->length);
	*buffer = BUFFER_INIT(buffer->limit);
	write->request.data = connection;
	if (uv_write(&write->request, &connection->socket.stream, &bytes, 1, on_written) != 0) {
		free(write->data);
		g_free(write);
		close_connection(connection);
	}
}

/* --- Reading ---------------------------------------------------------------------------- */

static void on_event(struct milter_connection *connection, enum milter_event event);
static void on_silence(uv_timer_t *timer);

/* The rest of a command must follow soon, and a byte of it now and then gives no new time. */
static void set_timer(struct milter_connection *connection)
{
	const struct settings *settings = &connection->milter->server->settings;
	size_t commands = milter_session_commands(connection->session);
	bool hurried = milter_session_unfinished(connection->session);

	if (connection->refused)
		return;
	if (!hurried || !connection->hurried || commands != connection->commands)
		uv_timer_start(&connection->timer, on_silence,
			hurried ? settings->body_timeout * UINT64_C(1000) : SILENCE_MS, 0);
	connection->hurried = hurried;
	connection->commands = commands;
}

static void account(struct milter_connection *connection)
{
	size_t size = milter_session_size(connection->session);

	connection->milter->server->held_bytes += size - connection->held;
	connection->held = size;
}

/* The task is done, if there was one. True with what follows, if anything shall. */
static bool answer(struct milter_connection *connection, enum milter_event *event)
{
	struct task *task = &connection->task;
	struct server *server = connection->milter->server;
	const struct milter_message *message = milter_session_message(connection->session);
	struct buffer output = BUFFER_INIT(REPLY_MAX);

	if (connection->left_out)
		answer_unjudged(&output, message);
	else if (task->failure.code == STATUS_OK)
		answer_verdict(&output, message, task);
	else
		answer_failure(&output, message, server, &task->failure);
	if (!connection->left_out)
		task_release(task);
	if (output.failed) {
		buffer_free(&output);
		close_connection(connection);
		return false;
	}
	send_bytes(connection, &output);
	if (server->state != SERVER_RUNNING) { /* once the answer is out */
		uv_timer_start(&connection->timer, on_silence, FAREWELL_MS, 0);
		return false;
	}
	*event = milter_session_next(connection->session);
	connection->hurried = false;
	set_timer(connection);
	return true;
}

static void on_judged(struct task *task)
{
	struct milter_connection *connection = task->owner;
	bool at_once = connection->state == STARTING;
	enum milter_event event;

	connection->state = READING;
	if (!at_once && answer(connection, &event))
		on_event(connection, event);
}

/* Mail that our own people submit, which is not to be marked as spam on its way out. */
static bool leaves_out(
	const struct milter_connection *connection, const struct milter_message *message)
{
	struct server *server = connection->milter->server;

	if (!*message->login || server->settings.judge_authenticated)
		return false;
	log_event(server->log, LOG_DEBUG, "authenticated",
		(struct log_field[]){log_text("command", "milter"),
			log_number("bytes", (int64_t)message->length), peer_log(&connection->peer),
			{0}});
	return true;
}

/* True when it is done already. */
static bool judge(struct milter_connection *connection)
{
	const struct milter_message *message = milter_session_message(connection->session);
	struct task *task = &connection->task;

	connection->left_out = leaves_out(connection, message);
	if (connection->left_out)
		return true;
	connection->state = STARTING;
	uv_read_stop(&connection->socket.stream);
	*task = (struct task){.owner = connection,
		.server = connection->milter->server,
		.peer = &connection->peer,
		.kind = TASK_SCAN,
		.unshared = true,
		.name = "milter",
		.user = "",
		.message = message->text,
		.length = message->length,
		.done = on_judged};
	if (message->recipient_count > 0)
		context_add_recipients(&task->context, message->recipients,
			message->recipient_count, message->recipients_lost);
	task_start(task);
	if (connection->state != STARTING)
		return true;
	connection->state = JUDGING;
	return false;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer);

static void on_allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	struct milter_connection *connection = handle->data;
	struct server *server = connection->milter->server;
	(void)size;

	*buffer = uv_buf_init(server->read_buffer, sizeof(server->read_buffer));
}

static void log_refusal(const struct milter_connection *connection, const char *reason)
{
	server_log_refusal(connection->milter->server, LOG_WARNING,
		(struct log_field[]){log_text("command", "milter"), log_text("reason", reason),
			peer_log(&connection->peer), {0}});
}

static void refuse(struct milter_connection *connection, const char *reason)
{
	log_refusal(connection, reason);
	close_connection(connection);
}

/* True when the event was a message that is judged already: it is to be answered. */
static bool take_event(struct milter_connection *connection, enum milter_event event)
{
	struct server *server = connection->milter->server;

	account(connection);
	send_bytes(connection, milter_session_output(connection->session));
	if (connection->state == CLOSING)
		return false;
	switch (event) {
	case MILTER_NEED_MORE:
		if (uv_stream_get_write_queue_size(&connection->socket.stream) > UNSENT_MAX) {
			server->counters.refused.malformed++;
			refuse(connection, "the mail server asks more than it listens");
		} else if (server->held_bytes > server->settings.max_buffered_bytes) {
			server->counters.refused.memory++;
			refuse(connection, "memory for messages is used up");
		} else {
			uv_read_start(&connection->socket.stream, on_allocate, on_read);
		}
		break;
	case MILTER_MESSAGE:
		return judge(connection);
	case MILTER_QUIT:
		close_connection(connection);
		break;
	case MILTER_ERROR:
		server->counters.refused.malformed++;
		refuse(connection, milter_session_error(connection->session));
		break;
	}
	return false;
}

/* A loop: one read may bring thousands of messages that are all refused at once. */
static void on_event(struct milter_connection *connection, enum milter_event event)
{
	while (take_event(connection, event) && answer(connection, &event)) {
	}
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct milter_connection *connection = stream->data;

	if (size == 0)
		return;
	if (size < 0) {
		close_connection(connection);
		return;
	}
	enum milter_event event =
		milter_session_feed(connection->session, buffer->base, (size_t)size);
	set_timer(connection);
	on_event(connection, event);
}

static void on_silence(uv_timer_t *timer)
{
	struct milter_connection *connection = timer->data;

	if (connection->state == JUDGING)
		return;
	if (connection->hurried)
		connection->milter->server->counters.refused.timeouts++;
	close_connection(connection);
}

/* --- Accepting ---------------------------------------------------------------------------- */

void milter_init_stream(uv_loop_t *loop, union stream *socket, bool tcp)
{
	if (tcp)
		uv_tcp_init(loop, &socket->tcp);
	else
		uv_pipe_init(loop, &socket->pipe, 0);
}

static void add_connection(struct milter *milter, struct milter_connection *connection)
{
	connection->milter = milter;
	connection->next = milter->connections;
	connection->place = &milter->connections;
	if (connection->next)
		connection->next->place = &connection->next;
	milter->connections = connection;
	milter->count++;
	milter->references += 2;
}

/* All connections are in use: what would have been said of each message is said at
 * once. False when even those who are told so are too many. */
static bool turn_away(struct milter_connection *connection)
{
	static const char REASON[] = "too busy: all connections are in use";
	struct milter *milter = connection->milter;
	struct server *server = milter->server;

	server->counters.refused.connections++;
	if (milter->refused_count == REFUSED_MAX) {
		refuse(connection, REASON);
		return false;
	}
	log_refusal(connection, REASON);
	connection->refused = true;
	milter->refused_count++;
	milter_session_refuse(connection->session, answer_failure_reply(server, STATUS_OVERLOAD));
	uv_timer_start(&connection->timer, on_silence, REFUSED_MS, 0);
	return true;
}

void milter_accept_connection(struct milter *milter, uv_stream_t *listening, bool tcp)
{
	struct server *server = milter->server;
	struct milter_connection *connection = g_new0(struct milter_connection, 1);
	/* Text beyond the tokenizer's bound would not be looked at. */
	const struct milter_limits limits = {
		.message = server->settings.max_message_bytes, .recipients = QUERY_MAX_USERS};
	uv_os_fd_t fd;

	add_connection(milter, connection);
	milter_init_stream(&server->loop, &connection->socket, tcp);
	uv_timer_init(&server->loop, &connection->timer);
	connection->open_handles = 2;
	connection->socket.handle.data = connection->timer.data = connection;
	connection->session = milter_session_new(&limits);
	if (uv_accept(listening, &connection->socket.stream) != 0 || !connection->session) {
		close_connection(connection);
		return;
	}
	if (uv_fileno(&connection->socket.handle, &fd) == 0)
		peer_identify(&connection->peer, fd);
	/* A port of the milter is opened for a mail server, and for nothing else. */
	connection->peer.admitted |= tcp;
	server->counters.connections++;
	if (!server_has_room(server)) { /* nor for an answer */
		server->counters.refused.connections++;
		refuse(connection, "too many connections for the limit of open files");
		return;
	}
	if (milter->count - milter->refused_count > server->settings.max_connections &&
		!turn_away(connection))
		return;
	set_timer(connection);
	uv_read_start(&connection->socket.stream, on_allocate, on_read);
}

/* --- All of them ------------------------------------------------------------------------ */

void milter_close_idle(struct milter *milter)
{
	for (struct milter_connection *connection = milter->connections; connection;
		connection = connection->next) {
		if (connection->state == READING)
			close_connection(connection);
	}
}

void milter_close_all(struct milter *milter)
{
	for (struct milter_connection *connection = milter->connections; connection;
		connection = connection->next) {
		assert(connection->state != JUDGING); /* a shutdown waits for those */
		close_connection(connection);
	}
}
