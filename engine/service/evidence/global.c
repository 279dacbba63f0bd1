/* Loads, folds, changes and writes everybody's evidence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/global.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/service/evidence/contribution.h"
#include "engine/service/evidence/table.h"

struct global {
	struct table *table;
	int references; /* the owner's to count */
	/* Written by the writer, read by anybody. */
	_Atomic double bias_sum;
	_Atomic double bias_gain;
	_Atomic int64_t seq;
	_Atomic int64_t checkpoint_seq; /* of `stored` */
	/* The writer's: what the store has, and the checkpoint that is being written. */
	struct store_checkpoint stored;
	struct store_checkpoint begun;
	size_t next_range; /* of it, 0 = none is */
};

static void free_global(struct global *global)
{
	table_free(&global->table);
	free(global);
}

/* One whose changes are not tracked yet. */
static struct global *untracked(size_t limit)
{
	struct global *global = calloc(1, sizeof(*global));

	if (!global)
		return NULL;
	global->references = 1;
	global->table = table_new(limit);
	if (global->table)
		return global;
	free(global);
	return NULL;
}

struct global *global_new(size_t limit)
{
	struct global *global = untracked(limit);

	if (global)
		table_track(global->table);
	return global;
}

struct global *global_ref(struct global *global)
{
	global->references++;
	return global;
}

void global_unref(struct global **global)
{
	if (*global && --(*global)->references == 0)
		free_global(*global);
	*global = NULL;
}

static enum status load_row(void *context, const struct store_token *token)
{
	struct global *global = context;

	return table_set(global->table, token->key, token->sum, token->gain);
}

/* The keys of those rows that do not include the report yet. */
static size_t keys_behind(
	const struct store_checkpoint *checkpoint, const struct report *report, uint64_t *keys)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++) {
		if (report->seq > checkpoint->ahead[store_range(report->keys[i])])
			keys[count++] = report->keys[i];
	}
	return count;
}

static enum status replay_report(void *context, const struct report *report)
{
	struct global *global = context;
	uint64_t keys[STORE_MAX_TOKENS];
	size_t count = keys_behind(&global->stored, report, keys);
	enum status status = global_remove(global, keys, count, &report->undone);

	if (status == STATUS_OK)
		status = global_add(global, keys, count, &report->global);
	global_includes(global, report->seq);
	return status;
}

enum status global_catch_up(
	struct global *global, struct store_reader *reader, struct failure *failure)
{
	const struct store_selection later = {.after = global->seq};

	return store_reports(reader, &later, replay_report, global, failure);
}

static enum status load_rows(
	struct global *global, struct store_reader *reader, struct failure *failure)
{
	enum status status = store_tokens(reader, &global->stored, load_row, global, failure);

	atomic_init(&global->bias_sum, global->stored.bias_sum);
	atomic_init(&global->bias_gain, global->stored.bias_gain);
	atomic_init(&global->seq, global->stored.seq);
	atomic_init(&global->checkpoint_seq, global->stored.seq);
	table_track(global->table);
	return status;
}

static enum status global_begin(struct global **global, size_t limit, struct failure *failure)
{
	*global = untracked(limit);
	if (*global)
		return STATUS_OK;
	failure_set(failure, STATUS_NOMEM, "reading the global evidence: out of memory");
	return STATUS_NOMEM;
}

enum status global_load(
	struct global **result, struct store_reader *reader, size_t limit, struct failure *failure)
{
	struct global *global;
	enum status status = global_begin(&global, limit, failure);

	*result = NULL;
	if (status == STATUS_OK)
		status = load_rows(global, reader, failure);
	if (status != STATUS_OK)
		goto out;
	if (global->seq == 0) { /* there is no checkpoint */
		global_unref(&global);
		return global_fold(result, reader, limit, failure);
	}
	status = global_catch_up(global, reader, failure);
	if (status == STATUS_OK || status == STATUS_CORRUPT) {
		*result = global;
		global = NULL;
	}
out:
	global_unref(&global);
	return status;
}

static enum status fold_into_global(void *context, const struct report *report)
{
	struct global *global = context;

	global_includes(global, report->seq);
	return global_add(global, report->keys, report->count, &report->global);
}

static enum status include_report(void *context, const struct report *report)
{
	global_includes(context, report->seq);
	return STATUS_OK;
}

enum status global_fold(
	struct global **result, struct store_reader *reader, size_t limit, struct failure *failure)
{
	const struct store_selection counting = {.counting = true};
	struct store_selection later = {.headers = true};
	struct global *global;
	enum status status = global_begin(&global, limit, failure);

	*result = NULL;
	if (status == STATUS_OK) {
		table_track(global->table);
		status = store_reports(reader, &counting, fold_into_global, global, failure);
	}
	later.after = status == STATUS_OK ? global->seq : 0;
	if (status == STATUS_OK) /* the last ones may not count */
		status = store_reports(reader, &later, include_report, global, failure);
	if (status == STATUS_OK) {
		*result = global;
		global = NULL;
	}
	global_unref(&global);
	return status;
}

void global_read(const struct global *global, const uint64_t *keys, size_t count, double *sums,
	double *gains, struct model_evidence *evidence)
{
	table_read(global->table, keys, count, sums, gains);
	*evidence = (struct model_evidence){
		.sums = sums,
		.gains = gains,
		.bias_sum = atomic_load_explicit(&global->bias_sum, memory_order_relaxed),
		.bias_gain = atomic_load_explicit(&global->bias_gain, memory_order_relaxed),
	};
}

static enum status apply(struct global *global, const uint64_t *keys, size_t count,
	const struct contribution *contribution, double sign)
{
	enum status status = STATUS_OK;

	if (contribution->bias_gain == 0 && contribution->head_gain == 0 &&
		contribution->body_gain == 0)
		return STATUS_OK;
	status = evidence_apply(global->table, keys, count, contribution, sign);
	if (status == STATUS_OK) {
		atomic_store_explicit(&global->bias_sum,
			global->bias_sum + sign * contribution->bias_sum, memory_order_relaxed);
		atomic_store_explicit(&global->bias_gain,
			global->bias_gain + sign * contribution->bias_gain, memory_order_relaxed);
	}
	return status;
}

enum status global_add(struct global *global, const uint64_t *keys, size_t count,
	const struct contribution *contribution)
{
	return apply(global, keys, count, contribution, 1);
}

enum status global_remove(struct global *global, const uint64_t *keys, size_t count,
	const struct contribution *contribution)
{
	return apply(global, keys, count, contribution, -1);
}

struct merger {
	struct global *global;
	double sign;
	size_t most, done; /* tokens */
	enum status status;
};

static void merge_token(void *context, uint64_t key, double sum, double gain)
{
	struct merger *merger = context;

	if (merger->status == STATUS_NOMEM || merger->done == merger->most)
		return;
	merger->status =
		table_add(merger->global->table, &key, 1, merger->sign * sum, merger->sign * gain);
	merger->done += merger->status != STATUS_NOMEM;
}

enum status global_merge(struct global *global, const struct global *part, double sign)
{
	const struct contribution bias = {.bias_sum = part->bias_sum, .bias_gain = part->bias_gain};
	struct merger merger = {.global = global, .sign = sign, .most = SIZE_MAX};

	table_dirty(part->table, 0, STORE_RANGES, merge_token, &merger);
	if (merger.status == STATUS_NOMEM) {
		struct merger back = {.global = global, .sign = -sign, .most = merger.done};
		table_dirty(part->table, 0, STORE_RANGES, merge_token, &back);
		return STATUS_NOMEM;
	}
	return apply(global, NULL, 0, &bias, sign);
}

void global_includes(struct global *global, int64_t seq)
{
	if (seq > global->seq)
		global->seq = seq;
}

struct collected {
	struct store_token *tokens;
	size_t count;
};

static void collect_token(void *context, uint64_t key, double sum, double gain)
{
	struct collected *collected = context;

	collected->tokens[collected->count++] =
		(struct store_token){.key = key, .sum = gain > 0 ? sum : 0, .gain = gain};
}

static int compare_rows(const void *a, const void *b)
{
	uint64_t first = ((const struct store_token *)a)->key;
	uint64_t second = ((const struct store_token *)b)->key;

	return (first > second) - (first < second);
}

/* The changed rows of some ranges in the order of their keys, in which a store writes
 * them fastest; to be freed. */
static struct store_token *changed_rows(
	const struct global *global, size_t from, size_t to, size_t *count)
{
	size_t dirty = table_dirty_count(global->table, from, to);
	struct collected collected = {.tokens = malloc((dirty + 1) * sizeof(*collected.tokens))};

	if (collected.tokens) {
		table_dirty(global->table, from, to, collect_token, &collected);
		qsort(collected.tokens, collected.count, sizeof(*collected.tokens), compare_rows);
	}
	*count = collected.count;
	return collected.tokens;
}

static struct store_checkpoint present(const struct global *global)
{
	return (struct store_checkpoint){
		.seq = global->seq, .bias_sum = global->bias_sum, .bias_gain = global->bias_gain};
}

/* The store has it: all rows that had changed in the ranges from `from` to before `to`. */
static void note_stored(
	struct global *global, const struct store_checkpoint *checkpoint, size_t from, size_t to)
{
	table_clean(global->table, from, to);
	global->stored = *checkpoint;
	global->checkpoint_seq = checkpoint->seq;
	global->next_range = to % STORE_RANGES;
}

/* Writes the changed rows of these ranges and the checkpoint, with what else is to be in the
 * same step. */
static enum status write_ranges(struct global *global, struct store *store, size_t from, size_t to,
	struct store_rows rows, const struct store_change *with, struct failure *failure)
{
	struct store_change change = with ? *with : (struct store_change){0};
	struct store_token *tokens = changed_rows(global, from, to, &rows.count);
	enum status status;

	if (!tokens)
		return failure_set(
			failure, STATUS_NOMEM, "writing the global evidence: out of memory");
	rows.tokens = tokens;
	change.rows = &rows;
	status = store_commit(store, &change, failure);
	if (status == STATUS_OK)
		note_stored(global, rows.checkpoint, from, to);
	free(tokens);
	return status;
}

enum status global_checkpoint(struct global *global, struct store *store,
	const struct store_change *with, struct failure *failure)
{
	struct store_checkpoint checkpoint = present(global);
	struct store_rows rows = {.how = ROWS_CHANGED, .checkpoint = &checkpoint};

	return write_ranges(global, store, 0, STORE_RANGES, rows, with, failure);
}

enum status global_leave_behind(struct global *global, struct store *store,
	const struct store_change *change, struct failure *failure)
{
	enum status status = store_commit(store, change, failure);

	if (status == STATUS_OK)
		global->next_range = 0;
	return status;
}

enum status global_checkpoint_some(
	struct global *global, struct store *store, size_t most, struct failure *failure)
{
	size_t from = global->next_range, to = from, count;

	/* Without one, a start folds the journal, and would not know of these rows. */
	if (global->stored.seq == 0)
		return global_checkpoint(global, store, NULL, failure);
	if (from == 0)
		global->begun = present(global);
	for (count = 0; to < STORE_RANGES && count < most; to++)
		count += table_dirty_count(global->table, to, to + 1);
	struct store_checkpoint checkpoint = to < STORE_RANGES ? global->stored : global->begun;
	for (size_t range = 0; range < STORE_RANGES; range++)
		checkpoint.ahead[range] =
			range < from || range >= to ? global->stored.ahead[range] : global->seq;
	struct store_rows rows = {.how = ROWS_CHANGED, .checkpoint = &checkpoint};
	return write_ranges(global, store, from, to, rows, NULL, failure);
}

bool global_checkpoint_goes_on(const struct global *global)
{
	return global->next_range != 0;
}

/* It was never clean: all of it is dirty. */
enum status global_rewrite(
	struct global *global, struct store *store, bool readable, struct failure *failure)
{
	const struct store_change change = {.frees = true};
	struct store_checkpoint checkpoint = present(global);
	struct store_rows rows = {
		.how = readable ? ROWS_ALL : ROWS_ALL_UNREADABLE, .checkpoint = &checkpoint};

	return write_ranges(global, store, 0, STORE_RANGES, rows, &change, failure);
}

struct store_token *global_rows(struct global *global, size_t *count)
{
	/* It was never clean: all of it is dirty. */
	struct store_token *rows = changed_rows(global, 0, STORE_RANGES, count);

	if (rows)
		table_clean(global->table, 0, STORE_RANGES);
	return rows;
}

enum status global_adopt(struct global *global, struct store *store,
	struct store_generation *generation, struct failure *failure)
{
	const struct store_change change = {.generation = generation};
	struct store_checkpoint checkpoint = present(global);
	size_t count = 0;
	struct store_token *rows = changed_rows(global, 0, STORE_RANGES, &count);
	enum status status;

	if (!rows)
		return failure_set(failure, STATUS_NOMEM, "adopting a generation: out of memory");
	generation->piece = (struct store_piece){.tokens = rows, .token_count = count};
	generation->checkpoint = &checkpoint;
	status = store_commit(store, &change, failure);
	if (status == STATUS_OK)
		note_stored(global, &checkpoint, 0, STORE_RANGES);
	generation->piece = (struct store_piece){0};
	generation->checkpoint = NULL;
	free(rows);
	return status;
}

size_t global_dirty(const struct global *global)
{
	/* A report that moved no token is to be checkpointed, too. */
	size_t dirty = table_dirty_count(global->table, 0, STORE_RANGES);

	return dirty || global->seq == global->checkpoint_seq ? dirty : 1;
}

size_t global_tokens(const struct global *global)
{
	return table_count(global->table);
}

size_t global_bytes(const struct global *global)
{
	return table_bytes(global->table);
}

int64_t global_seq(const struct global *global)
{
	return global->seq;
}

int64_t global_checkpoint_seq(const struct global *global)
{
	return global->checkpoint_seq;
}
