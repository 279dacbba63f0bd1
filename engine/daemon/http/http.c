/* The front of HTTP: its sockets, its token, and its end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/http.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/http/http-private.h"
#include "engine/daemon/loop/sockets.h"
#include "engine/daemon/server.h"

void http_release(struct http *http)
{
	if (--http->references == 0) {
		admission_close(&http->clients.admission);
		g_free(http->token);
		g_free(http);
	}
}

static void on_reaper(uv_timer_t *timer)
{
	struct http *http = timer->data;

	clients_cut_off(&http->clients);
}

static void on_reaper_closed(uv_handle_t *handle)
{
	http_release(handle->data);
}

/* *token is to be freed; NULL after a failure. */
static enum status load_token(
	const struct settings *settings, char **token, struct failure *failure)
{
	const char *path = settings->http_token_file;
	GError *error = NULL;
	char *text = NULL;
	enum status status = STATUS_OK;

	*token = NULL;
	if (!*path)
		return failure_set(failure, STATUS_INVALID, "listen-http needs a http-token-file");
	if (!g_file_get_contents(path, &text, NULL, &error))
		status = failure_set(failure, STATUS_IO, "http-token-file: %s", error->message);
	else if (strlen(g_strstrip(text)) < 16)
		status = failure_set(failure, STATUS_INVALID,
			"http-token-file: a token of 16 characters at least is wanted");
	if (status == STATUS_OK)
		*token = g_steal_pointer(&text);
	g_clear_error(&error);
	g_free(text);
	return status;
}

/* After a failure the former token stays. */
static enum status read_token(struct http *http, struct failure *failure)
{
	char *token;
	enum status status = load_token(&http->server->settings, &token, failure);

	if (status == STATUS_OK) {
		g_free(http->token);
		http->token = token;
	}
	return status;
}

static enum status check_token(const struct settings *settings, struct failure *failure)
{
	char *token = NULL;
	enum status status =
		*settings->listen_http ? load_token(settings, &token, failure) : STATUS_OK;

	g_free(token);
	return status;
}

static enum status open_http(void **state, struct server *server, struct failure *failure)
{
	struct http *http = g_new0(struct http, 1);
	enum status status = STATUS_OK;

	*state = http;
	http->server = server;
	admission_open(&http->clients.admission, server, CLIENTS_REFUSED_MAX, true);
	http->token = g_strdup("");
	http->references = 1;
	uv_timer_init(&server->loop, &http->reaper);
	http->reaper.data = http;
	uv_timer_start(&http->reaper, on_reaper, 1000, 1000);
	if (*server->settings.listen_http)
		status = read_token(http, failure);
	if (status == STATUS_OK)
		status = sockets_open(server->fronts, &http_front, &server->settings,
			listening_open, http, failure);
	return status;
}

/* The token stays what it was when its file cannot be read. */
static enum status reload_token(void *state, struct failure *failure)
{
	struct http *http = state;

	return *http->token ? read_token(http, failure) : STATUS_OK;
}

static void drain_http(void *state)
{
	struct http *http = state;
	struct listening *listening;

	LIST_FOREACH (listening, &http->sockets, link)
		listening_quiesce(listening);
}

/* Who has not sent a whole request is cut off. */
static void expire_http(void *state)
{
	struct http *http = state;
	struct exchange *exchange;

	LIST_FOREACH (exchange, &http->exchanges, link) {
		if (!exchange->started)
			shutdown(MHD_get_connection_info(
					 exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
					 ->connect_fd,
				SHUT_RDWR);
	}
}

static void close_http(void **state)
{
	struct http *http = *state;
	struct listening *listening;

	while ((listening = LIST_FIRST(&http->sockets))) {
		LIST_REMOVE(listening, link);
		listening_close(listening);
	}
	uv_close((uv_handle_t *)&http->reaper, on_reaper_closed);
	*state = NULL;
}

const struct front http_front = {
	.name = "http",
	.tcp_key = "listen-http",
	.tcp_address = offsetof(struct settings, listen_http),
	.check = check_token,
	.open = open_http,
	.reload = reload_token,
	.drain = drain_http,
	.expire = expire_http,
	.close = close_http,
};
