/* The store in memory: two users become one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <glib.h>

#include "engine/store/memory/memory.h"

static gint compare_seqs(gconstpointer a, gconstpointer b)
{
	const struct row *first = *(struct row *const *)a, *second = *(struct row *const *)b;

	return first->report.seq < second->report.seq ? -1 : 1;
}

static bool is_muted(const struct row *row)
{
	return (row->report.flags & REPORT_MUTED) != 0;
}

static void forget_newest(struct memory *memory, const GPtrArray *rows)
{
	for (guint i = 0; i < rows->len; i++) {
		if (g_hash_table_lookup(memory->newest, rows->pdata[i]) == rows->pdata[i])
			g_hash_table_remove(memory->newest, rows->pdata[i]);
	}
}

static void supersede(struct memory *memory, struct row *row)
{
	row->successor = NULL;
	row->supersedes = g_hash_table_lookup(memory->newest, row);
	if (row->supersedes)
		row->supersedes->successor = row;
	g_hash_table_replace(memory->newest, row, row);
}

static bool both_told(struct memory *memory, const struct user *from, struct user *to)
{
	for (guint i = 0; i < from->rows->len; i++) {
		const struct row *row = from->rows->pdata[i];
		struct row wanted = {.user = to};

		wanted.report.message = row->report.message;
		if (!is_muted(row) && g_hash_table_contains(memory->newest, &wanted))
			return true;
	}
	return false;
}

static void join_users(
	struct memory *memory, struct user *from, struct user *to, struct store_merge *merge)
{
	merge->refold = both_told(memory, from, to);
	merge->reports = from->rows->len;
	forget_newest(memory, from->rows);
	forget_newest(memory, to->rows);
	for (guint i = 0; i < from->rows->len; i++)
		g_ptr_array_add(to->rows, from->rows->pdata[i]);
	g_ptr_array_sort(to->rows, compare_seqs);
	for (guint i = 0; i < to->rows->len; i++) {
		struct row *row = to->rows->pdata[i];
		row->user = to;
		if (!is_muted(row))
			supersede(memory, row);
		if (merge->refold && row->supersedes)
			memory_strip(row->supersedes);
	}
	g_hash_table_remove(memory->users, merge->from);
}

static void rename_user(struct memory *memory, struct user *user, const char *name)
{
	g_hash_table_steal(memory->users, user->name);
	g_free(user->name);
	user->name = g_strdup(name);
	g_hash_table_insert(memory->users, user->name, user);
}

void memory_merge(struct memory *memory, struct store_merge *merge)
{
	struct user *from = g_hash_table_lookup(memory->users, merge->from);
	struct user *to = g_hash_table_lookup(memory->users, merge->to);
	struct store_removal removal = {
		.kind = REMOVE_SHARED, .until = INT64_MAX, .user = merge->to};

	if (from && to)
		join_users(memory, from, to, merge);
	else if (from)
		rename_user(memory, from, merge->to);
	if (merge->withdraw) {
		merge->refold = true;
		memory_take_out(memory, &removal);
	}
	if (merge->refold) {
		g_hash_table_remove_all(memory->tokens);
		memory->checkpoint = (struct store_checkpoint){0};
		memory_forget_former(memory);
	}
}
