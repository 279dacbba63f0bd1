/* The rows of global are written behind the journal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/private.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

/* Since the last checkpoint, however few tokens they change: what they supersede is stripped
 * with the next one, in one go. */
enum { CHECKPOINT_REPORTS = 5000 };

/* An adoption needs the tokens of reports that a checkpoint strips. */
static bool may_checkpoint(const struct service *service)
{
	return !service->adopting && service_check_sound(service, NULL) == STATUS_OK;
}

size_t service_dirty(const struct service *service)
{
	return may_checkpoint(service) ? global_dirty(service->global) : 0;
}

bool service_checkpoint_goes_on(const struct service *service)
{
	return may_checkpoint(service) && global_checkpoint_goes_on(service->global);
}

bool service_checkpoint_is_due(const struct service *service, size_t tokens)
{
	size_t dirty = service_dirty(service);

	int64_t reports = global_seq(service->global) - global_checkpoint_seq(service->global);

	return dirty >= tokens || service_checkpoint_goes_on(service) ||
		(dirty > 0 &&
			(reports >= CHECKPOINT_REPORTS ||
				global_checkpoint_seq(service->global) == 0));
}

enum status service_checkpoint(struct service *service, struct failure *failure)
{
	enum status status = service_check_sound(service, failure);

	if (status == STATUS_OK)
		status = service->rows_stale
			? global_rewrite(service->global, service->store, true, failure)
			: global_checkpoint(service->global, service->store, NULL, failure);
	if (status == STATUS_OK)
		removal_settled(service);
	service_note_budget(service);
	return status;
}

enum status service_checkpoint_some(struct service *service, size_t most, struct failure *failure)
{
	enum status status = service_check_sound(service, failure);

	if (service->rows_stale)
		return service_checkpoint(service, failure);
	if (status == STATUS_OK)
		status = global_checkpoint_some(service->global, service->store, most, failure);
	if (status == STATUS_OK && !global_checkpoint_goes_on(service->global))
		removal_settled(service);
	service_note_budget(service);
	return status;
}

bool service_is_untidy(const struct service *service)
{
	return store_is_untidy(service->store);
}

void service_tidy(struct service *service)
{
	store_tidy(service->store, TIDY_BRIEF, NULL, NULL);
}
