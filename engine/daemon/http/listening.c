/* libmicrohttpd on the loop: its epoll descriptor is polled, its time-out is a timer of
 * the loop. Knows nothing of requests.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <unistd.h>

#include "engine/daemon/http/http-private.h"
#include "engine/daemon/loop/sockets.h"
#include "engine/daemon/server.h"

/* Header fields and what libmicrohttpd holds of a connection: a thousand Rcpt fields with
 * addresses of 55 bytes, each with the 64 bytes that it keeps of one. It is no more, since
 * all of it is cleared after each request of a connection that goes on. */
static const size_t CONNECTION_MEMORY = 128 << 10;

/* --- The loop and libmicrohttpd ------------------------------------------------ */

static void run_listening(struct listening *listening);

static void on_listening_timer(uv_timer_t *timer)
{
	run_listening(timer->data);
}

static void on_soon(uv_idle_t *idle)
{
	run_listening(idle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run_listening(poll->data);
}

/* Work at once is done in the next turn of the loop, when all others have had theirs.
 * A timer of 0 would not do: libuv 1.44 runs it again in the same turn. */
static void run_listening(struct listening *listening)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	MHD_run(listening->daemon);
	bool timed = MHD_get_timeout(listening->daemon, &timeout) == MHD_YES;
	if (timed && timeout == 0)
		uv_idle_start(&listening->soon, on_soon);
	else
		uv_idle_stop(&listening->soon);
	if (timed && timeout > 0)
		uv_timer_start(&listening->timer, on_listening_timer, timeout, 0);
	else
		uv_timer_stop(&listening->timer);
}

void listening_wake(struct listening *listening)
{
	uv_idle_start(&listening->soon, on_soon);
}

static enum MHD_Result on_accepted(void *context, const struct sockaddr *address, socklen_t length)
{
	struct server *server = ((struct listening *)context)->http->server;
	(void)address;
	(void)length;

	if (admission_has_room(server))
		return MHD_YES;
	server->counters.refused.connections++;
	return MHD_NO;
}

/* --- Life ----------------------------------------------------------------------------- */

static void on_listening_closed(uv_handle_t *handle)
{
	struct listening *listening = handle->data;
	struct http *http = listening->http;

	if (--listening->open_handles > 0)
		return;
	g_free(listening->path);
	g_free(listening);
	http_release(http);
}

enum status listening_open(
	void *context, int fd, int domain, const char *path, struct failure *failure)
{
	struct http *http = context;
	const struct settings *settings = &http->server->settings;
	struct listening *listening = g_new0(struct listening, 1);
	struct MHD_Daemon *daemon = NULL;

	listening->http = http;
	listening->tcp = domain != AF_UNIX;
	listening->path = g_strdup(path);
	if (listen(fd, SOCKETS_BACKLOG) == 0)
		daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, on_accepted,
			listening, receive_on_request, listening, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT,
			(unsigned)settings->max_connections + CLIENTS_REFUSED_MAX,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)settings->body_timeout,
			MHD_OPTION_URI_LOG_CALLBACK, receive_on_target, NULL,
#if MHD_VERSION >= 0x01000000
			MHD_OPTION_CLIENT_DISCIPLINE_LVL, 2, /* else see strict.c */
#endif
			MHD_OPTION_NOTIFY_COMPLETED, receive_on_completed, NULL,
			MHD_OPTION_NOTIFY_CONNECTION, clients_on_connection, &http->clients,
			MHD_OPTION_END);
	if (!daemon) {
		close(fd);
		g_free(listening->path);
		g_free(listening);
		return failure_set(failure, STATUS_IO, "HTTP cannot be served");
	}
	listening->daemon = daemon;
	LIST_INSERT_HEAD(&http->sockets, listening, link);
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

void listening_quiesce(struct listening *listening)
{
	int fd = MHD_quiesce_daemon(listening->daemon);

	if (fd >= 0)
		close(fd);
	if (listening->path)
		unlink(listening->path);
	g_free(listening->path); /* whoever comes next may make it anew */
	listening->path = NULL;
}

void listening_close(struct listening *listening)
{
	if (listening->path)
		unlink(listening->path);
	uv_poll_stop(&listening->poll);
	MHD_stop_daemon(listening->daemon);
	uv_close((uv_handle_t *)&listening->poll, on_listening_closed);
	uv_close((uv_handle_t *)&listening->timer, on_listening_closed);
	uv_close((uv_handle_t *)&listening->soon, on_listening_closed);
}
