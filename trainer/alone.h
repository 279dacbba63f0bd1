/* The engine on a database that no hamletd has at the moment.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "engine/service/service.h"

/* To be zeroed before it is opened. */
struct alone {
	struct store *store;
	struct service *service;
};

/* STATUS_BUSY: hamletd has it, and can be asked instead (engine/client/call.h). To be
 * closed whatever happens. */
enum status alone_open(struct alone *alone, const char *database,
	const struct service_settings *settings, struct failure *failure);
void alone_close(struct alone *alone);
