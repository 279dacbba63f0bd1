/* Compares the size of the store and the table with the settings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/budget.h"

#include "engine/service/upkeep/upkeep.h"

/* Of the most tokens: a table that is full would leave new ones out. */
static const double TOKENS_FULL = 0.95;

bool budget_is_over(struct service *service, int64_t bytes, double share)
{
	size_t tokens = service->settings.global_tokens;
	struct store_stats stats;

	if (tokens > 0 &&
		(double)global_tokens(service->global) > share * TOKENS_FULL * (double)tokens)
		return true;
	if (bytes == 0 || store_read_stats(service->reader, false, &stats, NULL) != STATUS_OK)
		return false;
	/* What is free is given back before another report goes; the log shrinks by itself. */
	return (double)(stats.bytes - (share < 1 ? stats.free : 0)) > share * (double)bytes;
}

void service_note_budget(struct service *service)
{
	atomic_store(&service->over_budget,
		budget_is_over(service, service->settings.retention.bytes, 1));
}

bool service_is_over_budget(const struct service *service)
{
	return atomic_load(&service->over_budget);
}
