/* The store in memory: its rows, and what changes write.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store/memory/memory.h"

#include <glib.h>

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

struct row *memory_find_row(const struct memory *memory, const char *name, uint64_t message)
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
		row->supersedes = memory_find_row(memory, report->user, report->message);
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

void memory_strip(struct row *row)
{
	g_free(row->tokens);
	row->tokens = NULL;
	row->size = 0;
}

static enum status check_seq(const struct memory *memory, int64_t seq, struct failure *failure)
{
	return seq > (int64_t)memory->rows->len
		? failure_set(failure, STATUS_INVALID, "no report %lld", (long long)seq)
		: STATUS_OK;
}

/* What is to be refused is refused before anything is written. */
static enum status check_seqs(
	const struct memory *memory, const struct store_change *change, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (change->rows)
		status = check_seq(memory, store_last_included(change->rows->checkpoint), failure);
	if (status == STATUS_OK && change->generation && change->generation->checkpoint)
		status = check_seq(memory, change->generation->checkpoint->seq, failure);
	return status;
}

static void strip_rows(struct memory *memory, int64_t until)
{
	while (memory->stripped < until) {
		struct row *row = memory->rows->pdata[memory->stripped++];
		if (row && row->supersedes)
			memory_strip(row->supersedes);
		if (row && row->report.label == LABEL_FORGET)
			memory_strip(row);
	}
}

static void replace_rows(struct memory *memory, const struct store_rows *rows)
{
	if (rows->how != ROWS_CHANGED)
		g_hash_table_remove_all(memory->tokens);
	memory_put_tokens(memory->tokens, rows->tokens, rows->count);
	strip_rows(memory, rows->checkpoint->seq);
	memory->checkpoint = *rows->checkpoint;
}

static enum status memory_commit(
	struct store *store, const struct store_change *change, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	enum status status = check_seqs(memory, change, failure);

	if (status != STATUS_OK)
		return status;
	if (change->merge)
		memory_merge(memory, change->merge);
	if (change->rows)
		replace_rows(memory, change->rows);
	if (change->removal) {
		memory_forget_former(memory);
		memory_take_out(memory, change->removal);
	}
	if (change->generation)
		memory_take_over(memory, change->generation);
	for (size_t i = 0; i < change->report_count; i++)
		add_row(memory, &change->reports[i]);
	memory_put_entries(memory, change->entries, change->entry_count);
	for (size_t i = 0; i < change->value_count; i++)
		g_hash_table_replace(memory->values, g_strdup(change->values[i].name),
			g_bytes_new(change->values[i].bytes, change->values[i].size));
	return STATUS_OK;
}

static enum status memory_tidy(struct store *store, enum store_tidying effort,
	struct store_tidied *tidied, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	(void)failure;

	if (effort == TIDY_SOME)
		tidied->users = memory_forget_users(memory);
	else if (effort == TIDY_FORMER)
		memory_forget_former(memory);
	return STATUS_OK;
}

static enum status memory_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure)
{
	(void)store;
	(void)suffix;
	(void)copy;
	(void)room;
	(void)failure;
	return STATUS_OK;
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
	g_hash_table_destroy(memory->tokens);
	g_hash_table_destroy(memory->next_tokens);
	g_array_unref(memory->next_retrained);
	g_array_unref(memory->retrained);
	g_free(memory);
}

static const struct store_driver memory_driver = {
	.close = memory_close,
	.commit = memory_commit,
	.tidy = memory_tidy,
	.keep_copy = memory_keep_copy,
	.reader_open = memory_reader_open,
	.reader_close = memory_reader_close,
	.get = memory_get,
	.find = memory_find,
	.reports = memory_reports,
	.shares = memory_shares,
	.tokens = memory_tokens,
	.entries = memory_entries,
	.next_scope = memory_next_scope,
	.users = memory_users,
	.read_stats = memory_read_stats,
};

enum status memory_store_open(
	struct store **result, const char *name, enum store_mode mode, struct failure *failure)
{
	struct memory *memory = g_new0(struct memory, 1);
	(void)name;
	(void)failure;

	memory->store.driver = &memory_driver;
	memory->store.writable = mode == STORE_WRITE;
	memory->tokens = memory_tokens_new();
	memory->next_tokens = memory_tokens_new();
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
