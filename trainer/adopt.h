/* Puts a generation in place, or what goes with it: through hamletd when it runs, else in the database
 * itself. The files are beside the database: generation_path.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/service/service.h"

/* Adopts the file `path` in a service of this thread's alone; `keep` as change_adopt. */
enum status adopt_into(struct service *service, struct worker *worker, const char *path,
	const char *keep, struct failure *failure);

/* `name` = "challenger" or "previous". STATUS_NOTFOUND: there is no such file. */
enum status adopt_generation(const char *database, const char *socket, const char *name,
	const struct service_settings *settings, struct failure *failure);

/* Lays down policy entries of the site. */
enum status adopt_policy(const char *database, const char *socket,
	const struct store_entry *entries, size_t count, const struct service_settings *settings,
	struct failure *failure);
