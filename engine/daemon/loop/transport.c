/* All clients of a stream protocol: listening, accepting, and the way to the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/transport.h"

#include <glib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/daemon/loop/sockets.h"
#include "engine/daemon/server.h"

/* Clients that are accepted in one turn of the loop. libuv accepts as long as somebody
 * connects; those who are turned away give their memory back at the end of the turn. */
enum { ACCEPTED_MOST = 128 };

struct listener {
	struct transport *transport;
	bool waits; /* a client is there that the next turn accepts */
	union stream socket;
	bool tcp;
	char *path; /* of the socket that this process made; NULL = none */
	LIST_ENTRY(listener) link;
};

struct transport {
	struct server *server;
	const char *name;
	const struct stream_protocol *protocol;
	struct admission admission;
	LIST_HEAD(, listener) listeners;
	LIST_HEAD(, connection) connections;
	uv_check_t turn; /* ends one */
	uv_idle_t next_turn; /* runs while a listener waits for it */
	size_t accepted; /* in this turn */
	size_t references; /* listeners, connections and handles whose memory is there */
	bool closed;
};

static void release(struct transport *transport)
{
	if (!transport->closed || transport->references > 0)
		return;
	admission_close(&transport->admission);
	g_free(transport);
}

/* --- Accepting ----------------------------------------------------------- */

static void on_gone(struct connection *connection)
{
	struct transport *transport = connection->transport;
	struct server *server = transport->server;

	if (connection->entered)
		admission_leave(&transport->admission, &connection->peer, connection->admitted);
	LIST_REMOVE(connection, link);
	g_free(connection);
	transport->references--;
	release(transport);
	server_allow_stop(server);
}

static struct connection *add_connection(struct transport *transport, bool tcp)
{
	struct connection *connection =
		connection_new(transport->server, transport->protocol, tcp, on_gone);

	connection->transport = transport;
	LIST_INSERT_HEAD(&transport->connections, connection, link);
	transport->references++;
	server_delay_stop(transport->server);
	return connection;
}

static void accept_client(struct listener *listener)
{
	struct transport *transport = listener->transport;
	struct connection *connection = add_connection(transport, listener->tcp);
	uv_os_fd_t fd;

	transport->accepted++;
	if (uv_accept(&listener->socket.stream, &connection->socket.stream) != 0) {
		connection_close(connection);
		return;
	}
	if (uv_fileno(&connection->socket.handle, &fd) == 0)
		peer_identify(&connection->peer, fd);
	connection->admitted = admission_enter(&transport->admission, &connection->peer);
	connection->entered = true;
	transport->protocol->accepted(connection, connection->admitted);
	if (connection->state == CONNECTION_OPEN)
		connection_resume(connection);
}

static void on_next_turn(uv_idle_t *idle)
{
	struct transport *transport = idle->data;
	struct listener *listener;

	uv_idle_stop(idle);
	LIST_FOREACH (listener, &transport->listeners, link) {
		if (!listener->waits)
			continue;
		listener->waits = false;
		accept_client(listener); /* and libuv listens again */
	}
}

static void on_turn_over(uv_check_t *check)
{
	((struct transport *)check->data)->accepted = 0;
}

/* A client who is not accepted here keeps libuv from accepting others. */
static void on_connection(uv_stream_t *stream, int error)
{
	struct listener *listener = stream->data;
	struct transport *transport = listener->transport;

	if (error) {
		server_log_refusal(transport->server, LOG_ERROR,
			(struct log_field[]){log_text("reason", uv_strerror(error)), {0}});
	} else if (transport->accepted < ACCEPTED_MOST) {
		accept_client(listener);
	} else {
		listener->waits = true;
		uv_idle_start(&transport->next_turn, on_next_turn);
	}
}

/* --- Listening ----------------------------------------------------------- */

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	struct transport *transport = listener->transport;

	g_free(listener->path);
	g_free(listener);
	transport->references--;
	release(transport);
}

static enum status listen_on(
	void *context, int fd, int domain, const char *path, struct failure *failure)
{
	struct transport *transport = context;
	struct listener *listener = g_new0(struct listener, 1);
	int error;

	listener->transport = transport;
	listener->tcp = domain != AF_UNIX;
	stream_init(&transport->server->loop, &listener->socket, listener->tcp);
	listener->socket.handle.data = listener;
	LIST_INSERT_HEAD(&transport->listeners, listener, link);
	transport->references++;
	error = listener->tcp ? uv_tcp_open(&listener->socket.tcp, fd)
			      : uv_pipe_open(&listener->socket.pipe, fd);
	if (error)
		close(fd);
	else
		error = uv_listen(&listener->socket.stream, SOCKETS_BACKLOG, on_connection);
	if (error)
		return failure_set(failure, STATUS_IO, "%s: listening: %s", transport->name,
			uv_strerror(error));
	listener->path = g_strdup(path);
	return STATUS_OK;
}

static void on_turns_closed(uv_handle_t *handle)
{
	struct transport *transport = handle->data;

	transport->references--;
	release(transport);
}

/* Neither keeps the loop from its end. */
static void open_turns(struct transport *transport)
{
	uv_loop_t *loop = &transport->server->loop;

	uv_check_init(loop, &transport->turn);
	uv_idle_init(loop, &transport->next_turn);
	transport->turn.data = transport->next_turn.data = transport;
	transport->references += 2;
	uv_check_start(&transport->turn, on_turn_over);
	uv_unref((uv_handle_t *)&transport->turn);
	uv_unref((uv_handle_t *)&transport->next_turn);
}

enum status transport_open(void **state, struct server *server, const struct front *front,
	const struct stream_protocol *protocol, struct failure *failure)
{
	struct transport *transport = g_new0(struct transport, 1);

	*state = transport;
	transport->server = server;
	transport->name = front->name;
	transport->protocol = protocol;
	admission_open(&transport->admission, server, protocol->refused_most, protocol->shared);
	open_turns(transport);
	return sockets_open(
		server->fronts, front, &server->settings, listen_on, transport, failure);
}

static void close_listeners(struct transport *transport)
{
	struct listener *listener;

	while ((listener = LIST_FIRST(&transport->listeners))) {
		LIST_REMOVE(listener, link);
		if (listener->path)
			unlink(listener->path);
		uv_close(&listener->socket.handle, on_listener_closed);
	}
}

/* --- All of them --------------------------------------------------------- */

void transport_drain(void *state)
{
	struct transport *transport = state;
	struct connection *each;

	close_listeners(transport);
	LIST_FOREACH (each, &transport->connections, link) {
		if (each->state == CONNECTION_LINGERING)
			connection_set_timer(each, DRAIN_IDLE_MS);
		else if (each->state == CONNECTION_OPEN)
			transport->protocol->shutting_down(each, false);
	}
}

void transport_expire(void *state)
{
	struct transport *transport = state;
	struct connection *each;

	LIST_FOREACH (each, &transport->connections, link) {
		if (each->state == CONNECTION_LEAVING || each->state == CONNECTION_LINGERING)
			connection_close(each);
		else if (each->state == CONNECTION_OPEN)
			transport->protocol->shutting_down(each, true);
	}
}

void transport_close(void **state)
{
	struct transport *transport = *state;
	struct connection *each;

	close_listeners(transport);
	LIST_FOREACH (each, &transport->connections, link)
		connection_close(each);
	uv_close((uv_handle_t *)&transport->turn, on_turns_closed);
	uv_close((uv_handle_t *)&transport->next_turn, on_turns_closed);
	transport->closed = true;
	*state = NULL;
}
