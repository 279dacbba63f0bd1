/* Clients by HTTP: who is let in, and how long each may take.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/clients.h"

#include <glib.h>
#include <sys/socket.h>

#include "engine/daemon/server.h"

/* A client that is told that there is no room has so long for its request, which is read,
 * since many do not look for an answer before they have sent it. */
static const uint64_t REFUSED_MS = 5000;

static void add_client(struct clients *clients, struct client *client)
{
	struct server *server = clients->admission.server;

	peer_identify(&client->peer, client->fd);
	client->admitted = admission_enter(&clients->admission, &client->peer);
	client->deadline = uv_now(&server->loop) +
		(client->admitted == ADMITTED ? server->settings.header_timeout * 1000
					      : REFUSED_MS);
	LIST_INSERT_HEAD(&clients->list, client, link);
}

void clients_on_connection(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode what)
{
	struct clients *clients = context;
	struct client *client = *state;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		client = g_new0(struct client, 1);
		client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				     ->connect_fd;
		add_client(clients, client);
		*state = client;
	} else if (client) {
		LIST_REMOVE(client, link);
		admission_leave(&clients->admission, &client->peer, client->admitted);
		g_free(client);
	}
}

struct client *client_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* One that is refused keeps the time that it was given. */
static void set_deadline(struct client *client, const struct server *server)
{
	uint64_t now = uv_now(&server->loop);

	if (client->admitted == ADMITTED)
		client->deadline =
			now + pace_left(&client->pace, now, server->settings.body_timeout * 1000);
}

void client_set_receiving(struct client *client, const struct server *server)
{
	pace_begin(&client->pace, uv_now(&server->loop));
	set_deadline(client, server);
}

void client_receive(struct client *client, const struct server *server, size_t bytes)
{
	client->pace.bytes += bytes;
	set_deadline(client, server);
}

void client_set_working(struct client *client)
{
	if (client->admitted == ADMITTED)
		client->deadline = 0;
}

void client_set_answering(struct client *client, const struct server *server, size_t bytes)
{
	pace_begin(&client->pace, uv_now(&server->loop));
	client_receive(client, server, bytes);
}

void client_set_idle(struct client *client, const struct server *server)
{
	client->deadline = uv_now(&server->loop) + server->settings.header_timeout * 1000;
}

/* What dribbles in or out holds a place that others want. */
void clients_cut_off(struct clients *clients)
{
	struct server *server = clients->admission.server;
	uint64_t now = uv_now(&server->loop);
	struct client *client;

	LIST_FOREACH (client, &clients->list, link) {
		if (client->deadline && now > client->deadline) {
			server->counters.refused.timeouts++;
			client->deadline = 0;
			shutdown(client->fd, SHUT_RDWR);
		}
	}
}
