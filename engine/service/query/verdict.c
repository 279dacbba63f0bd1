/* Lists, thresholds and policy make a verdict of a score.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/query/verdict.h"

#include <math.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"

static const char BLOCKED[] = "554 5.7.1 Sender is blocked by the recipient";
static const char REJECTED[] = "554 5.7.1 Spam message rejected";
static const double LIST_LIFT = 100; /* an entry's, in score */

static void fill(
	struct verdict *verdict, const struct user_rules *rules, const struct model_score *score)
{
	verdict->log_odds = score->log_odds;
	verdict->probability = score->probability;
	verdict->margin = score->margin;
	verdict->uncertainty = sqrt(score->variance);
	verdict->threshold = verdict->policy.junk;
	verdict->score = rules->threshold + (score->log_odds - rules->junk_log_odds);
}

/* Nothing is rejected because the engine is unsure. */
static void choose_action(struct verdict *verdict, double reject_uncertainty)
{
	bool listed = verdict->match.scope != LIST_NONE;
	bool unsure = verdict->uncertainty > reject_uncertainty && !listed;

	verdict->spam = verdict->score >= verdict->threshold;
	verdict->action = verdict->spam ? verdict->policy.action : ACTION_DELIVER;
	verdict->reply = "";
	verdict->spared = false;
	if (verdict->action != ACTION_REJECT)
		return;
	verdict->spared = unsure && verdict->score >= verdict->policy.reject;
	if (unsure || verdict->score < verdict->policy.reject)
		verdict->action = ACTION_JUNK;
	else
		verdict->reply = listed ? BLOCKED : REJECTED;
}

void verdict_decide(struct verdict *verdict, const struct verdict_basis *basis,
	const struct model_score *score, const struct preferences *user,
	const struct preferences *domain)
{
	verdict->policy = policy_of(&basis->rules->bounds, user, domain, basis->site);
	fill(verdict, basis->rules, score);
	/* What an entry says goes before the score. */
	preferences_match(user, domain, basis->site, basis->origin, &verdict->match);
	if (verdict->match.scope != LIST_NONE)
		verdict->score =
			verdict->threshold + (verdict->match.block ? LIST_LIFT : -LIST_LIFT);
	choose_action(verdict, basis->reject_uncertainty);
}

bool verdict_is_milder(const struct verdict *a, const struct verdict *b)
{
	if (a->action != b->action)
		return a->action < b->action;
	return a->score - a->threshold < b->score - b->threshold;
}

enum list_scope verdict_milder_by(const struct verdict *verdict, const struct verdict *without_user,
	const struct verdict *of_site)
{
	if (verdict_is_milder(verdict, without_user))
		return LIST_USER;
	return verdict_is_milder(verdict, of_site) ? LIST_DOMAIN : LIST_NONE;
}

/* By how few the word was laid down. */
static int narrowness(enum list_scope scope)
{
	switch (scope) {
	case LIST_USER:
		return 2;
	case LIST_DOMAIN:
		return 1;
	default:
		return 0;
	}
}

bool verdict_goes_before(const struct verdict *a, enum list_scope a_by, const struct verdict *b,
	enum list_scope b_by)
{
	if (a_by != b_by)
		return narrowness(a_by) < narrowness(b_by);
	return a_by == LIST_NONE ? verdict_is_milder(a, b) : verdict_is_milder(b, a);
}
