/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/http.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/daemon/http/internal.h"
#include "engine/daemon/server.h"
#include "engine/daemon/loop/sockets.h"

void http_release(struct http *http)
{
	if (--http->references == 0) {
		quota_free(&http->clients.quota);
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

enum status http_check(const struct settings *settings, struct failure *failure)
{
	char *token = NULL;
	enum status status =
		*settings->listen_http ? load_token(settings, &token, failure) : STATUS_OK;

	g_free(token);
	return status;
}

enum status http_open(struct http **result, struct server *server, struct failure *failure)
{
	struct http *http = g_new0(struct http, 1);
	const struct sockets sockets = {"http", "listen-http", server->settings.listen_http};
	enum status status = STATUS_OK;

	*result = http;
	http->server = http->clients.server = server;
	http->clients.quota = quota_new();
	http->token = g_strdup("");
	http->references = 1;
	uv_timer_init(&server->loop, &http->reaper);
	http->reaper.data = http;
	uv_timer_start(&http->reaper, on_reaper, 1000, 1000);
	if (*sockets.address)
		status = read_token(http, failure);
	if (status == STATUS_OK)
		status = sockets_open(&sockets, &server->settings, listening_open, http, failure);
	return status;
}

enum status http_reload(struct http *http, struct failure *failure)
{
	return *http->token ? read_token(http, failure) : STATUS_OK;
}

void http_quiesce(struct http *http)
{
	for (struct listening *listening = http->sockets; listening; listening = listening->next)
		listening_quiesce(listening);
}

void http_expire(struct http *http)
{
	for (struct exchange *exchange = http->exchanges; exchange; exchange = exchange->next) {
		if (!exchange->started)
			shutdown(MHD_get_connection_info(
					 exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)
					 ->connect_fd,
				SHUT_RDWR);
	}
}

size_t http_active(const struct http *http)
{
	return http ? http->exchange_count : 0;
}

size_t http_connections(const struct http *http)
{
	return http ? http->clients.count : 0;
}

void http_close(struct http **result)
{
	struct http *http = *result;
	struct listening *next;

	if (!http)
		return;
	for (struct listening *listening = http->sockets; listening; listening = next) {
		next = listening->next;
		listening_close(listening);
	}
	uv_close((uv_handle_t *)&http->reaper, on_reaper_closed);
	*result = NULL;
}
