/* Verdicts, answers and records as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render/render.h"

#include <glib.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "engine/origin/origin.h"
#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/scope/scope.h"
#include "engine/service/upkeep/upkeep.h"

static const size_t JSON_REASONS = 30;

/* --- Values ------------------------------------------------------------------ */

/* JSON knows no infinity. */
static json_t *real(double value)
{
	return json_real(isfinite(value) ? value : 0);
}

static json_t *number(int64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *render_string(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);
	json_t *json = json_string(valid);

	g_free(valid);
	return json;
}

static json_t *hexadecimal(uint64_t value, int digits)
{
	char text[17];

	snprintf(text, sizeof(text), "%0*" PRIx64, digits, value);
	return json_string(text);
}

/* Takes over *json, which may be NULL. */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	json_decref(json);
	return text;
}

static const char *label_name(enum label label)
{
	static const char *const names[] = {"forget", "ham", "spam"};

	return names[label];
}

/* --- Verdicts ------------------------------------------------------------------ */

static json_t *reason_list(const struct verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < verdict->reason_count && i < JSON_REASONS; i++) {
		const struct reason *reason = &verdict->reasons[i];

		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:o}", "field", render_string(reason->field),
				"text", render_string(reason->text), "everybody",
				real(reason->everybody), "own", real(reason->own)));
	}
	return list;
}

/* What the tokens that are not listed bring, so that the sum can be checked. */
static json_t *other_reasons(const struct verdict *verdict)
{
	double everybody = 0;
	double own = 0;
	json_int_t tokens = 0;

	for (size_t i = JSON_REASONS; i < verdict->reason_count; i++, tokens++) {
		everybody += verdict->reasons[i].everybody;
		own += verdict->reasons[i].own;
	}
	return json_pack("{s:I, s:o, s:o}", "tokens", tokens, "everybody", real(everybody), "own",
		real(own));
}

static json_t *match_json(const struct list_match *match)
{
	if (match->scope == LIST_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "scope", list_scope_name(match->scope), "list",
		match->block ? "block" : "allow", "entry", render_string(match->name));
}

static json_t *verdict_json(const struct verdict *verdict, const char *user)
{
	json_t *json = json_object();

	json_object_set_new(json, "user", render_string(user));
	json_object_set_new(json, "spam", json_boolean(verdict->spam));
	json_object_set_new(json, "action", json_string(action_name(verdict->action)));
	json_object_set_new(json, "reply", json_string(verdict->reply));
	json_object_set_new(json, "score", real(verdict->score));
	json_object_set_new(json, "threshold", real(verdict->threshold));
	json_object_set_new(json, "reject_threshold", real(verdict->policy.reject));
	json_object_set_new(json, "probability", real(verdict->probability));
	json_object_set_new(json, "log_odds", real(verdict->log_odds));
	json_object_set_new(json, "uncertainty", real(verdict->uncertainty));
	json_object_set_new(json, "spared", json_boolean(verdict->spared));
	json_object_set_new(json, "margin", real(verdict->margin));
	json_object_set_new(json, "bias", real(verdict->bias));
	json_object_set_new(json, "own_shift", real(verdict->own_shift));
	json_object_set_new(json, "personal", json_boolean(verdict->personal));
	json_object_set_new(json, "tokens", number((int64_t)verdict->tokens));
	json_object_set_new(json, "known", number((int64_t)verdict->known));
	json_object_set_new(json, "identity", hexadecimal(verdict->identity, 16));
	json_object_set_new(json, "entry", match_json(&verdict->match));
	if (verdict->reasons) {
		json_object_set_new(json, "reasons", reason_list(verdict));
		json_object_set_new(json, "others", other_reasons(verdict));
	}
	return json;
}

static json_t *query_json(const struct query *query)
{
	size_t joint = query_joint(query);
	json_t *json = verdict_json(query_verdict(query, joint), query_user(query, joint));
	json_t *list = json_array();

	for (size_t i = 0; i < query_count(query) && query_count(query) > 1; i++)
		json_array_append_new(
			list, verdict_json(query_verdict(query, i), query_user(query, i)));
	if (json_array_size(list) > 0)
		json_object_set(json, "recipients", list);
	json_decref(list);
	return json;
}

char *render_query_json(const struct query *query)
{
	return dump(query_json(query));
}

/* --- Answers ------------------------------------------------------------------- */

static json_t *target_list(const struct origin_targets *targets)
{
	json_t *list = json_array();

	for (size_t i = 0; i < targets->count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:b}", "url", targets->list[i].url, "one_click",
				targets->list[i].one_click));
	return list;
}

char *render_answer_json(const struct answer *answer)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:o}", "outcome",
		outcome_name(answer->outcome), "label", label_name(answer->label), "reason",
		answer->reason, "taught_global", answer->taught_global, "consent",
		answer->ask_consent ? "ask" : "known", "seq", (json_int_t)answer->seq, "identity",
		hexadecimal(answer->identity, 16));

	if (json && answer->outcome == OUTCOME_TRUSTED) {
		json_object_set_new(json, "trusted", render_string(answer->trusted));
		json_object_set_new(json, "unsubscribe", target_list(answer->unsubscribe));
	}
	return dump(json);
}

char *render_diagnosis_json(const struct query *query, const struct past *past)
{
	struct diagnosis diagnosis;
	const struct diagnosis_case given = {.verdict = query_verdict(query, 0),
		.origin = query_origin(query),
		.past = past,
		.trusted = query_trusts(query),
		.user = query_user(query, 0),
		.has_authserv_ids = query_has_authserv_ids(query)};
	json_t *json = query_json(query);
	json_t *steps = json_array();

	diagnose(&diagnosis, &given);
	for (size_t i = 0; i < DIAGNOSIS_STEPS; i++)
		json_array_append_new(steps,
			json_pack("{s:s, s:o, s:o}", "step", diagnosis.steps[i].name, "finding",
				render_string(diagnosis.steps[i].finding), "advice",
				render_string(diagnosis.steps[i].advice)));
	json_object_set_new(json, "steps", steps);
	return dump(json);
}

/* --- What is kept ---------------------------------------------------------------- */

json_t *render_entry(const struct store_entry *entry)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", entry_kind_name(entry->kind), "name",
		render_string(entry->name), "value", render_string(entry->value), "time",
		number(entry->time));
}

static json_t *contribution_json(const struct contribution *contribution)
{
	return json_pack("[o, o, o, o, o, o]", real(contribution->head_sum),
		real(contribution->head_gain), real(contribution->body_sum),
		real(contribution->body_gain), real(contribution->bias_sum),
		real(contribution->bias_gain));
}

json_t *render_journal(const struct report *report)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(keys, hexadecimal(report->keys[i], 10));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "seq",
		number(report->seq), "time", number(report->time), "label",
		label_name(report->label), "message", hexadecimal(report->message, 16), "sender",
		hexadecimal(report->sender, 16), "list", hexadecimal(report->list, 16), "shared",
		(report->flags & REPORT_CONSENT) != 0, "muted", (report->flags & REPORT_MUTED) != 0,
		"margin", real(report->margin), "taught", contribution_json(&report->global),
		"undone", contribution_json(&report->undone), "tokens", keys);
}

static json_t *laid_down_by(enum list_scope scope)
{
	return json_string(scope == LIST_NONE ? "configuration" : list_scope_name(scope));
}

static json_t *move_list(const struct policy_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->move_count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:s, s:o}", "time", number(view->moves[i].time), "label",
				label_name(view->moves[i].label), "shift",
				real(view->moves[i].shift)));
	return list;
}

json_t *render_expired(const struct expired *expired)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:s}", "by_age",
		number(expired->by_age), "by_count", number(expired->by_count), "by_idleness",
		number(expired->by_idleness), "by_budget", number(expired->by_budget), "users",
		number(expired->users), "bytes", number(expired->bytes), "postponed",
		expired->postponed, "capped", expired->capped, "clock",
		clock_doubt_name(expired->doubt));
}

void render_policy(json_t *json, const struct policy_view *view)
{
	const struct policy *policy = &view->policy;

	json_object_set_new(json, "spam_action", json_string(action_name(policy->action)));
	json_object_set_new(json, "spam_action_from", laid_down_by(policy->action_from));
	json_object_set_new(json, "junk_score", real(policy->junk));
	json_object_set_new(json, "junk_score_from", laid_down_by(policy->junk_from));
	json_object_set_new(json, "reject_score", real(policy->reject));
	json_object_set_new(json, "reject_score_from", laid_down_by(policy->reject_from));
	json_object_set_new(json, "changed", number(view->changed));
	json_object_set_new(json, "shift", real(view->shift));
	json_object_set_new(json, "shift_limit", real(view->limit));
	json_object_set_new(json, "effective_junk_score", real(view->threshold));
	json_object_set_new(json, "junk_score_min", real(view->junk_min));
	json_object_set_new(json, "junk_score_max", real(view->junk_max));
	json_object_set_new(json, "reports_spam", number((int64_t)view->spam));
	json_object_set_new(json, "reports_ham", number((int64_t)view->ham));
	json_object_set_new(json, "moves", move_list(view));
	json_object_set_new(json, "consent", json_string(consent_name(view->consent)));
	json_object_set_new(json, "consent_time", number(view->consent_time));
}
