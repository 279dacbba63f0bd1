/* SPAMD: from accept to the complete request, and the reply on its way out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/spamd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/server.h"
#include "engine/daemon/spamd/client.h"
#include "engine/service/query/query.h"

/* spamd's limit of a line; libspamc's own are shorter. Exim writes a line for each
 * recipient and has no limit of its own. */
static const size_t LINE_MAX_BYTES = 8192;
static const size_t HEADERS_MAX = 100000;

static const char SHUTTING_DOWN[] = "shutting down";
static const char TOO_MANY[] = "too busy: all connections are in use";

static struct spamd_client *spamd_client_of(struct connection *connection)
{
	return (struct spamd_client *)connection;
}

/* --- Replies ------------------------------------------------------------- */

/* Does the text repeat what the client sent? spamd's words for it are kept. */
static bool is_echo(const char *text)
{
	static const char PREFIX[] = "Bad header line: ";
	const size_t length = sizeof(PREFIX) - 1;

	return strlen(text) > length && memcmp(text, PREFIX, length) == 0 && text[length] != '(';
}

/* What the client sent may be a part of a message: not for the log. */
static void reply_error(struct spamd_client *client, enum spamd_code code, const char *text)
{
	struct connection *connection = &client->connection;

	server_log_refusal(connection->server, LOG_INFO,
		(struct log_field[]){log_text("reason", is_echo(text) ? "Bad request line" : text),
			peer_log(&connection->peer), {0}});
	client->reply = BUFFER_INIT(SERVER_READ_SIZE);
	spamd_reply_error(&client->reply, code, text);
	spamd_session_free(&client->session);
	connection_leave(connection, &client->reply);
}

/* --- Receiving ----------------------------------------------------------- */

static void take_spamd_event(struct spamd_client *client, enum spamd_event event)
{
	const char *text;
	enum spamd_code code;

	switch (event) {
	case SPAMD_NEED_MORE:
		break;
	case SPAMD_ERROR:
		client->connection.server->counters.refused.malformed++;
		code = spamd_session_error(client->session, &text);
		reply_error(client, code, text);
		break;
	case SPAMD_REQUEST: /* the client's end is still listened for */
		connection_begin_work(&client->connection);
		spamd_start_request(client);
		break;
	}
}

static void spamd_received(struct connection *connection, const char *bytes, size_t length)
{
	struct spamd_client *client = spamd_client_of(connection);
	enum spamd_event event = spamd_session_feed(client->session, bytes, length);

	client->begun = true;
	connection_hold(connection, spamd_session_size(client->session));
	if (event != SPAMD_NEED_MORE)
		take_spamd_event(client, event);
	else if (!admission_has_memory(connection->server, 0))
		reply_error(client, SPAMD_TEMPFAIL, "too busy: no memory for another message");
	else if (!spamd_session_in_headers(client->session))
		connection_keep_pace(connection, length);
}

static void spamd_ended(struct connection *connection)
{
	struct spamd_client *client = spamd_client_of(connection);

	if (client->begun)
		take_spamd_event(client, spamd_session_end(client->session));
	else
		connection_close(connection); /* somebody looked whether we live */
}

/* --- Time ---------------------------------------------------------------- */

static void spamd_timed_out(struct connection *connection)
{
	struct spamd_client *client = spamd_client_of(connection);
	const struct settings *settings = &connection->server->settings;
	char text[96];

	if (!client->begun && connection->server->state != SERVER_RUNNING) {
		reply_error(client, SPAMD_TEMPFAIL, SHUTTING_DOWN);
		return;
	}
	connection->server->counters.refused.timeouts++;
	if (spamd_session_in_headers(client->session))
		snprintf(text, sizeof(text), "Timeout: (no complete headers in %u seconds)",
			(unsigned)settings->header_timeout);
	else
		snprintf(text, sizeof(text),
			"Timeout: (no byte of the message in %u seconds, or too few in all)",
			(unsigned)settings->body_timeout);
	reply_error(client, SPAMD_TIMEOUT, text);
}

static void spamd_shutting_down(struct connection *connection, bool forced)
{
	struct spamd_client *client = spamd_client_of(connection);

	if (forced)
		reply_error(client, SPAMD_TEMPFAIL, SHUTTING_DOWN);
	else if (!client->begun)
		connection_set_timer(connection, DRAIN_IDLE_MS);
}

/* --- Life ---------------------------------------------------------------- */

/* When even those who are turned away are too many, nobody waits for them to read it. */
static void drop_spamd_client(struct spamd_client *client)
{
	client->reply = BUFFER_INIT(SERVER_READ_SIZE);
	spamd_reply_error(&client->reply, SPAMD_TEMPFAIL, TOO_MANY);
	connection_send(&client->connection, &client->reply);
	connection_close(&client->connection);
}

static void spamd_accepted(struct connection *connection, enum admitted admitted)
{
	struct spamd_client *client = spamd_client_of(connection);
	const struct settings *settings = &connection->server->settings;
	struct spamd_limits limits = {
		.message = settings->max_message_bytes,
		.line = LINE_MAX_BYTES,
		.headers = HEADERS_MAX,
		.recipients = QUERY_MAX_USERS,
	};

	connection->server->counters.spamd_open++;
	client->session = spamd_session_new(&limits);
	if (!client->session)
		abort(); /* a few kilobytes: nothing else would work either */
	if (admitted == ADMITTED)
		connection_set_timer(connection, settings->header_timeout * 1000);
	else if (admitted == TURNED_AWAY)
		reply_error(client, SPAMD_TEMPFAIL, TOO_MANY);
	else
		drop_spamd_client(client);
}

static void spamd_closed(struct connection *connection)
{
	struct spamd_client *client = spamd_client_of(connection);

	connection->server->counters.spamd_open--;
	spamd_session_free(&client->session);
	buffer_free(&client->reply);
}

static const struct stream_protocol PROTOCOL = {
	.size = sizeof(struct spamd_client),
	.refused_most = 256,
	.shared = true,
	.accepted = spamd_accepted,
	.received = spamd_received,
	.ended = spamd_ended,
	.timed_out = spamd_timed_out,
	.shutting_down = spamd_shutting_down,
	.closed = spamd_closed,
};

static enum status open_spamd(void **state, struct server *server, struct failure *failure)
{
	spamd_name_commands(&server->counters);
	return transport_open(state, server, &spamd_front, &PROTOCOL, failure);
}

const struct front spamd_front = {
	.name = "spamd",
	.tcp_key = "listen-tcp",
	.tcp_address = offsetof(struct settings, listen_tcp),
	.open = open_spamd,
	.drain = transport_drain,
	.expire = transport_expire,
	.close = transport_close,
};
