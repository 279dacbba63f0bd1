/* The store in memory: what needs only a reader.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/store/memory/memory.h"
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
static enum status give_row(const struct row *row, bool headers, store_report_fn *each,
	void *context, struct failure *failure)
{
	uint64_t keys[STORE_MAX_TOKENS];
	struct report report = memory_present(row);

	report.user = row->user->name;
	report.count = 0;
	if (headers)
		return each(context, &report);
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

static bool is_selected(const struct row *row, const struct store_selection *selection)
{
	return row && row->report.seq > selection->after && (!selection->counting || counts(row));
}

/* Where a user's newest `limit` begin. */
static guint first_of_newest(const GPtrArray *rows, const struct store_selection *selection)
{
	guint at = rows->len;

	for (size_t found = 0; at > 0 && found < selection->limit; at--)
		found += is_selected(rows->pdata[at - 1], selection);
	return at;
}

enum status memory_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure)
{
	const struct memory *memory = memory_of(reader);
	const struct user *user =
		selection->user ? g_hash_table_lookup(memory->users, selection->user) : NULL;
	const GPtrArray *rows = user ? user->rows : memory->rows;
	size_t left = selection->limit;
	enum status status = STATUS_OK;

	if (selection->user && !user)
		return STATUS_OK;
	guint at = user && selection->counting ? first_of_newest(rows, selection) : 0;
	for (; at < rows->len && left > 0 && status == STATUS_OK; at++) {
		if (!is_selected(rows->pdata[at], selection))
			continue;
		status = give_row(rows->pdata[at], selection->headers, each, context, failure);
		left--;
	}
	return status;
}

enum status memory_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure)
{
	(void)failure;
	for (size_t i = 0; i < count; i++) {
		struct store_lookup *lookup = &lookups[i];
		const struct row *row =
			memory_find_row(memory_of(reader), lookup->user, lookup->message);

		while (row && row->report.seq >= lookup->before)
			row = row->supersedes;
		lookup->found = row != NULL;
		if (!row)
			continue;
		lookup->report = memory_present(row);
		lookup->report.user = lookup->user;
		lookup->report.count = 0;
	}
	return STATUS_OK;
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

/* --- Tokens and numbers --------------------------------------------------- */

enum status memory_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure)
{
	const struct memory *memory = memory_of(reader);
	GHashTableIter iter;
	gpointer token;
	enum status status = STATUS_OK;
	(void)failure;

	*checkpoint = memory->checkpoint;
	g_hash_table_iter_init(&iter, memory->tokens);
	while (each && status == STATUS_OK && g_hash_table_iter_next(&iter, NULL, &token))
		status = each(context, token);
	return status;
}

enum status memory_read_stats(
	struct store_reader *reader, bool count, struct store_stats *stats, struct failure *failure)
{
	const struct memory *memory = memory_of(reader);
	(void)count;
	(void)failure;

	*stats = (struct store_stats){
		.reports = (int64_t)memory->count,
		.users = g_hash_table_size(memory->users),
		.tokens = g_hash_table_size(memory->tokens),
		.given = (int64_t)memory->rows->len,
	};
	for (guint at = 0; at < memory->rows->len; at++) {
		const struct row *row = memory->rows->pdata[at];
		if (!row)
			continue;
		if (stats->first_seq == 0)
			stats->first_seq = row->report.seq;
		stats->last_seq = row->report.seq;
		stats->last_time = row->report.time;
	}
	return STATUS_OK;
}
