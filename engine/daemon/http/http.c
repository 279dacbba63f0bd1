/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/http.h"

#include <glib.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/sockets.h"

static const char SOCKET_NAME[] = "http.sock";

/* Header fields and what libmicrohttpd holds of a connection. */
static const size_t CONNECTION_MEMORY = 65536;

/* Clients beyond max-connections that are told so, each of which has so long for its
 * request, which is read, since many do not look for an answer before they have sent it;
 * more of them wait until they are accepted. */
static const unsigned REFUSED_MAX = 256;
static const uint64_t REFUSED_MS = 5000;

/* A client from its connect on; one that is not heard of in time is cut off. */
struct client {
	int fd;
	struct peer peer;
	uint64_t deadline; /* of the loop's clock; 0 = a request is at work */
	bool refused; /* takes no part in max-connections */
	struct client *next, **place;
};

/* A socket with the daemon of libmicrohttpd behind it. */
struct listening {
	struct http *http;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_idle_t soon; /* runs while there is work at once */
	int open_handles;
	char *path; /* that this process made */
	bool tcp;
	struct listening *next;
};

struct http {
	struct server *server;
	struct listening *sockets;
	struct client *clients;
	struct exchange *exchanges;
	size_t client_count, refused_count, exchange_count;
	uv_timer_t reaper;
	char *token; /* "" = none */
	int references; /* of what the loop still has to close */
};

/* --- The loop and libmicrohttpd ------------------------------------------------ */

static void run(struct listening *listening);

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_soon(uv_idle_t *idle)
{
	run(idle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

/* Work at once is done in the next turn of the loop, when all others have had theirs.
 * A timer of 0 would not do: libuv 1.44 runs it again in the same turn. */
static void run(struct listening *listening)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	MHD_run(listening->daemon);
	bool timed = MHD_get_timeout(listening->daemon, &timeout) == MHD_YES;
	if (timed && timeout == 0)
		uv_idle_start(&listening->soon, on_soon);
	else
		uv_idle_stop(&listening->soon);
	if (timed && timeout > 0)
		uv_timer_start(&listening->timer, on_timer, timeout, 0);
	else
		uv_timer_stop(&listening->timer);
}

/* --- Answers --------------------------------------------------------------------- */

void exchange_answer(struct exchange *exchange, unsigned code, const char *type, char *text)
{
	free(exchange->text);
	exchange->answered = true;
	exchange->code = text ? code : MHD_HTTP_INTERNAL_SERVER_ERROR;
	exchange->type = text ? type : "text/plain";
	exchange->text = text;
	exchange->length = text ? strlen(text) : 0;
}

void exchange_answer_json(struct exchange *exchange, char *json)
{
	exchange_answer(exchange, MHD_HTTP_OK, "application/json", json);
}

static unsigned code_of(enum status status)
{
	switch (status) {
	case STATUS_INVALID:
	case STATUS_PROTOCOL:
		return MHD_HTTP_BAD_REQUEST;
	case STATUS_LIMIT:
		return MHD_HTTP_CONTENT_TOO_LARGE;
	case STATUS_DENIED:
		return MHD_HTTP_FORBIDDEN;
	case STATUS_NOTFOUND:
		return MHD_HTTP_NOT_FOUND;
	case STATUS_FULL:
		return MHD_HTTP_INSUFFICIENT_STORAGE;
	default:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
}

/* RFC 9457, or what rspamd's clients look for. */
static void problem(struct exchange *exchange, unsigned code, const char *detail)
{
	bool rspamd = exchange->route && exchange->route->rspamd;
	json_t *json = rspamd
		? json_pack("{s:o}", "error", render_string(detail))
		: json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title",
			  MHD_get_reason_phrase_for(code), "status", (int)code, "detail",
			  render_string(detail));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	exchange_answer(
		exchange, code, rspamd ? "application/json" : "application/problem+json", text);
}

void exchange_fail(struct exchange *exchange, const struct failure *failure)
{
	problem(exchange, code_of(failure->code), failure->detail);
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		exchange->length, exchange->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->type);
	if (exchange->code == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	if (exchange->refused)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (exchange->code == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	result = MHD_queue_response(exchange->connection, exchange->code, response);
	MHD_destroy_response(response);
	return result;
}

/* --- Requests ---------------------------------------------------------------------- */

const char *exchange_parameter(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct collection {
	const char *name;
	GPtrArray *values;
};

static enum MHD_Result collect(
	void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct collection *collection = context;
	(void)kind;

	if (value && g_ascii_strcasecmp(key, collection->name) == 0)
		g_ptr_array_add(collection->values, g_strdup(value));
	return MHD_YES;
}

static char **collect_all(
	const struct exchange *exchange, enum MHD_ValueKind kind, const char *name)
{
	struct collection collection = {.name = name, .values = g_ptr_array_new()};

	MHD_get_connection_values(exchange->connection, kind, collect, &collection);
	if (collection.values->len == 0) {
		g_ptr_array_unref(collection.values);
		return NULL;
	}
	g_ptr_array_add(collection.values, NULL);
	return (char **)g_ptr_array_free(collection.values, FALSE);
}

char **exchange_parameters(const struct exchange *exchange, const char *name)
{
	return collect_all(exchange, MHD_GET_ARGUMENT_KIND, name);
}

char **exchange_headers(const struct exchange *exchange, const char *name)
{
	return collect_all(exchange, MHD_HEADER_KIND, name);
}

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

static const struct route *find_route(
	struct exchange *exchange, const char *method, const char *path)
{
	bool known = false;

	for (size_t i = 0; i < http_routes_count; i++) {
		const struct route *route = &http_routes[i];

		if (route->rspamd ? g_ascii_strcasecmp(path, route->path) != 0
				  : strcmp(path, route->path) != 0)
			continue;
		known = true;
		exchange->route = route;
		if (strcmp(method, route->method) == 0)
			return route;
	}
	if (known)
		problem(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes another method");
	else
		problem(exchange, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
	return NULL;
}

static void refuse(struct exchange *exchange)
{
	static const char REASON[] = "too busy: all connections are in use";

	server_log_refusal(exchange->server, LOG_INFO,
		(struct log_field[]){log_text("command", exchange->route->name),
			log_text("reason", REASON), peer_log(&exchange->peer), {0}});
	problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, REASON);
}

/* What can be refused before the body comes. */
static void check(struct exchange *exchange, const char *method, const char *path)
{
	const struct settings *settings = &exchange->server->settings;
	const char *length = exchange_header(exchange, "Content-Length");

	if (!find_route(exchange, method, path))
		return;
	if (exchange->server->state != SERVER_RUNNING) {
		problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "shutting down");
		return;
	}
	if (exchange->refused) {
		refuse(exchange);
		return;
	}
	exchange->peer.trusted = exchange->listening->tcp && has_token(exchange);
	if (exchange->listening->tcp && !exchange->peer.trusted && !exchange->route->open)
		problem(exchange, MHD_HTTP_UNAUTHORIZED, "over TCP a token is wanted");
	else if (length && g_ascii_strtoull(length, NULL, 10) > settings->max_message_bytes)
		problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
	exchange->body = BUFFER_INIT(settings->max_message_bytes);
}

static struct exchange *begin(
	struct listening *listening, struct MHD_Connection *connection, const char *method,
	const char *path)
{
	struct http *http = listening->http;
	struct exchange *exchange = g_new0(struct exchange, 1);
	const union MHD_ConnectionInfo *info;

	exchange->server = http->server;
	exchange->connection = connection;
	exchange->listening = listening;
	exchange->next = http->exchanges;
	exchange->place = &http->exchanges;
	if (exchange->next)
		exchange->next->place = &exchange->next;
	http->exchanges = exchange;
	http->exchange_count++;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (info && info->socket_context) {
		struct client *client = info->socket_context;
		exchange->peer = client->peer;
		exchange->refused = client->refused;
		if (!client->refused)
			client->deadline = 0;
	}
	check(exchange, method, path);
	return exchange;
}

static void take(struct exchange *exchange, const char *data, size_t size)
{
	struct server *server = exchange->server;
	size_t before = exchange->body.capacity;

	if (exchange->too_large || exchange->refused)
		return;
	if (server->held_bytes + size > server->settings.max_buffered_bytes) {
		server->counters.refused.memory++;
		problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too busy: memory for messages is used up");
		exchange->too_large = true;
	} else {
		buffer_append(&exchange->body, data, size);
		exchange->held += exchange->body.capacity - before;
		server->held_bytes += exchange->body.capacity - before;
		if (exchange->body.failed) {
			problem(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the message is too large");
			exchange->too_large = true;
		}
	}
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *data, size_t *size,
	void **state)
{
	struct exchange *exchange = *state;
	(void)version;

	if (!exchange) {
		exchange = *state = begin(context, connection, method, path);
		return exchange->answered && !exchange->refused ? send_answer(exchange) : MHD_YES;
	}
	if (*size > 0) {
		take(exchange, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (!exchange->started && !exchange->answered) {
		exchange->started = true;
		exchange->route->start(exchange);
	}
	if (exchange->answered)
		return send_answer(exchange);
	exchange->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* The task's `done` of a route has answered. */
static void resume(struct exchange *exchange)
{
	struct listening *listening = exchange->listening;

	if (!exchange->suspended)
		return;
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
	uv_idle_start(&listening->soon, on_soon);
}

static void on_task(struct task *task)
{
	struct exchange *exchange = task->owner;

	if (task->failure.code != STATUS_OK)
		exchange_fail(exchange, &task->failure);
	else
		exchange->finish(task);
	task_release(task);
	resume(exchange);
}

void exchange_start(struct exchange *exchange, enum task_kind kind, const char *user,
	void (*render)(struct task *task), void (*finish)(struct task *task))
{
	struct task *task = &exchange->task;

	exchange->finish = finish;
	task->owner = exchange;
	task->server = exchange->server;
	task->peer = &exchange->peer;
	task->kind = kind;
	task->name = exchange->route->name;
	task->user = user;
	task->message = exchange->body.data ? exchange->body.data : "";
	task->length = exchange->body.length;
	task->render = render;
	task->done = on_task;
	task_start(task);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct exchange *exchange = *state;
	struct http *http;
	const union MHD_ConnectionInfo *info;
	(void)context;
	(void)why;

	if (!exchange)
		return;
	http = exchange->listening->http;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	if (info && info->socket_context)
		((struct client *)info->socket_context)->deadline =
			uv_now(&http->server->loop) + http->server->settings.header_timeout * 1000;
	*exchange->place = exchange->next;
	if (exchange->next)
		exchange->next->place = exchange->place;
	http->exchange_count--;
	http->server->held_bytes -= exchange->held;
	context_free(&exchange->task.context);
	buffer_free(&exchange->body);
	free(exchange->text);
	g_free(exchange);
	*state = NULL;
	server_on_disconnect(http->server);
}

/* --- Clients ------------------------------------------------------------------------ */

static void admit(struct http *http, struct client *client)
{
	struct server *server = http->server;
	size_t admitted = http->client_count - http->refused_count;

	client->refused = admitted >= server->settings.max_connections;
	client->deadline = uv_now(&server->loop) +
		(client->refused ? REFUSED_MS : server->settings.header_timeout * 1000);
	http->client_count++;
	http->refused_count += client->refused;
	server->counters.connections++;
	server->counters.refused.connections += client->refused;
}

static void on_client(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *http = context;
	struct client *client = *state;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		client = g_new0(struct client, 1);
		client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				     ->connect_fd;
		peer_identify(&client->peer, client->fd);
		client->next = http->clients;
		client->place = &http->clients;
		if (client->next)
			client->next->place = &client->next;
		http->clients = client;
		admit(http, client);
		*state = client;
	} else if (client) {
		*client->place = client->next;
		if (client->next)
			client->next->place = client->place;
		http->client_count--;
		http->refused_count -= client->refused;
		g_free(client);
	}
}

/* Header fields that dribble in hold a place that others want. */
static void on_reaper(uv_timer_t *timer)
{
	struct http *http = timer->data;
	uint64_t now = uv_now(&http->server->loop);

	for (struct client *client = http->clients; client; client = client->next) {
		if (client->deadline && now > client->deadline) {
			http->server->counters.refused.timeouts++;
			client->deadline = 0;
			shutdown(client->fd, SHUT_RDWR);
		}
	}
}

static enum MHD_Result on_accepted(
	void *context, const struct sockaddr *address, socklen_t length)
{
	struct server *server = ((struct listening *)context)->http->server;
	(void)address;
	(void)length;

	if (server_has_room(server))
		return MHD_YES;
	server->counters.refused.connections++;
	return MHD_NO;
}

/* --- Life ----------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct listening *listening = handle->data;
	struct http *http = listening->http;

	if (--listening->open_handles > 0)
		return;
	g_free(listening->path);
	g_free(listening);
	if (--http->references == 0) {
		g_free(http->token);
		g_free(http);
	}
}

static void on_reaper_closed(uv_handle_t *handle)
{
	struct http *http = handle->data;

	if (--http->references == 0) {
		g_free(http->token);
		g_free(http);
	}
}

/* Takes over `fd`, bound. */
static enum status listen_on(
	struct http *http, int fd, int domain, char *path, struct failure *failure)
{
	const struct settings *settings = &http->server->settings;
	struct listening *listening = g_new0(struct listening, 1);
	struct MHD_Daemon *daemon = NULL;

	listening->http = http;
	listening->tcp = domain != AF_UNIX;
	listening->path = g_strdup(path);
	if (listen(fd, SOCKETS_BACKLOG) == 0)
		daemon = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, on_accepted,
			listening, on_request, listening, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT,
			(unsigned)settings->max_connections + REFUSED_MAX,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)settings->body_timeout,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
			MHD_OPTION_NOTIFY_CONNECTION, on_client, http, MHD_OPTION_END);
	if (!daemon) {
		close(fd);
		g_free(listening->path);
		g_free(listening);
		return failure_set(failure, STATUS_IO, "HTTP cannot be served");
	}
	listening->daemon = daemon;
	listening->next = http->sockets;
	http->sockets = listening;
	http->references++;
	uv_poll_init(&http->server->loop, &listening->poll,
		MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	uv_timer_init(&http->server->loop, &listening->timer);
	uv_idle_init(&http->server->loop, &listening->soon);
	listening->open_handles = 3;
	listening->poll.data = listening->timer.data = listening->soon.data = listening;
	uv_poll_start(&listening->poll, UV_READABLE, on_ready);
	return STATUS_OK;
}

static enum status on_passed(void *context, int fd, int domain, struct failure *failure)
{
	return listen_on(context, fd, domain, NULL, failure);
}

static enum status open_unix(struct http *http, struct failure *failure)
{
	char *path = NULL;
	int fd = -1;
	enum status status =
		sockets_open_unix(&http->server->settings, SOCKET_NAME, &path, &fd, failure);

	if (status == STATUS_OK) {
		status = listen_on(http, fd, AF_UNIX, path, failure);
		if (status != STATUS_OK)
			unlink(path);
	}
	g_free(path);
	return status;
}

static enum status read_token(struct http *http, struct failure *failure)
{
	const char *path = http->server->settings.http_token_file;
	GError *error = NULL;
	char *text = NULL;
	enum status status = STATUS_OK;

	if (!*path)
		return failure_set(failure, STATUS_INVALID, "listen-http needs a http-token-file");
	if (!g_file_get_contents(path, &text, NULL, &error))
		status = failure_set(failure, STATUS_IO, "http-token-file: %s", error->message);
	else if (strlen(g_strstrip(text)) < 16)
		status = failure_set(failure, STATUS_INVALID,
			"http-token-file: a token of 16 characters at least is wanted");
	g_clear_error(&error);
	g_free(http->token);
	http->token = text;
	return status;
}

static enum status open_tcp(struct http *http, struct failure *failure)
{
	int fd = -1, domain = 0;
	enum status status = read_token(http, failure);

	if (status == STATUS_OK)
		status = sockets_open_tcp("listen-http", http->server->settings.listen_http,
			&domain, &fd, failure);
	return status == STATUS_OK ? listen_on(http, fd, domain, NULL, failure) : status;
}

enum status http_open(struct http **result, struct server *server, struct failure *failure)
{
	struct http *http = g_new0(struct http, 1);
	size_t passed = 0;
	enum status status;

	*result = http;
	http->server = server;
	http->token = g_strdup("");
	http->references = 1;
	uv_timer_init(&server->loop, &http->reaper);
	http->reaper.data = http;
	uv_timer_start(&http->reaper, on_reaper, 1000, 1000);
	status = sockets_passed("http", &passed, on_passed, http, failure);
	if (status == STATUS_OK && passed == 0)
		status = open_unix(http, failure);
	if (status == STATUS_OK && *server->settings.listen_http)
		status = open_tcp(http, failure);
	return status;
}

void http_quiesce(struct http *http)
{
	for (struct listening *listening = http->sockets; listening; listening = listening->next) {
		int fd = MHD_quiesce_daemon(listening->daemon);
		if (fd >= 0)
			close(fd);
		if (listening->path)
			unlink(listening->path);
		g_free(listening->path); /* whoever comes next may make it anew */
		listening->path = NULL;
	}
}

void http_expire(struct http *http)
{
	for (struct exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
		if (!exchange->started)
			shutdown(MHD_get_connection_info(exchange->connection,
					 MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
				SHUT_RDWR);
	}
}

size_t http_active(const struct http *http)
{
	return http ? http->exchange_count : 0;
}

size_t http_connections(const struct http *http)
{
	return http ? http->client_count : 0;
}

void http_close(struct http **result)
{
	struct http *http = *result;
	struct listening *next;

	if (!http)
		return;
	for (struct listening *listening = http->sockets; listening; listening = next) {
		next = listening->next;
		if (listening->path)
			unlink(listening->path);
		uv_poll_stop(&listening->poll);
		MHD_stop_daemon(listening->daemon);
		uv_close((uv_handle_t *)&listening->poll, on_closed);
		uv_close((uv_handle_t *)&listening->timer, on_closed);
		uv_close((uv_handle_t *)&listening->soon, on_closed);
	}
	uv_close((uv_handle_t *)&http->reaper, on_reaper_closed);
	*result = NULL;
}
