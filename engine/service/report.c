/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/internal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/service/evidence.h"

struct press {
	char user[STORE_MAX_USER + 1];
	enum label label;
	enum consent consent;
	bool default_consent;
	int64_t time;
	uint64_t *keys; /* ascending; NULL before press_run */
	size_t count;
	struct answer answer;
};

/* The reports of a batch that are to be written, in order. */
struct batch {
	struct service *service;
	struct user_rules rules; /* as of begin: configure may come between */
	struct press *const *presses;
	size_t count;
	struct report *reports;
	struct press **writers; /* the press of each report */
	size_t report_count;
	struct scratch scratch;
	enum status status;
};

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
	}
	return "?";
}

enum status press_new(struct service *service, const char *user, enum label label,
	enum consent consent, int64_t time, struct press **result, struct failure *failure)
{
	*result = NULL;
	if (strlen(user) > STORE_MAX_USER)
		return failure_set(failure, STATUS_INVALID, "user name is longer than %d bytes",
			STORE_MAX_USER);

	struct press *press = calloc(1, sizeof(*press));
	if (!press)
		return failure_set(failure, STATUS_NOMEM, "taking a report: out of memory");
	strcpy(press->user, user);
	press->label = label;
	press->consent = consent;
	press->default_consent = service->settings.default_consent;
	press->time = time;
	*result = press;
	return STATUS_OK;
}

void press_free(struct press **press)
{
	if (!*press)
		return;
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

enum status press_run(struct press *press, struct worker *worker, const char *message,
	size_t length, struct failure *failure)
{
	struct token_set set;

	tokenizer_run(worker->tokenizer, message, length, NULL, NULL, &set);
	if (set.count == 0)
		return failure_set(failure, STATUS_INVALID, "the message is empty: nothing to learn");
	press->keys = malloc(set.count * sizeof(*press->keys));
	if (!press->keys)
		return failure_set(failure, STATUS_NOMEM, "taking a report: out of memory");
	memcpy(press->keys, set.keys, set.count * sizeof(*press->keys));
	qsort(press->keys, set.count, sizeof(*press->keys), compare_keys);
	press->count = set.count;
	press->answer.identity = set.identity;
	return STATUS_OK;
}

static bool teaches_global(const struct press *press)
{
	if (!*press->user || press->consent == CONSENT_GRANTED)
		return true;
	return press->consent == CONSENT_DEFAULT && press->default_consent;
}

enum status batch_begin(struct service *service, struct press *const *presses, size_t count,
	struct batch **result, struct failure *failure)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	*result = NULL;
	if (batch) {
		batch->reports = calloc(count + 1, sizeof(*batch->reports));
		batch->writers = calloc(count + 1, sizeof(struct press *));
	}
	if (!batch || !batch->reports || !batch->writers) {
		if (batch) {
			free(batch->reports);
			free(batch->writers);
		}
		free(batch);
		return failure_set(failure, STATUS_NOMEM, "taking reports: out of memory");
	}
	batch->service = service;
	batch->rules = service->rules;
	batch->presses = presses;
	batch->count = count;
	*result = batch;
	return STATUS_OK;
}

/* The newest report about the same message by the same user: in this batch, or
 * in the store. STATUS_NOTFOUND when there is none. */
static enum status find_previous(struct batch *batch, const struct press *press,
	struct report *previous, struct failure *failure)
{
	for (size_t i = batch->report_count; i > 0; i--) {
		const struct report *report = &batch->reports[i - 1];
		if (report->message == press->answer.identity && strcmp(report->user, press->user) == 0) {
			*previous = *report;
			return STATUS_OK;
		}
	}
	return store_find(
		batch->service->store, press->user, press->answer.identity, previous, failure);
}

static enum outcome decide(bool known, enum label before, enum label now)
{
	if (!known || before == LABEL_FORGET)
		return now == LABEL_FORGET ? OUTCOME_UNKNOWN : OUTCOME_NEW;
	if (now == LABEL_FORGET)
		return OUTCOME_FORGOTTEN;
	return before == now ? OUTCOME_REPEAT : OUTCOME_FLIP;
}

/* Undoes the superseded report in global, and learns the new one there when the
 * reporter shares it. */
static enum status move_global(struct batch *batch, const struct press *press, struct report *report)
{
	struct service *service = batch->service;
	const struct model_params *params = &batch->rules.params;
	struct model_evidence evidence;
	enum status status =
		global_remove(service->global, report->keys, report->count, &report->undone);

	if (status != STATUS_OK || report->label == LABEL_FORGET)
		return status;
	struct model_message message =
		model_message(params, evidence_head(report->keys, report->count), report->count);
	global_read(service->global, report->keys, report->count, batch->scratch.sums,
		batch->scratch.gains, &evidence);
	report->margin = model_score(params, &message, &evidence, NULL).margin;
	if (!teaches_global(press))
		return STATUS_OK;
	struct model_step step = model_learn(params, &message, report->margin,
		report->label == LABEL_SPAM, batch->rules.label_error);
	report->global = evidence_contribution(&step);
	report->flags |= REPORT_CONSENT;
	status = global_add(service->global, report->keys, report->count, &report->global);
	if (status != STATUS_OK)
		global_add(service->global, report->keys, report->count, &report->undone);
	return status;
}

static enum status run_press(struct batch *batch, struct press *press, struct failure *failure)
{
	struct report previous = {0};
	enum status status = find_previous(batch, press, &previous, failure);

	if (status != STATUS_OK && status != STATUS_NOTFOUND)
		return status;
	struct answer *answer = &press->answer;
	answer->outcome = decide(status == STATUS_OK, previous.label, press->label);
	answer->ask_consent =
		*press->user && press->consent == CONSENT_DEFAULT && !press->default_consent;
	if (answer->outcome == OUTCOME_REPEAT || answer->outcome == OUTCOME_UNKNOWN)
		return STATUS_OK;

	struct report *report = &batch->reports[batch->report_count];
	*report = (struct report){.user = press->user,
		.time = press->time,
		.message = answer->identity,
		.label = press->label,
		.undone = previous.global,
		.keys = press->keys,
		.count = press->count};
	status = move_global(batch, press, report);
	if (status != STATUS_OK)
		return failure_set(failure, status, "learning a report: %s", status_text(status));
	answer->taught_global = (report->flags & REPORT_CONSENT) != 0;
	batch->writers[batch->report_count++] = press;
	return STATUS_OK;
}

/* Nothing of the batch has happened. */
static void roll_back(struct batch *batch)
{
	struct global *global = batch->service->global;

	for (size_t i = batch->report_count; i > 0; i--) {
		const struct report *report = &batch->reports[i - 1];
		global_remove(global, report->keys, report->count, &report->global);
		global_add(global, report->keys, report->count, &report->undone);
	}
	batch->report_count = 0;
}

enum status batch_run(struct batch *batch, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
		status = run_press(batch, batch->presses[i], failure);
	if (status == STATUS_OK && batch->report_count > 0)
		status = store_append(
			batch->service->store, batch->reports, batch->report_count, failure);
	if (status != STATUS_OK)
		roll_back(batch);
	for (size_t i = 0; i < batch->report_count; i++) {
		batch->writers[i]->answer.seq = batch->reports[i].seq;
		global_includes(batch->service->global, batch->reports[i].seq);
	}
	batch->status = status;
	return status;
}

void batch_end(struct service *service, struct batch **result)
{
	struct batch *batch = *result;

	for (size_t i = 0; i < batch->count; i++)
		batch->presses[i]->answer.status = batch->status;
	for (size_t i = 0; i < batch->report_count; i++)
		users_drop(service->users, batch->reports[i].user);
	free(batch->reports);
	free(batch->writers);
	free(batch);
	*result = NULL;
}
