/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The store in memory: its rows, reports that are appended, checkpoints. */
#include <glib.h>

#include "engine/store/memory.h"
#include "engine/store/pack.h"

/* --- Containers ---------------------------------------------------------- */

static void free_user(gpointer data)
{
	struct user *user = data;

	g_ptr_array_unref(user->rows);
	g_free(user->name);
	g_free(user);
}

void memory_free_row(gpointer data)
{
	struct row *row = data;

	if (row)
		g_free(row->tokens);
	g_free(row);
}

static guint hash_row(gconstpointer data)
{
	const struct row *row = data;
	guint64 mixed = (row->report.message ^ (guint64)(gsize)row->user) *
		G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);

	return (guint)(mixed >> 32);
}

static gboolean equal_rows(gconstpointer a, gconstpointer b)
{
	const struct row *first = a, *second = b;

	return first->user == second->user && first->report.message == second->report.message;
}

/* --- Writing ------------------------------------------------------------- */

static struct user *add_user(struct memory *memory, const char *name)
{
	struct user *user = g_hash_table_lookup(memory->users, name);

	if (user)
		return user;
	user = g_new(struct user, 1);
	user->name = g_strdup(name);
	user->rows = g_ptr_array_new();
	g_hash_table_insert(memory->users, user->name, user);
	return user;
}

/* The newest row of this user about this message that is not muted. */
static struct row *find_row(const struct memory *memory, const char *name, uint64_t message)
{
	struct row wanted = {.user = g_hash_table_lookup(memory->users, name)};

	wanted.report.message = message;
	return wanted.user ? g_hash_table_lookup(memory->newest, &wanted) : NULL;
}

static void add_row(struct memory *memory, struct report *report)
{
	unsigned char packed[32 + 10 * STORE_MAX_TOKENS];
	struct row *row = g_new0(struct row, 1);

	row->user = add_user(memory, report->user);
	row->size = pack_keys(report->keys, report->count, packed);
	row->tokens = g_memdup2(packed, row->size);
	if (!(report->flags & REPORT_MUTED)) {
		row->supersedes = find_row(memory, report->user, report->message);
		if (row->supersedes)
			row->supersedes->successor = row;
	}
	g_ptr_array_add(memory->rows, row);
	g_ptr_array_add(row->user->rows, row);
	report->seq = (int64_t)memory->rows->len;
	row->report = *report;
	row->report.user = NULL;
	row->report.keys = NULL;
	memory->count++;
	if (!(report->flags & REPORT_MUTED))
		g_hash_table_replace(memory->newest, row, row);
}

static enum status memory_append(
	struct store *store, struct report *reports, size_t count, struct failure *failure)
{
	(void)failure;
	for (size_t i = 0; i < count; i++)
		add_row((struct memory *)store, &reports[i]);
	return STATUS_OK;
}

static enum status memory_find(struct store *store, const char *user, uint64_t message,
	int64_t before, struct report *report, struct failure *failure)
{
	const struct row *row = find_row((const struct memory *)store, user, message);

	while (row && row->report.seq >= before)
		row = row->supersedes;
	if (!row)
		return failure_set(failure, STATUS_NOTFOUND, "no such report");
	*report = memory_present(row);
	report->user = user;
	report->count = 0;
	return STATUS_OK;
}

void memory_strip(struct row *row)
{
	g_free(row->tokens);
	row->tokens = NULL;
	row->size = 0;
}

static enum status memory_put(struct store *store, const char *name, const void *bytes, size_t size,
	struct failure *failure)
{
	(void)failure;
	g_hash_table_replace(
		((struct memory *)store)->values, g_strdup(name), g_bytes_new(bytes, size));
	return STATUS_OK;
}

enum status memory_write_checkpoint(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	struct memory *memory = (struct memory *)store;

	if (store_last_included(checkpoint) > (int64_t)memory->rows->len)
		return failure_set(failure, STATUS_INVALID, "no report %lld",
			(long long)store_last_included(checkpoint));
	if (removal && memory_forget_stage(memory, failure) != STATUS_OK)
		return STATUS_NOMEM;
	for (size_t i = 0; i < count; i++) {
		if (table_set(memory->tokens, tokens[i].key, tokens[i].sum, tokens[i].gain) !=
			STATUS_OK)
			return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	}
	while (memory->stripped < checkpoint->seq) {
		struct row *row = memory->rows->pdata[memory->stripped++];
		if (row && row->supersedes)
			memory_strip(row->supersedes);
		if (row && row->report.label == LABEL_FORGET)
			memory_strip(row);
	}
	memory->checkpoint = *checkpoint;
	if (removal)
		memory_take_out(memory, removal);
	if (removal && removal->mark)
		memory_put(store, removal->mark, "1", 1, failure);
	return removal && removal->entry ? memory_put_entries(store, removal->entry, 1, failure)
					 : STATUS_OK;
}

static bool memory_writable(const struct store *store)
{
	(void)store;
	return true;
}

static bool memory_log_is_due(const struct store *store)
{
	(void)store;
	return false;
}

static void memory_move_log(struct store *store)
{
	(void)store;
}

/* --- Life ---------------------------------------------------------------- */

static void memory_close(struct store *store)
{
	struct memory *memory = (struct memory *)store;

	g_hash_table_destroy(memory->newest);
	g_hash_table_destroy(memory->users);
	g_ptr_array_unref(memory->rows);
	g_tree_destroy(memory->entries);
	g_hash_table_destroy(memory->values);
	table_free(&memory->tokens);
	table_free(&memory->next_tokens);
	g_array_unref(memory->next_retrained);
	g_array_unref(memory->retrained);
	g_free(memory);
}

static const struct store_driver memory_driver = {
	.close = memory_close,
	.writable = memory_writable,
	.append = memory_append,
	.find = memory_find,
	.write_checkpoint = memory_write_checkpoint,
	.replace_tokens = memory_replace_tokens,
	.stage = memory_stage,
	.clear_stage = memory_clear_stage,
	.adopt = memory_adopt,
	.log_is_due = memory_log_is_due,
	.move_log = memory_move_log,
	.make_room = memory_make_room,
	.keep_room = memory_keep_room,
	.compact = memory_compact,
	.forget_users = memory_forget_users,
	.merge = memory_merge,
	.keep_copy = memory_keep_copy,
	.give_back = memory_give_back,
	.put_entries = memory_put_entries,
	.put = memory_put,
	.reader_open = memory_reader_open,
	.reader_close = memory_reader_close,
	.get = memory_get,
	.user_reports = memory_user_reports,
	.journal = memory_journal,
	.shares = memory_shares,
	.entries = memory_entries,
	.next_scope = memory_next_scope,
	.read_checkpoint = memory_read_checkpoint,
	.tokens = memory_tokens,
	.reports_after = memory_reports_after,
	.counting_reports = memory_counting_reports,
	.read_span = memory_read_span,
	.oldest_before = memory_oldest_before,
	.oldest = memory_oldest,
	.users = memory_users,
	.read_size = memory_read_size,
	.read_stats = memory_read_stats,
};

enum status store_open_memory(struct store **result, struct failure *failure)
{
	struct table *tokens = table_new(0), *next = table_new(0);

	*result = NULL;
	if (!tokens || !next) {
		table_free(&tokens);
		table_free(&next);
		return failure_set(failure, STATUS_NOMEM, "opening a store: out of memory");
	}
	table_track(tokens);
	table_track(next);
	struct memory *memory = g_new0(struct memory, 1);
	memory->store.driver = &memory_driver;
	memory->tokens = tokens;
	memory->next_tokens = next;
	memory->retrained = g_array_new(FALSE, FALSE, sizeof(struct store_retrained));
	memory->next_retrained = g_array_new(FALSE, FALSE, sizeof(struct store_retrained));
	memory->rows = g_ptr_array_new_with_free_func(memory_free_row);
	memory->users = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_user);
	memory->newest = g_hash_table_new(hash_row, equal_rows);
	memory->entries = memory_entries_new();
	memory->values = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	*result = &memory->store;
	return STATUS_OK;
}
