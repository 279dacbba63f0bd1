/* What a share of the disk is in bytes: the budget of the database.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/budget.h"

#include <glib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "engine/settings/value.h"

static const uint64_t SHARE_LEAST = UINT64_C(1) << 20;
static const uint64_t AUTO_LEAST = UINT64_C(16) << 20;

uint64_t budget_bytes(uint64_t value, uint64_t disk, uint64_t own)
{
	unsigned percent = value_percent(value);
	uint64_t quarter = MAX(disk / 4, AUTO_LEAST);

	if (value == VALUE_AUTO)
		return own > quarter + quarter / 4 ? disk - disk / 4 : quarter;
	return percent > 0 ? MAX(disk / 100 * percent, SHARE_LEAST) : value;
}

uint64_t settings_budget(const struct settings *settings)
{
	uint64_t value = settings->database_bytes;
	char *database = settings_database(settings);
	struct statvfs disk;
	struct stat file = {0};

	if (value == VALUE_AUTO || value_percent(value) > 0) {
		if (stat(database, &file) != 0)
			file.st_size = 0; /* there is none yet */
		value = statvfs(settings->state_directory, &disk) != 0
			? 0
			: budget_bytes(
				  value, disk.f_blocks * disk.f_frsize, (uint64_t)file.st_size);
	}
	g_free(database);
	return value;
}

struct service_settings settings_of_service(const struct settings *settings)
{
	struct service_settings service = settings->service;

	service.retention.bytes = (int64_t)settings_budget(settings);
	return service;
}
