/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/listener.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "engine/daemon/server.h"
#include "engine/daemon/sockets.h"
#include "engine/daemon/spamd/connection.h"

static const char SOCKET_NAME[] = "spamd.sock";

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

/* Takes over `fd`, a bound stream socket, and begins to accept. */
static enum status listen_on(
	struct server *server, int fd, int domain, const char *path, struct failure *failure)
{
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

static enum status on_passed(void *context, int fd, int domain, struct failure *failure)
{
	return listen_on(context, fd, domain, NULL, failure);
}

static enum status open_unix(struct server *server, struct failure *failure)
{
	char *path = NULL;
	int fd = -1;
	enum status status =
		sockets_open_unix(&server->settings, SOCKET_NAME, &path, &fd, failure);

	if (status == STATUS_OK) {
		status = listen_on(server, fd, AF_UNIX, path, failure);
		if (status != STATUS_OK)
			unlink(path);
	}
	g_free(path);
	return status;
}

static enum status open_tcp(struct server *server, struct failure *failure)
{
	int fd = -1, domain = 0;
	enum status status = sockets_open_tcp(
		"listen-tcp", server->settings.listen_tcp, &domain, &fd, failure);

	return status == STATUS_OK ? listen_on(server, fd, domain, NULL, failure) : status;
}

enum status listeners_open(struct server *server, struct failure *failure)
{
	size_t passed = 0;
	enum status status = sockets_passed("spamd", &passed, on_passed, server, failure);

	if (status == STATUS_OK && passed == 0)
		status = open_unix(server, failure);
	if (status == STATUS_OK && *server->settings.listen_tcp)
		status = open_tcp(server, failure);
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
