/* A front: a protocol by which clients come. main.c has the list of them, and the server
 * opens and closes them without knowing any. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/settings/settings.h"

struct server;

/* Functions that may be NULL have nothing to do then. `state` is what `open` made. */
struct front {
	const char *name; /* of its Unix socket, NAME.sock, and of those that are passed */
	const char *tcp_key; /* the setting that has its TCP address, for messages */
	size_t tcp_address; /* where that is in struct settings: a char *, "" = no TCP */

	/* Before a start: what is wrong with the settings. May be NULL. */
	enum status (*check)(const struct settings *settings, struct failure *failure);

	/* Opens its sockets (sockets.h) and serves who connects. *state is set after a
	 * failure, too, and is to be closed. */
	enum status (*open)(void **state, struct server *server, struct failure *failure);

	/* The settings have changed. After a failure it goes on with what it had. May be
	 * NULL. */
	enum status (*reload)(void *state, struct failure *failure);

	/* A shutdown begins: nobody is accepted any more, and who asks for nothing goes. What
	 * the server has to wait for is between server_delay_stop and server_allow_stop. */
	void (*drain)(void *state);

	/* The shutdown has waited long enough for clients that are slow. */
	void (*expire)(void *state);

	/* Closes all; no task is at work. The memory is freed when the loop has closed the
	 * handles. */
	void (*close)(void **state);
};

static inline const char *front_tcp_address(
	const struct front *front, const struct settings *settings)
{
	return *(char *const *)((const char *)settings + front->tcp_address);
}
