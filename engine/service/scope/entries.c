/* The table of the kinds of entries: what names and values each may have.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/scope/entries.h"

#include <math.h>
#include <string.h>

#include <glib.h>

#include "engine/base/domain.h"
#include "engine/origin/origin.h"

static const char *const ACTIONS[] = {"deliver", "tag", "junk", "reject"};

const char *action_name(enum action action)
{
	return ACTIONS[action];
}

bool action_named(const char *name, enum action *action)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ACTIONS); i++) {
		if (strcmp(name, ACTIONS[i]) == 0) {
			*action = (enum action)i;
			return true;
		}
	}
	return false;
}

static const struct {
	const char *name;
	enum entry_kind kind;
} KINDS[] = {
	{"consent", ENTRY_CONSENT},
	{"list", ENTRY_LIST},
	{"trust", ENTRY_TRUST},
	{"policy", ENTRY_POLICY},
	{"reputation", ENTRY_REPUTATION},
};

enum entry_kind entry_kind_named(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if (strcmp(name, KINDS[i].name) == 0)
			return KINDS[i].kind;
	}
	return 0;
}

const char *entry_kind_name(int kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if ((int)KINDS[i].kind == kind)
			return KINDS[i].name;
	}
	return "?";
}

static void lower_name(char *text)
{
	for (; *text; text++)
		*text = g_ascii_tolower(*text);
}

void entries_domain(const char *user, char scope[STORE_MAX_USER + 1])
{
	const char *at = strrchr(user, '@');

	*scope = '\0';
	if (at && strlen(at) <= STORE_MAX_USER)
		strcpy(scope, at);
	lower_name(scope);
}

size_t entries_most(const char *scope)
{
	return *scope && *scope != '@' ? ENTRIES_MOST_OF_USER : ENTRIES_MOST_OF_MANY;
}

/* Letters of any script, digits, hyphens; labels are not empty. */
static bool is_domain(const char *text)
{
	if (!*text || *text == '.' || text[strlen(text) - 1] == '.' || strstr(text, ".."))
		return false;
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr("-._", *text) && (unsigned char)*text < 0x80)
			return false;
	}
	return true;
}

static bool is_entry_address(const char *text)
{
	const char *at = strrchr(text, '@');

	if (!at || at == text || !is_domain(at + 1))
		return false;
	for (; text < at; text++) {
		if ((unsigned char)*text <= ' ' || strchr("<>,;", *text))
			return false;
	}
	return true;
}

/* "@example.org", ".example.org", "*@example.org" and "*.example.org" are other ways to say
 * "example.org", which is the domain and all below it. */
static const char *skip_marks(const char *name)
{
	if (*name == '*' && (name[1] == '@' || name[1] == '.'))
		return name + 2;
	return name + (*name == '@' || *name == '.');
}

/* An address or a domain in one form. */
static bool take_author(const char *name, char out[STORE_MAX_NAME + 1])
{
	if (strchr(name, '@'))
		return address_canonical(name, out) && is_entry_address(out);
	return domain_canonical(name, strlen(name), out) && is_domain(out);
}

static enum status check_name(const struct store_entry *entry, char *name, struct failure *failure)
{
	const char *given = skip_marks(entry->name);
	struct network network;

	if (entry->kind == ENTRY_LIST && network_parse(&network, given)) {
		network_format(&network, name);
		return STATUS_OK;
	}
	if (strchr(given, '*'))
		return failure_set(failure, STATUS_INVALID,
			"%.80s: a * stands at the beginning only; example.net stands for a domain "
			"and all below it",
			entry->name);
	if (!take_author(given, name))
		return failure_set(failure, STATUS_INVALID,
			"%.80s is neither an address nor a domain%s", entry->name,
			entry->kind == ENTRY_LIST ? " nor a network" : "");
	return STATUS_OK;
}

static enum status check_word(
	const struct store_entry *entry, const char *const *words, struct failure *failure)
{
	char *list;

	if (!entry->value || g_strv_contains(words, entry->value))
		return STATUS_OK;
	list = g_strjoinv(", ", (char **)words);
	failure_set(failure, STATUS_INVALID, "%s: %.40s is none of %s",
		entry_kind_name(entry->kind), entry->value, list);
	g_free(list);
	return STATUS_INVALID;
}

static bool is_number_within(const char *text, double least, double most)
{
	char *end = NULL;
	double number = g_ascii_strtod(text, &end);

	return end != text && !*end && number >= least && number <= most;
}

static enum status check_scale(const struct store_entry *entry, struct failure *failure)
{
	if (*entry->scope)
		return failure_set(
			failure, STATUS_INVALID, POLICY_SCORE_SCALE " is the whole site's");
	if (entry->value && !is_number_within(entry->value, POLICY_LEAST_SCALE, POLICY_MOST_SCALE))
		return failure_set(failure, STATUS_INVALID,
			POLICY_SCORE_SCALE ": %.40s is not from %g to %g", entry->value,
			POLICY_LEAST_SCALE, POLICY_MOST_SCALE);
	return STATUS_OK;
}

static enum status check_policy(const struct store_entry *entry, struct failure *failure)
{
	static const char *const actions[] = {"tag", "junk", "reject", NULL};

	if (strcmp(entry->name, POLICY_SPAM_ACTION) == 0)
		return check_word(entry, actions, failure);
	if (strcmp(entry->name, POLICY_SCORE_SCALE) == 0)
		return check_scale(entry, failure);
	if (strcmp(entry->name, POLICY_JUNK_SCORE) != 0 &&
		strcmp(entry->name, POLICY_REJECT_SCORE) != 0)
		return failure_set(failure, STATUS_INVALID,
			"policy has no %.40s: there are " POLICY_JUNK_SCORE ", " POLICY_REJECT_SCORE
			", " POLICY_SPAM_ACTION " and " POLICY_SCORE_SCALE,
			entry->name);
	if (entry->value && !is_number_within(entry->value, -1000, 1000))
		return failure_set(failure, STATUS_INVALID, "%s: %.40s is no score (-1000 to 1000)",
			entry->name, entry->value);
	return STATUS_OK;
}

static enum status check_scope(const struct store_entry *entry, struct failure *failure)
{
	bool site = !*entry->scope, domain = *entry->scope == '@';

	if (strlen(entry->scope) > STORE_MAX_USER || (domain && !is_domain(entry->scope + 1)))
		return failure_set(
			failure, STATUS_INVALID, "%.80s is no domain's name", entry->scope);
	if (entry->kind == ENTRY_TRUST && !site)
		return failure_set(failure, STATUS_INVALID, "trusted senders are the whole site's");
	if (entry->kind == ENTRY_CONSENT && (site || domain))
		return failure_set(failure, STATUS_INVALID, "consent is a single user's");
	return STATUS_OK;
}

enum status entries_check(
	const struct store_entry *entry, char name[STORE_MAX_NAME + 1], struct failure *failure)
{
	static const char *const lists[] = {"allow", "block", NULL};
	static const char *const trust[] = {"trusted", NULL};
	static const char *const consents[] = {"granted", "declined", "barred", NULL};
	enum status status = check_scope(entry, failure);

	if (status != STATUS_OK)
		return status;
	if (strlen(entry->name) > STORE_MAX_NAME)
		return failure_set(failure, STATUS_INVALID, "%.40s... is too long", entry->name);
	strcpy(name, entry->name);
	switch (entry->kind) {
	case ENTRY_CONSENT:
		*name = '\0';
		return check_word(entry, consents, failure);
	case ENTRY_LIST:
	case ENTRY_TRUST:
		status = check_name(entry, name, failure);
		if (status == STATUS_OK)
			status = check_word(
				entry, entry->kind == ENTRY_LIST ? lists : trust, failure);
		return status;
	case ENTRY_POLICY:
		return check_policy(entry, failure);
	case ENTRY_REPUTATION:
		return failure_set(failure, STATUS_INVALID, "a reputation is the trainer's to say");
	default:
		return failure_set(failure, STATUS_INVALID, "no such kind of entry");
	}
}

bool entries_former(const struct store_entry *entry, char name[STORE_MAX_NAME + 1])
{
	char now[STORE_MAX_NAME + 1];

	if ((entry->kind != ENTRY_LIST && entry->kind != ENTRY_TRUST) ||
		entries_check(entry, now, NULL) != STATUS_OK)
		return false;
	strcpy(name, entry->name + (*entry->name == '@' || *entry->name == '.'));
	lower_name(name);
	return strcmp(name, now) != 0;
}
