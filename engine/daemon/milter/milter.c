/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/milter/milter.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/daemon/milter/internal.h"
#include "engine/daemon/server.h"
#include "engine/daemon/loop/sockets.h"

struct milter_listener {
	struct milter *milter;
	union stream socket;
	bool tcp;
	char *path;
	struct milter_listener *next;
};

void milter_release(struct milter *milter)
{
	if (milter->closed && milter->references == 0)
		g_free(milter);
}

static void on_connection(uv_stream_t *stream, int error)
{
	struct milter_listener *listener = stream->data;

	if (!error)
		milter_accept_connection(listener->milter, stream, listener->tcp);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct milter_listener *listener = handle->data;
	struct milter *milter = listener->milter;

	g_free(listener->path);
	g_free(listener);
	milter->references--;
	milter_release(milter);
}

static enum status listen_on(
	void *context, int fd, int domain, const char *path, struct failure *failure)
{
	struct milter *milter = context;
	struct milter_listener *listener = g_new0(struct milter_listener, 1);
	int error;

	listener->milter = milter;
	listener->tcp = domain != AF_UNIX;
	milter_init_stream(&milter->server->loop, &listener->socket, listener->tcp);
	listener->socket.handle.data = listener;
	listener->next = milter->listeners;
	milter->listeners = listener;
	milter->references++;
	error = listener->tcp ? uv_tcp_open(&listener->socket.tcp, fd)
			      : uv_pipe_open(&listener->socket.pipe, fd);
	if (error)
		close(fd);
	else
		error = uv_listen(&listener->socket.stream, SOCKETS_BACKLOG, on_connection);
	if (error)
		return failure_set(failure, STATUS_IO, "milter: %s", uv_strerror(error));
	listener->path = g_strdup(path);
	return STATUS_OK;
}

enum status milter_open(struct milter **result, struct server *server, struct failure *failure)
{
	struct milter *milter = g_new0(struct milter, 1);
	const struct sockets sockets = {"milter", "listen-milter", server->settings.listen_milter};

	*result = milter;
	milter->server = server;
	return sockets_open(&sockets, &server->settings, listen_on, milter, failure);
}

static void close_listeners(struct milter *milter)
{
	struct milter_listener *next;

	for (struct milter_listener *listener = milter->listeners; listener; listener = next) {
		next = listener->next;
		if (listener->path)
			unlink(listener->path);
		uv_close(&listener->socket.handle, on_listener_closed);
	}
	milter->listeners = NULL;
}

void milter_quiesce(struct milter *milter)
{
	close_listeners(milter);
	milter_close_idle(milter);
}

size_t milter_connections(const struct milter *milter)
{
	return milter ? milter->count : 0;
}

void milter_close(struct milter **result)
{
	struct milter *milter = *result;

	if (!milter)
		return;
	close_listeners(milter);
	milter_close_all(milter);
	milter->closed = true;
	milter_release(milter);
	*result = NULL;
}
