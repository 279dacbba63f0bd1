/* What reports taught leaves global with the same commit that takes them out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/removal.h"

/* Of tokens, written at a time: reports wait for no more. */
enum { PIECE_ROWS = 5000 };

enum status removal_make_way(
	struct service *service, bool *written, bool *more, struct failure *failure)
{
	struct global *global = service->global;
	struct store_tidied tidied;
	enum status status = store_tidy(service->store, TIDY_FORMER, &tidied, failure);

	*more = tidied.more;
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
	const struct removal *removal;
};

static enum status add_taught(void *context, const struct report *report)
{
	struct reading *reading = context;

	if (report->seq > reading->until)
		return STATUS_INTERRUPTED;
	if (reading->removal->watch)
		reading->removal->watch(reading->removal->context, report);
	return global_add(reading->taught, report->keys, report->count, &report->global);
}

static int64_t last_of(const struct store_removal *removal)
{
	bool all = removal->kind == REMOVE_USER ||
		(removal->kind == REMOVE_SHARED && removal->until == 0);

	return all ? INT64_MAX : removal->until;
}

/* What the reports that count taught: of each message the newest one holds what is in
 * global. It is read before anything is changed, for it might not be readable again. The
 * caller lets go of *taught. */
static enum status read_taught(struct service *service, const struct removal *removal,
	struct global **taught, struct failure *failure)
{
	const struct store_selection counting = {.user = removal->what.user, .counting = true};
	struct reading reading = {
		.taught = global_new(0), .until = last_of(&removal->what), .removal = removal};
	enum status status;

	*taught = reading.taught;
	if (!reading.taught)
		return failure_set(failure, STATUS_NOMEM, "taking reports out: out of memory");
	status = store_reports(service->reader, &counting, add_taught, &reading, failure);
	return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}

static enum status commit_removal(
	struct service *service, struct removal *removal, struct failure *failure)
{
	const struct store_value mark = {.name = SERVICE_ROWS_LATE, .bytes = "1", .size = 1};
	const struct store_change change = {.removal = &removal->what,
		.entries = removal->entry,
		.entry_count = removal->entry != NULL,
		.values = &mark,
		.value_count = removal->late,
		.frees = true};

	return removal->late
		? global_leave_behind(service->global, service->store, &change, failure)
		: global_checkpoint(service->global, service->store, &change, failure);
}

enum status removal_run(struct service *service, struct removal *removal, struct failure *failure)
{
	struct global *taught = NULL;
	enum status status = read_taught(service, removal, &taught, failure);

	removal->late |= service->rows_stale; /* they are replaced as a whole */
	if (status == STATUS_OK && global_merge(service->global, taught, -1) != STATUS_OK)
		status = failure_set(failure, STATUS_NOMEM, "taking reports out: out of memory");
	if (status != STATUS_OK)
		goto out;
	removal->tokens = removal->late ? 0 : global_dirty(service->global);
	status = commit_removal(service, removal, failure);
	if (status != STATUS_OK) {
		global_merge(service->global, taught, 1);
		goto out;
	}
	atomic_fetch_add(&service->removals, 1);
	if (removal->late)
		service->rows_late = true;
	else
		removal_settled(service);
out:
	global_unref(&taught);
	return status;
}

/* If this write fails the next start makes all rows anew, which is needless and does no harm. */
void removal_settled(struct service *service)
{
	const struct store_value mark = {.name = SERVICE_ROWS_LATE, .bytes = "", .size = 0};
	const struct store_change change = {.values = &mark, .value_count = 1};

	service->rows_stale = false;
	if (service->rows_late && store_commit(service->store, &change, NULL) == STATUS_OK)
		service->rows_late = false;
}
