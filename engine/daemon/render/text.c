/* Verdicts for people.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render/render.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"

/* Exim reads 32,600 bytes of headers and report. */
static const size_t REPORT_MAX = 30000;

/* Reasons each way. */
static const size_t REPORT_REASONS = 10;

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
	if (verdict->match.scope != LIST_NONE)
		return verdict->match.block ? "HAMLET_SPAM,HAMLET_BLOCKED"
					    : "HAMLET_HAM,HAMLET_ALLOWED";
	bool unsure = fabs(verdict->score - verdict->threshold) < verdict->uncertainty;

	return LISTS[verdict->spam][verdict->personal][unsure];
}

const char *render_rspamd_action(const struct verdict *verdict)
{
	static const char *const names[] = {
		[ACTION_DELIVER] = "no action",
		[ACTION_TAG] = "add header",
		[ACTION_JUNK] = "add header",
		[ACTION_REJECT] = "reject",
	};

	return names[verdict->action];
}

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
	buffer_printf(output, "  %+7.2f  ", reason->everybody + reason->own);
	append_shown(output, reason->field); /* it may be the name of a header field */
	buffer_append_string(output, ": ");
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

double render_score(const struct verdict *verdict)
{
	double score = round(verdict->score * 10) / 10;

	if (!verdict->spam && score >= round(verdict->threshold * 10) / 10)
		score -= 0.1;
	return score;
}

char *render_explanation(const struct verdict *verdict)
{
	struct buffer output = BUFFER_INIT(REPORT_MAX);

	buffer_printf(&output, "Hamlet: %s, score %.1f, spam from %.1f on (probability %.4f)\n",
		verdict->spam ? "spam" : "not spam", render_score(verdict), verdict->threshold,
		verdict->probability);
	/* Exim's ACL looks for this line, see data/examples/exim. */
	buffer_printf(&output, "Action: %s\n", action_name(verdict->action));
	buffer_printf(&output, "Judged by the reports of %s; %zu of %zu features known%s\n",
		verdict->personal ? "you and everybody" : "everybody", verdict->known,
		verdict->tokens,
		fabs(verdict->score - verdict->threshold) < verdict->uncertainty ? "; not sure"
										 : "");
	if (verdict->match.scope != LIST_NONE) {
		buffer_printf(&output, "The %s's list %s ", list_scope_name(verdict->match.scope),
			verdict->match.block ? "blocks" : "allows");
		append_shown(&output, *verdict->match.name ? verdict->match.name : "it");
		buffer_append_string(&output, ", whatever the score\n");
	}
	append_reasons(&output, verdict, +1, "What speaks for spam:");
	append_reasons(&output, verdict, -1, "What speaks against:");
	buffer_append(&output, "", 1);
	if (output.failed)
		buffer_free(&output);
	return output.data;
}
