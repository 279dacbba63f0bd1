/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/removal.h"

struct subtraction {
	struct global *global;
	int64_t until;
	size_t done; /* reports */
	removal_watch_fn *watch;
	void *context;
};

static enum status subtract(void *context, const struct report *report)
{
	struct subtraction *subtraction = context;

	if (report->seq > subtraction->until)
		return STATUS_INTERRUPTED;
	enum status status =
		global_remove(subtraction->global, report->keys, report->count, &report->global);
	subtraction->done += status == STATUS_OK;
	if (status == STATUS_OK && subtraction->watch)
		subtraction->watch(subtraction->context, report);
	return status;
}

static enum status add_again(void *context, const struct report *report)
{
	struct subtraction *subtraction = context;

	if (subtraction->done == 0)
		return STATUS_INTERRUPTED;
	subtraction->done--;
	return global_add(subtraction->global, report->keys, report->count, &report->global);
}

/* The reports that count, oldest first: of each message the newest one holds what is
 * in global. */
static enum status walk(struct service *service, const struct store_removal *removal,
	store_report_fn *each, struct subtraction *subtraction, struct failure *failure)
{
	enum status status = removal->user
		? store_user_reports(service->reader, removal->user, SIZE_MAX, each, subtraction,
			  failure)
		: store_counting_reports(service->reader, each, subtraction, failure);

	return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}

enum status removal_run(struct service *service, struct store_removal *removal, size_t *tokens,
	removal_watch_fn *watch, void *context, struct failure *failure)
{
	struct subtraction subtraction = {.global = service->global,
		.until = removal->kind == REMOVE_OLD ? removal->until : INT64_MAX,
		.watch = watch,
		.context = context};
	enum status status = walk(service, removal, subtract, &subtraction, failure);

	if (status == STATUS_OK) {
		if (tokens)
			*tokens += global_dirty(service->global);
		status = global_checkpoint(service->global, service->store, removal, failure);
	}
	if (status == STATUS_OK)
		atomic_fetch_add(&service->removals, 1);
	else
		walk(service, removal, add_again, &subtraction, NULL);
	return status;
}
