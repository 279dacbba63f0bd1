/* The store in memory: reports, entries and users that go.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <glib.h>

#include "engine/store/memory/memory.h"

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
	memory_free_row(row);
}

/* A user's rows up to a number. */
static void remove_rows(
	struct memory *memory, struct user *user, int64_t until, struct store_removal *removal)
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

	removal->entries += memory_erase_entries(memory, removal->user);
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
		if (report->seq > removal->until)
			return;
		row->retrained = NULL;
		if (!(report->flags & REPORT_CONSENT))
			continue;
		report->flags &= ~(unsigned)REPORT_CONSENT;
		report->global = report->undone = (struct contribution){0};
		removal->reports++;
	}
}

void memory_take_out(struct memory *memory, struct store_removal *removal)
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

int64_t memory_forget_users(struct memory *memory)
{
	GHashTableIter iter;
	gpointer name, user;
	int64_t count = 0;

	g_hash_table_iter_init(&iter, memory->users);
	while (g_hash_table_iter_next(&iter, &name, &user)) {
		if (*(const char *)name && ((struct user *)user)->rows->len == 0) {
			g_hash_table_iter_remove(&iter);
			count++;
		}
	}
	return count;
}

static gint compare_user_names(gconstpointer left, gconstpointer right)
{
	return strcmp(left, right);
}

/* Users whose names come after `after`, by name; the caller frees the list. */
static GList *users_after(struct memory *memory, const char *after)
{
	GList *names = g_list_sort(g_hash_table_get_keys(memory->users), compare_user_names);

	while (names && strcmp(names->data, after) <= 0)
		names = g_list_delete_link(names, names);
	for (GList *name = names; name; name = name->next)
		name->data = g_hash_table_lookup(memory->users, name->data);
	return names;
}

static enum status give_user(const struct user *user, store_user_fn *each, void *context)
{
	struct store_user given = {.name = user->name, .reports = user->rows->len};

	if (user->rows->len > 0)
		given.last_time =
			((struct row *)user->rows->pdata[user->rows->len - 1])->report.time;
	return each(context, &given);
}

enum status memory_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure)
{
	GList *list = users_after(memory_of(reader), after);
	enum status status = STATUS_OK;
	size_t given = 0;
	(void)failure;

	for (GList *item = list; item && given < rows && status == STATUS_OK; item = item->next) {
		const struct user *user = item->data;
		status = give_user(user, each, context);
		given += MAX(user->rows->len, 1);
	}
	g_list_free(list);
	return status;
}
