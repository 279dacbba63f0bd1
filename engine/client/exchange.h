/* One question to hamletd: SPAMC/1.5 over its Unix socket, blocking.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

struct exchange {
	const char *socket; /* path */
	const char *command; /* "CHECK", "TELL", ... */
	const char *headers; /* further header lines, each ending in CRLF; "" = none */
	const char *user; /* "" = none */
	const char *message; /* NULL = no body */
	size_t length;
};

/* Sends it and fills `body` with what follows the reply's headers. STATUS_IO: no
 * daemon, no right to the socket, connection lost. STATUS_INVALID: what was sent is
 * wrong or too large. STATUS_DENIED, _OVERLOAD, ...:
 * the daemon refused; the detail says why in its words. `body` is freed by the
 * caller whatever happens. */
enum status exchange_run(
	const struct exchange *exchange, struct buffer *body, struct failure *failure);
