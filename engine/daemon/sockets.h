/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Stream sockets to listen on: made here, bound and not yet listening, or passed
 * by the service manager. */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/settings/settings.h"

/* Clients that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
enum { SOCKETS_BACKLOG = 4096 };

/* A Unix socket of this name in the runtime directory, with the configured mode
 * and group. A socket that nobody answers at is taken over; STATUS_BUSY when
 * somebody does. *path is to be freed with g_free, *fd to be closed. */
enum status sockets_open_unix(const struct settings *settings, const char *name, char **path,
	int *fd, struct failure *failure);

/* TCP at "127.0.0.1:783" or "[::1]:783"; `key` is for messages. */
enum status sockets_open_tcp(
	const char *key, const char *text, int *domain, int *fd, struct failure *failure);

/* Calls `each` for the sockets of this name ("spamd", "http", "milter") that the
 * service manager passed (sd_listen_fds(3)); those with another name are SPAMD's.
 * *count is how many there were. `each` takes over the descriptor. */
typedef enum status sockets_fn(void *context, int fd, int domain, struct failure *failure);
enum status sockets_passed(const char *name, size_t *count, sockets_fn *each, void *context,
	struct failure *failure);
