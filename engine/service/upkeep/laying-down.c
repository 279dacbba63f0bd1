/* Entries are laid down and removed; a consent that is withdrawn takes what was shared out
 * of global.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/change.h"

#include <string.h>

#include <glib.h>

#include "engine/service/scope/scope.h"
#include "engine/service/upkeep/entry-list.h"
#include "engine/service/upkeep/removal.h"

struct laying_down {
	struct change change;
	GPtrArray *entries; /* struct store_entry with strings of its own */
	enum authority authority; /* who lays them down */
	GPtrArray *withdrawn; /* those of them that take something out; NULL = not begun */
	struct site *site; /* as the entries make it; NULL = unchanged */
	struct change_way way;
};

static void free_kept_entry(gpointer data)
{
	struct store_entry *entry = data;

	g_free((char *)entry->scope);
	g_free((char *)entry->name);
	g_free((char *)entry->value);
	g_free(entry);
}

/* What an administrator declines for somebody is not that one's to take back. */
static const char *settled_value(const struct laying_down *laying, const struct store_entry *entry)
{
	bool bars = entry->kind == ENTRY_CONSENT && laying->authority == AS_ADMINISTRATOR &&
		entry->value && strcmp(entry->value, "declined") == 0;

	return bars ? "barred" : entry->value;
}

static void keep_entry(struct laying_down *laying, const struct store_entry *entry,
	const char *name, const char *value)
{
	struct store_entry *copy = g_new0(struct store_entry, 1);

	*copy = *entry;
	copy->scope = g_strdup(entry->scope);
	copy->name = g_strdup(name);
	copy->value = g_strdup(value);
	g_ptr_array_add(laying->entries, copy);
}

static enum status settle_and_keep(
	struct laying_down *laying, const struct store_entry *entry, struct failure *failure)
{
	char scope[STORE_MAX_USER + 1], name[STORE_MAX_NAME + 1];
	struct store_entry settled = *entry;
	enum status status = service_scope(laying->change.service, entry->scope, scope, failure);

	settled.scope = scope;
	if (status == STATUS_OK)
		status = entries_check(&settled, name, failure);
	if (status != STATUS_OK)
		return status;
	keep_entry(laying, &settled, name, settled_value(laying, entry));
	/* An earlier version may have written the same entry under another name. */
	if (!entry->value && entries_former(&settled, name))
		keep_entry(laying, &settled, name, NULL);
	return STATUS_OK;
}

/* --- Steps -------------------------------------------------------------------- */

/* Whether reports have to go for it: of most who decline there are none. */
static enum status withdraws(struct laying_down *laying, const struct store_entry *entry, bool *yes,
	struct failure *failure)
{
	*yes = false;
	if (entry->kind != ENTRY_CONSENT || (entry->value && strcmp(entry->value, "granted") == 0))
		return STATUS_OK;
	return store_shares(laying->change.service->reader, entry->scope, yes, failure);
}

static enum status note_bar(void *context, const struct store_entry *entry)
{
	*(bool *)context |= consent_named(entry->value) == CONSENT_BARRED;
	return STATUS_OK;
}

static enum status check_bar(
	const struct laying_down *laying, const struct store_entry *entry, struct failure *failure)
{
	bool barred = false;

	if (laying->authority == AS_ADMINISTRATOR || entry->kind != ENTRY_CONSENT)
		return STATUS_OK;
	if (entry->value && consent_named(entry->value) == CONSENT_BARRED)
		return failure_set(failure, STATUS_DENIED,
			"permission denied: only an administrator bars somebody from sharing");
	enum status status = store_entries(laying->change.service->reader, entry->scope,
		ENTRY_CONSENT, note_bar, &barred, failure);
	return status != STATUS_OK || !barred
		? status
		: failure_set(failure, STATUS_DENIED,
			  "permission denied: an administrator has declined for this user, and "
			  "can take that back");
}

/* Without the removals of what earlier versions wrote, which nobody asked for. */
static int64_t count_asked(const GPtrArray *settled)
{
	char name[STORE_MAX_NAME + 1];
	int64_t count = 0;

	for (guint i = 0; i < settled->len; i++) {
		const struct store_entry *entry = settled->pdata[i];
		count += entries_check(entry, name, NULL) != STATUS_OK ||
			strcmp(name, entry->name) == 0;
	}
	return count;
}

/* Only a change that frees room may use the room that is kept for a full disk. */
static bool takes_out(const struct laying_down *laying)
{
	for (guint i = 0; i < laying->entries->len; i++) {
		const struct store_entry *entry = laying->entries->pdata[i];
		if (entry->value && entry->kind != ENTRY_CONSENT)
			return false;
	}
	return true;
}

static enum status commit_entries(const struct laying_down *laying,
	const struct store_entry *entries, size_t count, struct failure *failure)
{
	const struct store_change change = {
		.entries = entries, .entry_count = count, .frees = takes_out(laying)};

	return store_commit(laying->change.service->store, &change, failure);
}

/* Lays down all but the consents that take reports out. */
static enum status lay_down_entries(struct laying_down *laying, struct failure *failure)
{
	struct service *service = laying->change.service;
	GPtrArray *settled = entry_list_settle(laying->entries);
	struct store_entry *entries = g_new0(struct store_entry, settled->len + 1);
	enum status status = entry_list_check(settled, service->reader, failure);
	size_t count = 0;

	laying->withdrawn = g_ptr_array_new();
	for (guint i = 0; i < settled->len && status == STATUS_OK; i++) {
		bool yes = false;
		status = check_bar(laying, settled->pdata[i], failure);
		if (status == STATUS_OK)
			status = withdraws(laying, settled->pdata[i], &yes, failure);
		if (yes)
			g_ptr_array_add(laying->withdrawn, settled->pdata[i]);
		else
			entries[count++] = *(struct store_entry *)settled->pdata[i];
	}
	if (status == STATUS_OK && count > 0)
		status = commit_entries(laying, entries, count, failure);
	if (status == STATUS_OK)
		laying->change.receipt.entries = count_asked(settled);
	g_free(entries);
	g_ptr_array_unref(settled);
	return status;
}

/* A consent that takes reports out is a step of its own, or some. */
static enum status withdraw(struct laying_down *laying, struct failure *failure)
{
	guint left = laying->withdrawn->len;
	const struct store_entry *entry = laying->withdrawn->pdata[left - 1];
	struct removal removal = {
		.what = {.user = entry->scope, .kind = REMOVE_SHARED}, .entry = entry};
	enum status status = STATUS_OK;
	bool more = false;

	if (laying->change.tight)
		status = change_take_some(
			&laying->change, &laying->way, REMOVE_SHARED, entry->scope, &more, failure);
	if (status == STATUS_OK && !more)
		status = change_take_out(&laying->change, &laying->way, &removal, &more, failure);
	if (status == STATUS_OK && !more) {
		g_ptr_array_set_size(laying->withdrawn, (gint)left - 1);
		laying->way.taken = 0;
	}
	return status;
}

static bool concerns_site(const struct laying_down *laying)
{
	for (guint i = 0; i < laying->entries->len; i++) {
		const struct store_entry *entry = laying->entries->pdata[i];
		if (!*entry->scope)
			return true;
	}
	return false;
}

/* All in one step where nothing is taken out. */
static enum status laying_run(struct change *change, struct failure *failure)
{
	struct laying_down *laying = (struct laying_down *)change;
	struct service *service = change->service;
	enum status status = STATUS_OK;

	if (!laying->withdrawn) {
		status = lay_down_entries(laying, failure);
		if (status != STATUS_OK) /* not begun */
			g_clear_pointer(&laying->withdrawn, g_ptr_array_unref);
	}
	if (status == STATUS_OK && laying->withdrawn->len > 0)
		status = withdraw(laying, failure);
	if (status == STATUS_OK && !laying->site && concerns_site(laying))
		status = site_again(&laying->site, service->site, service->reader, failure);
	return status;
}

static bool laying_goes_on(const struct change *change)
{
	const struct laying_down *laying = (const struct laying_down *)change;

	return laying->withdrawn && laying->withdrawn->len > 0;
}

static bool laying_tighten(struct change *change)
{
	return takes_out((struct laying_down *)change);
}

/* --- Publishing ---------------------------------------------------------------- */

static void drop(struct users *users, const char *scope)
{
	if (!*scope)
		users_clear(users);
	else if (*scope == '@')
		users_drop_domain(users, scope);
	users_drop(users, scope);
}

/* Those that the entries are of, each once: a domain's users are looked for among all. */
static void drop_scopes(struct users *users, const GPtrArray *entries)
{
	const char *former = NULL;

	for (guint i = 0; i < entries->len; i++) {
		const char *scope = ((struct store_entry *)entries->pdata[i])->scope;
		if (!former || strcmp(scope, former) != 0)
			drop(users, scope);
		former = scope;
	}
}

static void laying_publish(struct change *change)
{
	struct laying_down *laying = (struct laying_down *)change;
	struct service *service = change->service;

	drop_scopes(service->users, laying->entries);
	if (laying->site) {
		struct site *former = service->site;
		service->site = laying->site;
		laying->site = former;
		service_set_rules(service);
	}
}

static void laying_free(struct change *change)
{
	struct laying_down *laying = (struct laying_down *)change;

	site_unref(&laying->site);
	if (laying->withdrawn)
		g_ptr_array_unref(laying->withdrawn);
	g_ptr_array_unref(laying->entries);
	g_free(laying);
}

static const struct change_kind LAYING_DOWN = {.run = laying_run,
	.goes_on = laying_goes_on,
	.tighten = laying_tighten,
	.publish = laying_publish,
	.free = laying_free};

enum status change_entries(struct service *service, const struct store_entry *entries, size_t count,
	enum authority authority, struct change **result, struct failure *failure)
{
	struct laying_down *laying = g_new0(struct laying_down, 1);
	enum status status = STATUS_OK;

	laying->change = (struct change){.kind = &LAYING_DOWN, .service = service};
	laying->entries = g_ptr_array_new_with_free_func(free_kept_entry);
	laying->authority = authority;
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = settle_and_keep(laying, &entries[i], failure);
	if (status != STATUS_OK) {
		laying_free(&laying->change);
		laying = NULL;
	}
	*result = laying ? &laying->change : NULL;
	return status;
}
