/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The store in memory: what needs only a reader. */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/store/memory.h"
#include "engine/store/pack.h"

struct memory_reader {
	struct store_reader reader;
	struct memory *memory;
};

struct memory *memory_of(struct store_reader *reader)
{
	return ((struct memory_reader *)reader)->memory;
}

enum status memory_reader_open(
	struct store *store, struct store_reader **result, struct failure *failure)
{
	struct memory_reader *reader = malloc(sizeof(*reader));

	if (!reader)
		return failure_set(failure, STATUS_NOMEM, "opening a reader: out of memory");
	reader->reader.driver = store->driver;
	reader->memory = (struct memory *)store;
	*result = &reader->reader;
	return STATUS_OK;
}

void memory_reader_close(struct store_reader *reader)
{
	free(reader);
}

enum status memory_get(struct store_reader *reader, const char *name, void *bytes, size_t *size,
	struct failure *failure)
{
	GBytes *value = g_hash_table_lookup(memory_of(reader)->values, name);
	size_t room = *size;

	if (!value)
		return failure_set(failure, STATUS_NOTFOUND, "no value %s", name);
	const void *data = g_bytes_get_data(value, size);
	if (*size > room)
		return failure_set(failure, STATUS_LIMIT, "value %s has %zu bytes", name, *size);
	if (*size > 0)
		memcpy(bytes, data, *size);
	return STATUS_OK;
}

/* --- Reports -------------------------------------------------------------- */

/* The report with the numbers that it has now. */
struct report memory_present(const struct row *row)
{
	struct report report = row->report;

	if (row->retrained) {
		report.global = row->retrained->global;
		report.margin = row->retrained->margin;
		report.retrained = true;
	}
	return report;
}

/* Unpacks a row's tokens and hands the report to the caller. */
static enum status give_row(
	const struct row *row, store_report_fn *each, void *context, struct failure *failure)
{
	uint64_t keys[STORE_MAX_TOKENS];
	struct report report = memory_present(row);

	report.user = row->user->name;
	report.count = 0;
	if (row->tokens &&
		pack_read(row->tokens, row->size, keys, STORE_MAX_TOKENS, &report.count) !=
			STATUS_OK)
		return failure_set(failure, STATUS_CORRUPT, "tokens of report %lld are damaged",
			(long long)report.seq);
	report.keys = keys;
	return each(context, &report);
}

static bool counts(const struct row *row)
{
	return !row->successor && row->report.label != LABEL_FORGET &&
		!(row->report.flags & REPORT_MUTED);
}

enum status memory_user_reports(struct store_reader *reader, const char *name, size_t limit,
	store_report_fn *each, void *context, struct failure *failure)
{
	const struct user *user = g_hash_table_lookup(memory_of(reader)->users, name);
	enum status status = STATUS_OK;
	guint at = user ? user->rows->len : 0;
	guint end = at;

	for (size_t found = 0; at > 0 && found < limit; at--)
		found += counts(user->rows->pdata[at - 1]);
	for (; at < end && status == STATUS_OK; at++) {
		if (counts(user->rows->pdata[at]))
			status = give_row(user->rows->pdata[at], each, context, failure);
	}
	return status;
}

/* Hands over the first `limit` rows of a list with seq > `after`. */
static enum status give_rows(const GPtrArray *rows, int64_t after, size_t limit,
	store_report_fn *each, void *context, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (guint i = 0; i < rows->len && limit > 0 && status == STATUS_OK; i++) {
		const struct row *row = rows->pdata[i];
		if (row && row->report.seq > after) {
			status = give_row(row, each, context, failure);
			limit--;
		}
	}
	return status;
}

enum status memory_journal(struct store_reader *reader, const char *name, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure)
{
	const struct user *user = g_hash_table_lookup(memory_of(reader)->users, name);

	return user ? give_rows(user->rows, after, limit, each, context, failure) : STATUS_OK;
}

enum status memory_shares(
	struct store_reader *reader, const char *name, bool *shares, struct failure *failure)
{
	const struct user *user = g_hash_table_lookup(memory_of(reader)->users, name);
	(void)failure;

	for (guint i = 0; user && i < user->rows->len && !*shares; i++)
		*shares = ((const struct row *)user->rows->pdata[i])->report.flags & REPORT_CONSENT;
	return STATUS_OK;
}

enum status memory_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure)
{
	return give_rows(memory_of(reader)->rows, after, SIZE_MAX, each, context, failure);
}

enum status memory_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure)
{
	const GPtrArray *rows = memory_of(reader)->rows;
	enum status status = STATUS_OK;

	for (guint i = 0; i < rows->len && status == STATUS_OK; i++) {
		if (rows->pdata[i] && counts(rows->pdata[i]))
			status = give_row(rows->pdata[i], each, context, failure);
	}
	return status;
}

/* --- Tokens and numbers --------------------------------------------------- */

enum status memory_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure)
{
	(void)failure;
	*checkpoint = memory_of(reader)->checkpoint;
	return STATUS_OK;
}

struct token_walk {
	store_token_fn *each;
	void *context;
	enum status status;
};

static void give_token(void *context, uint64_t key, double sum, double gain)
{
	struct token_walk *walk = context;
	struct store_token token = {.key = key, .sum = sum, .gain = gain};

	if (walk->status == STATUS_OK && gain > 0)
		walk->status = walk->each(walk->context, &token);
}

enum status memory_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure)
{
	struct token_walk walk = {.each = each, .context = context, .status = STATUS_OK};
	(void)failure;

	/* The table tracks changes and is never cleaned: all of it is "dirty". */
	table_dirty(memory_of(reader)->tokens, 0, STORE_RANGES, give_token, &walk);
	return walk.status;
}

enum status memory_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure)
{
	const struct memory *memory = memory_of(reader);
	(void)failure;

	*stats = (struct store_stats){
		.reports = (int64_t)memory->count,
		.users = g_hash_table_size(memory->users),
		.tokens = (int64_t)table_count(memory->tokens),
		.last_seq = (int64_t)memory->rows->len,
	};
	return STATUS_OK;
}
