/* Reads a scope's entries, and matches messages against them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/scope/preferences.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

enum { PREFIXES = 129, ALLOW = 1, BLOCK = 2, ENTRY_BYTES = 80 };

/* Names are kept in trees: users choose them, and could choose those that collide in a
 * hash table. */
struct preferences {
	enum consent_state consent;
	int64_t consent_time;
	struct policy_part policy;
	GTree *list; /* name -> ALLOW or BLOCK; NULL = empty */
	GTree *trust; /* name -> ALLOW; NULL = empty */
	bool prefixes[PREFIXES]; /* lengths of the list's networks */
	size_t bytes;
};

static const char *const CONSENTS[] = {"unknown", "granted", "declined", "barred"};

enum consent_state consent_named(const char *value)
{
	for (size_t i = CONSENT_YES; i < G_N_ELEMENTS(CONSENTS); i++) {
		if (strcmp(value, CONSENTS[i]) == 0)
			return (enum consent_state)i;
	}
	return CONSENT_NO;
}

const char *consent_name(enum consent_state consent)
{
	return CONSENTS[consent];
}

/* --- Reading ----------------------------------------------------------------- */

static gint compare_entry_names(gconstpointer a, gconstpointer b, gpointer unused)
{
	(void)unused;
	return strcmp(a, b);
}

static void add_name(struct preferences *preferences, GTree **tree, const char *name, int value)
{
	if (!*tree)
		*tree = g_tree_new_full(compare_entry_names, NULL, g_free, NULL);
	g_tree_replace(*tree, g_strdup(name), GINT_TO_POINTER(value));
	preferences->bytes += ENTRY_BYTES + strlen(name);
}

static void add_policy(struct policy_part *policy, const struct store_entry *entry)
{
	double score = g_ascii_strtod(entry->value, NULL);

	if (strcmp(entry->name, POLICY_JUNK_SCORE) == 0) {
		policy->has_junk = true;
		policy->junk = score;
	} else if (strcmp(entry->name, POLICY_REJECT_SCORE) == 0) {
		policy->has_reject = true;
		policy->reject = score;
	} else if (strcmp(entry->name, POLICY_SPAM_ACTION) == 0) {
		policy->has_action = action_named(entry->value, &policy->action);
	} else if (strcmp(entry->name, POLICY_SCORE_SCALE) == 0) {
		policy->has_scale = true;
		policy->scale = score;
	}
	policy->time = MAX(policy->time, entry->time);
}

/* A name that an earlier version wrote otherwise gives way to the one form of it, in
 * whichever order they are read. */
static bool is_superseded(
	const struct preferences *preferences, const struct store_entry *entry, const char *name)
{
	GTree *tree = entry->kind == ENTRY_LIST ? preferences->list
		: entry->kind == ENTRY_TRUST    ? preferences->trust
						: NULL;

	return tree && strcmp(entry->name, name) != 0 && g_tree_lookup(tree, name);
}

static enum status take_preference(void *context, const struct store_entry *entry)
{
	struct preferences *preferences = context;
	struct network network;
	char name[STORE_MAX_NAME + 1];

	/* What was written by another version, or by hand, must not decide. */
	if (entries_check(entry, name, NULL) != STATUS_OK)
		return STATUS_OK;
	if (is_superseded(preferences, entry, name))
		return STATUS_OK;
	switch ((enum entry_kind)entry->kind) {
	case ENTRY_CONSENT:
		preferences->consent = consent_named(entry->value);
		preferences->consent_time = entry->time;
		break;
	case ENTRY_LIST:
		add_name(preferences, &preferences->list, name,
			strcmp(entry->value, "block") == 0 ? BLOCK : ALLOW);
		if (network_parse(&network, name))
			preferences->prefixes[network.bits] = true;
		break;
	case ENTRY_TRUST:
		add_name(preferences, &preferences->trust, name, ALLOW);
		break;
	case ENTRY_POLICY:
		add_policy(&preferences->policy, entry);
		break;
	case ENTRY_REPUTATION:
		break;
	}
	return STATUS_OK;
}

enum status preferences_read(struct preferences **result, struct store_reader *reader,
	const char *scope, struct failure *failure)
{
	struct preferences *preferences = calloc(1, sizeof(*preferences));
	enum status status;

	*result = NULL;
	if (!preferences)
		return failure_set(failure, STATUS_NOMEM, "reading preferences: out of memory");
	preferences->bytes = sizeof(*preferences);
	status = store_entries(reader, scope, 0, take_preference, preferences, failure);
	if (status == STATUS_OK)
		*result = preferences;
	else
		preferences_free(&preferences);
	return status;
}

static enum status check_trusted(
	const char *name, char written[STORE_MAX_NAME + 1], struct failure *failure)
{
	const struct store_entry entry = {
		.scope = "", .kind = ENTRY_TRUST, .name = name, .value = "trusted"};

	return entries_check(&entry, written, failure);
}

enum status preferences_check_trusted(const char *name, struct failure *failure)
{
	char written[STORE_MAX_NAME + 1];

	return check_trusted(name, written, failure);
}

enum status preferences_add_trusted(
	struct preferences *preferences, const char *name, struct failure *failure)
{
	char written[STORE_MAX_NAME + 1];
	enum status status = check_trusted(name, written, failure);

	if (status == STATUS_OK)
		add_name(preferences, &preferences->trust, written, ALLOW);
	return status;
}

void preferences_free(struct preferences **preferences)
{
	if (!*preferences)
		return;
	if ((*preferences)->list)
		g_tree_unref((*preferences)->list);
	if ((*preferences)->trust)
		g_tree_unref((*preferences)->trust);
	free(*preferences);
	*preferences = NULL;
}

size_t preferences_bytes(const struct preferences *preferences)
{
	return preferences->bytes;
}

enum consent_state preferences_consent(const struct preferences *preferences, int64_t *time)
{
	*time = preferences->consent_time;
	return preferences->consent;
}

const struct policy_part *preferences_policy(const struct preferences *preferences)
{
	return &preferences->policy;
}

/* --- Lists --------------------------------------------------------------------- */

static int find_listed(GTree *tree, const char *key, char *name)
{
	int value = GPOINTER_TO_INT(g_tree_lookup(tree, key));

	if (value)
		g_strlcpy(name, key, STORE_MAX_NAME + 1);
	return value;
}

/* What is said of one author: of the address, else of the domain, else of the domains
 * above that. What allows holds only where the author is believed. */
static int find_author(GTree *tree, const char *address, bool believed, char *name)
{
	const char *at = strrchr(address, '@');

	for (const char *key = address; key && *key;) {
		int value = find_listed(tree, key, name);

		if (value == BLOCK || (value && believed))
			return value;
		if (key == address) {
			key = at ? at + 1 : "";
		} else {
			key += strcspn(key, ".");
			key += *key == '.';
		}
	}
	return 0;
}

/* Whoever of several is blocked, the message is; several are never believed. */
static int find_authors(GTree *tree, const struct origin *origin, char *name)
{
	bool believed = origin_is_believed(origin);
	int found = 0;

	for (size_t i = 0; i < origin->author_count && found != BLOCK; i++)
		found = find_author(tree, origin->list_of_authors[i], believed, name);
	return found;
}

static int find_client(
	const struct preferences *preferences, const struct network *client, char *name)
{
	int value = 0;

	for (unsigned bits = PREFIXES; bits-- > 0 && !value;) {
		struct network around;
		char text[NETWORK_TEXT];

		if (!preferences->prefixes[bits])
			continue;
		around = network_around(client, bits);
		network_format(&around, text);
		value = find_listed(preferences->list, text, name);
	}
	return value;
}

bool preferences_trusts(
	const struct preferences *preferences, const struct origin *origin, char *name)
{
	return preferences->trust && origin->sole &&
		find_author(preferences->trust, origin->author, true, name) != 0;
}

static bool match_scope(const struct preferences *preferences, enum list_scope scope,
	const struct origin *origin, struct list_match *match)
{
	int value;

	if (!preferences || !preferences->list)
		return false;
	value = find_authors(preferences->list, origin, match->name);
	if (!value && origin->has_client)
		value = find_client(preferences, &origin->client, match->name);
	if (!value)
		return false;
	match->scope = scope;
	match->block = value == BLOCK;
	return true;
}

void preferences_match(const struct preferences *user, const struct preferences *domain,
	const struct preferences *site, const struct origin *origin, struct list_match *match)
{
	*match = (struct list_match){.scope = LIST_NONE};
	if (!match_scope(user, LIST_USER, origin, match) &&
		!match_scope(domain, LIST_DOMAIN, origin, match) &&
		!match_scope(site, LIST_SITE, origin, match))
		*match->name = '\0'; /* of an entry that did not hold */
}

const char *list_scope_name(enum list_scope scope)
{
	static const char *const names[] = {"none", "user", "domain", "site"};

	return names[scope];
}

/* --- Policy ---------------------------------------------------------------------- */

static void overlay(
	struct policy *policy, const struct preferences *preferences, enum list_scope scope)
{
	if (!preferences)
		return;
	const struct policy_part *part = &preferences->policy;
	if (part->has_junk) {
		policy->junk = part->junk;
		policy->junk_from = scope;
	}
	if (part->has_reject) {
		policy->reject = part->reject;
		policy->reject_from = scope;
	}
	if (part->has_action) {
		policy->action = part->action;
		policy->action_from = scope;
	}
}

struct policy policy_of(const struct policy_bounds *bounds, const struct preferences *user,
	const struct preferences *domain, const struct preferences *site)
{
	struct policy policy = {
		.junk = bounds->junk, .reject = bounds->reject, .action = bounds->action};

	overlay(&policy, site, LIST_SITE);
	overlay(&policy, domain, LIST_DOMAIN);
	overlay(&policy, user, LIST_USER);
	if (policy.junk_from == LIST_USER)
		policy.junk = fmin(fmax(policy.junk, bounds->junk_min), bounds->junk_max);
	policy.reject = fmax(policy.reject, policy.junk);
	return policy;
}
