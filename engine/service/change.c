/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Entries laid down, consent withdrawn, users erased. */
#include "engine/service/adoption.h"

#include <string.h>

#include <glib.h>

#include "engine/service/entry-list.h"
#include "engine/service/expiry.h"
#include "engine/service/removal.h"

/* Reports that go at a time on a full disk; fewer when that is too much. */
enum { TIGHT_PIECE = 64 };

struct change {
	struct service *service;
	GPtrArray *entries; /* struct store_entry with strings of its own */
	enum authority authority; /* who lays them down */
	GPtrArray *withdrawn; /* those of them that take something out; NULL = not begun */
	char *erased; /* the user; NULL = entries */
	struct adoption *adoption;
	struct expiry *expiry;
	struct site *site; /* as the entries make it; NULL = unchanged */
	bool begun; /* to take something out */
	bool written; /* the global rows that had changed before */
	bool done;
	bool tight; /* the disk is full: in little steps, and rows later */
	size_t piece; /* then: reports that are taken out at a time */
	size_t taken; /* of a withdrawal, of the oldest ones */
	struct receipt receipt;
};

static void free_entry(gpointer data)
{
	struct store_entry *entry = data;

	g_free((char *)entry->scope);
	g_free((char *)entry->name);
	g_free((char *)entry->value);
	g_free(entry);
}

static struct change *change_new(struct service *service)
{
	struct change *change = g_new0(struct change, 1);

	change->service = service;
	change->entries = g_ptr_array_new_with_free_func(free_entry);
	return change;
}

static void change_free(struct change **change)
{
	if (!*change)
		return;
	site_unref(&(*change)->site);
	adoption_free(&(*change)->adoption);
	expiry_free(&(*change)->expiry);
	if ((*change)->withdrawn)
		g_ptr_array_unref((*change)->withdrawn);
	g_ptr_array_unref((*change)->entries);
	g_free((*change)->erased);
	g_free(*change);
	*change = NULL;
}

/* What an administrator declines for somebody is not that one's to take back. */
static const char *settled_value(const struct change *change, const struct store_entry *entry)
{
	bool bars = entry->kind == ENTRY_CONSENT && change->authority == AS_ADMINISTRATOR &&
		entry->value && strcmp(entry->value, "declined") == 0;

	return bars ? "barred" : entry->value;
}

static void keep_entry(
	struct change *change, const struct store_entry *entry, const char *name, const char *value)
{
	struct store_entry *copy = g_new0(struct store_entry, 1);

	*copy = *entry;
	copy->scope = g_strdup(entry->scope);
	copy->name = g_strdup(name);
	copy->value = g_strdup(value);
	g_ptr_array_add(change->entries, copy);
}

static enum status add_entry(
	struct change *change, const struct store_entry *entry, struct failure *failure)
{
	char scope[STORE_MAX_USER + 1], name[STORE_MAX_NAME + 1];
	struct store_entry settled = *entry;
	enum status status = service_scope(change->service, entry->scope, scope, failure);

	settled.scope = scope;
	if (status == STATUS_OK)
		status = entries_check(&settled, name, failure);
	if (status != STATUS_OK)
		return status;
	keep_entry(change, &settled, name, settled_value(change, entry));
	/* Else what an earlier version wrote would hold on. */
	if (!entry->value && entries_former(&settled, name))
		keep_entry(change, &settled, name, NULL);
	return STATUS_OK;
}

enum status change_entries(struct service *service, const struct store_entry *entries, size_t count,
	enum authority authority, struct change **result, struct failure *failure)
{
	struct change *change = change_new(service);
	enum status status = STATUS_OK;

	change->authority = authority;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = add_entry(change, &entries[i], failure);
	if (status != STATUS_OK)
		change_free(&change);
	*result = change;
	return status;
}

enum status change_erase(
	struct service *service, const char *user, struct change **result, struct failure *failure)
{
	char name[STORE_MAX_USER + 1];
	enum status status = service_user(service, user, name, failure);

	*result = NULL;
	if (status == STATUS_OK && !*name)
		status = failure_set(failure, STATUS_INVALID, "erase whom? Name a user");
	if (status != STATUS_OK)
		return status;
	*result = change_new(service);
	(*result)->erased = g_strdup(name);
	return STATUS_OK;
}

struct change *change_adopt(struct service *service, struct adoption **adoption)
{
	struct change *change = change_new(service);

	change->adoption = *adoption;
	*adoption = NULL;
	return change;
}

struct change *change_expire(struct service *service, const struct clock_reading *clock)
{
	struct change *change = change_new(service);

	change->expiry = expiry_new(service, clock);
	return change;
}

struct adoption *change_take_adoption(struct change *change)
{
	struct adoption *adoption = change->adoption;

	change->adoption = NULL;
	return adoption;
}

/* --- Taking out ---------------------------------------------------------------- */

/* *more: it is to be called again. */
static enum status make_way(struct change *change, bool *more, struct failure *failure)
{
	struct service *service = change->service;

	*more = false;
	if (change->begun && atomic_load(&service->stopping))
		return failure_set(failure, STATUS_INTERRUPTED,
			"hamletd is stopping: not everything was taken out");
	change->begun = true;
	/* No adoption may take over what has gaps. */
	atomic_fetch_add(&service->removals, 1);
	return removal_make_way(service, change->tight ? NULL : &change->written, more, failure);
}

/* A step: *more = there are others before it is taken out. */
static enum status take_out(
	struct change *change, struct store_removal *removal, bool *more, struct failure *failure)
{
	enum status status = make_way(change, more, failure);

	if (status != STATUS_OK || *more)
		return status;
	status = change->tight ? removal_run_late(change->service, removal, NULL, NULL, failure)
			       : removal_run(change->service, removal, &change->receipt.tokens,
					 NULL, NULL, failure);
	if (status == STATUS_OK) {
		change->receipt.reports += removal->reports;
		change->receipt.entries += removal->entries;
	}
	return status;
}

/* Whether reports have to go for it: of most who decline there are none. */
static enum status withdraws(
	struct change *change, const struct store_entry *entry, bool *yes, struct failure *failure)
{
	*yes = false;
	if (entry->kind != ENTRY_CONSENT || (entry->value && strcmp(entry->value, "granted") == 0))
		return STATUS_OK;
	return store_shares(change->service->reader, entry->scope, yes, failure);
}

static enum status note_bar(void *context, const struct store_entry *entry)
{
	*(bool *)context |= consent_named(entry->value) == CONSENT_BARRED;
	return STATUS_OK;
}

static enum status check_bar(
	const struct change *change, const struct store_entry *entry, struct failure *failure)
{
	bool barred = false;

	if (change->authority == AS_ADMINISTRATOR || entry->kind != ENTRY_CONSENT)
		return STATUS_OK;
	if (entry->value && consent_named(entry->value) == CONSENT_BARRED)
		return failure_set(failure, STATUS_DENIED,
			"permission denied: only an administrator bars somebody from sharing");
	enum status status = store_entries(
		change->service->reader, entry->scope, ENTRY_CONSENT, note_bar, &barred, failure);
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

/* Lays down all but the consents that take reports out. */
static enum status lay_down(struct change *change, struct failure *failure)
{
	struct service *service = change->service;
	GPtrArray *settled = entry_list_settle(change->entries);
	struct store_entry *entries = g_new0(struct store_entry, settled->len + 1);
	enum status status = entry_list_check(settled, service->reader, failure);
	size_t count = 0;

	change->withdrawn = g_ptr_array_new();
	for (guint i = 0; i < settled->len && status == STATUS_OK; i++) {
		bool yes = false;
		status = check_bar(change, settled->pdata[i], failure);
		if (status == STATUS_OK)
			status = withdraws(change, settled->pdata[i], &yes, failure);
		if (yes)
			g_ptr_array_add(change->withdrawn, settled->pdata[i]);
		else
			entries[count++] = *(struct store_entry *)settled->pdata[i];
	}
	if (status == STATUS_OK && count > 0)
		status = store_put_entries(service->store, entries, count, failure);
	if (status == STATUS_OK)
		change->receipt.entries = count_asked(settled);
	g_free(entries);
	g_ptr_array_unref(settled);
	return status;
}

/* On a full disk what some reports at a time shared goes before the rest, as much as there
 * is room for. *more: there are others. */
static enum status withdraw_some(
	struct change *change, const char *user, bool *more, struct failure *failure)
{
	struct store_removal removal = {.user = user, .kind = REMOVE_SHARED};
	struct store_reader *reader = change->service->reader;
	int64_t former = 0;
	enum status status = store_oldest(reader, user, change->taken, &former, failure);

	if (status == STATUS_OK)
		status = store_oldest(
			reader, user, change->taken + change->piece, &removal.until, failure);
	*more = removal.until > former;
	if (status != STATUS_OK || !*more)
		return status;
	status = take_out(change, &removal, more, failure);
	if (status == STATUS_OK && !*more)
		change->taken += change->piece;
	*more = true;
	if (status == STATUS_FULL && change->piece > 1) {
		change->piece /= 4;
		status = STATUS_OK;
	}
	return status;
}

/* All in one step where nothing is taken out; else each consent is one of its own. */
static enum status run_entries(struct change *change, struct failure *failure)
{
	enum status status = change->withdrawn ? STATUS_OK : lay_down(change, failure);
	guint left = change->withdrawn->len;
	bool more = false;

	if (status != STATUS_OK)
		g_clear_pointer(&change->withdrawn, g_ptr_array_unref); /* not begun */
	if (status != STATUS_OK || left == 0)
		return status;
	const struct store_entry *entry = change->withdrawn->pdata[left - 1];
	struct store_removal removal = {.user = entry->scope, .entry = entry};
	if (change->tight)
		status = withdraw_some(change, entry->scope, &more, failure);
	if (status == STATUS_OK && !more)
		status = take_out(change, &removal, &more, failure);
	if (status == STATUS_OK && !more) {
		g_ptr_array_set_size(change->withdrawn, (gint)left - 1);
		change->taken = 0;
	}
	return status;
}

/* On a full disk some reports at a time go before the rest, as many as there is room for.
 * *more: there are others. */
static enum status erase_some(struct change *change, bool *more, struct failure *failure)
{
	struct service *service = change->service;
	struct store_removal removal = {.user = change->erased, .kind = REMOVE_OLD};
	enum status status = store_oldest(
		service->reader, change->erased, change->piece, &removal.until, failure);

	*more = true;
	if (status != STATUS_OK)
		return status;
	if (removal.until == 0) {
		*more = false;
		return STATUS_OK;
	}
	status = take_out(change, &removal, more, failure);
	*more = true;
	if (status == STATUS_FULL && change->piece > 1) {
		change->piece /= 4;
		status = STATUS_OK;
	}
	return status;
}

static enum status run_erasure(struct change *change, struct failure *failure)
{
	struct store_removal removal = {.user = change->erased, .kind = REMOVE_USER};
	bool more = false;
	enum status status = STATUS_OK;

	if (change->tight)
		status = erase_some(change, &more, failure);
	if (status != STATUS_OK || more)
		return status;
	status = take_out(change, &removal, &more, failure);
	if (status != STATUS_OK || more)
		return status;
	change->done = true;
	status = store_compact(change->service->store, failure);
	change->receipt.compacted = status == STATUS_OK && !change->service->rows_late;
	return status;
}

static enum status run_expiry(struct change *change, struct failure *failure)
{
	struct receipt *receipt = &change->receipt;
	enum status status = expiry_run(change->expiry, &receipt->expired, failure);

	receipt->reports = receipt->expired.by_age + receipt->expired.by_count +
		receipt->expired.by_idleness + receipt->expired.by_budget;
	return status;
}

static bool concerns_site(const struct change *change)
{
	for (guint i = 0; i < change->entries->len; i++) {
		const struct store_entry *entry = change->entries->pdata[i];
		if (!*entry->scope)
			return true;
	}
	return false;
}

static enum status run_step(struct change *change, struct failure *failure)
{
	if (change->adoption)
		return adoption_run(change->adoption, &change->receipt, failure);
	if (change->expiry)
		return run_expiry(change, failure);
	return change->erased ? run_erasure(change, failure) : run_entries(change, failure);
}

/* What is kept for this on a full disk is not for what adds to it. */
static bool takes_out(const struct change *change)
{
	bool adds = change->adoption != NULL;

	for (guint i = 0; i < change->entries->len; i++) {
		const struct store_entry *entry = change->entries->pdata[i];
		adds |= entry->value && entry->kind != ENTRY_CONSENT;
	}
	return !adds;
}

static void tighten(struct change *change)
{
	change->tight = true;
	change->piece = TIGHT_PIECE;
	if (change->expiry)
		expiry_tighten(change->expiry);
}

/* Between the steps others write: what is kept for this is not for them. */
static enum status run_tight_step(struct change *change, struct failure *failure)
{
	struct store *store = change->service->store;

	store_make_room(store);
	enum status status = run_step(change, failure);
	store_keep_room(store);
	return status;
}

enum status change_run(struct change *change, struct failure *failure)
{
	struct service *service = change->service;
	enum status status = service_check_sound(service, failure);

	if (status != STATUS_OK)
		return status;
	status = change->tight ? run_tight_step(change, failure) : run_step(change, failure);
	if (status == STATUS_FULL && takes_out(change) && !change->tight) {
		tighten(change);
		status = run_tight_step(change, failure);
	}
	if (takes_out(change) && (status != STATUS_OK || !change_goes_on(change)))
		store_keep_room(service->store);
	if (status == STATUS_OK)
		change->done = !change_goes_on(change);
	if (status == STATUS_OK && !change->site && concerns_site(change))
		status = site_again(&change->site, service->site, service->reader, failure);
	change->receipt.seq = global_seq(service->global);
	return status;
}

bool change_goes_on(const struct change *change)
{
	return (change->adoption && !adoption_is_done(change->adoption)) ||
		(change->expiry && !expiry_is_done(change->expiry)) ||
		(change->erased && !change->done) ||
		(change->withdrawn && change->withdrawn->len > 0);
}

bool change_is_patient(const struct change *change)
{
	return change->expiry || (change->adoption && adoption_stages(change->adoption));
}

const struct receipt *change_receipt(const struct change *change)
{
	return &change->receipt;
}

/* --- Publishing ------------------------------------------------------------------ */

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

void change_end(struct service *service, struct change **result)
{
	struct change *change = *result;

	if (!change)
		return;
	/* Also after a failure: some steps may have been made. */
	drop_scopes(service->users, change->entries);
	if (change->erased)
		users_drop(service->users, change->erased);
	if (change->adoption && change->done)
		adoption_publish(change->adoption);
	if (change->expiry)
		expiry_publish(change->expiry);
	if (change->site) {
		struct site *former = service->site;
		service->site = change->site;
		change->site = former;
		service_set_rules(service);
	}
	change_free(result);
}
