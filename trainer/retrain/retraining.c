/* The order of a retraining: gather, judge reporters, train, compare, propose.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/retrain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "trainer/retrain/comparison.h"
#include "trainer/retrain/passes.h"

const struct retrain_options retrain_defaults = {
	.half_life = 180,
	.class_balance = 0,
	.reputation = true,
	.validation = 0.1,
	.ham_lost = 0.1,
};

enum { MOST_CHANGES = 40, FEW_COMPARED = 200 };

/* --- What there is ------------------------------------------------------------------- */

struct collection {
	struct basis *basis;
	struct retraining *retraining;
	GArray *items;
	size_t adopted; /* that the generation adopted last has learned from, the first ones */
	struct shared_tokens *tokens;
};

static enum status collect_report(void *context, const struct report *report)
{
	struct collection *collection = context;
	struct reporters *reporters = collection->basis->reporters;
	struct item item = {.seq = report->seq,
		.time = report->time,
		.message = report->message,
		.spam = report->label == LABEL_SPAM};

	if (*collection->basis->options->stop)
		return STATUS_INTERRUPTED;
	if (!(report->flags & REPORT_CONSENT))
		return STATUS_OK;
	shared_tokens_note(collection->tokens, report->keys, report->count);
	item.reporter = reporters_find(reporters, report->user);
	reporters_at(reporters, item.reporter)->reports++;
	collection->retraining->spam += item.spam;
	g_array_append_val(collection->items, item);
	if (report->retrained)
		collection->adopted = collection->items->len;
	return STATUS_OK;
}

/* What the site has laid down decides in the comparison as well. */
static enum status read_site(
	struct basis *basis, struct store_reader *reader, struct failure *failure)
{
	const struct service_settings *settings = basis->options->settings;
	struct proposal_terms *terms = &basis->terms;
	struct preferences *site = NULL;
	enum status status = preferences_read(&site, reader, "", failure);

	if (status != STATUS_OK)
		return status;
	*terms = (struct proposal_terms){.threshold = settings->threshold,
		.junk_log_odds = model_log_odds(settings->junk_probability),
		.bounds = {.junk = settings->threshold,
			.reject = settings->reject_score,
			.action = settings->spam_action,
			.junk_min = settings->junk_score_min,
			.junk_max = settings->junk_score_max},
		.ham_lost = basis->options->ham_lost};
	terms->present = policy_of(&terms->bounds, NULL, NULL, site);
	if (preferences_policy(site)->has_scale)
		basis->params.scale = preferences_policy(site)->scale;
	terms->scale = basis->params.scale;
	preferences_free(&site);
	return STATUS_OK;
}

static void set_weights(const struct basis *basis, struct item *items, size_t count)
{
	double all = (double)count, spam = 0;
	int64_t newest = 0;

	for (size_t i = 0; i < count; i++) {
		newest = MAX(newest, items[i].time);
		spam += items[i].spam;
	}
	for (size_t i = 0; i < count; i++) {
		double of_class = fmax(items[i].spam ? spam : all - spam, 1);
		double days = (double)(newest - items[i].time) / 86400;
		double weight = pow(all / (2 * of_class), basis->options->class_balance);

		if (basis->options->half_life > 0)
			weight *= exp2(-days / basis->options->half_life);
		items[i].weight = (float)weight;
	}
}

/* A young site compares on more than its share, to have enough to compare on. After a
 * generation was adopted only what came since is a measure: it has learned from all
 * before, and a part of what it learned is no filter that ever was. */
static size_t compared(const struct collection *collection, size_t count)
{
	if (collection->adopted > 0)
		return count - collection->adopted;
	size_t share = (size_t)(collection->basis->options->validation * (double)count);

	return MAX(share, MIN(count / 3, (size_t)FEW_COMPARED));
}

/* --- What comes of it -------------------------------------------------------------------- */

static enum status make_generation(struct generation *generation, const struct run *run)
{
	generation->time = g_get_real_time() / G_USEC_PER_SEC;
	generation->count = run->count;
	generation->reports = g_new0(struct generation_report, run->count + 1);
	for (size_t i = 0; i < run->count; i++) {
		const struct item *item = &run->items[i];
		generation->reports[i] = (struct generation_report){.taught = {.seq = item->seq,
									    .global = item->taught,
									    .margin = item->margin},
			.message = item->message,
			.error = reporters_at(run->basis->reporters, item->reporter)->error};
		generation->seq = item->seq;
	}
	return generation_identify(generation, run->reader, run->failure);
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
		.before = model_mean(walk->run->basis->params.variance, token->sum, token->gain)};

	if (!learner_weight(walk->run->learner, token->key, &change.after))
		return STATUS_OK; /* of a single report */
	g_array_append_val(walk->changes, change);
	if (walk->changes->len >= 100 * MOST_CHANGES) {
		g_array_sort(walk->changes, compare_changes);
		g_array_set_size(walk->changes, MOST_CHANGES);
	}
	return STATUS_OK;
}

/* The rows are those of the last checkpoint: near enough to show. */
static enum status find_changes(struct retraining *retraining, struct run *run)
{
	struct change_walk walk = {
		.run = run, .changes = g_array_new(FALSE, FALSE, sizeof(struct token_change))};
	struct store_checkpoint checkpoint;
	enum status status =
		store_tokens(run->reader, &checkpoint, note_change, &walk, run->failure);

	g_array_sort(walk.changes, compare_changes);
	retraining->change_count = MIN(walk.changes->len, (guint)MOST_CHANGES);
	retraining->changes = (struct token_change *)g_array_free(walk.changes, FALSE);
	return status;
}

/* --- Two at a time ------------------------------------------------------------------------- */

/* All reports are trained on in a thread of its own, while the caller's compares: the
 * two have nothing to do with each other once the reporters are judged. */
static gpointer train_all(gpointer data)
{
	struct run *run = data;

	return GINT_TO_POINTER(run_train(run, run->count));
}

static enum status train_and_compare(
	struct retraining *retraining, struct run *run, struct run *comparing, size_t until)
{
	struct comparison *comparison = &retraining->comparison;
	GThread *thread = g_thread_new("train", train_all, run);
	enum status status = run_compare(comparing, until, comparison);
	enum status trained = (enum status)GPOINTER_TO_INT(g_thread_join(thread));

	if (status != STATUS_OK || trained != STATUS_OK)
		return status != STATUS_OK ? status : trained;
	retraining->peak_bytes = learner_bytes(run->learner) + learner_bytes(comparing->learner) +
		learner_bytes(comparing->champion) + 2 * run->count * sizeof(struct item) +
		run->basis->marks->len;
	status = comparison_judge(comparison, comparing->failure);
	if (status == STATUS_OK)
		status = proposal_make(&retraining->proposal, comparison->challenger,
			comparison->count, &run->basis->terms, comparing->failure);
	return status;
}

/* --- The whole --------------------------------------------------------------------------- */

static enum status gather_reports(
	struct collection *collection, struct run *run, struct failure *failure)
{
	static const struct store_selection counting = {.counting = true};
	struct store_stats stats;
	enum status status = store_read_stats(run->reader, true, &stats, failure);

	if (status == STATUS_OK)
		status = read_site(collection->basis, run->reader, failure);
	if (status != STATUS_OK)
		return status;
	collection->tokens = shared_tokens_new((size_t)stats.reports);
	if (!collection->tokens)
		return failure_set(failure, STATUS_NOMEM, "retraining: out of memory");
	status = store_reports(run->reader, &counting, collect_report, collection, failure);
	if (status == STATUS_OK && collection->items->len == 0)
		status = failure_set(
			failure, STATUS_NOTFOUND, "nothing to train: no report is shared");
	if (status != STATUS_OK)
		return status;
	run->count = collection->items->len;
	run->items = g_array_steal(collection->items, NULL);
	set_weights(collection->basis, run->items, run->count);
	status = run_mark(run, collection->tokens);
	shared_tokens_free(&collection->tokens);
	return status;
}

static enum status run_all(struct collection *collection, struct run *run, struct store *store)
{
	struct basis *basis = collection->basis;
	struct retraining *retraining = collection->retraining;
	struct failure failure = {0}; /* of the thread of its own */
	struct run comparing = {0};
	size_t until = run->count - compared(collection, run->count);
	enum status status = STATUS_OK;

	progress_start(&basis->progress, "reports",
		run_train_passes(run->count) + run_compare_passes(until, run->count) +
			(basis->options->reputation ? run_judge_passes(run->count) : 0));
	basis->progress.terminal &= !basis->options->quiet;
	basis->passed = 0;
	if (basis->options->reputation)
		status = run_judge_reporters(run);
	if (status == STATUS_OK)
		status = run_open(&comparing, run, store);
	if (status == STATUS_OK) {
		run->failure = &failure;
		status = train_and_compare(retraining, run, &comparing, until);
		run->failure = comparing.failure;
		if (failure.code != STATUS_OK)
			*run->failure = failure;
	}
	progress_end(&basis->progress);
	run_close(&comparing);
	return status;
}

static enum status conclude_training(struct retraining *retraining, struct run *run)
{
	retraining->reports = run->count;
	retraining->tokens = learner_tokens(run->learner);
	enum status status = make_generation(&retraining->generation, run);

	return status == STATUS_OK ? find_changes(retraining, run) : status;
}

enum status retrain_run(struct retraining *retraining, struct store *store,
	const struct retrain_options *options, struct failure *failure)
{
	gint64 started = g_get_monotonic_time();
	*retraining =
		(struct retraining){.reporters = reporters_new(options->settings->label_error)};
	struct basis basis = {.options = options,
		.params = model_defaults,
		.reporters = retraining->reporters,
		.marks = g_byte_array_new(),
		.showing = g_thread_self()};
	struct collection collection = {.basis = &basis,
		.retraining = retraining,
		.items = g_array_new(FALSE, FALSE, sizeof(struct item))};
	struct run run = {0};
	const struct run like = {.basis = &basis, .failure = failure};

	enum status status = run_open(&run, &like, store);
	if (status == STATUS_OK)
		status = gather_reports(&collection, &run, failure);
	if (status == STATUS_OK)
		status = run_all(&collection, &run, store);
	if (status == STATUS_OK)
		status = conclude_training(retraining, &run);
	retraining->seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
	run_close(&run);
	shared_tokens_free(&collection.tokens);
	g_array_unref(collection.items);
	g_byte_array_unref(basis.marks);
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
