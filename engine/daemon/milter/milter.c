/* The milter: a mail server's bytes go to a session (protocol/milter.h), whose messages
 * become tasks, whose answers are written.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/milter/milter.h"

#include "engine/daemon/loop/transport.h"
#include "engine/daemon/milter/answer.h"
#include "engine/daemon/server.h"
#include "engine/service/query/query.h"

/* Between two commands a mail server is silent while its own client is: SMTP allows
 * minutes. */
static const uint64_t SILENCE_MS = 3600 * 1000;

/* A mail server for which there is no place is told so within this time. */
static const uint64_t REFUSED_MS = 5000;

/* In a shutdown an answer has so long to leave. */
static const uint64_t FAREWELL_MS = 200;

static const size_t REPLY_MAX = FORGED_MAX_BYTES + 65536;

/* Answers that a mail server has not read yet: one waits for each before it goes on. */
static const size_t UNSENT_MAX = FORGED_MAX_BYTES + 4 * 65536;

/* One message after another: the connection is BUSY while one is judged. */
struct mail_server {
	struct connection connection; /* first: see struct stream_protocol */
	struct milter_session *session;
	struct task task;
	bool starting; /* task_start has not returned */
	bool left_out; /* the message is not to be judged */
	bool refused; /* there was no place: it is told so */
	bool hurried; /* the timer runs for the rest of a command */
	size_t commands; /* taken when it was started */
};

static struct mail_server *mail_server_of(struct connection *connection)
{
	return (struct mail_server *)connection;
}

/* --- Refusals ------------------------------------------------------------ */

static void log_refusal(const struct mail_server *mail_server, const char *reason)
{
	const struct connection *connection = &mail_server->connection;

	server_log_refusal(connection->server, LOG_WARNING,
		(struct log_field[]){log_text("command", "milter"), log_text("reason", reason),
			peer_log(&connection->peer), {0}});
}

static void close_for(struct mail_server *mail_server, const char *reason)
{
	log_refusal(mail_server, reason);
	connection_close(&mail_server->connection);
}

/* --- Messages ------------------------------------------------------------ */

/* The rest of a command must follow soon, and a byte of it now and then gives no new time. */
static void set_timer(struct mail_server *mail_server)
{
	struct connection *connection = &mail_server->connection;
	const struct settings *settings = &connection->server->settings;
	size_t commands = milter_session_commands(mail_server->session);
	bool hurried = milter_session_unfinished(mail_server->session);

	if (mail_server->refused)
		return;
	if (!hurried || !mail_server->hurried || commands != mail_server->commands)
		connection_set_timer(
			connection, hurried ? settings->body_timeout * UINT64_C(1000) : SILENCE_MS);
	mail_server->hurried = hurried;
	mail_server->commands = commands;
}

static void write_answer(struct mail_server *mail_server, struct buffer *output)
{
	struct task *task = &mail_server->task;
	const struct milter_message *message = milter_session_message(mail_server->session);

	if (mail_server->left_out) {
		answer_unjudged(output, message);
		return;
	}
	if (task->failure.code == STATUS_OK)
		answer_verdict(output, message, task);
	else
		answer_failure(output, message, task->server, &task->failure);
	task_release(task);
}

/* The message is judged, or was not to be. True with what follows, if anything shall. */
static bool answer(struct mail_server *mail_server, enum milter_event *event)
{
	struct connection *connection = &mail_server->connection;
	struct buffer output = BUFFER_INIT(REPLY_MAX);

	write_answer(mail_server, &output);
	if (output.failed) {
		buffer_free(&output);
		connection_close(connection);
		return false;
	}
	connection_send(connection, &output);
	if (connection->state == CONNECTION_CLOSED)
		return false;
	if (connection->server->state != SERVER_RUNNING) { /* once the answer is out */
		connection_set_timer(connection, FAREWELL_MS);
		return false;
	}
	*event = milter_session_next(mail_server->session);
	mail_server->hurried = false;
	set_timer(mail_server);
	return true;
}

static void take_milter_events(struct mail_server *mail_server, enum milter_event event);

static void on_judged(struct task *task)
{
	struct mail_server *mail_server = task->owner;
	enum milter_event event;

	connection_end_work(&mail_server->connection);
	if (!mail_server->starting && answer(mail_server, &event))
		take_milter_events(mail_server, event);
}

/* Mail that our own people submit, which is not to be marked as spam on its way out. */
static bool leaves_out(const struct connection *connection, const struct milter_message *message)
{
	struct server *server = connection->server;

	if (!*message->login || server->settings.judge_authenticated)
		return false;
	log_event(server->log, LOG_DEBUG, "authenticated",
		(struct log_field[]){log_text("command", "milter"),
			log_number("bytes", (int64_t)message->length), peer_log(&connection->peer),
			{0}});
	return true;
}

/* True when it is done already. */
static bool judge(struct mail_server *mail_server)
{
	const struct milter_message *message = milter_session_message(mail_server->session);
	struct connection *connection = &mail_server->connection;
	struct task *task = &mail_server->task;

	mail_server->left_out = leaves_out(connection, message);
	if (mail_server->left_out)
		return true;
	connection_pause(connection);
	connection_begin_work(connection);
	*task = (struct task){.owner = mail_server,
		.server = connection->server,
		.peer = &connection->peer,
		.kind = &task_scan,
		.unshared = true,
		.name = "milter",
		.user = "",
		.message = message->text,
		.length = message->length,
		.done = on_judged};
	if (message->recipient_count > 0)
		context_add_recipients(&task->context, message->recipients,
			message->recipient_count, message->recipients_lost);
	mail_server->starting = true;
	task_start(task);
	mail_server->starting = false;
	return connection->state == CONNECTION_OPEN;
}

/* Goes on reading, unless the mail server has too much waiting already. */
static void read_more(struct mail_server *mail_server)
{
	struct connection *connection = &mail_server->connection;

	if (connection_unsent(connection) > UNSENT_MAX) {
		connection->server->counters.refused.malformed++;
		close_for(mail_server, "the mail server asks more than it listens");
	} else if (!admission_has_memory(connection->server, 0)) {
		close_for(mail_server, "memory for messages is used up");
	} else {
		connection_resume(connection);
	}
}

/* True when the event was a message that is judged already: it is to be answered. */
static bool take_milter_event(struct mail_server *mail_server, enum milter_event event)
{
	struct connection *connection = &mail_server->connection;

	connection_hold(connection, milter_session_size(mail_server->session));
	connection_send(connection, milter_session_output(mail_server->session));
	if (connection->state == CONNECTION_CLOSED)
		return false;
	switch (event) {
	case MILTER_NEED_MORE:
		read_more(mail_server);
		break;
	case MILTER_MESSAGE:
		return judge(mail_server);
	case MILTER_QUIT:
		connection_close(connection);
		break;
	case MILTER_ERROR:
		connection->server->counters.refused.malformed++;
		close_for(mail_server, milter_session_error(mail_server->session));
		break;
	}
	return false;
}

/* A loop: one read may bring thousands of messages that are all refused at once. */
static void take_milter_events(struct mail_server *mail_server, enum milter_event event)
{
	while (take_milter_event(mail_server, event) && answer(mail_server, &event)) {
	}
}

/* --- The connection ------------------------------------------------------ */

static void milter_received(struct connection *connection, const char *bytes, size_t length)
{
	struct mail_server *mail_server = mail_server_of(connection);
	enum milter_event event = milter_session_feed(mail_server->session, bytes, length);

	set_timer(mail_server);
	take_milter_events(mail_server, event);
}

static void milter_timed_out(struct connection *connection)
{
	connection->server->counters.refused.timeouts += mail_server_of(connection)->hurried;
	connection_close(connection);
}

/* What an answer has left to leave takes FAREWELL_MS at most. */
static void milter_shutting_down(struct connection *connection, bool forced)
{
	if (!forced)
		connection_close(connection);
}

/* All places are taken: what would have been said of each message is said at once. */
static void turn_mail_server_away(struct mail_server *mail_server, const char *reason)
{
	struct connection *connection = &mail_server->connection;

	log_refusal(mail_server, reason);
	mail_server->refused = true;
	milter_session_refuse(
		mail_server->session, answer_failure_reply(connection->server, STATUS_OVERLOAD));
	connection_set_timer(connection, REFUSED_MS);
}

static void milter_accepted(struct connection *connection, enum admitted admitted)
{
	static const char FULL[] = "too busy: all connections are in use";
	struct mail_server *mail_server = mail_server_of(connection);
	/* Text beyond the tokenizer's bound would not be looked at. */
	const struct milter_limits limits = {
		.message = connection->server->settings.max_message_bytes,
		.recipients = QUERY_MAX_USERS};

	/* A port of the milter is opened for a mail server, and for nothing else. */
	connection->peer.admitted |= connection->tcp;
	mail_server->session = milter_session_new(&limits);
	if (!mail_server->session)
		connection_close(connection);
	else if (admitted == ADMITTED)
		set_timer(mail_server);
	else if (admitted == TURNED_AWAY)
		turn_mail_server_away(mail_server, FULL);
	else if (admitted == DROPPED)
		close_for(mail_server, FULL);
	else
		close_for(mail_server, "too many connections for the limit of open files");
}

static void milter_closed(struct connection *connection)
{
	milter_session_free(&mail_server_of(connection)->session);
}

static const struct stream_protocol PROTOCOL = {
	.size = sizeof(struct mail_server),
	.refused_most = 1024,
	.accepted = milter_accepted,
	.received = milter_received,
	.ended = connection_close,
	.timed_out = milter_timed_out,
	.shutting_down = milter_shutting_down,
	.closed = milter_closed,
};

static enum status open_milter(void **state, struct server *server, struct failure *failure)
{
	return transport_open(state, server, &milter_front, &PROTOCOL, failure);
}

const struct front milter_front = {
	.name = "milter",
	.tcp_key = "listen-milter",
	.tcp_address = offsetof(struct settings, listen_milter),
	.open = open_milter,
	.drain = transport_drain,
	.expire = transport_expire,
	.close = transport_close,
};
