/* Sorts the entries of a change, and counts them against the limits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/entry-list.h"

#include <string.h>

#include "engine/service/scope/scope.h"

/* In one scope as store_entries walks it. */
static int compare(const struct store_entry *a, const struct store_entry *b)
{
	int order = strcmp(a->scope, b->scope);

	if (order == 0)
		order = a->kind - b->kind;
	return order ? order : strcmp(a->name, b->name);
}

static gint compare_pointers(gconstpointer a, gconstpointer b)
{
	return compare(*(struct store_entry *const *)a, *(struct store_entry *const *)b);
}

GPtrArray *entry_list_settle(GPtrArray *entries)
{
	GPtrArray *settled = g_ptr_array_sized_new(entries->len);

	g_ptr_array_sort(entries, compare_pointers); /* keeps the order of equals */
	for (guint i = 0; i < entries->len; i++) {
		if (i + 1 == entries->len || compare(entries->pdata[i], entries->pdata[i + 1]) != 0)
			g_ptr_array_add(settled, entries->pdata[i]);
	}
	return settled;
}

/* --- Limits -------------------------------------------------------------------- */

/* One scope: what it has, beside what is to come. Both are in the same order. */
struct tally {
	const struct store_entry *const *next, *const *end; /* of what is to come */
	size_t present;
	size_t added; /* of what is to come and not a removal, those that are not there yet */
	size_t removed;
};

/* Of all else there are few names. */
static bool is_limited(const struct store_entry *entry)
{
	return entry->kind == ENTRY_LIST || entry->kind == ENTRY_TRUST;
}

static enum status count_entry(void *context, const struct store_entry *entry)
{
	struct tally *tally = context;

	if (!is_limited(entry))
		return STATUS_OK;
	tally->present++;
	while (tally->next < tally->end && compare(*tally->next, entry) < 0)
		tally->next++;
	if (tally->next < tally->end && compare(*tally->next, entry) == 0) {
		if ((*tally->next)->value)
			tally->added--;
		else
			tally->removed++;
	}
	return STATUS_OK;
}

static enum status check_scope_limit(
	struct tally *tally, struct store_reader *reader, struct failure *failure)
{
	const char *scope = (*tally->next)->scope;
	size_t most = entries_most(scope);

	for (const struct store_entry *const *entry = tally->next; entry < tally->end; entry++)
		tally->added += is_limited(*entry) && (*entry)->value;
	if (tally->added == 0)
		return STATUS_OK;
	enum status status = store_entries(reader, scope, 0, count_entry, tally, failure);
	/* Who has more already may exchange some of it. */
	if (status == STATUS_OK && tally->added > tally->removed &&
		tally->present + tally->added - tally->removed > most)
		status = failure_set(failure, STATUS_LIMIT,
			"lists of %.80s: %zu entries are too many, at most %zu are kept",
			*scope ? scope : "the site", tally->present + tally->added - tally->removed,
			most);
	return status;
}

enum status entry_list_check(
	const GPtrArray *entries, struct store_reader *reader, struct failure *failure)
{
	const struct store_entry *const *all = (const struct store_entry *const *)entries->pdata;
	enum status status = STATUS_OK;

	for (guint i = 0, end; i < entries->len && status == STATUS_OK; i = end) {
		for (end = i + 1; end < entries->len; end++) {
			if (strcmp(all[end]->scope, all[i]->scope) != 0)
				break;
		}
		struct tally tally = {.next = all + i, .end = all + end};
		status = check_scope_limit(&tally, reader, failure);
	}
	return status;
}
