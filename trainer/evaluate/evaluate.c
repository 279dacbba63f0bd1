/* Runs the replays that an evaluation asks for, and collects the scores.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/evaluate.h"

#include <stdlib.h>

#include <glib.h>

#include "engine/base/account.h"
#include "trainer/progress.h"
#include "trainer/evaluate/replay.h"
#include "trainer/evaluate/schedule.h"

/* What became of an entry. */
struct slot {
	bool scored;
	struct result result;
	uint64_t identity;
	size_t fold;
};

struct run {
	const struct evaluate_options *options;
	const struct corpus_index *index;
	struct slot *slots; /* one an entry */
	struct progress progress;
	size_t passes; /* through the index, that are over */
	struct failure *failure;
};

/* --- One pass ------------------------------------------------------------------------ */

static enum status take_step(
	struct run *run, struct replay *replay, const struct step *step, size_t fold)
{
	const struct corpus_entry *entry = &run->index->entries[step->entry];
	struct slot *slot = &run->slots[step->entry];

	if (step->kind == STEP_RETRAIN)
		return replay_retrain(replay, run->options->quiet, run->failure);
	if (step->kind == STEP_LEARN)
		return replay_learn(replay, entry, step->spam, 0, run->failure);
	slot->scored = true;
	slot->fold = fold;
	return replay_score(replay, entry, &slot->result, &slot->identity, run->failure);
}

static enum status play(struct run *run, struct store *store, const GArray *steps, size_t fold)
{
	size_t before = run->passes * run->index->count;
	struct replay replay;
	enum status status = replay_open(&replay, store, &run->options->settings, run->failure);

	for (guint i = 0; i < steps->len && status == STATUS_OK; i++) {
		status = take_step(run, &replay, &g_array_index(steps, struct step, i), fold);
		progress_step(&run->progress, before + (i + 1) * run->index->count / steps->len);
	}
	run->passes++;
	replay_close(&replay);
	return status;
}

static enum status play_in_memory(struct run *run, const GArray *steps, size_t fold)
{
	struct store *store = NULL;
	enum status status = store_open(&store, "memory:", STORE_WRITE, run->failure);

	if (status == STATUS_OK)
		status = play(run, store, steps, fold);
	if (store)
		store_close(&store);
	return status;
}

static void start_run(struct run *run, size_t passes)
{
	progress_start(&run->progress, "messages", passes * run->index->count);
	run->progress.terminal &= !run->options->quiet;
}

/* --- Folds ------------------------------------------------------------------------------ */

/* Identities of one store, for all folds: each store has a secret of its own. */
static enum status identify_entry(struct run *run, uint64_t *identities)
{
	struct store *store = NULL;
	struct replay replay = {0};
	struct result result;
	enum status status = store_open(&store, "memory:", STORE_WRITE, run->failure);

	if (status == STATUS_OK)
		status = replay_open(&replay, store, &run->options->settings, run->failure);
	for (size_t i = 0; i < run->index->count && status == STATUS_OK; i++) {
		status = replay_score(
			&replay, &run->index->entries[i], &result, &identities[i], run->failure);
		progress_step(&run->progress, i + 1);
	}
	run->passes++;
	replay_close(&replay);
	if (store)
		store_close(&store);
	return status;
}

/* Numbers the groups that stay together; returns how many there are. */
static size_t number_groups(const struct run *run, uint64_t *identities, size_t *groups)
{
	GHashTable *messages = g_hash_table_new(g_int64_hash, g_int64_equal);
	GHashTable *users = g_hash_table_new(g_str_hash, g_str_equal);
	size_t count = 0;

	for (size_t i = 0; i < run->index->count; i++) {
		char *user = run->index->entries[i].user;
		bool by_user = run->options->folds_by_user && *user;
		GHashTable *known = by_user ? users : messages;
		gpointer key = by_user ? (gpointer)user : (gpointer)&identities[i], number;
		if (!g_hash_table_lookup_extended(known, key, NULL, &number)) {
			number = GSIZE_TO_POINTER(count++);
			g_hash_table_insert(known, key, number);
		}
		groups[i] = GPOINTER_TO_SIZE(number);
	}
	g_hash_table_unref(users);
	g_hash_table_unref(messages);
	return count;
}

static enum status assign_folds(struct run *run, uint64_t *identities, size_t *fold_of)
{
	size_t *groups = g_new0(size_t, run->index->count + 1);
	enum status status = identify_entry(run, identities);
	size_t count = status == STATUS_OK ? number_groups(run, identities, groups) : 0;

	if (status == STATUS_OK && count < run->options->folds)
		status = failure_set(run->failure, STATUS_INVALID,
			"%zu folds are more than there are %s (%zu)", run->options->folds,
			run->options->folds_by_user ? "users" : "different messages", count);
	if (status == STATUS_OK)
		schedule_assign_folds(groups, run->index->count, count, run->options->folds,
			run->options->seed, fold_of);
	g_free(groups);
	return status;
}

static enum status run_folds(struct run *run, const GArray *lessons)
{
	size_t *fold_of = g_new(size_t, run->index->count + 1);
	uint64_t *identities = g_new0(uint64_t, run->index->count + 1);

	start_run(run, run->options->folds + 1);
	enum status status = assign_folds(run, identities, fold_of);
	for (size_t fold = 0; fold < run->options->folds && status == STATUS_OK; fold++) {
		GArray *steps =
			schedule_fold(run->index, lessons, fold_of, fold, run->options->retrain);
		status = play_in_memory(run, steps, fold);
		g_array_unref(steps);
	}
	for (size_t i = 0; i < run->index->count; i++)
		run->slots[i].identity = identities[i];
	g_free(identities);
	g_free(fold_of);
	return status;
}

/* --- The whole ---------------------------------------------------------------------------- */

static enum status run_database(struct run *run)
{
	GArray *steps = schedule_scores(run->index);
	struct store *store = NULL;

	start_run(run, 1);
	enum status status = account_begin(run->options->database, run->failure);
	if (status == STATUS_OK)
		status = store_open(&store, run->options->database, STORE_READ, run->failure);
	if (status == STATUS_OK)
		status = play(run, store, steps, 0);
	if (store)
		store_close(&store);
	account_end();
	g_array_unref(steps);
	return status;
}

static enum status run_online(struct run *run, const GArray *lessons)
{
	size_t held_out = (size_t)(run->options->held_out / 100 * (double)run->index->count);
	GArray *steps = held_out > 0
		? schedule_held_out(run->index, lessons, held_out, run->options->retrain)
		: schedule_online(run->index, lessons, run->options->delay);

	start_run(run, 1);
	enum status status = play_in_memory(run, steps, 0);
	g_array_unref(steps);
	return status;
}

static void collect_scored(const struct run *run, struct evaluation *evaluation)
{
	evaluation->results = g_new0(struct result, run->index->count + 1);
	evaluation->messages = g_new0(struct scored, run->index->count + 1);
	for (size_t i = 0; i < run->index->count; i++) {
		const struct slot *slot = &run->slots[i];
		if (!slot->scored)
			continue;
		evaluation->results[evaluation->count] = slot->result;
		evaluation->messages[evaluation->count++] =
			(struct scored){.entry = i, .identity = slot->identity, .fold = slot->fold};
	}
}

enum status evaluate_run(struct evaluation *evaluation, const struct corpus_index *index,
	const struct evaluate_options *options, struct failure *failure)
{
	struct run run = {.options = options,
		.index = index,
		.slots = g_new0(struct slot, index->count + 1),
		.failure = failure};
	GArray *lessons =
		schedule_lessons(index, options->labelled, options->wrong_labels, options->seed);
	enum status status;

	*evaluation = (struct evaluation){0};
	if (options->database)
		status = run_database(&run);
	else if (options->folds)
		status = run_folds(&run, lessons);
	else
		status = run_online(&run, lessons);
	evaluation->messages_per_second = progress_end(&run.progress);
	if (status == STATUS_OK)
		collect_scored(&run, evaluation);
	g_array_unref(lessons);
	g_free(run.slots);
	return status;
}

void evaluate_free(struct evaluation *evaluation)
{
	g_free(evaluation->results);
	g_free(evaluation->messages);
	*evaluation = (struct evaluation){0};
}
