/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/removal.h"

/* Of tokens, written or cleared at a time: reports wait for no more. */
enum { PIECE_ROWS = 5000 };

enum status removal_make_way(
	struct service *service, bool *written, bool *more, struct failure *failure)
{
	struct global *global = service->global;
	enum status status = store_clear_stage(service->store, PIECE_ROWS, more, failure);

	if (status != STATUS_OK || *more || *written || atomic_load(&service->adopting) ||
		global_dirty(global) <= PIECE_ROWS)
		return status;
	*more = true;
	status = global_checkpoint_some(global, service->store, PIECE_ROWS, failure);
	*written = !global_checkpoint_goes_on(global);
	return status;
}

struct reading {
	struct global *taught;
	int64_t until;
	removal_watch_fn *watch;
	void *context;
};

static enum status add_taught(void *context, const struct report *report)
{
	struct reading *reading = context;

	if (report->seq > reading->until)
		return STATUS_INTERRUPTED;
	if (reading->watch)
		reading->watch(reading->context, report);
	return global_add(reading->taught, report->keys, report->count, &report->global);
}

/* What the reports that count taught: of each message the newest one holds what is in
 * global. It is read before anything is changed, for it might not be readable again. */
static enum status read_taught(struct service *service, const struct store_removal *removal,
	struct reading *reading, struct failure *failure)
{
	reading->taught = global_new(0);
	if (!reading->taught)
		return failure_set(failure, STATUS_NOMEM, "taking reports out: out of memory");
	enum status status = removal->user
		? store_user_reports(service->reader, removal->user, SIZE_MAX, add_taught, reading,
			  failure)
		: store_counting_reports(service->reader, add_taught, reading, failure);
	return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}

enum status removal_run(struct service *service, struct store_removal *removal, size_t *tokens,
	removal_watch_fn *watch, void *context, struct failure *failure)
{
	struct reading reading = {.until = removal->kind == REMOVE_OLD ? removal->until : INT64_MAX,
		.watch = watch,
		.context = context};
	enum status status = read_taught(service, removal, &reading, failure);

	if (status == STATUS_OK && global_merge(service->global, reading.taught, -1) != STATUS_OK)
		status = failure_set(failure, STATUS_NOMEM, "taking reports out: out of memory");
	if (status == STATUS_OK) {
		if (tokens)
			*tokens += global_dirty(service->global);
		status = global_checkpoint(service->global, service->store, removal, failure);
		if (status != STATUS_OK)
			global_merge(service->global, reading.taught, 1);
	}
	global_unref(&reading.taught);
	if (status == STATUS_OK)
		atomic_fetch_add(&service->removals, 1);
	return status;
}
