/* The store in memory: entries.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <glib.h>

#include "engine/store/memory/memory.h"

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

GTree *memory_entries_new(void)
{
	return g_tree_new_full(compare_entries, NULL, NULL, free_entry);
}

void memory_put_entries(struct memory *memory, const struct store_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!entries[i].value) {
			g_tree_remove(memory->entries, &entries[i]);
			continue;
		}
		struct store_entry *copy = copy_entry(&entries[i]);
		g_tree_replace(memory->entries, copy, copy);
	}
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

size_t memory_erase_entries(struct memory *memory, const char *scope)
{
	GPtrArray *entries = all_entries(memory);
	size_t erased = 0;

	for (guint i = 0; i < entries->len; i++) {
		struct store_entry *entry = entries->pdata[i];
		if (strcmp(entry->scope, scope) == 0)
			erased += g_tree_remove(memory->entries, entry);
	}
	g_ptr_array_unref(entries);
	return erased;
}

void memory_clear_entries(struct memory *memory, int kind)
{
	GPtrArray *entries = all_entries(memory);

	for (guint i = 0; i < entries->len; i++) {
		if (((struct store_entry *)entries->pdata[i])->kind == kind)
			g_tree_remove(memory->entries, entries->pdata[i]);
	}
	g_ptr_array_unref(entries);
}

enum status memory_entries(struct store_reader *reader, const char *scope, int kind,
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

enum status memory_next_scope(struct store_reader *reader, char *scope, struct failure *failure)
{
	GPtrArray *list = all_entries(memory_of(reader));
	const char *next = "";
	(void)failure;

	for (guint i = 0; i < list->len && !*next; i++) {
		const struct store_entry *entry = list->pdata[i];
		if (strcmp(entry->scope, scope) > 0)
			next = entry->scope;
	}
	g_strlcpy(scope, next, STORE_MAX_USER + 1);
	g_ptr_array_unref(list);
	return STATUS_OK;
}
