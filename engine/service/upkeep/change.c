/* How a change is run, whatever its kind.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/change.h"

#include "engine/service/evidence/evidence.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

enum status change_prepare(struct change *change, struct worker *worker, struct failure *failure)
{
	return change->kind->prepare ? change->kind->prepare(change, worker, failure) : STATUS_OK;
}

enum status change_make_way(
	struct change *change, bool *begun, bool *written, bool *more, struct failure *failure)
{
	struct service *service = change->service;

	*more = false;
	if (*begun && atomic_load(&service->stopping))
		return failure_set(failure, STATUS_INTERRUPTED,
			"hamletd is stopping: not everything was taken out");
	*begun = true;
	/* No adoption may take over what has gaps. */
	atomic_fetch_add(&service->removals, 1);
	return removal_make_way(service, change->tight ? NULL : written, more, failure);
}

enum status change_run(struct change *change, struct failure *failure)
{
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
	if (!*change)
		return;
	service_publish_settled(service);
	(*change)->kind->publish(*change);
	(*change)->kind->free(*change);
	*change = NULL;
}
