/* One press: who pressed, and the tokens of the message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/report/private.h"

#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_NEW:
		return "new";
	case OUTCOME_REPEAT:
		return "repeat";
	case OUTCOME_FLIP:
		return "flip";
	case OUTCOME_FORGOTTEN:
		return "forgotten";
	case OUTCOME_UNKNOWN:
		return "unknown";
	case OUTCOME_IGNORED:
		return "ignored";
	case OUTCOME_TRUSTED:
		return "trusted";
	}
	return "?";
}

enum status press_new(struct service *service, const struct press_info *info, struct press **result,
	struct failure *failure)
{
	char user[STORE_MAX_USER + 1];
	enum status status = service_user(service, info->user, user, failure);
	struct press *press;

	*result = NULL;
	if (status != STATUS_OK)
		return status;
	press = calloc(1, sizeof(*press));
	if (!press)
		return failure_set(failure, STATUS_NOMEM, "taking a report: out of memory");
	strcpy(press->user, user);
	press->event = info->event;
	press->consent = info->consent;
	press->default_consent = service->settings.default_consent;
	press->time = info->time;
	press->site = site_ref(service->site);
	press->answer.reason = "";
	*result = press;
	return STATUS_OK;
}

void press_free(struct press **press)
{
	if (!*press)
		return;
	site_unref(&(*press)->site);
	free((*press)->keys);
	free(*press);
	*press = NULL;
}

const struct answer *press_answer(const struct press *press)
{
	return &press->answer;
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

/* Who sent it: trusted or not, and for the diagnosis of later messages. */
static void read_origin(struct press *press, struct worker *worker, const struct token_set *set)
{
	struct origin origin;

	origin_read(&origin, &press->site->trust, set->fields, set->field_count);
	press->sender = worker_digest(worker, "sender", origin.author);
	press->list = worker_digest(worker, "list", origin.list);
	press->trusted = origin.authenticated &&
		preferences_trusts(press->site->preferences, &origin, press->trusted_name);
	if (press->trusted)
		origin_unsubscribe(&press->unsubscribe, &origin, set->fields, set->field_count);
}

enum status press_run(struct press *press, struct worker *worker, const char *message,
	size_t length, struct failure *failure)
{
	struct token_set set;

	tokenizer_run(worker->tokenizer, message, length, NULL, NULL, &set);
	if (set.count == 0)
		return failure_set(
			failure, STATUS_INVALID, "the message is empty: nothing to learn");
	press->keys = malloc(set.count * sizeof(*press->keys));
	if (!press->keys)
		return failure_set(failure, STATUS_NOMEM, "taking a report: out of memory");
	memcpy(press->keys, set.keys, set.count * sizeof(*press->keys));
	qsort(press->keys, set.count, sizeof(*press->keys), compare_keys);
	press->count = set.count;
	read_origin(press, worker, &set);
	press->answer.identity = set.identity;
	return STATUS_OK;
}
