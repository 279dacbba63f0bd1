/* The budget of the database in bytes, where the configuration says a share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/settings/settings.h"

/* What a value of database-bytes means on a file system of `disk` bytes where the database
 * has `own` bytes already; 0 = no limit. A percentage is that of the file system, 1 MiB at
 * least. "auto" is a quarter of the file system, 16 MiB at least; of a database that is
 * larger by a quarter already (it grew without a limit) nothing goes for that: then it is
 * three quarters. */
uint64_t budget_bytes(uint64_t value, uint64_t disk, uint64_t own);

/* The same for where the settings have the database; 0 also when nothing is known of the
 * file system. */
uint64_t settings_budget(const struct settings *settings);

/* What the service is to be given, with that budget. Lists and strings stay the settings'. */
struct service_settings settings_of_service(const struct settings *settings);
