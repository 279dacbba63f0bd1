/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/service/reputation.h"
#include "trainer/comparison.h"
#include "trainer/learner.h"
#include "trainer/progress.h"

const struct retrain_options retrain_defaults = {
	.half_life = 180,
	.class_balance = 0,
	.reputation = true,
	.validation = 0.1,
	.ham_lost = 0.1,
};

/* Measured on the SpamAssassin corpus; see ARCHITECTURE.md. */
enum { JUDGING_ROUNDS = 2, REFINING_PASSES = 2 };
static const double REFINING_ERROR = 0.3; /* least e of a refining pass */
static const double UNTRUSTED_ERROR = 0.3; /* whose reports are no measure */
enum { MOST_CHANGES = 40, FEW_COMPARED = 200 };

/* One report that is shared and counts. */
struct item {
	int64_t seq, time;
	size_t reporter;
	bool spam;
	float weight;
	struct contribution taught;
	double margin; /* without it */
};

struct run {
	struct retraining *retraining;
	const struct retrain_options *options;
	struct store_reader *reader;
	struct model_params params;
	struct proposal_terms terms;
	GArray *items;
	size_t adopted; /* items that the generation adopted last has learned from, the first ones */
	size_t until; /* items of this pass */
	size_t at; /* the next of them */
	struct learner *learner;
	struct learner *champion;
	void (*look)(struct run *run, struct item *item, const struct report *report);
	enum status status; /* of `look` */
	struct progress progress;
	size_t done;
	struct failure *failure;
};

/* --- Passes ------------------------------------------------------------------------ */

static enum status on_report(void *context, const struct report *report)
{
	struct run *run = context;
	struct item *items = (struct item *)run->items->data;

	if (*run->options->stop)
		return failure_set(run->failure, STATUS_INTERRUPTED, "interrupted");
	while (run->at < run->until && items[run->at].seq < report->seq)
		run->at++; /* gone meanwhile */
	if (run->at == run->until)
		return STATUS_LIMIT; /* the pass is over */
	if (items[run->at].seq != report->seq)
		return STATUS_OK;
	run->look(run, &items[run->at++], report);
	progress_step(&run->progress, ++run->done);
	return run->status;
}

static enum status pass(struct run *run, size_t from, size_t until,
	void (*look)(struct run *run, struct item *item, const struct report *report))
{
	run->look = look;
	run->at = from;
	run->until = until;
	run->status = STATUS_OK;
	enum status status = store_counting_reports(run->reader, on_report, run, run->failure);
	if (status == STATUS_LIMIT && run->status == STATUS_OK)
		status = STATUS_OK;
	if (status == STATUS_NOMEM)
		failure_set(run->failure, status, "retraining: out of memory");
	return status;
}

static enum status collect(void *context, const struct report *report)
{
	struct run *run = context;
	struct item item = {
		.seq = report->seq, .time = report->time, .spam = report->label == LABEL_SPAM};

	if (!(report->flags & REPORT_CONSENT))
		return *run->options->stop ? STATUS_INTERRUPTED : STATUS_OK;
	item.reporter = reporters_find(run->retraining->reporters, report->user);
	reporters_at(run->retraining->reporters, item.reporter)->reports++;
	run->retraining->spam += item.spam;
	g_array_append_val(run->items, item);
	if (report->retrained)
		run->adopted = run->items->len;
	return STATUS_OK;
}

static double error_of(const struct run *run, const struct item *item)
{
	return reporters_at(run->retraining->reporters, item->reporter)->error;
}

static void teach(struct run *run, struct item *item, const struct report *report, double margin,
	double error, bool gains)
{
	struct contribution step = learner_step(run->learner, report->keys, report->count, margin,
		item->spam, error, item->weight, gains);

	item->margin = margin;
	run->status = learner_add(run->learner, report->keys, report->count, &step, &item->taught);
}

static void look_to_build(struct run *run, struct item *item, const struct report *report)
{
	struct model_score score = learner_score(run->learner, report->keys, report->count, NULL);

	item->taught = (struct contribution){0};
	teach(run, item, report, score.margin, error_of(run, item), true);
}

static void look_to_judge(struct run *run, struct item *item, const struct report *report)
{
	struct model_score score =
		learner_score(run->learner, report->keys, report->count, &item->taught);

	reporters_judge(run->retraining->reporters, item->reporter, score.probability, item->spam);
}

static void look_to_refine(struct run *run, struct item *item, const struct report *report)
{
	struct model_score score =
		learner_score(run->learner, report->keys, report->count, &item->taught);

	teach(run, item, report, score.margin, fmax(error_of(run, item), REFINING_ERROR), false);
}

/* --- Training ------------------------------------------------------------------------ */

static enum status start_learner(struct run *run)
{
	learner_free(&run->learner);
	run->learner = learner_new(&run->params);
	return run->learner ? STATUS_OK
			    : failure_set(run->failure, STATUS_NOMEM, "retraining: out of memory");
}

static enum status judge_reporters(struct run *run)
{
	struct reporters *reporters = run->retraining->reporters;
	enum status status = STATUS_OK;

	for (int round = 0; round < JUDGING_ROUNDS && status == STATUS_OK; round++) {
		status = start_learner(run);
		if (status == STATUS_OK)
			status = pass(run, 0, run->items->len, look_to_build);
		reporters_forget(reporters);
		if (status == STATUS_OK)
			status = pass(run, 0, run->items->len, look_to_judge);
		reporters_settle(reporters);
	}
	return status;
}

static enum status train(struct run *run, size_t until)
{
	enum status status = start_learner(run);

	if (status == STATUS_OK)
		status = pass(run, 0, until, look_to_build);
	for (int i = 0; i < REFINING_PASSES && status == STATUS_OK; i++)
		status = pass(run, 0, until, look_to_refine);
	return status;
}

/* --- Comparing ------------------------------------------------------------------------- */

static void look_to_fold(struct run *run, struct item *item, const struct report *report)
{
	(void)item;
	run->status =
		learner_add(run->champion, report->keys, report->count, &report->global, NULL);
}

static struct result result_of(const struct run *run, const struct model_score *score, bool spam)
{
	const struct proposal_terms *terms = &run->terms;

	return (struct result){.score = score->log_odds,
		.probability = score->probability,
		.spam = spam,
		.called_spam = terms->threshold + score->log_odds - terms->junk_log_odds >=
			       terms->present.junk};
}

static enum status learn_online(struct run *run, struct learner *learner,
	const struct report *report, double margin, double error)
{
	struct contribution step = learner_step(learner, report->keys, report->count, margin,
		report->label == LABEL_SPAM, error, 1, true);
	(void)run;

	return learner_add(learner, report->keys, report->count, &step, NULL);
}

static void look_to_compare(struct run *run, struct item *item, const struct report *report)
{
	struct comparison *comparison = &run->retraining->comparison;
	struct model_score champion =
		learner_score(run->champion, report->keys, report->count, NULL);
	struct model_score challenger =
		learner_score(run->learner, report->keys, report->count, NULL);
	double error = 0, label_error = run->options->settings->label_error;

	run->status = reputation_read(run->reader, report->user, label_error, &error, run->failure);
	if (run->status == STATUS_OK)
		run->status = learn_online(run, run->champion, report, champion.margin, error);
	if (run->status == STATUS_OK)
		run->status = learn_online(
			run, run->learner, report, challenger.margin, error_of(run, item));
	if (error_of(run, item) >= UNTRUSTED_ERROR) {
		comparison->left_out++;
		return;
	}
	comparison->champion[comparison->count] = result_of(run, &champion, item->spam);
	comparison->challenger[comparison->count] = result_of(run, &challenger, item->spam);
	comparison->times[comparison->count++] = item->time;
}

static enum status compare(struct run *run, size_t until)
{
	struct comparison *comparison = &run->retraining->comparison;
	size_t room = run->items->len - until + 1;
	enum status status = train(run, until);

	comparison->champion = g_new(struct result, room);
	comparison->challenger = g_new(struct result, room);
	comparison->times = g_new(int64_t, room);
	run->champion = learner_new(&run->params);
	if (status == STATUS_OK && !run->champion)
		status = failure_set(run->failure, STATUS_NOMEM, "retraining: out of memory");
	if (status == STATUS_OK)
		status = pass(run, 0, until, look_to_fold);
	if (status == STATUS_OK)
		status = pass(run, until, run->items->len, look_to_compare);
	if (status == STATUS_OK)
		status = comparison_judge(comparison, run->failure);
	if (status == STATUS_OK)
		run->retraining->peak_bytes = learner_bytes(run->learner) +
					      learner_bytes(run->champion) +
					      run->items->len * sizeof(struct item);
	learner_free(&run->champion);
	return status;
}

/* What the site has laid down decides in the comparison as well. */
static enum status read_site(struct run *run)
{
	const struct service_settings *settings = run->options->settings;
	struct proposal_terms *terms = &run->terms;
	struct preferences *site = NULL;
	enum status status = preferences_read(&site, run->reader, "", run->failure);

	if (status != STATUS_OK)
		return status;
	*terms = (struct proposal_terms){.threshold = settings->threshold,
		.junk_log_odds = model_log_odds(settings->junk_probability),
		.bounds = {.junk = settings->threshold,
			.reject = settings->reject_score,
			.action = settings->spam_action,
			.junk_min = settings->junk_score_min,
			.junk_max = settings->junk_score_max},
		.ham_lost = run->options->ham_lost};
	terms->present = policy_of(&terms->bounds, NULL, NULL, site);
	if (preferences_policy(site)->has_scale)
		run->params.scale = preferences_policy(site)->scale;
	terms->scale = run->params.scale;
	preferences_free(&site);
	return STATUS_OK;
}

/* --- The whole --------------------------------------------------------------------------- */

static void set_weights(struct run *run)
{
	struct item *items = (struct item *)run->items->data;
	double all = run->items->len, spam = (double)run->retraining->spam;
	int64_t newest = 0;

	for (guint i = 0; i < run->items->len; i++)
		newest = MAX(newest, items[i].time);
	for (guint i = 0; i < run->items->len; i++) {
		double of_class = fmax(items[i].spam ? spam : all - spam, 1);
		double days = (double)(newest - items[i].time) / 86400;
		double weight = pow(all / (2 * of_class), run->options->class_balance);

		if (run->options->half_life > 0)
			weight *= exp2(-days / run->options->half_life);
		items[i].weight = (float)weight;
	}
}

static void make_generation(struct run *run)
{
	struct generation *generation = &run->retraining->generation;
	const struct item *items = (const struct item *)run->items->data;

	generation->time = g_get_real_time() / G_USEC_PER_SEC;
	generation->count = run->items->len;
	generation->reports = g_new0(struct generation_report, generation->count + 1);
	for (size_t i = 0; i < generation->count; i++) {
		generation->reports[i] =
			(struct generation_report){.taught = {.seq = items[i].seq,
							   .global = items[i].taught,
							   .margin = items[i].margin},
				.error = error_of(run, &items[i])};
		generation->seq = items[i].seq;
	}
}

static double size_of(const struct token_change *change)
{
	return fabs(change->after - change->before);
}

static gint compare_changes(gconstpointer a, gconstpointer b)
{
	double first = size_of(a), second = size_of(b);

	return (first < second) - (first > second);
}

struct change_walk {
	struct run *run;
	GArray *changes; /* struct token_change */
};

static enum status note_change(void *context, const struct store_token *token)
{
	struct change_walk *walk = context;
	struct token_change change = {.key = token->key,
		.before = model_mean(walk->run->params.variance, token->sum, token->gain),
		.after = learner_weight(walk->run->learner, token->key)};

	g_array_append_val(walk->changes, change);
	if (walk->changes->len >= 100 * MOST_CHANGES) {
		g_array_sort(walk->changes, compare_changes);
		g_array_set_size(walk->changes, MOST_CHANGES);
	}
	return STATUS_OK;
}

/* The rows are those of the last checkpoint: near enough to show. */
static enum status find_changes(struct run *run)
{
	struct change_walk walk = {
		.run = run, .changes = g_array_new(FALSE, FALSE, sizeof(struct token_change))};
	enum status status = store_tokens(run->reader, note_change, &walk, run->failure);

	g_array_sort(walk.changes, compare_changes);
	run->retraining->change_count = MIN(walk.changes->len, (guint)MOST_CHANGES);
	run->retraining->changes = (struct token_change *)g_array_free(walk.changes, FALSE);
	return status;
}

/* A young site compares on more than its share, to have enough to compare on. After a
 * generation was adopted only what came since is a measure: it has learned from all
 * before, and a part of what it learned is no filter that ever was. */
static size_t compared(const struct run *run, size_t count)
{
	if (run->adopted > 0)
		return count - run->adopted;
	size_t share = (size_t)(run->options->validation * (double)count);

	return MAX(share, MIN(count / 3, (size_t)FEW_COMPARED));
}

static enum status run_all(struct run *run)
{
	struct retraining *retraining = run->retraining;
	enum status status = read_site(run);
	if (status == STATUS_OK)
		status = store_counting_reports(run->reader, collect, run, run->failure);
	size_t count = run->items->len;
	size_t until = count - compared(run, count);

	if (status == STATUS_OK && count == 0)
		status = failure_set(
			run->failure, STATUS_NOTFOUND, "nothing to train: no report is shared");
	if (status != STATUS_OK)
		return status;
	set_weights(run);
	progress_start(&run->progress, "reports",
		until * (2 + REFINING_PASSES) + (count - until) +
			count * (1 + REFINING_PASSES +
					(run->options->reputation ? 2 * JUDGING_ROUNDS : 0)));
	run->progress.terminal &= !run->options->quiet;
	if (run->options->reputation)
		status = judge_reporters(run);
	if (status == STATUS_OK)
		status = compare(run, until);
	if (status == STATUS_OK)
		status = proposal_make(&retraining->proposal, retraining->comparison.challenger,
			retraining->comparison.count, &run->terms, run->failure);
	if (status == STATUS_OK)
		status = train(run, count);
	progress_end(&run->progress);
	if (status != STATUS_OK)
		return status;
	retraining->reports = count;
	retraining->tokens = learner_tokens(run->learner);
	make_generation(run);
	return find_changes(run);
}

enum status retrain_run(struct retraining *retraining, struct store_reader *reader,
	const struct retrain_options *options, struct failure *failure)
{
	gint64 started = g_get_monotonic_time();
	struct run run = {.retraining = retraining,
		.options = options,
		.reader = reader,
		.params = model_defaults,
		.items = g_array_new(FALSE, FALSE, sizeof(struct item)),
		.failure = failure};

	*retraining =
		(struct retraining){.reporters = reporters_new(options->settings->label_error)};
	enum status status = run_all(&run);
	retraining->seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
	learner_free(&run.learner);
	learner_free(&run.champion);
	g_array_unref(run.items);
	return status;
}

void retrain_free(struct retraining *retraining)
{
	generation_free(&retraining->generation);
	g_free(retraining->comparison.champion);
	g_free(retraining->comparison.challenger);
	g_free(retraining->comparison.times);
	g_free(retraining->changes);
	proposal_free(&retraining->proposal);
	reporters_free(&retraining->reporters);
	*retraining = (struct retraining){0};
}
