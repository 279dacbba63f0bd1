/* How a change is run, whatever its kind.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/change.h"

#include "engine/base/thread-role.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

/* Reports that go at a time on a full disk; fewer when that is too much. */
enum { TIGHT_PIECE = 64 };

enum status change_prepare(struct change *change, struct worker *worker, struct failure *failure)
{
	return change->kind->prepare ? change->kind->prepare(change, worker, failure) : STATUS_OK;
}

static enum status make_way_for(
	struct change *change, struct change_way *way, bool *more, struct failure *failure)
{
	struct service *service = change->service;

	*more = false;
	if (way->begun && atomic_load(&service->stopping))
		return failure_set(failure, STATUS_INTERRUPTED,
			"hamletd is stopping: not everything was taken out");
	way->begun = true;
	/* No adoption may take over what has gaps. */
	atomic_fetch_add(&service->removals, 1);
	return removal_make_way(service, change->tight ? NULL : &way->written, more, failure);
}

enum status change_take_out(struct change *change, struct change_way *way, struct removal *removal,
	bool *more, struct failure *failure)
{
	struct receipt *receipt = &change->receipt;
	enum status status = make_way_for(change, way, more, failure);

	if (status != STATUS_OK || *more)
		return status;
	removal->late = change->tight;
	status = removal_run(change->service, removal, failure);
	if (status == STATUS_OK) {
		receipt->reports += removal->what.reports;
		receipt->entries += removal->what.entries;
		receipt->tokens += removal->tokens;
	}
	return status;
}

static enum status note_number(void *context, const struct report *report)
{
	*(int64_t *)context = report->seq;
	return STATUS_OK;
}

enum status change_find_last(const struct change *change, const struct store_selection *selection,
	int64_t *seq, struct failure *failure)
{
	*seq = 0;
	return store_reports(change->service->reader, selection, note_number, seq, failure);
}

enum status change_take_some(struct change *change, struct change_way *way,
	enum store_removal_kind kind, const char *user, bool *more, struct failure *failure)
{
	struct removal removal = {.what = {.user = user, .kind = kind}};
	struct store_selection next = {.user = user, .headers = true, .after = way->taken};
	bool before = false;
	enum status status;

	if (way->piece == 0)
		way->piece = TIGHT_PIECE;
	next.limit = way->piece;
	status = change_find_last(change, &next, &removal.what.until, failure);
	*more = removal.what.until > 0;
	if (status != STATUS_OK || !*more)
		return status;
	status = change_take_out(change, way, &removal, &before, failure);
	if (status == STATUS_OK && !before)
		way->taken = removal.what.until;
	if (status == STATUS_FULL && way->piece > 1) {
		way->piece /= 4;
		status = STATUS_OK;
	}
	return status;
}

enum status change_run(struct change *change, struct failure *failure)
{
	ASSERT_WRITER();
	const struct change_kind *kind = change->kind;
	enum status status = service_check_sound(change->service, failure);

	if (status == STATUS_OK)
		status = service_settle(change->service, failure);
	if (status != STATUS_OK)
		return status;
	status = kind->run(change, failure);
	if (status == STATUS_FULL && !change->tight && kind->tighten && kind->tighten(change)) {
		change->tight = true;
		status = kind->run(change, failure);
	}
	if (status == STATUS_UNCERTAIN)
		service_doubt(change->service);
	change->receipt.seq = global_seq(change->service->global);
	return status;
}

bool change_goes_on(const struct change *change)
{
	return change->kind->goes_on(change);
}

bool change_is_patient(const struct change *change)
{
	return change->kind->is_patient && change->kind->is_patient(change);
}

const struct receipt *change_receipt(const struct change *change)
{
	return &change->receipt;
}

void change_end(struct service *service, struct change **change)
{
	ASSERT_OWNER();
	if (!*change)
		return;
	service_publish_settled(service);
	(*change)->kind->publish(*change);
	(*change)->kind->free(*change);
	*change = NULL;
}
