/* Who is connected by HTTP, from connect to close: counted against max-connections, and
 * cut off when not heard of in time. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "engine/daemon/loop/admission.h"
#include "engine/daemon/loop/pace.h"
#include "engine/daemon/peer.h"

struct server;

/* Clients beyond max-connections that are told so; more of them wait until they are
 * accepted. */
enum { CLIENTS_REFUSED_MAX = 256 };

struct client {
	struct peer peer;
	enum admitted admitted; /* one that is not takes no part in max-connections */

	/* Private to clients.c. */
	int fd;
	struct pace pace; /* of the body or the answer */
	uint64_t deadline; /* of the loop's clock; 0 = a request is at work */
	LIST_ENTRY(client) link;
};

/* To be opened with admission_open, and zeroed else. */
struct clients {
	struct admission admission;
	LIST_HEAD(, client) list;
};

/* libmicrohttpd's notification that a connection begins or ends; `context` = the
 * clients. */
void clients_on_connection(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode what);

/* Borrowed until the connection ends. */
struct client *client_of(struct MHD_Connection *connection);

/* A request has begun, and its body is waited for: libmicrohttpd's time-out holds for
 * silence, ours for the whole. So many bytes of it have come. All is there, and at work. An
 * answer of so many bytes leaves. Then it has ended: the next request is waited for. */
void client_set_receiving(struct client *client, const struct server *server);
void client_receive(struct client *client, const struct server *server, size_t bytes);
void client_set_working(struct client *client);
void client_set_answering(struct client *client, const struct server *server, size_t bytes);
void client_set_idle(struct client *client, const struct server *server);

/* Cuts off those whose time is over; to be called every second. */
void clients_cut_off(struct clients *clients);
