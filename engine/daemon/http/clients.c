/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/clients.h"

#include <glib.h>
#include <sys/socket.h>

#include "engine/daemon/server.h"

/* A client that is told that there is no room has so long for its request, which is read,
 * since many do not look for an answer before they have sent it. */
static const uint64_t REFUSED_MS = 5000;

static void admit(struct clients *clients, struct client *client)
{
	struct server *server = clients->server;
	size_t admitted = clients->count - clients->refused;
	size_t most = server->settings.max_connections;

	client->refused =
		admitted >= most || !quota_take(clients->quota, peer_client(&client->peer), most);
	client->deadline = uv_now(&server->loop) +
		(client->refused ? REFUSED_MS : server->settings.header_timeout * 1000);
	clients->count++;
	clients->refused += client->refused;
	server->counters.connections++;
	server->counters.refused.connections += client->refused;
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
		peer_identify(&client->peer, client->fd);
		client->next = clients->first;
		client->place = &clients->first;
		if (client->next)
			client->next->place = &client->next;
		clients->first = client;
		admit(clients, client);
		*state = client;
	} else if (client) {
		*client->place = client->next;
		if (client->next)
			client->next->place = client->place;
		clients->count--;
		clients->refused -= client->refused;
		if (!client->refused)
			quota_give(clients->quota, peer_client(&client->peer));
		g_free(client);
	}
}

struct client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* One that is refused keeps the time that it was given. */
static void set_deadline(struct client *client, const struct server *server)
{
	uint64_t now = uv_now(&server->loop);

	if (!client->refused)
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
	if (!client->refused)
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
	uint64_t now = uv_now(&clients->server->loop);

	for (struct client *client = clients->first; client; client = client->next) {
		if (client->deadline && now > client->deadline) {
			clients->server->counters.refused.timeouts++;
			client->deadline = 0;
			shutdown(client->fd, SHUT_RDWR);
		}
	}
}
