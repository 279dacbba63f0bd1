/* Prints verdicts, reasons, diagnoses and lists as text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/show.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <glib.h>

enum { BAR_WIDTH = 10, TEXT_WIDTH = 36, SHOWN_REASONS = 20 };

void show_text(const char *text, size_t length, size_t width)
{
	const char *end = text + length;
	size_t shown = 0;

	for (; text < end && shown < width; shown++) {
		gunichar c = g_utf8_get_char_validated(text, end - text);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			printf("\\x%02x", (unsigned char)*text++);
		} else if (!g_unichar_isprint(c)) {
			printf("\\u{%x}", c);
			text = g_utf8_next_char(text);
		} else {
			const char *next = g_utf8_next_char(text);
			fwrite(text, 1, (size_t)(next - text), stdout);
			text = next;
		}
	}
	if (text < end)
		fputs("...", stdout);
}

static double number_member(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static bool truth(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Rounded to a tenth, but never up to the threshold that it does not reach. */
static double shown_score(const json_t *verdict)
{
	double score = round(number_member(verdict, "score") * 10) / 10;

	return !truth(verdict, "spam") && score >= number_member(verdict, "threshold") ? score - 0.1
										       : score;
}

void show_score(const json_t *verdict)
{
	const json_t *entry = json_object_get(verdict, "entry");

	printf("%s %.1f / %.1f (probability %.4f, judged by the reports of %s)",
		truth(verdict, "spam") ? "spam" : "ham", shown_score(verdict),
		number_member(verdict, "threshold"), number_member(verdict, "probability"),
		truth(verdict, "personal") ? "you and everybody" : "everybody");
	if (json_is_object(entry)) {
		printf("; the %s's list says %s: ", string(entry, "scope"), string(entry, "list"));
		show_text(string(entry, "entry"), strlen(string(entry, "entry")), 200);
	}
	putchar('\n');
}

static void show_reason(const json_t *reason, double strongest)
{
	double everybody = number_member(reason, "everybody"), own = number_member(reason, "own");
	double sum = everybody + own;
	int bar = strongest > 0 ? (int)lround(BAR_WIDTH * fabs(sum) / strongest) : 0;
	const char *text = string(reason, "text");

	printf("%+8.3f %.*s%*s  %-4s  %-10s %-18s ", sum, bar, "##########", BAR_WIDTH - bar, "",
		sum > 0 ? "spam" : "ham",
		own == 0                 ? "everybody"
			: everybody == 0 ? "you"
					 : "both",
		string(reason, "field"));
	show_text(text, strlen(text), TEXT_WIDTH);
	putchar('\n');
}

/* margin -> log-odds -> score: each step of the arithmetic. */
static void show_sum(const json_t *verdict, double listed, double rest)
{
	printf("\n%+8.3f the features above\n%+8.3f all other features\n%+8.3f no feature's (bias)\n"
	       "%+8.3f together; with the uncertainty of %.2f these are log-odds of %+.2f,\n"
	       "         a probability of %.4f, a score of %.1f; spam from %.1f on\n",
		listed, rest, number_member(verdict, "bias"), number_member(verdict, "margin"),
		number_member(verdict, "uncertainty"), number_member(verdict, "log_odds"),
		number_member(verdict, "probability"), shown_score(verdict),
		number_member(verdict, "threshold"));
}

void show_why(const json_t *verdict)
{
	const json_t *reasons = json_object_get(verdict, "reasons");
	double strongest = 0, listed = 0;
	size_t i;
	json_t *reason;

	show_score(verdict);
	printf("%.0f features, %.0f of them known\n", number_member(verdict, "tokens"),
		number_member(verdict, "known"));
	if (json_array_size(reasons) == 0) {
		puts("Nothing of it was reported before: nothing speaks for or against it.");
		return;
	}
	puts("\nstrength            says  from       field              feature");
	json_array_foreach(reasons, i, reason)
	{
		double sum = number_member(reason, "everybody") + number_member(reason, "own");
		if (i >= SHOWN_REASONS)
			break;
		if (i == 0)
			strongest = fabs(sum);
		listed += sum;
		show_reason(reason, strongest);
	}
	show_sum(verdict, listed,
		number_member(verdict, "margin") - number_member(verdict, "bias") - listed);
}

/* What to do about a newsletter instead of reporting it. */
static void show_unsubscribe(const json_t *answer)
{
	size_t i;
	json_t *target;

	json_array_foreach(json_object_get(answer, "unsubscribe"), i, target)
	{
		fputs("unsubscribe: ", stdout);
		show_text(string(target, "url"), strlen(string(target, "url")), 500);
		puts(truth(target, "one_click") ? " (one click)" : "");
	}
}

void show_answer(const json_t *answer)
{
	static const struct {
		const char *outcome, *text;
	} texts[] = {
		{"new", "learned"},
		{"repeat", "was learned already: nothing changed"},
		{"flip", "learned anew: the report before is undone"},
		{"forgotten", "forgotten"},
		{"unknown", "was not learned: nothing to forget"},
		{"ignored", "nothing was reported"},
		{"trusted", "the sender is trusted: recorded, nothing learned"},
	};
	const char *outcome = string(answer, "outcome");

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(outcome, texts[i].outcome) == 0)
			outcome = texts[i].text;
	}
	const char *reason = string(answer, "reason");
	printf("%s%s%s%s\n", outcome, *reason ? ": " : "", reason,
		truth(answer, "taught_global")                          ? " (shared with everybody)"
			: strcmp(string(answer, "consent"), "ask") == 0 ? " (for this user alone)"
									: "");
	show_unsubscribe(answer);
}

static void show_member(const char *prefix, const char *key, const json_t *value)
{
	char name[256];
	const char *inner;
	json_t *member;

	snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, inner, member)
			show_member(name, inner, member);
	} else if (json_is_string(value)) {
		printf("%-40s %s\n", name, json_string_value(value));
	} else if (json_is_boolean(value)) {
		printf("%-40s %s\n", name, json_is_true(value) ? "yes" : "no");
	} else if (json_is_number(value)) {
		printf("%-40s %.15g\n", name, json_number_value(value));
	}
}

void show_stats(const json_t *stats)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)stats, key, value) show_member("", key, value);
}

/* --- Administration ---------------------------------------------------------- */

static const char *shown_time(const json_t *object, const char *key, char text[32])
{
	time_t seconds = (time_t)json_integer_value(json_object_get(object, key));
	struct tm parts;

	if (seconds == 0 || !localtime_r(&seconds, &parts) ||
		strftime(text, 32, "%Y-%m-%d %H:%M", &parts) == 0)
		strcpy(text, "never");
	return text;
}

void show_diagnosis(const json_t *diagnosis)
{
	const json_t *reasons = json_object_get(diagnosis, "reasons");
	size_t i, j;
	json_t *step, *reason;

	show_score(diagnosis);
	json_array_foreach(json_object_get(diagnosis, "steps"), i, step)
	{
		const char *finding = string(step, "finding"), *advice = string(step, "advice");

		printf("\n%zu. %-15s", i + 1, string(step, "step"));
		show_text(finding, strlen(finding), 1000);
		if (*advice) {
			printf("\n   %-15s", "-> do:");
			show_text(advice, strlen(advice), 1000);
		}
		putchar('\n');
		if (strcmp(string(step, "step"), "score") != 0)
			continue;
		json_array_foreach(reasons, j, reason)
		{
			double first = number_member(json_array_get(reasons, 0), "everybody") +
				number_member(json_array_get(reasons, 0), "own");
			if (j < 5)
				show_reason(reason, fabs(first));
		}
	}
}

void show_policy(const json_t *policy)
{
	char text[32];
	size_t i;
	json_t *move;

	printf("spam:              %s (laid down by the %s)\n", string(policy, "spam_action"),
		string(policy, "spam_action_from"));
	printf("junk score:        %.1f (%s)\n", number_member(policy, "junk_score"),
		string(policy, "junk_score_from"));
	printf("reject score:      %.1f (%s)\n", number_member(policy, "reject_score"),
		string(policy, "reject_score_from"));
	printf("moved by presses:  %+.2f (at most %.1f) by %.0f reports as spam and %.0f as not spam\n",
		number_member(policy, "shift"), number_member(policy, "shift_limit"),
		number_member(policy, "reports_spam"), number_member(policy, "reports_ham"));
	printf("in force:          spam from a score of %.2f on\n",
		number_member(policy, "effective_junk_score"));
	printf("own policy:        last changed %s; a junk score of %.1f to %.1f may be chosen\n",
		shown_time(policy, "changed", text), number_member(policy, "junk_score_min"),
		number_member(policy, "junk_score_max"));
	printf("consent:           %s", string(policy, "consent"));
	printf(" (%s)\n", shown_time(policy, "consent_time", text));
	json_array_foreach(json_object_get(policy, "moves"), i, move)
	{
		if (i == 0)
			puts("\nthe last presses and where they left the threshold:");
		printf("  %s  %-5s %+.2f\n", shown_time(move, "time", text), string(move, "label"),
			number_member(move, "shift"));
	}
}

void show_user(const json_t *user)
{
	const json_t *error = json_object_get(user, "error_rate");
	const char *name = string(user, "scope");
	size_t i, shown = 0;
	json_t *entry;

	printf("user:              ");
	show_text(name, strlen(name), 300);
	putchar('\n');
	show_policy(user);
	if (json_is_number(error))
		printf("reputation:        wrong in about %.1f %% of the reports, as the last "
		       "retraining found\n",
			100 * json_number_value(error));
	else
		puts("reputation:        not judged by a retraining yet");
	json_array_foreach(json_object_get(user, "entries"), i, entry)
	{
		if (strcmp(string(entry, "kind"), "list") != 0)
			continue;
		if (shown++ == 0)
			puts("\nallowed and blocked:");
		printf("  %-8s ", string(entry, "value"));
		show_text(string(entry, "name"), strlen(string(entry, "name")), 400);
		putchar('\n');
	}
}

void show_entries(const json_t *entries)
{
	char text[32];
	size_t i;
	json_t *entry;

	json_array_foreach(json_object_get(entries, "entries"), i, entry)
	{
		printf("%-8s ", string(entry, "value"));
		show_text(string(entry, "name"), strlen(string(entry, "name")), 400);
		printf("  (%s)\n", shown_time(entry, "time", text));
	}
}

void show_receipt(const json_t *receipt)
{
	char text[32];
	const char *scope = string(receipt, "scope");
	json_t *warning;
	size_t i;

	printf("%s", strcmp(string(receipt, "call"), "erase") == 0 ? "erased " : "changed ");
	show_text(*scope ? scope : "the site", strlen(*scope ? scope : "the site"), 300);
	printf(" at %s: %.0f entries, %.0f reports, %.0f tokens of the global evidence%s\n",
		shown_time(receipt, "time", text), number_member(receipt, "entries"),
		number_member(receipt, "reports"), number_member(receipt, "global_tokens"),
		truth(receipt, "compacted") ? "; the database was rewritten without them" : "");
	json_array_foreach(json_object_get(receipt, "warnings"), i, warning)
	{
		printf("  note: ");
		show_text(json_string_value(warning), json_string_length(warning), 400);
		putchar('\n');
	}
}
