/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The store in memory, for tests and evaluation: containers of GLib, which ends
 * the program when memory does. A reader sees what the writer has appended, in
 * one thread. */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/store/driver.h"
#include "engine/store/pack.h"
#include "engine/store/table.h"

struct user {
	char *name;
	GPtrArray *rows; /* in the order of arrival */
};

struct row {
	struct report report; /* user and keys NULL */
	struct user *user;
	unsigned char *tokens;
	size_t size;
	struct row *supersedes; /* NULL = none, or it is gone */
	struct row *successor;  /* that supersedes this one */
	const struct store_retrained *retrained; /* of the memory's generation; NULL = none */
};

struct memory {
	struct store store;
	GPtrArray *rows;    /* row i has sequence number i + 1; NULL = erased */
	GHashTable *users;  /* by name */
	GHashTable *newest; /* rows as a set, by user and message; no muted ones */
	GTree *entries;     /* struct store_entry, owned */
	GHashTable *values; /* GBytes by name */
	size_t count;       /* rows that are not erased */
	struct table *tokens;
	struct store_checkpoint checkpoint;
	GArray *retrained; /* struct store_retrained */
	struct table *next_tokens;
	GArray *next_retrained;
};

struct memory_reader {
	struct store_reader reader;
	struct memory *memory;
};

static struct memory *memory_of(struct store_reader *reader)
{
	return ((struct memory_reader *)reader)->memory;
}

/* --- Containers ---------------------------------------------------------- */

static void free_user(gpointer data)
{
	struct user *user = data;

	g_ptr_array_unref(user->rows);
	g_free(user->name);
	g_free(user);
}

static void free_row(gpointer data)
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

static gint compare_entries(gconstpointer a, gconstpointer b, gpointer unused)
{
	const struct store_entry *first = a, *second = b;
	int order = strcmp(first->scope, second->scope);
	(void)unused;

	if (order == 0)
		order = first->kind - second->kind;
	return order ? order : strcmp(first->name, second->name);
}

static struct store_entry *copy_entry(const struct store_entry *entry)
{
	struct store_entry *copy = g_new(struct store_entry, 1);

	*copy = *entry;
	copy->scope = g_strdup(entry->scope);
	copy->name = g_strdup(entry->name);
	copy->value = g_strdup(entry->value);
	return copy;
}

static void free_entry(gpointer data)
{
	struct store_entry *entry = data;

	g_free((char *)entry->scope);
	g_free((char *)entry->name);
	g_free((char *)entry->value);
	g_free(entry);
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

/* The report with the numbers that it has now. */
static struct report present(const struct row *row)
{
	struct report report = row->report;

	if (row->retrained) {
		report.global = row->retrained->global;
		report.margin = row->retrained->margin;
		report.retrained = true;
	}
	return report;
}

static enum status memory_find(struct store *store, const char *user, uint64_t message,
	struct report *report, struct failure *failure)
{
	const struct row *row = find_row((const struct memory *)store, user, message);

	if (!row)
		return failure_set(failure, STATUS_NOTFOUND, "no such report");
	*report = present(row);
	report->user = user;
	report->count = 0;
	return STATUS_OK;
}

static void strip(struct row *row)
{
	g_free(row->tokens);
	row->tokens = NULL;
	row->size = 0;
}

static enum status memory_put_entries(struct store *store, const struct store_entry *entries,
	size_t count, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	(void)failure;

	for (size_t i = 0; i < count; i++) {
		if (!entries[i].value) {
			g_tree_remove(memory->entries, &entries[i]);
			continue;
		}
		struct store_entry *copy = copy_entry(&entries[i]);
		g_tree_replace(memory->entries, copy, copy);
	}
	return STATUS_OK;
}

static gboolean collect_entry(gpointer key, gpointer value, gpointer data)
{
	(void)value;
	g_ptr_array_add(data, key);
	return FALSE;
}

/* All entries, in order; borrowed. */
static GPtrArray *all_entries(const struct memory *memory)
{
	GPtrArray *list = g_ptr_array_new();

	g_tree_foreach(memory->entries, collect_entry, list);
	return list;
}

static void remove_row(struct memory *memory, struct row *row)
{
	if (g_hash_table_lookup(memory->newest, row) == row)
		g_hash_table_remove(memory->newest, row);
	if (row->successor)
		row->successor->supersedes = NULL;
	if (row->supersedes)
		row->supersedes->successor = NULL;
	memory->rows->pdata[row->report.seq - 1] = NULL;
	memory->count--;
	free_row(row);
}

/* A user's rows up to a number. */
static void remove_rows(struct memory *memory, struct user *user, int64_t until,
	struct store_removal *removal)
{
	guint gone = 0;

	while (gone < user->rows->len &&
		((struct row *)user->rows->pdata[gone])->report.seq <= until)
		remove_row(memory, user->rows->pdata[gone++]);
	if (gone > 0)
		g_ptr_array_remove_range(user->rows, 0, gone);
	removal->reports += gone;
}

static void erase_user(struct memory *memory, struct store_removal *removal)
{
	struct user *user = g_hash_table_lookup(memory->users, removal->user);
	GPtrArray *entries = all_entries(memory);

	for (guint i = 0; i < entries->len; i++) {
		struct store_entry *entry = entries->pdata[i];
		if (strcmp(entry->scope, removal->user) == 0)
			removal->entries += g_tree_remove(memory->entries, entry);
	}
	g_ptr_array_unref(entries);
	if (user) {
		remove_rows(memory, user, INT64_MAX, removal);
		g_hash_table_remove(memory->users, removal->user);
	}
}

static void remove_old(struct memory *memory, struct store_removal *removal)
{
	GHashTableIter iter;
	gpointer user;

	g_hash_table_iter_init(&iter, memory->users);
	while (g_hash_table_iter_next(&iter, NULL, &user)) {
		if (!removal->user || strcmp(((struct user *)user)->name, removal->user) == 0)
			remove_rows(memory, user, removal->until, removal);
	}
}

static void withdraw_user(struct memory *memory, struct store_removal *removal)
{
	struct user *user = g_hash_table_lookup(memory->users, removal->user);

	for (guint i = 0; user && i < user->rows->len; i++) {
		struct row *row = user->rows->pdata[i];
		struct report *report = &row->report;
		row->retrained = NULL;
		if (!(report->flags & REPORT_CONSENT))
			continue;
		report->flags &= ~(unsigned)REPORT_CONSENT;
		report->global = report->undone = (struct contribution){0};
		removal->reports++;
	}
}

static void take_out(struct memory *memory, struct store_removal *removal)
{
	switch (removal->kind) {
	case REMOVE_SHARED:
		withdraw_user(memory, removal);
		break;
	case REMOVE_USER:
		erase_user(memory, removal);
		break;
	case REMOVE_OLD:
		remove_old(memory, removal);
		break;
	}
}

static enum status clear_stage(struct memory *memory, struct failure *failure)
{
	struct table *tokens = table_new(0);

	if (!tokens)
		return failure_set(failure, STATUS_NOMEM, "adopting a generation: out of memory");
	table_track(tokens);
	table_free(&memory->next_tokens);
	memory->next_tokens = tokens;
	g_array_set_size(memory->next_retrained, 0);
	return STATUS_OK;
}

static enum status memory_write_checkpoint(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	struct memory *memory = (struct memory *)store;

	if (store_last_included(checkpoint) > (int64_t)memory->rows->len)
		return failure_set(failure, STATUS_INVALID, "no report %lld",
			(long long)store_last_included(checkpoint));
	if (removal && clear_stage(memory, failure) != STATUS_OK)
		return STATUS_NOMEM;
	for (size_t i = 0; i < count; i++) {
		if (table_set(memory->tokens, tokens[i].key, tokens[i].sum, tokens[i].gain) !=
			STATUS_OK)
			return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	}
	for (int64_t seq = memory->checkpoint.seq + 1; seq <= checkpoint->seq; seq++) {
		struct row *row = memory->rows->pdata[seq - 1];
		if (row && row->supersedes)
			strip(row->supersedes);
		if (row && row->report.label == LABEL_FORGET)
			strip(row);
	}
	memory->checkpoint = *checkpoint;
	if (removal)
		take_out(memory, removal);
	return removal && removal->entry ? memory_put_entries(store, removal->entry, 1, failure)
					 : STATUS_OK;
}

static enum status memory_replace_tokens(struct store *store, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	struct table *empty = table_new(0);

	if (!empty)
		return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	table_track(empty);
	table_free(&memory->tokens);
	memory->tokens = empty;
	return memory_write_checkpoint(store, NULL, tokens, count, checkpoint, failure);
}

static enum status put_piece(
	struct memory *memory, const struct store_piece *piece, struct failure *failure)
{
	g_array_append_vals(
		memory->next_retrained, piece->reports, (guint)piece->report_count);
	for (size_t i = 0; i < piece->token_count; i++) {
		const struct store_token *token = &piece->tokens[i];
		if (table_set(memory->next_tokens, token->key, token->sum, token->gain) !=
			STATUS_OK)
			return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	}
	return STATUS_OK;
}

static enum status memory_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure)
{
	return put_piece((struct memory *)store, piece, failure);
}

static enum status memory_clear_stage(
	struct store *store, size_t rows, bool *more, struct failure *failure)
{
	(void)rows; /* all at once takes no time */
	*more = false;
	return clear_stage((struct memory *)store, failure);
}

static void exchange_rows(struct memory *memory)
{
	GArray *reports = memory->next_retrained;
	struct table *tokens = memory->next_tokens;

	memory->next_retrained = memory->retrained;
	memory->retrained = reports;
	memory->next_tokens = memory->tokens;
	memory->tokens = tokens;
	for (guint i = 0; i < memory->rows->len; i++) {
		if (memory->rows->pdata[i])
			((struct row *)memory->rows->pdata[i])->retrained = NULL;
	}
	for (guint i = 0; i < reports->len; i++) {
		const struct store_retrained *report =
			&g_array_index(reports, struct store_retrained, i);
		if (report->seq <= (int64_t)memory->rows->len && memory->rows->pdata[report->seq - 1])
			((struct row *)memory->rows->pdata[report->seq - 1])->retrained = report;
	}
}

static void clear_entries(struct memory *memory, int kind)
{
	GPtrArray *entries = all_entries(memory);

	for (guint i = 0; i < entries->len; i++) {
		if (((struct store_entry *)entries->pdata[i])->kind == kind)
			g_tree_remove(memory->entries, entries->pdata[i]);
	}
	g_ptr_array_unref(entries);
}

static enum status memory_adopt(struct store *store, const struct store_generation *generation,
	struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	enum status status;

	if (generation->checkpoint.seq > (int64_t)memory->rows->len)
		return failure_set(failure, STATUS_INVALID, "no report %lld",
			(long long)generation->checkpoint.seq);
	status = put_piece(memory, &generation->rest, failure);
	if (status != STATUS_OK)
		return status;
	exchange_rows(memory);
	clear_entries(memory, generation->entry_kind);
	memory->checkpoint = generation->checkpoint;
	return memory_put_entries(
		store, generation->entries, generation->entry_count, failure);
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

static enum status memory_compact(struct store *store, struct failure *failure)
{
	(void)store;
	(void)failure;
	return STATUS_OK;
}

static gboolean has_no_rows(gpointer name, gpointer user, gpointer unused)
{
	(void)name;
	(void)unused;
	return ((struct user *)user)->rows->len == 0;
}

static enum status memory_forget_users(
	struct store *store, int64_t *count, struct failure *failure)
{
	(void)failure;
	*count = g_hash_table_foreach_remove(
		((struct memory *)store)->users, has_no_rows, NULL);
	return STATUS_OK;
}

static enum status memory_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure)
{
	(void)store;
	(void)bytes;
	(void)returned;
	(void)failure;
	return STATUS_OK;
}

static enum status memory_put(struct store *store, const char *name, const void *bytes, size_t size,
	struct failure *failure)
{
	(void)failure;
	g_hash_table_replace(
		((struct memory *)store)->values, g_strdup(name), g_bytes_new(bytes, size));
	return STATUS_OK;
}

static bool memory_writable(const struct store *store)
{
	(void)store;
	return true;
}

/* --- Reading ------------------------------------------------------------- */

static enum status memory_get(struct store_reader *reader, const char *name, void *bytes,
	size_t *size, struct failure *failure)
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

/* Unpacks a row's tokens and hands the report to the caller. */
static enum status give_row(
	const struct row *row, store_report_fn *each, void *context, struct failure *failure)
{
	uint64_t keys[STORE_MAX_TOKENS];
	struct report report = present(row);

	report.user = row->user->name;
	report.count = 0;
	if (row->tokens && pack_read(row->tokens, row->size, keys, STORE_MAX_TOKENS, &report.count) !=
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

static enum status memory_user_reports(struct store_reader *reader, const char *name, size_t limit,
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

/* Hands over the rows of a list with seq > `after`. */
static enum status give_rows(const GPtrArray *rows, int64_t after, store_report_fn *each,
	void *context, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (guint i = 0; i < rows->len && status == STATUS_OK; i++) {
		const struct row *row = rows->pdata[i];
		if (row && row->report.seq > after)
			status = give_row(row, each, context, failure);
	}
	return status;
}

static enum status memory_journal(struct store_reader *reader, const char *name, int64_t after,
	store_report_fn *each, void *context, struct failure *failure)
{
	const struct user *user = g_hash_table_lookup(memory_of(reader)->users, name);

	return user ? give_rows(user->rows, after, each, context, failure) : STATUS_OK;
}

static enum status memory_reports_after(struct store_reader *reader, int64_t after,
	store_report_fn *each, void *context, struct failure *failure)
{
	return give_rows(memory_of(reader)->rows, after, each, context, failure);
}

static enum status memory_counting_reports(struct store_reader *reader, store_report_fn *each,
	void *context, struct failure *failure)
{
	const GPtrArray *rows = memory_of(reader)->rows;
	enum status status = STATUS_OK;

	for (guint i = 0; i < rows->len && status == STATUS_OK; i++) {
		if (rows->pdata[i] && counts(rows->pdata[i]))
			status = give_row(rows->pdata[i], each, context, failure);
	}
	return status;
}

static enum status memory_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure)
{
	GPtrArray *list = all_entries(memory_of(reader));
	enum status status = STATUS_OK;
	(void)failure;

	for (guint i = 0; i < list->len && status == STATUS_OK; i++) {
		const struct store_entry *entry = list->pdata[i];
		if (strcmp(entry->scope, scope) == 0 && (kind == 0 || entry->kind == kind))
			status = each(context, entry);
	}
	g_ptr_array_unref(list);
	return status;
}

static enum status memory_read_checkpoint(struct store_reader *reader,
	struct store_checkpoint *checkpoint, struct failure *failure)
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

static enum status memory_tokens(struct store_reader *reader, store_token_fn *each, void *context,
	struct failure *failure)
{
	struct token_walk walk = {.each = each, .context = context, .status = STATUS_OK};
	(void)failure;

	/* The table tracks changes and is never cleaned: all of it is "dirty". */
	table_dirty(memory_of(reader)->tokens, 0, STORE_RANGES, give_token, &walk);
	return walk.status;
}

static enum status memory_first_since(
	struct store_reader *reader, int64_t time, int64_t *seq, struct failure *failure)
{
	const GPtrArray *rows = memory_of(reader)->rows;
	guint at = 0;
	(void)failure;

	while (at < rows->len && (!rows->pdata[at] ||
					 ((struct row *)rows->pdata[at])->report.time < time))
		at++;
	*seq = (int64_t)at + 1;
	return STATUS_OK;
}

static enum status memory_oldest(
	struct store_reader *reader, size_t count, int64_t *seq, struct failure *failure)
{
	const GPtrArray *rows = memory_of(reader)->rows;
	(void)failure;

	*seq = 0;
	for (guint at = 0; at < rows->len && count > 0; at++) {
		if (rows->pdata[at]) {
			*seq = (int64_t)at + 1;
			count--;
		}
	}
	return STATUS_OK;
}

static enum status memory_beyond_newest(struct store_reader *reader, const char *name,
	size_t count, int64_t *seq, struct failure *failure)
{
	const struct user *user = g_hash_table_lookup(memory_of(reader)->users, name);
	(void)failure;

	*seq = 0;
	if (user && user->rows->len > count)
		*seq = ((struct row *)user->rows->pdata[user->rows->len - 1 - count])->report.seq;
	return STATUS_OK;
}

static enum status memory_users(struct store_reader *reader, store_user_fn *each, void *context,
	struct failure *failure)
{
	GHashTableIter iter;
	gpointer value;
	enum status status = STATUS_OK;
	(void)failure;

	g_hash_table_iter_init(&iter, memory_of(reader)->users);
	while (status == STATUS_OK && g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct user *user = value;
		if (user->rows->len == 0)
			continue;
		const struct row *newest = user->rows->pdata[user->rows->len - 1];
		status = each(context, &(struct store_user){.name = user->name,
			.reports = user->rows->len,
			.last_seq = newest->report.seq,
			.last_time = newest->report.time});
	}
	return status;
}

static enum status memory_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure)
{
	(void)reader;
	(void)failure;
	*size = (struct store_size){0};
	return STATUS_OK;
}

static enum status memory_read_stats(
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

/* --- Life ---------------------------------------------------------------- */

static enum status memory_reader_open(
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

static void memory_reader_close(struct store_reader *reader)
{
	free(reader);
}

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
	.compact = memory_compact,
	.forget_users = memory_forget_users,
	.give_back = memory_give_back,
	.put_entries = memory_put_entries,
	.put = memory_put,
	.reader_open = memory_reader_open,
	.reader_close = memory_reader_close,
	.get = memory_get,
	.user_reports = memory_user_reports,
	.journal = memory_journal,
	.entries = memory_entries,
	.read_checkpoint = memory_read_checkpoint,
	.tokens = memory_tokens,
	.reports_after = memory_reports_after,
	.counting_reports = memory_counting_reports,
	.first_since = memory_first_since,
	.oldest = memory_oldest,
	.beyond_newest = memory_beyond_newest,
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
	memory->rows = g_ptr_array_new_with_free_func(free_row);
	memory->users = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_user);
	memory->newest = g_hash_table_new(hash_row, equal_rows);
	memory->entries = g_tree_new_full(compare_entries, NULL, NULL, free_entry);
	memory->values = g_hash_table_new_full(
		g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
	*result = &memory->store;
	return STATUS_OK;
}
