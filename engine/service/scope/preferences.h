/* What one scope has laid down, ready to be asked: made once from its entries,
 * immutable then. And the rules by which the scopes of a recipient decide.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/origin/origin.h"
#include "engine/service/scope/entries.h"
#include "engine/store/store.h"

enum consent_state { CONSENT_UNKNOWN, CONSENT_YES, CONSENT_NO, CONSENT_BARRED };

/* Of an entry's value; what is no value is no consent. */
enum consent_state consent_named(const char *value);
const char *consent_name(enum consent_state consent);

/* One scope's part of a policy. */
struct policy_part {
	bool has_junk, has_reject, has_action, has_scale;
	double junk, reject;
	double scale; /* of scores; the site's alone */
	enum action action;
	int64_t time; /* of the last change; 0 = none */
};

struct preferences;

/* [any] Reads the scope's entries. A scope without any costs little. */
enum status preferences_read(struct preferences **preferences, struct store_reader *reader,
	const char *scope, struct failure *failure);
void preferences_free(struct preferences **preferences);
size_t preferences_bytes(const struct preferences *preferences);

enum consent_state preferences_consent(const struct preferences *preferences, int64_t *time);
const struct policy_part *preferences_policy(const struct preferences *preferences);

/* Adds a trusted sender that is in no store, while nobody else has it yet.
 * STATUS_INVALID. */
enum status preferences_add_trusted(
	struct preferences *preferences, const char *name, struct failure *failure);
/* Whether it could be added. */
enum status preferences_check_trusted(const char *name, struct failure *failure);

/* Is the author on the list of trusted senders: the address, the domain, or a
 * domain above it? Writes the entry's name (STORE_MAX_NAME + 1 bytes). */
bool preferences_trusts(
	const struct preferences *preferences, const struct origin *origin, char *name);

/* --- Lists ----------------------------------------------------------------- */

enum list_scope { LIST_NONE, LIST_USER, LIST_DOMAIN, LIST_SITE };

/* The entry that decides. */
struct list_match {
	enum list_scope scope; /* LIST_NONE: no entry matches */
	bool block;
	char name[STORE_MAX_NAME + 1];
};
const char *list_scope_name(enum list_scope scope);

/* The user's entries win over the domain's, these over the site's. In one scope
 * the most specific wins: the address, then the longest domain, then the smallest
 * network of the sending host. What allows an author holds only where the author is
 * believed (origin_is_believed); what blocks one does for each of several authors. Each
 * of the three may be NULL. */
void preferences_match(const struct preferences *user, const struct preferences *domain,
	const struct preferences *site, const struct origin *origin, struct list_match *match);

/* --- Policy ------------------------------------------------------------------ */

struct policy {
	double junk; /* score from which on a message is spam */
	double reject; /* score from which on spam may be rejected; >= junk */
	enum action action; /* what happens to spam */
	enum list_scope junk_from, reject_from,
		action_from; /* who laid it down; LIST_NONE: settings */
};

/* What the settings say of policies. */
struct policy_bounds {
	double junk, reject; /* where nobody has laid down anything */
	enum action action;
	double junk_min, junk_max; /* a user's own junk score stays within */
};

/* The recipient's policy: for each point the user's word, else the domain's, else
 * the site's, else the settings'. A user's junk score is kept within the bounds. */
struct policy policy_of(const struct policy_bounds *bounds, const struct preferences *user,
	const struct preferences *domain, const struct preferences *site);
