/* Stream sockets to listen on: made here, bound and not yet listening, or passed by the
 * service manager.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "engine/daemon/loop/front.h"
#include "engine/settings/settings.h"

/* Clients that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
enum { SOCKETS_BACKLOG = 4096 };

/* Begins to listen on `fd`, which it takes over. `path` = of a Unix socket that this
 * process has made and removes when it is closed (borrowed), NULL = none. */
typedef enum status sockets_fn(
	void *context, int fd, int domain, const char *path, struct failure *failure);

/* Calls `each` for the sockets of `front` that the service manager passed
 * (sd_listen_fds(3)); those without the name of one of `fronts` (NULL-terminated) belong to
 * the first of them. Where it passed none, for a Unix socket NAME.sock in the runtime
 * directory, with the configured mode and group; then for TCP. A Unix socket that nobody
 * answers at is taken over; STATUS_BUSY when somebody does. */
enum status sockets_open(const struct front *const *fronts, const struct front *front,
	const struct settings *settings, sockets_fn *each, void *context, struct failure *failure);

/* Tells what sockets_open would find wrong with those of all `fronts`, unless the service
 * manager passes them. That somebody listens there already is not: hamletd may run. */
void sockets_check(const struct front *const *fronts, const struct settings *settings,
	struct complaints *complaints);
