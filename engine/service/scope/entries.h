/* What a site, a domain or a user may lay down: consent, block and allow lists,
 * trusted senders, policy. Checks and the one way of writing each. Pure.
 *
 * A scope is "" (the site), "@example.org" (all users whose name ends so) or a
 * user name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/settings/service-settings.h"
#include "engine/store/store.h"

enum entry_kind {
	/* Of a user; name "", value "granted", "declined", or "barred": declined by an
	 * administrator, whom no press and no change of the person's own overrules. */
	ENTRY_CONSENT = 1,
	ENTRY_LIST = 2, /* name: address, domain or network; value "allow" or "block" */
	ENTRY_TRUST = 3, /* of the site; name: address or domain; value "trusted" */
	ENTRY_POLICY = 4, /* name: see below; value: a number or a word */
	ENTRY_REPUTATION = 5, /* of a user, the trainer's; name "": see reputation.h */
};

/* Names of ENTRY_POLICY. */
#define POLICY_JUNK_SCORE   "junk-score" /* a message with this score is spam */
#define POLICY_REJECT_SCORE "reject-score" /* from here on spam is rejected, if at all */
#define POLICY_SPAM_ACTION  "spam-action" /* "tag", "junk" or "reject" */
/* Of the site: by what a margin is multiplied, so that probabilities are right (model.h). */
#define POLICY_SCORE_SCALE "score-scale"
#define POLICY_LEAST_SCALE 1.5
#define POLICY_MOST_SCALE  6.0

const char *action_name(enum action action);
bool action_named(const char *name, enum action *action);

/* The domain's scope that a user belongs to: from the last '@' of the name on, in
 * lower case; "" when there is none. */
void entries_domain(const char *user, char scope[STORE_MAX_USER + 1]);

/* Most entries of lists and trusted senders together that a scope may have: each score
 * that is not in the cache reads all of them. */
enum { ENTRIES_MOST_OF_USER = 10000, ENTRIES_MOST_OF_MANY = 100000 /* site, domain */ };
size_t entries_most(const char *scope);

/* Checks an entry and writes its name in the one way ("Bob@EXAMPLE.org" becomes
 * "bob@example.org", "10.1.2.3/8" becomes "10.0.0.0/8"). A value of NULL removes,
 * whatever it was. STATUS_INVALID with what is wrong. */
enum status entries_check(
	const struct store_entry *entry, char name[STORE_MAX_NAME + 1], struct failure *failure);

/* How an earlier version wrote the name of a list's entry or a trusted sender, when that
 * differs from what entries_check writes: with other scripts as they were typed. False
 * when it does not. */
bool entries_former(const struct store_entry *entry, char name[STORE_MAX_NAME + 1]);

/* "list", "trust", "policy", "consent", "reputation"; 0 = no such kind. */
enum entry_kind entry_kind_named(const char *name);
const char *entry_kind_name(int kind);
