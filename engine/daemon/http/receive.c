/* A request comes in: what can be refused before its body is, the body is kept within
 * bounds, and with the last byte its route is started.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/http/http-private.h"
#include "engine/daemon/http/strict.h"
#include "engine/daemon/server.h"

/* --- Before the body ----------------------------------------------------------------- */

/* Same time for every wrong token. */
static bool equal_tokens(const char *given, const char *token)
{
	size_t length = strlen(token);
	unsigned char difference = strlen(given) != length;

	for (size_t i = 0; i < length && given[i]; i++)
		difference |= (unsigned char)(given[i] ^ token[i]);
	return difference == 0;
}

static bool has_token(const struct exchange *exchange)
{
	const char *token = exchange->listening->http->token;
	const char *authorization = exchange_header(exchange, "Authorization");
	const char *password = exchange_header(exchange, "Password");

	if (authorization && g_ascii_strncasecmp(authorization, "Bearer ", 7) == 0)
		return *token && equal_tokens(authorization + 7, token);
	return password && *token && equal_tokens(password, token);
}

static bool serves(const struct route *route, const char *method)
{
	return strcmp(method, route->method) == 0 ||
		(strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* RFC 9110 section 15.5.6: it says which methods the path takes. */
static void refuse_method(struct exchange *exchange, bool get, bool post)
{
	exchange_problem(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes another method");
	exchange->hint = (struct parameter){MHD_HTTP_HEADER_ALLOW,
		get && post   ? "GET, HEAD, POST"
			: get ? "GET, HEAD"
			      : "POST"};
}

static bool find_route(struct exchange *exchange, const char *method)
{
	const char *path = exchange->target.path;
	bool get = false, post = false;

	for (size_t i = 0; i < http_routes_count; i++) {
		const struct route *route = &http_routes[i];

		if (route->rspamd ? g_ascii_strcasecmp(path, route->path) != 0
				  : strcmp(path, route->path) != 0)
			continue;
		exchange->route = route;
		if (serves(route, method))
			return true;
		*(strcmp(route->method, "GET") == 0 ? &get : &post) = true;
	}
	if (get || post)
		refuse_method(exchange, get, post);
	else
		exchange_problem(exchange, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
	return false;
}

/* Where the next request begins nobody knows then: the connection is closed. */
static bool is_well_formed(struct exchange *exchange, const char *method, const char *version)
{
	const char *refusal =
		strict_refusal(exchange->connection, method, version, exchange->target.length);

	if (!refusal)
		refusal = exchange->target.refusal;
	if (!refusal)
		return true;
	exchange->malformed = true;
	exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, refusal);
	return false;
}

static void turn_exchange_away(struct exchange *exchange)
{
	static const char REASON[] = "too busy: all connections are in use";

	server_log_refusal(exchange->server, LOG_INFO,
		(struct log_field[]){log_text("command", exchange->route->name),
			log_text("reason", REASON), peer_log(&exchange->peer), {0}});
	exchange_problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, REASON);
}

/* What can be refused before the body comes. */
static void check_header(struct exchange *exchange, const char *method, const char *version)
{
	const struct settings *settings = &exchange->server->settings;
	const char *length = exchange_header(exchange, "Content-Length");

	if (!is_well_formed(exchange, method, version) || !find_route(exchange, method))
		return;
	if (exchange->server->state != SERVER_RUNNING) {
		exchange_problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down");
		return;
	}
	if (exchange->refused) {
		turn_exchange_away(exchange);
		return;
	}
	exchange->peer.trusted = exchange->listening->tcp && has_token(exchange);
	if (exchange->listening->tcp && !exchange->peer.trusted && !exchange->route->open)
		exchange_problem(exchange, MHD_HTTP_UNAUTHORIZED, "over TCP a token is wanted");
	else if (length && g_ascii_strtoull(length, NULL, 10) > settings->max_message_bytes)
		exchange_problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
	exchange->body = BUFFER_INIT(settings->max_message_bytes);
}

/* --- From the first byte to the last ------------------------------------------------- */

void *receive_on_target(void *context, const char *text, struct MHD_Connection *connection)
{
	struct exchange *exchange = g_new0(struct exchange, 1);
	char *query = strchr(text, '?');
	(void)context;

	exchange->connection = connection;
	target_parse(&exchange->target, text);
	/* libmicrohttpd reads the parameters now, and where there are so many that its memory
	 * runs out, version 0.9.75 answers nothing and waits. So it is left none: the text is
	 * in its own buffer, which it writes to next. */
	if (query)
		query[1] = '\0';
	return exchange;
}

/* The header is there. */
static void begin_exchange(struct exchange *exchange, struct listening *listening,
	const char *method, const char *version)
{
	struct http *http = listening->http;
	struct client *client = client_of(exchange->connection);

	exchange->server = http->server;
	exchange->listening = listening;
	exchange->counted = true;
	LIST_INSERT_HEAD(&http->exchanges, exchange, link);
	server_delay_stop(http->server);
	exchange->peer = client->peer;
	exchange->refused = client->admitted != ADMITTED;
	client_set_receiving(client, exchange->server);
	check_header(exchange, method, version);
}

static void keep_body(struct exchange *exchange, const char *data, size_t size)
{
	struct server *server = exchange->server;

	if (exchange->too_large || exchange->refused)
		return;
	if (!admission_has_memory(server, size)) {
		exchange_problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
			"too busy: memory for messages is used up");
		exchange->too_large = true;
		return;
	}
	buffer_append(&exchange->body, data, size);
	admission_hold(server, &exchange->held, exchange->body.capacity);
	if (exchange->body.failed) {
		exchange_problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
		exchange->too_large = true;
	}
}

enum MHD_Result receive_on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *data, size_t *size,
	void **state)
{
	struct exchange *exchange = *state;
	(void)connection;
	(void)path;

	if (!exchange->counted) {
		begin_exchange(exchange, context, method, version);
		return exchange->answered && !exchange->refused ? exchange_send(exchange) : MHD_YES;
	}
	struct client *client = client_of(exchange->connection);

	if (*size > 0) {
		client_receive(client, exchange->server, *size);
		keep_body(exchange, data, *size);
		*size = 0;
		return MHD_YES;
	}
	client_set_working(client);
	if (!exchange->started && !exchange->answered) {
		exchange->started = true;
		body_start(exchange);
	}
	if (exchange->answered)
		return exchange_send(exchange);
	exchange_suspend(exchange);
	return MHD_YES;
}

static void end_exchange(struct exchange *exchange, struct client *client)
{
	struct http *http = exchange->listening->http;

	client_set_idle(client, http->server);
	LIST_REMOVE(exchange, link);
	admission_hold(http->server, &exchange->held, 0);
	context_free(&exchange->task.context);
	buffer_free(&exchange->body);
	buffer_free(&exchange->unpacked);
	free(exchange->text);
	server_allow_stop(http->server);
}

void receive_on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *state;
	(void)context;
	(void)why;

	if (!exchange)
		return;
	if (exchange->counted)
		end_exchange(exchange, client_of(connection));
	target_free(&exchange->target);
	g_free(exchange);
	*state = NULL;
}
