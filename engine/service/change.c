/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Entries laid down, consent withdrawn, users erased. */
#include "engine/service/adoption.h"

#include <string.h>

#include <glib.h>

#include "engine/service/expiry.h"
#include "engine/service/removal.h"

struct change {
	struct service *service;
	GPtrArray *entries; /* struct store_entry with strings of its own */
	char *erased;       /* the user; NULL = entries */
	struct adoption *adoption;
	struct expiry *expiry;
	struct site *site;  /* as the entries make it; NULL = unchanged */
	bool done;
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
	g_ptr_array_unref((*change)->entries);
	g_free((*change)->erased);
	g_free(*change);
	*change = NULL;
}

static enum status add_entry(
	struct change *change, const struct store_entry *entry, struct failure *failure)
{
	char name[STORE_MAX_NAME + 1];
	enum status status = entries_check(entry, name, failure);

	if (status != STATUS_OK)
		return status;
	struct store_entry *copy = g_new0(struct store_entry, 1);
	*copy = *entry;
	copy->scope = *entry->scope == '@' ? g_ascii_strdown(entry->scope, -1)
					   : g_strdup(entry->scope);
	copy->name = g_strdup(name);
	copy->value = g_strdup(entry->value);
	g_ptr_array_add(change->entries, copy);
	return STATUS_OK;
}

enum status change_entries(struct service *service, const struct store_entry *entries, size_t count,
	struct change **result, struct failure *failure)
{
	struct change *change = change_new(service);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = add_entry(change, &entries[i], failure);
	if (status != STATUS_OK)
		change_free(&change);
	*result = change;
	return status;
}

enum status change_erase(struct service *service, const char *user, struct change **result,
	struct failure *failure)
{
	enum status status = service_check_user(user, failure);

	*result = NULL;
	if (status == STATUS_OK && !*user)
		status = failure_set(failure, STATUS_INVALID, "erase whom? Name a user");
	if (status != STATUS_OK)
		return status;
	*result = change_new(service);
	(*result)->erased = g_strdup(user);
	return STATUS_OK;
}

struct change *change_adopt(struct service *service, struct adoption **adoption)
{
	struct change *change = change_new(service);

	change->adoption = *adoption;
	*adoption = NULL;
	return change;
}

struct change *change_expire(struct service *service, int64_t now)
{
	struct change *change = change_new(service);

	change->expiry = expiry_new(service, now);
	return change;
}

struct adoption *change_take_adoption(struct change *change)
{
	struct adoption *adoption = change->adoption;

	change->adoption = NULL;
	return adoption;
}

/* --- Taking out ---------------------------------------------------------------- */

static enum status take_out(
	struct change *change, struct store_removal *removal, struct failure *failure)
{
	enum status status = removal_run(
		change->service, removal, &change->receipt.tokens, NULL, NULL, failure);

	if (status == STATUS_OK) {
		change->receipt.reports += removal->reports;
		change->receipt.entries += removal->entries;
	}
	return status;
}

static bool withdraws(const struct store_entry *entry)
{
	return entry->kind == ENTRY_CONSENT &&
		(!entry->value || strcmp(entry->value, "granted") != 0);
}

/* Consents first, each a step of its own; then all the rest in one. */
static enum status run_entries(struct change *change, struct failure *failure)
{
	struct service *service = change->service;
	enum status status = STATUS_OK;
	size_t rest = 0;
	struct store_entry *entries = g_new0(struct store_entry, change->entries->len + 1);

	for (guint i = 0; i < change->entries->len && status == STATUS_OK; i++) {
		const struct store_entry *entry = change->entries->pdata[i];
		struct store_removal removal = {.user = entry->scope, .entry = entry};

		if (withdraws(entry))
			status = take_out(change, &removal, failure);
		else
			entries[rest++] = *entry;
	}
	if (status == STATUS_OK)
		status = store_put_entries(service->store, entries, rest, failure);
	if (status == STATUS_OK)
		change->receipt.entries = change->entries->len;
	g_free(entries);
	return status;
}

static enum status run_erasure(struct change *change, struct failure *failure)
{
	struct store_removal removal = {.user = change->erased, .kind = REMOVE_USER};
	enum status status = take_out(change, &removal, failure);

	if (status != STATUS_OK)
		return status;
	change->done = true;
	status = store_compact(change->service->store, failure);
	change->receipt.compacted = status == STATUS_OK;
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

enum status change_run(struct change *change, struct failure *failure)
{
	struct service *service = change->service;
	enum status status = service_check_sound(service, failure);

	if (status != STATUS_OK)
		return status;
	status = change->adoption    ? adoption_run(change->adoption, &change->receipt, failure)
		: change->expiry ? run_expiry(change, failure)
		: change->erased ? run_erasure(change, failure)
				 : run_entries(change, failure);
	if (status == STATUS_OK)
		change->done = !change_goes_on(change);
	if (status == STATUS_OK && concerns_site(change))
		status = site_again(&change->site, service->site, service->reader, failure);
	change->receipt.seq = global_seq(service->global);
	return status;
}

bool change_goes_on(const struct change *change)
{
	return (change->adoption && !adoption_is_done(change->adoption)) ||
		(change->expiry && !expiry_is_done(change->expiry));
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

void change_end(struct service *service, struct change **result)
{
	struct change *change = *result;

	if (!change)
		return;
	/* Also after a failure: some steps may have been made. */
	for (guint i = 0; i < change->entries->len; i++)
		drop(service->users, ((struct store_entry *)change->entries->pdata[i])->scope);
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
