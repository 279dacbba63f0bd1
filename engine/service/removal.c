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

	if (status != STATUS_OK || *more || !written || *written || service->rows_stale ||
		atomic_load(&service->adopting) || global_dirty(global) <= PIECE_ROWS)
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
		? store_user_reports(
			  service->reader, removal->user, SIZE_MAX, add_taught, reading, failure)
		: store_counting_reports(service->reader, add_taught, reading, failure);
	return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}

enum how { WITH_ROWS, ROWS_LATER };

static enum status run(struct service *service, struct store_removal *removal, enum how how,
	size_t *tokens, struct reading *reading, struct failure *failure)
{
	struct global *global = service->global;
	enum status status = read_taught(service, removal, reading, failure);

	if (status == STATUS_OK && global_merge(global, reading->taught, -1) != STATUS_OK)
		status = failure_set(failure, STATUS_NOMEM, "taking reports out: out of memory");
	if (status == STATUS_OK) {
		if (tokens)
			*tokens += global_dirty(global);
		status = how == WITH_ROWS
			? global_checkpoint(global, service->store, removal, failure)
			: global_remove_alone(global, service->store, removal, failure);
		if (status != STATUS_OK)
			global_merge(global, reading->taught, 1);
	}
	global_unref(&reading->taught);
	if (status == STATUS_OK)
		atomic_fetch_add(&service->removals, 1);
	return status;
}

static int64_t last_of(const struct store_removal *removal)
{
	bool all = removal->kind == REMOVE_USER ||
		(removal->kind == REMOVE_SHARED && removal->until == 0);

	return all ? INT64_MAX : removal->until;
}

enum status removal_run(struct service *service, struct store_removal *removal, size_t *tokens,
	removal_watch_fn *watch, void *context, struct failure *failure)
{
	struct reading reading = {.until = last_of(removal), .watch = watch, .context = context};
	enum status status;

	if (service->rows_stale) /* they are replaced as a whole */
		return removal_run_late(service, removal, watch, context, failure);
	status = run(service, removal, WITH_ROWS, tokens, &reading, failure);
	if (status == STATUS_OK)
		removal_settled(service);
	return status;
}

enum status removal_run_late(struct service *service, struct store_removal *removal,
	removal_watch_fn *watch, void *context, struct failure *failure)
{
	struct reading reading = {.until = last_of(removal), .watch = watch, .context = context};

	removal->mark = SERVICE_ROWS_LATE;
	enum status status = run(service, removal, ROWS_LATER, NULL, &reading, failure);
	if (status == STATUS_OK)
		service->rows_late = true;
	return status;
}

/* When that fails a start would do in vain what it need not; the next one clears it. */
void removal_settled(struct service *service)
{
	service->rows_stale = false;
	if (service->rows_late &&
		store_put(service->store, SERVICE_ROWS_LATE, "", 0, NULL) == STATUS_OK)
		service->rows_late = false;
}
