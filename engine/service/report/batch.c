/* A batch of presses is learned, and made durable in one step.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/report/private.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/thread-role.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/scope/scope.h"

/* The reports of a batch that are to be written, in order. */
struct batch {
	struct service *service;
	struct user_rules rules; /* as of begin: configure may come between */
	struct event_rules events;
	struct press *const *presses;
	struct store_lookup *lookups; /* what the user of each told before */
	size_t count;
	struct report *reports;
	struct press **sources; /* the press of each report */
	size_t report_count;
	struct store_entry *consents; /* that persons gave with these presses */
	size_t consent_count;
	struct scratch scratch;
	struct failure failure;
};

static void free_batch(struct batch *batch)
{
	if (batch) {
		free(batch->lookups);
		free(batch->reports);
		free(batch->sources);
		free(batch->consents);
	}
	free(batch);
}

enum status batch_begin(struct service *service, struct press *const *presses, size_t count,
	struct batch **result, struct failure *failure)
{
	ASSERT_OWNER();
	struct batch *batch = calloc(1, sizeof(*batch));

	*result = NULL;
	if (batch) {
		batch->lookups = calloc(count + 1, sizeof(*batch->lookups));
		batch->reports = calloc(count + 1, sizeof(*batch->reports));
		batch->sources = calloc(count + 1, sizeof(struct press *));
		batch->consents = calloc(count + 1, sizeof(*batch->consents));
	}
	if (!batch || !batch->lookups || !batch->reports || !batch->sources || !batch->consents) {
		free_batch(batch);
		return failure_set(failure, STATUS_NOMEM, "taking reports: out of memory");
	}
	batch->service = service;
	batch->rules = service->rules;
	batch->events = service->settings.events;
	batch->presses = presses;
	batch->count = count;
	*result = batch;
	return STATUS_OK;
}

/* What the users told before of these messages, as the store has it. */
static enum status look_up_presses(struct batch *batch, struct failure *failure)
{
	for (size_t i = 0; i < batch->count; i++)
		batch->lookups[i] = (struct store_lookup){.user = batch->presses[i]->user,
			.message = batch->presses[i]->answer.identity,
			.before = INT64_MAX};
	return store_find(batch->service->reader, batch->lookups, batch->count, failure);
}

/* The newest report about the same message by the same user: in this batch, or before it.
 * STATUS_NOTFOUND when there is none. */
static enum status find_previous(struct batch *batch, const struct press *press,
	const struct store_lookup *before, struct report *previous, struct failure *failure)
{
	for (size_t i = batch->report_count; i > 0; i--) {
		const struct report *report = &batch->reports[i - 1];
		if (!(report->flags & REPORT_MUTED) && report->message == press->answer.identity &&
			strcmp(report->user, press->user) == 0) {
			*previous = *report;
			return STATUS_OK;
		}
	}
	if (before->failure.code != STATUS_OK)
		return failure_set(failure, before->failure.code, "%s", before->failure.detail);
	*previous = before->report;
	return before->found ? STATUS_OK : STATUS_NOTFOUND;
}

static enum outcome decide(bool known, enum label before, enum label now)
{
	if (!known || before == LABEL_FORGET)
		return now == LABEL_FORGET ? OUTCOME_UNKNOWN : OUTCOME_NEW;
	if (now == LABEL_FORGET)
		return OUTCOME_FORGOTTEN;
	return before == now ? OUTCOME_REPEAT : OUTCOME_FLIP;
}

/* --- Consent ----------------------------------------------------------------- */

static enum status note_consent(void *context, const struct store_entry *entry)
{
	*(enum consent_state *)context = consent_named(entry->value);
	return STATUS_OK;
}

/* What the user has said: with this batch, or before. */
static enum status find_consent(
	struct batch *batch, const char *user, enum consent_state *state, struct failure *failure)
{
	*state = CONSENT_UNKNOWN;
	for (size_t i = batch->consent_count; i > 0; i--) {
		if (strcmp(batch->consents[i - 1].scope, user) == 0)
			return note_consent(state, &batch->consents[i - 1]);
	}
	return store_entries(
		batch->service->reader, user, ENTRY_CONSENT, note_consent, state, failure);
}

/* Whether this press is shared, and whether to ask the person; notes what that one has just
 * answered. */
static enum status settle_consent(struct batch *batch, const struct press *press, bool *shares,
	bool *ask, struct failure *failure)
{
	enum consent_state state;
	const char *answer = NULL;
	enum status status;

	*ask = false;
	*shares = !*press->user;
	if (*shares)
		return STATUS_OK;
	status = find_consent(batch, press->user, &state, failure);
	if (state == CONSENT_BARRED)
		return status;
	if (press->consent == CONSENT_GRANTED && state != CONSENT_YES)
		answer = "granted";
	else if (press->consent == CONSENT_DECLINED && state == CONSENT_UNKNOWN)
		answer = "declined";
	if (answer)
		batch->consents[batch->consent_count++] = (struct store_entry){.scope = press->user,
			.kind = ENTRY_CONSENT,
			.name = "",
			.value = answer,
			.time = press->time};
	*shares = press->consent == CONSENT_GRANTED ||
		(press->consent == CONSENT_DEFAULT &&
			(state == CONSENT_YES ||
				(state == CONSENT_UNKNOWN && press->default_consent)));
	*ask = !*shares;
	return status;
}

/* --- Learning ------------------------------------------------------------------ */

/* Undoes the superseded report in global, and learns the new one there when the
 * reporter shares it. */
static enum status move_global(
	struct batch *batch, bool shares, struct report *report, struct failure *failure)
{
	struct service *service = batch->service;
	const struct model_params *params = &batch->rules.params;
	struct model_evidence evidence;
	double error = 0;
	enum status status = STATUS_OK;

	if (shares)
		status = reputation_read(
			service->reader, report->user, batch->rules.label_error, &error, failure);
	if (status == STATUS_OK)
		status = global_remove(
			service->global, report->keys, report->count, &report->undone);
	if (status != STATUS_OK || report->label == LABEL_FORGET)
		return status;
	struct model_message message =
		model_message(params, evidence_head(report->keys, report->count), report->count);
	global_read(service->global, report->keys, report->count, batch->scratch.sums,
		batch->scratch.gains, &evidence);
	report->margin = model_score(params, &message, &evidence, NULL).margin;
	if (!shares)
		return STATUS_OK;
	struct model_step step =
		model_learn(params, &message, report->margin, report->label == LABEL_SPAM, error);
	report->global = evidence_contribution(&step);
	report->flags |= REPORT_CONSENT;
	status = global_add(service->global, report->keys, report->count, &report->global);
	if (status != STATUS_OK)
		global_add(service->global, report->keys, report->count, &report->undone);
	return status;
}

static struct report *next_report(struct batch *batch, struct press *press, enum label label)
{
	struct report *report = &batch->reports[batch->report_count];

	*report = (struct report){.user = press->user,
		.time = press->time,
		.message = press->answer.identity,
		.sender = press->sender,
		.list = press->list,
		.label = label,
		.keys = press->keys,
		.count = press->count};
	batch->sources[batch->report_count++] = press;
	return report;
}

/* Recorded without tokens: it never moves anything. */
static void record_trusted(struct batch *batch, struct press *press)
{
	struct report *report = next_report(batch, press, LABEL_SPAM);

	report->flags = REPORT_MUTED;
	report->keys = NULL;
	report->count = 0;
	press->answer.outcome = OUTCOME_TRUSTED;
	press->answer.trusted = press->trusted_name;
	press->answer.unsubscribe = &press->unsubscribe;
}

/* What the event says in the light of the report before. */
static struct event_decision decide_event(const struct batch *batch, const struct press *press,
	bool known, const struct report *previous)
{
	struct event_history history = {.known = known,
		.label = previous->label,
		.undone_for = previous->flags & REPORT_FLIP_SPAM ? LABEL_SPAM
			: previous->flags & REPORT_FLIP_HAM      ? LABEL_HAM
								 : LABEL_FORGET,
		.elapsed = press->time - previous->time};

	return event_decide(&press->event, &history, &batch->events);
}

/* Journals and learns a press that says something. */
static enum status learn_press(struct batch *batch, struct press *press,
	const struct event_decision *decision, bool shares, const struct report *previous,
	struct failure *failure)
{
	struct report *report = next_report(batch, press, decision->label);

	report->undone = previous->global;
	if (decision->flip_back)
		report->flags |= previous->label == LABEL_SPAM ? REPORT_FLIP_HAM : REPORT_FLIP_SPAM;
	enum status status = move_global(batch, shares, report, failure);
	if (status != STATUS_OK) {
		batch->report_count--;
		return failure_set(failure, status, "learning a report: %s", status_text(status));
	}
	press->answer.taught_global = (report->flags & REPORT_CONSENT) != 0;
	return STATUS_OK;
}

static enum status run_press(struct batch *batch, struct press *press,
	const struct store_lookup *before, struct failure *failure)
{
	struct report previous = {0};
	struct answer *answer = &press->answer;
	enum status status = find_previous(batch, press, before, &previous, failure);
	bool known = status == STATUS_OK, shares = false;

	if (status != STATUS_OK && status != STATUS_NOTFOUND)
		return status;
	struct event_decision decision = decide_event(batch, press, known, &previous);
	answer->label = decision.label;
	answer->reason = decision.reason;
	if (!decision.report) {
		answer->outcome = OUTCOME_IGNORED;
		return STATUS_OK;
	}
	if (decision.label == LABEL_SPAM && press->trusted) {
		record_trusted(batch, press);
		return STATUS_OK;
	}
	status = settle_consent(batch, press, &shares, &answer->ask_consent, failure);
	if (status != STATUS_OK)
		return status;
	shares &= !decision.own;
	answer->outcome = decide(known, previous.label, decision.label);
	/* Pressed again after the person agreed: now it is shared. */
	bool shared_now =
		answer->outcome == OUTCOME_REPEAT && shares && !(previous.flags & REPORT_CONSENT);
	if (answer->outcome == OUTCOME_UNKNOWN ||
		(answer->outcome == OUTCOME_REPEAT && !shared_now))
		return STATUS_OK;
	return learn_press(batch, press, &decision, shares, &previous, failure);
}

/* Nothing of the batch has happened. */
static void roll_back_batch(struct batch *batch)
{
	struct global *global = batch->service->global;

	for (size_t i = batch->report_count; i > 0; i--) {
		const struct report *report = &batch->reports[i - 1];
		global_remove(global, report->keys, report->count, &report->global);
		global_add(global, report->keys, report->count, &report->undone);
	}
	batch->report_count = 0;
}

/* What is damaged is this user's: the others' reports shall not wait for its repair. */
static enum status run_or_refuse(struct batch *batch, size_t at, struct failure *failure)
{
	struct press *press = batch->presses[at];
	size_t consent_count = batch->consent_count;
	struct failure found = {0};
	enum status status = run_press(batch, press, &batch->lookups[at], &found);

	if (status == STATUS_CORRUPT) {
		batch->consent_count = consent_count;
		press->answer.failure = found;
		return STATUS_OK;
	}
	if (status != STATUS_OK)
		*failure = found;
	return status;
}

/* Consents and what rests on them in one step. */
static enum status write_batch(struct batch *batch, bool forgets_only, struct failure *failure)
{
	const struct store_change change = {.reports = batch->reports,
		.report_count = batch->report_count,
		.entries = batch->consents,
		.entry_count = batch->consent_count,
		.frees = forgets_only};

	return batch->report_count + batch->consent_count > 0
		? store_commit(batch->service->store, &change, failure)
		: STATUS_OK;
}

static enum status run_presses(struct batch *batch, bool forgets_only, struct failure *failure)
{
	enum status status = STATUS_OK;

	batch->consent_count = 0;
	for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
		if (!forgets_only || batch->presses[i]->forgets)
			status = run_or_refuse(batch, i, failure);
	}
	return status == STATUS_OK ? write_batch(batch, forgets_only, failure) : status;
}

/* On a full disk: those that forget have another try, with the room that is kept for what
 * takes something out. The others are refused. */
static enum status run_forgets(struct batch *batch, struct failure *failure)
{
	size_t count = 0;

	for (size_t i = 0; i < batch->report_count; i++) {
		batch->sources[i]->forgets = batch->reports[i].label == LABEL_FORGET;
		count += batch->sources[i]->forgets;
	}
	if (count == 0)
		return STATUS_FULL;
	roll_back_batch(batch);
	for (size_t i = 0; i < batch->count; i++) {
		if (!batch->presses[i]->forgets)
			batch->presses[i]->answer.failure = *failure;
	}
	return run_presses(batch, true, failure);
}

enum status batch_run(struct batch *batch, struct failure *failure)
{
	ASSERT_WRITER();
	struct failure found = {0};
	enum status status = service_check_sound(batch->service, &found);

	if (status == STATUS_OK)
		status = service_settle(batch->service, &found);
	if (status == STATUS_OK)
		status = look_up_presses(batch, &found);
	if (status == STATUS_OK)
		status = run_presses(batch, false, &found);
	if (status == STATUS_FULL)
		status = run_forgets(batch, &found);
	batch->service->in_doubt |= status == STATUS_UNCERTAIN;
	if (status != STATUS_OK) {
		roll_back_batch(batch);
		batch->failure = found;
		if (failure)
			*failure = found;
	}
	for (size_t i = 0; i < batch->report_count; i++) {
		batch->sources[i]->answer.seq = batch->reports[i].seq;
		global_includes(batch->service->global, batch->reports[i].seq);
	}
	service_note_budget(batch->service);
	return status;
}

void batch_end(struct service *service, struct batch **result)
{
	ASSERT_OWNER();
	struct batch *batch = *result;

	for (size_t i = 0; i < batch->count && batch->failure.code != STATUS_OK; i++)
		batch->presses[i]->answer.failure = batch->failure;
	for (size_t i = 0; i < batch->report_count; i++)
		users_drop(service->users, batch->reports[i].user);
	service_publish_settled(service);
	free_batch(batch);
	*result = NULL;
}
