/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Stream sockets to listen on: made here, bound and not yet listening, or passed
 * by the service manager. */
#pragma once

#include "engine/base/status.h"
#include "engine/settings/settings.h"

/* Clients that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
enum { SOCKETS_BACKLOG = 4096 };

/* The sockets of one protocol. */
struct sockets {
	const char *name; /* "spamd", "http" or "milter" */
	const char *key; /* the setting that has the address, for messages */
	const char *address; /* "127.0.0.1:783" or "[::1]:783"; "" = no TCP */
};

/* Begins to listen on `fd`, which it takes over. `path` = of a Unix socket that this
 * process has made and removes when it is closed (borrowed), NULL = none. */
typedef enum status sockets_fn(
	void *context, int fd, int domain, const char *path, struct failure *failure);

/* Calls `each` for those that the service manager passed (sd_listen_fds(3); those without
 * a known name are SPAMD's), or where it passed none for a Unix socket NAME.sock in the
 * runtime directory, with the configured mode and group; then for TCP. A Unix socket that
 * nobody answers at is taken over; STATUS_BUSY when somebody does. */
enum status sockets_open(const struct sockets *sockets, const struct settings *settings,
	sockets_fn *each, void *context, struct failure *failure);

/* Tells what sockets_open would find wrong with these, unless the service manager passes
 * them. That somebody listens there already is not: hamletd may run. */
void sockets_check(const struct sockets *sockets, size_t count, const struct settings *settings,
	struct complaints *complaints);
