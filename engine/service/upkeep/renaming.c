/* Walks all names in a store and merges those that mean one user.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/renaming.h"

#include <string.h>
#include <time.h>

#include <glib.h>

#include "engine/service/scope/scope.h"

/* The store's value with the rules that names were written by. */
#define WRITTEN_BY "user-naming"

/* Reports that the users of a piece have together: they are counted. */
enum { PIECE_REPORTS = 20000, RULES_BYTES = 64 };

struct run {
	struct store *store;
	struct store_reader *reader;
	const struct user_naming *naming;
	struct renaming *renaming;
	renaming_watch_fn *watch;
	void *context;
	bool copied; /* or tried to */
};

/* --- Rules ----------------------------------------------------------------------- */

static void describe(const struct user_naming *naming, char rules[RULES_BYTES])
{
	g_snprintf(
		rules, RULES_BYTES, "1 %s %s", naming->fold ? "fold" : "keep", naming->delimiters);
}

/* "" = names were never written by any. */
static enum status read_rules(
	struct store_reader *reader, char rules[RULES_BYTES], struct failure *failure)
{
	size_t size = RULES_BYTES - 1;
	enum status status = store_get(reader, WRITTEN_BY, rules, &size, failure);

	if (status == STATUS_NOTFOUND || status == STATUS_LIMIT) {
		size = 0;
		status = STATUS_OK;
		*failure = (struct failure){0};
	}
	rules[status == STATUS_OK ? size : 0] = '\0';
	return status;
}

enum status renaming_check(
	struct store *store, const struct user_naming *naming, struct failure *failure)
{
	char wanted[RULES_BYTES], written[RULES_BYTES] = "";
	struct store_reader *reader;
	enum status status = store_reader_open(store, &reader, failure);

	if (status != STATUS_OK)
		return status;
	describe(naming, wanted);
	status = read_rules(reader, written, failure);
	if (status == STATUS_OK && *written && strcmp(written, wanted) != 0)
		status = failure_set(failure, STATUS_INVALID,
			"users in the database are named by other rules (user-case and "
			"recipient-delimiter: %s) than this configuration's: name hamletd's with "
			"--config, or start hamletd once, which renames them",
			written + strcspn(written, " "));
	store_reader_close(&reader);
	return status;
}

/* --- Two names of one user ------------------------------------------------------------ */

/* What both have laid down, and what is to be. */
struct settling {
	const char *from, *to;
	GArray *former; /* struct store_entry of `from`, with strings of their own */
	GArray *present; /* likewise of `to` */
	GArray *changes; /* struct store_entry, borrowed from these */
	bool withdraw;
};

static void clear_entry(gpointer data)
{
	struct store_entry *entry = data;

	g_free((char *)entry->name);
	g_free((char *)entry->value);
}

static GArray *entries_new(void)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct store_entry));

	g_array_set_clear_func(list, clear_entry);
	return list;
}

static enum status copy_entry_of(void *context, const struct store_entry *entry)
{
	struct store_entry copy = *entry;

	copy.scope = NULL;
	copy.name = g_strdup(entry->name);
	copy.value = g_strdup(entry->value);
	g_array_append_val((GArray *)context, copy);
	return STATUS_OK;
}

/* As store_entries walks them. */
static int compare_walked(const struct store_entry *first, const struct store_entry *second)
{
	int order = first->kind - second->kind;

	return order ? order : strcmp(first->name, second->name);
}

/* Does the first one hold, though the second one is there? */
static bool prevails(const struct store_entry *first, const struct store_entry *second)
{
	if (first->kind == ENTRY_CONSENT) {
		enum consent_state one = consent_named(first->value),
				   other = consent_named(second->value);
		if ((one == CONSENT_BARRED) != (other == CONSENT_BARRED))
			return one == CONSENT_BARRED;
		if (first->time == second->time)
			return one != CONSENT_YES;
	}
	return first->time > second->time;
}

static void add_change(struct settling *settling, const struct store_entry *entry,
	const char *scope, const char *value)
{
	struct store_entry change = *entry;

	change.scope = scope;
	change.value = value;
	g_array_append_val(settling->changes, change);
}

/* `present` may be NULL. */
static void settle_entry(struct settling *settling, const struct store_entry *former,
	const struct store_entry *present)
{
	bool holds = !present || prevails(former, present);
	const struct store_entry *holder = holds ? former : present;
	const struct store_entry *loser = holds ? present : former;

	add_change(settling, former, settling->from, NULL);
	if (holds)
		add_change(settling, former, settling->to, former->value);
	settling->withdraw |= former->kind == ENTRY_CONSENT && loser &&
		consent_named(loser->value) == CONSENT_YES &&
		consent_named(holder->value) != CONSENT_YES;
}

/* Both lists are in one order. */
static void settle_entries(struct settling *settling)
{
	const struct store_entry *present = (const struct store_entry *)settling->present->data;
	guint at = 0;

	for (guint i = 0; i < settling->former->len; i++) {
		const struct store_entry *former =
			&g_array_index(settling->former, struct store_entry, i);
		int order = -1;

		while (at < settling->present->len &&
			(order = compare_walked(&present[at], former)) < 0)
			at++;
		settle_entry(settling, former,
			at < settling->present->len && order == 0 ? &present[at] : NULL);
	}
}

/* A copy is wanted before the first change; without room for one it goes on. */
static void keep_copy(struct run *run)
{
	struct renaming *renaming = run->renaming;
	struct failure failure = {0};
	char suffix[64];

	if (run->copied)
		return;
	run->copied = true;
	g_snprintf(suffix, sizeof(suffix), "before-names-%lld", (long long)time(NULL));
	if (store_keep_copy(run->store, suffix, renaming->copy, sizeof(renaming->copy), &failure) !=
		STATUS_OK)
		g_strlcpy(renaming->reason, failure.detail, sizeof(renaming->reason));
}

static enum status merge(struct run *run, const struct settling *settling, struct failure *failure)
{
	struct store_merge merge = {
		.from = settling->from, .to = settling->to, .withdraw = settling->withdraw};
	const struct store_change change = {.merge = &merge,
		.entries = (const struct store_entry *)settling->changes->data,
		.entry_count = settling->changes->len};

	keep_copy(run);
	enum status status = store_commit(run->store, &change, failure);
	if (status == STATUS_OK) {
		run->renaming->renamed++;
		run->renaming->reports += merge.reports;
		run->renaming->refold |= merge.refold;
	}
	return status;
}

static enum status rename_scope(
	struct run *run, const char *from, const char *to, struct failure *failure)
{
	struct settling settling = {.from = from,
		.to = to,
		.former = entries_new(),
		.present = entries_new(),
		.changes = g_array_new(FALSE, FALSE, sizeof(struct store_entry))};
	enum status status =
		store_entries(run->reader, from, 0, copy_entry_of, settling.former, failure);

	if (status == STATUS_OK)
		status =
			store_entries(run->reader, to, 0, copy_entry_of, settling.present, failure);
	if (status == STATUS_OK) {
		settle_entries(&settling);
		status = merge(run, &settling, failure);
	}
	g_array_unref(settling.changes);
	g_array_unref(settling.present);
	g_array_unref(settling.former);
	return status;
}

/* --- All of them ------------------------------------------------------------------------- */

static enum status rename_if_needed(struct run *run, const char *name, struct failure *failure)
{
	char wanted[STORE_MAX_USER + 1];

	run->renaming->looked_at++;
	if (!user_scope(run->naming, name, wanted)) {
		run->renaming->nobodies++;
		return STATUS_OK;
	}
	return strcmp(name, wanted) == 0 ? STATUS_OK : rename_scope(run, name, wanted, failure);
}

static enum status keep_name(void *context, const struct store_user *user)
{
	g_ptr_array_add(context, g_strdup(user->name));
	return STATUS_OK;
}

/* The users after `name`, which becomes the last one; "" = none is left. */
static enum status rename_some(struct run *run, char *name, struct failure *failure)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	enum status status =
		store_users(run->reader, name, PIECE_REPORTS, keep_name, names, failure);

	for (guint i = 0; i < names->len && status == STATUS_OK; i++)
		status = rename_if_needed(run, names->pdata[i], failure);
	g_strlcpy(name, names->len > 0 ? names->pdata[names->len - 1] : "", STORE_MAX_USER + 1);
	g_ptr_array_unref(names);
	if (run->watch)
		run->watch(run->context, run->renaming);
	return status;
}

/* A name that becomes another comes before or after it: met again, it is as it should be. */
static enum status rename_users(struct run *run, struct failure *failure)
{
	char name[STORE_MAX_USER + 1] = "";
	enum status status;

	do {
		status = rename_some(run, name, failure);
	} while (status == STATUS_OK && *name);
	return status;
}

/* Domains, and users who have entries alone. */
static enum status rename_scopes(struct run *run, struct failure *failure)
{
	char scope[STORE_MAX_USER + 1] = "";
	enum status status = store_next_scope(run->reader, scope, failure);

	while (status == STATUS_OK && *scope) {
		status = rename_if_needed(run, scope, failure);
		if (run->watch)
			run->watch(run->context, run->renaming);
		if (status == STATUS_OK)
			status = store_next_scope(run->reader, scope, failure);
	}
	return status;
}

static enum status rename_all(struct run *run, const char *rules, struct failure *failure)
{
	const struct store_value written = {
		.name = WRITTEN_BY, .bytes = rules, .size = strlen(rules)};
	const struct store_change change = {.values = &written, .value_count = 1};
	enum status status = STATUS_OK;

	if (!store_writable(run->store))
		return failure_set(failure, STATUS_READONLY, "the database is read-only");
	status = rename_users(run, failure);
	if (status == STATUS_OK)
		status = rename_scopes(run, failure);
	return status == STATUS_OK ? store_commit(run->store, &change, failure) : status;
}

enum status renaming_run(struct store *store, const struct user_naming *naming,
	renaming_watch_fn *watch, void *context, struct renaming *renaming, struct failure *failure)
{
	struct run run = {.store = store,
		.naming = naming,
		.renaming = renaming,
		.watch = watch,
		.context = context};
	char wanted[RULES_BYTES], written[RULES_BYTES] = "";
	enum status status = store_reader_open(store, &run.reader, failure);

	*renaming = (struct renaming){0};
	describe(naming, wanted);
	if (status == STATUS_OK)
		status = read_rules(run.reader, written, failure);
	if (status == STATUS_OK && strcmp(wanted, written) != 0)
		status = rename_all(&run, wanted, failure);
	store_reader_close(&run.reader);
	return status;
}
