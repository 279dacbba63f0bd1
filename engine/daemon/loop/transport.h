/* All clients of a stream protocol: the sockets that listen and the list of connections. It
 * turns away whom there is no place for. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/connection.h"
#include "engine/daemon/loop/front.h"

/* See struct front; *state is the transport. */
enum status transport_open(void **state, struct server *server, const struct front *front,
	const struct stream_protocol *protocol, struct failure *failure);
void transport_drain(void *state);
void transport_expire(void *state);
void transport_close(void **state);
