/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/listener.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "engine/daemon/server.h"
#include "engine/daemon/loop/sockets.h"
#include "engine/daemon/spamd/connection.h"

struct listener {
	struct server *server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} socket;
	char *path; /* of the socket that this process made; NULL: none */
	struct listener *next;
};

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	g_free(listener->path);
	g_free(listener);
}

static void on_connection(uv_stream_t *stream, int error)
{
	struct listener *listener = stream->data;

	if (error)
		server_log_refusal(listener->server, LOG_ERROR,
			(struct log_field[]){log_text("reason", uv_strerror(error)), {0}});
	else
		connection_accept(listener->server, stream);
}

static enum status listen_on(
	void *context, int fd, int domain, const char *path, struct failure *failure)
{
	struct server *server = context;
	struct listener *listener = g_new0(struct listener, 1);
	int error;

	listener->server = server;
	listener->next = server->listeners;
	if (domain == AF_UNIX) {
		uv_pipe_init(&server->loop, &listener->socket.pipe, 0);
		error = uv_pipe_open(&listener->socket.pipe, fd);
	} else {
		uv_tcp_init(&server->loop, &listener->socket.tcp);
		error = uv_tcp_open(&listener->socket.tcp, fd);
	}
	listener->socket.handle.data = listener;
	server->listeners = listener;
	if (error)
		close(fd);
	else
		error = uv_listen(&listener->socket.stream, SOCKETS_BACKLOG, on_connection);
	if (error)
		return failure_set(failure, STATUS_IO, "listening: %s", uv_strerror(error));
	listener->path = g_strdup(path);
	return STATUS_OK;
}

/* --- All ----------------------------------------------------------------- */

enum status listeners_open(struct server *server, struct failure *failure)
{
	const struct sockets sockets = {"spamd", "listen-tcp", server->settings.listen_tcp};
	enum status status = sockets_open(&sockets, &server->settings, listen_on, server, failure);

	if (status != STATUS_OK)
		listeners_close(server);
	return status;
}

void listeners_close(struct server *server)
{
	struct listener *listener = server->listeners;

	server->listeners = NULL;
	while (listener) {
		struct listener *next = listener->next;

		if (listener->path)
			unlink(listener->path);
		uv_close(&listener->socket.handle, on_closed);
		listener = next;
	}
}
