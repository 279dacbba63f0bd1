/* A user is erased: journal, entries, and the part in global.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/change.h"

#include <glib.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

struct erasure {
	struct change change;
	char user[STORE_MAX_USER + 1];
	struct change_way way;
	bool done;
};

static enum status erasure_run(struct change *change, struct failure *failure)
{
	struct erasure *erasure = (struct erasure *)change;
	struct service *service = change->service;
	struct removal removal = {.what = {.user = erasure->user, .kind = REMOVE_USER}};
	bool more = false;
	enum status status = STATUS_OK;

	if (change->tight)
		status = change_take_some(
			change, &erasure->way, REMOVE_OLD, erasure->user, &more, failure);
	if (status == STATUS_OK && !more)
		status = change_take_out(change, &erasure->way, &removal, &more, failure);
	if (status != STATUS_OK || more)
		return status;
	erasure->done = true;
	status = store_tidy(service->store, TIDY_ALL, NULL, failure);
	change->receipt.compacted = status == STATUS_OK && !service->rows_late;
	return status;
}

static bool erasure_goes_on(const struct change *change)
{
	return !((const struct erasure *)change)->done;
}

static bool erasure_tighten(struct change *change)
{
	(void)change;
	return true;
}

static void erasure_publish(struct change *change)
{
	users_drop(change->service->users, ((struct erasure *)change)->user);
}

static void erasure_free(struct change *change)
{
	g_free(change);
}

static const struct change_kind ERASURE = {.run = erasure_run,
	.goes_on = erasure_goes_on,
	.tighten = erasure_tighten,
	.publish = erasure_publish,
	.free = erasure_free};

enum status change_erase(
	struct service *service, const char *user, struct change **result, struct failure *failure)
{
	char name[STORE_MAX_USER + 1];
	struct erasure *erasure;
	enum status status = service_user(service, user, name, failure);

	*result = NULL;
	if (status == STATUS_OK && !*name)
		status = failure_set(failure, STATUS_INVALID, "erase whom? Name a user");
	if (status != STATUS_OK)
		return status;
	erasure = g_new0(struct erasure, 1);
	erasure->change = (struct change){.kind = &ERASURE, .service = service};
	g_strlcpy(erasure->user, name, sizeof(erasure->user));
	*result = &erasure->change;
	return STATUS_OK;
}
