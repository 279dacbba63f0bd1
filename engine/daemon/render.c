/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render.h"

#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"

/* Exim reads 32,600 bytes of headers and report. */
static const size_t REPORT_MAX = 30000;

/* Reasons each way in a report for people, and altogether in JSON. */
static const size_t REPORT_REASONS = 10;
static const size_t JSON_REASONS = 30;

/* Longest text of a token in a report, in characters. */
static const size_t SHOWN_TEXT = 60;

const char *render_symbols(const struct verdict *verdict)
{
	static const char *const LISTS[2][2][2] = {
		{{"HAMLET_HAM", "HAMLET_HAM,HAMLET_UNSURE"},
			{"HAMLET_HAM,HAMLET_PERSONAL", "HAMLET_HAM,HAMLET_PERSONAL,HAMLET_UNSURE"}},
		{{"HAMLET_SPAM", "HAMLET_SPAM,HAMLET_UNSURE"},
			{"HAMLET_SPAM,HAMLET_PERSONAL",
				"HAMLET_SPAM,HAMLET_PERSONAL,HAMLET_UNSURE"}},
	};
	bool unsure = fabs(verdict->score - verdict->threshold) < verdict->uncertainty;

	return LISTS[verdict->spam][verdict->personal][unsure];
}

/* --- Text ---------------------------------------------------------------- */

/* The report may become a mail header, so it is ASCII: other characters are
 * written \u{...}, octets that are no UTF-8 \xNN. */
static void append_shown(struct buffer *output, const char *text)
{
	size_t shown = 0;

	for (; *text && shown < SHOWN_TEXT; shown++) {
		gunichar letter = g_utf8_get_char_validated(text, -1);

		if (*text >= 0x20 && *text < 0x7F) {
			buffer_append(output, text++, 1);
		} else if (letter == (gunichar)-1 || letter == (gunichar)-2) {
			buffer_printf(output, "\\x%02x", (unsigned char)*text++);
		} else {
			buffer_printf(output, "\\u{%x}", letter);
			text = g_utf8_next_char(text);
		}
	}
	if (*text)
		buffer_append_string(output, "...");
}

static void append_reason(struct buffer *output, const struct reason *reason, bool personal)
{
	buffer_printf(output, "  %+7.2f  %.60s: ", reason->everybody + reason->own, reason->field);
	append_shown(output, reason->text);
	if (personal && reason->own != 0)
		buffer_printf(
			output, " (you %+.2f, everybody %+.2f)", reason->own, reason->everybody);
	buffer_append_string(output, "\n");
}

/* The strongest reasons of one direction: +1 for spam, -1 for ham. */
static void append_reasons(
	struct buffer *output, const struct verdict *verdict, double direction, const char *title)
{
	size_t shown = 0;

	for (size_t i = 0; i < verdict->reason_count && shown < REPORT_REASONS; i++) {
		const struct reason *reason = &verdict->reasons[i];

		if ((reason->everybody + reason->own) * direction <= 0)
			continue;
		if (shown++ == 0)
			buffer_printf(output, "%s\n", title);
		append_reason(output, reason, verdict->personal);
	}
}

/* Rounded as the Spam: line is, but never up to the threshold. */
static double shown_score(const struct verdict *verdict)
{
	double score = round(verdict->score * 10) / 10;

	if (!verdict->spam && score >= round(verdict->threshold * 10) / 10)
		score -= 0.1;
	return score;
}

char *render_report(const struct verdict *verdict)
{
	struct buffer output = BUFFER_INIT(REPORT_MAX);

	buffer_printf(&output, "Hamlet: %s, score %.1f, spam from %.1f on (probability %.4f)\n",
		verdict->spam ? "spam" : "not spam", shown_score(verdict), verdict->threshold,
		verdict->probability);
	buffer_printf(&output, "Judged by the reports of %s; %zu of %zu features known%s\n",
		verdict->personal ? "you and everybody" : "everybody", verdict->known,
		verdict->tokens,
		fabs(verdict->score - verdict->threshold) < verdict->uncertainty ? "; not sure"
										 : "");
	append_reasons(&output, verdict, +1, "What speaks for spam:");
	append_reasons(&output, verdict, -1, "What speaks against:");
	buffer_append(&output, "", 1);
	if (output.failed)
		buffer_free(&output);
	return output.data;
}

/* --- JSON ---------------------------------------------------------------- */

/* JSON knows no infinity. */
static json_t *real(double value)
{
	return json_real(isfinite(value) ? value : 0);
}

/* JSON is UTF-8; what a client or a mail says need not be. */
static json_t *string(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);
	json_t *json = json_string(valid);

	g_free(valid);
	return json;
}

static json_t *identity(uint64_t number)
{
	char text[17];

	snprintf(text, sizeof(text), "%016" PRIx64, number);
	return json_string(text);
}

/* Takes over *json, which may be NULL. */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

	json_decref(json);
	return text;
}

static json_t *reason_list(const struct verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < verdict->reason_count && i < JSON_REASONS; i++) {
		const struct reason *reason = &verdict->reasons[i];

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o}", "field", string(reason->field),
				      "text", string(reason->text), "everybody",
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

char *render_verdict_json(const struct verdict *verdict, const char *user)
{
	json_t *json = json_pack(
		"{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:I, s:I, s:o, s:o}", "spam",
		verdict->spam, "score", real(verdict->score), "threshold", real(verdict->threshold),
		"probability", real(verdict->probability), "log_odds", real(verdict->log_odds),
		"uncertainty", real(verdict->uncertainty), "margin", real(verdict->margin), "bias",
		real(verdict->bias), "personal", verdict->personal, "tokens",
		(json_int_t)verdict->tokens, "known", (json_int_t)verdict->known, "identity",
		identity(verdict->identity), "user", string(user));

	if (json && verdict->reasons) {
		json_object_set_new(json, "reasons", reason_list(verdict));
		json_object_set_new(json, "others", other_reasons(verdict));
	}
	return dump(json);
}

char *render_answer_json(const struct answer *answer)
{
	return dump(json_pack("{s:s, s:b, s:s, s:I, s:o}", "outcome", outcome_name(answer->outcome),
		"taught_global", answer->taught_global, "consent",
		answer->ask_consent ? "ask" : "known", "seq", (json_int_t)answer->seq, "identity",
		identity(answer->identity)));
}
