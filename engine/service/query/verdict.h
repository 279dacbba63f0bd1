/* How a score becomes a verdict: lists and policy of those who have a say. And which of
 * several recipients' verdicts holds for the message as a whole. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "engine/model/model.h"
#include "engine/origin/origin.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"

/* What all recipients of a message share. */
struct verdict_basis {
	const struct user_rules *rules;
	double reject_uncertainty;
	const struct preferences *site;
	const struct origin *origin;
};

/* Fills in what follows from the score: score to action, match, policy. The preferences of
 * user and domain may be NULL: who has none, or is left out. The rest of the verdict stays. */
void verdict_decide(struct verdict *verdict, const struct verdict_basis *basis,
	const struct model_score *score, const struct preferences *user,
	const struct preferences *domain);

/* Is a milder than b: what happens to the message first, then the distance to the
 * threshold? */
bool verdict_is_milder(const struct verdict *a, const struct verdict *b);

/* Whose own word makes a verdict milder than it would be: LIST_USER when it is milder than
 * `without_user`, LIST_DOMAIN when it is milder than `of_site` (without user and domain), else
 * LIST_NONE. A user's word is each entry and each press of that user. */
enum list_scope verdict_milder_by(const struct verdict *verdict, const struct verdict *without_user,
	const struct verdict *of_site);

/* Decides which of two recipients' verdicts holds for the message: true = a. `a_by` and `b_by`
 * say whose own word made each verdict milder. A verdict without such a word comes first, then
 * one with the domain's word, then one with the user's. Of two without one the milder verdict
 * holds, of others the less mild one. So the word of one person, or of one domain, never makes
 * milder what happens to another person's mail. */
bool verdict_goes_before(const struct verdict *a, enum list_scope a_by, const struct verdict *b,
	enum list_scope b_by);
