/* The passes of a retraining over the reports.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/passes.h"

#include <math.h>
#include <stdatomic.h>

#include "engine/service/scope/scope.h"
#include "trainer/retrain/ahead.h"

/* Measured on the SpamAssassin corpus; see docs/retraining.md. */
enum { JUDGING_ROUNDS = 2, REFINING_PASSES = 2 };
static const double REFINING_ERROR = 0.3; /* least e of a refining pass */
static const double UNTRUSTED_ERROR = 0.3; /* whose reports are no measure */

enum status run_open(struct run *run, const struct run *like, struct store *store)
{
	*run = *like;
	run->items = g_memdup2(like->items, like->count * sizeof(*like->items));
	run->learner = run->champion = NULL;
	run->reader = run->entries = NULL;
	enum status status = store_reader_open(store, &run->reader, run->failure);
	return status == STATUS_OK ? store_reader_open(store, &run->entries, run->failure) : status;
}

void run_close(struct run *run)
{
	learner_free(&run->learner);
	learner_free(&run->champion);
	store_reader_close(&run->reader);
	store_reader_close(&run->entries);
	g_free(run->items);
	run->items = NULL;
}

/* --- Passes ------------------------------------------------------------------------ */

static void show_pass(struct basis *basis)
{
	size_t passed = atomic_fetch_add(&basis->passed, 1) + 1;

	if (g_thread_self() == basis->showing)
		progress_step(&basis->progress, passed);
}

static enum status on_report(void *context, const struct report *report)
{
	struct run *run = context;

	if (*run->basis->options->stop)
		return failure_set(run->failure, STATUS_INTERRUPTED, "interrupted");
	while (run->at < run->until && run->items[run->at].seq < report->seq)
		run->at++; /* gone meanwhile */
	if (run->at == run->until)
		return STATUS_LIMIT; /* the pass is over */
	if (run->items[run->at].seq != report->seq)
		return STATUS_OK;
	run->look(run, &run->items[run->at++], report);
	show_pass(run->basis);
	return run->status;
}

static enum status pass(struct run *run, size_t from, size_t until,
	void (*look)(struct run *run, struct item *item, const struct report *report))
{
	run->look = look;
	run->at = from;
	run->until = until;
	run->status = STATUS_OK;
	enum status status = ahead_counting_reports(run->reader, on_report, run, run->failure);
	if (status == STATUS_LIMIT && run->status == STATUS_OK)
		status = STATUS_OK;
	if (status == STATUS_NOMEM)
		failure_set(run->failure, status, "retraining: out of memory");
	return status;
}

static void look_to_mark(struct run *run, struct item *item, const struct report *report)
{
	GByteArray *marks = run->basis->marks;

	item->marks = marks->len;
	g_byte_array_set_size(marks, marks->len + (guint)(report->count + 7) / 8);
	shared_tokens_mark(run->tokens, report->keys, report->count, marks->data + item->marks);
}

static struct learner_message message_of(
	const struct run *run, const struct item *item, const struct report *report)
{
	return (struct learner_message){.keys = report->keys,
		.count = report->count,
		.shared = run->basis->marks->data + item->marks};
}

static double error_of(const struct run *run, const struct item *item)
{
	return reporters_at(run->basis->reporters, item->reporter)->error;
}

static void teach(struct run *run, struct item *item, const struct learner_message *message,
	double margin, double error, bool gains)
{
	struct contribution step =
		learner_step(run->learner, message, margin, item->spam, error, item->weight, gains);

	item->margin = margin;
	run->status = learner_add(run->learner, message, &step, &item->taught);
}

static void look_to_build(struct run *run, struct item *item, const struct report *report)
{
	struct learner_message message = message_of(run, item, report);
	struct model_score score = learner_score(run->learner, &message, NULL);

	item->taught = (struct contribution){0};
	teach(run, item, &message, score.margin, error_of(run, item), true);
}

static void look_to_judge(struct run *run, struct item *item, const struct report *report)
{
	struct learner_message message = message_of(run, item, report);
	struct model_score score = learner_score(run->learner, &message, &item->taught);

	reporters_judge(run->basis->reporters, item->reporter, score.probability, item->spam);
}

static void look_to_refine(struct run *run, struct item *item, const struct report *report)
{
	struct learner_message message = message_of(run, item, report);
	struct model_score score = learner_score(run->learner, &message, &item->taught);

	teach(run, item, &message, score.margin, fmax(error_of(run, item), REFINING_ERROR), false);
}

/* --- Training ------------------------------------------------------------------------ */

enum status run_mark(struct run *run, const struct shared_tokens *tokens)
{
	run->tokens = tokens;
	enum status status = pass(run, 0, run->count, look_to_mark);
	run->tokens = NULL;
	return status;
}

static enum status start_pass(struct run *run, struct learner **learner)
{
	learner_free(learner);
	*learner = learner_new(&run->basis->params);
	return *learner ? STATUS_OK
			: failure_set(run->failure, STATUS_NOMEM, "retraining: out of memory");
}

enum status run_judge_reporters(struct run *run)
{
	struct reporters *reporters = run->basis->reporters;
	enum status status = STATUS_OK;

	for (int round = 0; round < JUDGING_ROUNDS && status == STATUS_OK; round++) {
		status = start_pass(run, &run->learner);
		if (status == STATUS_OK)
			status = pass(run, 0, run->count, look_to_build);
		reporters_forget(reporters);
		if (status == STATUS_OK)
			status = pass(run, 0, run->count, look_to_judge);
		reporters_settle(reporters);
	}
	return status;
}

enum status run_train(struct run *run, size_t until)
{
	enum status status = start_pass(run, &run->learner);

	if (status == STATUS_OK)
		status = pass(run, 0, until, look_to_build);
	for (int i = 0; i < REFINING_PASSES && status == STATUS_OK; i++)
		status = pass(run, 0, until, look_to_refine);
	return status;
}

/* --- Comparing ------------------------------------------------------------------------- */

static void look_to_fold(struct run *run, struct item *item, const struct report *report)
{
	struct learner_message message = message_of(run, item, report);

	run->status = learner_add(run->champion, &message, &report->global, NULL);
}

static struct result result_of(const struct run *run, const struct model_score *score, bool spam)
{
	const struct proposal_terms *terms = &run->basis->terms;

	return (struct result){.score = score->log_odds,
		.probability = score->probability,
		.spam = spam,
		.called_spam = terms->threshold + score->log_odds - terms->junk_log_odds >=
			terms->present.junk};
}

static enum status learn_online(struct learner *learner, const struct learner_message *message,
	double margin, bool spam, double error)
{
	struct contribution step = learner_step(learner, message, margin, spam, error, 1, true);

	return learner_add(learner, message, &step, NULL);
}

static void look_to_compare(struct run *run, struct item *item, const struct report *report)
{
	struct comparison *comparison = run->comparison;
	struct learner_message message = message_of(run, item, report);
	struct model_score champion = learner_score(run->champion, &message, NULL);
	struct model_score challenger = learner_score(run->learner, &message, NULL);
	double error = 0, label_error = run->basis->options->settings->label_error;

	run->status =
		reputation_read(run->entries, report->user, label_error, &error, run->failure);
	if (run->status == STATUS_OK)
		run->status =
			learn_online(run->champion, &message, champion.margin, item->spam, error);
	if (run->status == STATUS_OK)
		run->status = learn_online(
			run->learner, &message, challenger.margin, item->spam, error_of(run, item));
	if (error_of(run, item) >= UNTRUSTED_ERROR) {
		comparison->left_out++;
		return;
	}
	comparison->champion[comparison->count] = result_of(run, &champion, item->spam);
	comparison->challenger[comparison->count] = result_of(run, &challenger, item->spam);
	comparison->times[comparison->count++] = item->time;
}

enum status run_compare(struct run *run, size_t until, struct comparison *comparison)
{
	size_t room = run->count - until + 1;
	enum status status = run_train(run, until);

	run->comparison = comparison;
	comparison->champion = g_new(struct result, room);
	comparison->challenger = g_new(struct result, room);
	comparison->times = g_new(int64_t, room);
	if (status == STATUS_OK)
		status = start_pass(run, &run->champion);
	if (status == STATUS_OK)
		status = pass(run, 0, until, look_to_fold);
	if (status == STATUS_OK)
		status = pass(run, until, run->count, look_to_compare);
	return status;
}

size_t run_train_passes(size_t until)
{
	return until * (1 + REFINING_PASSES);
}

size_t run_compare_passes(size_t until, size_t count)
{
	return run_train_passes(until) + until + (count - until);
}

size_t run_judge_passes(size_t count)
{
	return count * 2 * JUDGING_ROUNDS;
}
