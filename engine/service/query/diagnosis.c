/* The steps of a diagnosis, and their sentences.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/query/query.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/origin/origin.h"

__attribute__((format(printf, 2, 3))) static void find(
	struct diagnosis_step *step, const char *format, ...)
{
	size_t used = strlen(step->finding);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(step->finding + used, sizeof(step->finding) - used, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void advise(
	struct diagnosis_step *step, const char *format, ...)
{
	va_list arguments;

	if (*step->advice)
		return; /* the first one is the most pressing */
	va_start(arguments, format);
	vsnprintf(step->advice, sizeof(step->advice), format, arguments);
	va_end(arguments);
}

/* " --user NAME" for a shell, of a name that can stand there. A command with a part of a
 * name would be about somebody else. */
enum { MOST_OPTION = 300 };

static bool user_option(const char *user, char text[MOST_OPTION])
{
	int length = snprintf(text, MOST_OPTION, " --user '%s'", user);

	return *user && !strchr(user, '\'') && length < MOST_OPTION;
}

static bool scope_option(enum list_scope scope, const char *user, char text[MOST_OPTION])
{
	const char *at = strrchr(user, '@');

	if (scope == LIST_USER)
		return user_option(user, text);
	if (scope == LIST_DOMAIN)
		return at && snprintf(text, MOST_OPTION, " --domain '%s'", at + 1) < MOST_OPTION &&
			!strchr(at, '\'');
	strcpy(text, " --site");
	return scope == LIST_SITE;
}

static const char *date(int64_t time, char text[32])
{
	time_t seconds = (time_t)time;
	struct tm parts;

	if (!gmtime_r(&seconds, &parts) || strftime(text, 32, "%Y-%m-%d %H:%M UTC", &parts) == 0)
		strcpy(text, "at an unknown time");
	return text;
}

static void on_list(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	const struct list_match *match = &given->verdict->match;
	struct network network;
	char whose[MOST_OPTION];

	if (match->scope == LIST_NONE) {
		find(step, "No entry of a block or allow list matches.");
		return;
	}
	find(step, "The %s's list %s %.200s; this decides before any score.",
		list_scope_name(match->scope), match->block ? "blocks" : "allows", match->name);
	if (!match->block && !given->has_authserv_ids && !network_parse(&network, match->name))
		find(step,
			" Anybody can write that address as the author: set authserv-ids in "
			"hamlet.conf, so that the author has to be proven.");
	if (strchr(match->name, '\'') || !scope_option(match->scope, given->user, whose))
		advise(step, "If that is wrong, remove the entry.");
	else
		advise(step, "If that is wrong, remove the entry: hamlet list remove%s '%s'", whose,
			match->name);
}

static void on_policy(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	static const char *const words[] = {
		"is delivered", "is delivered with a tag", "goes to Junk", "is rejected"};
	const struct verdict *verdict = given->verdict;
	const struct policy *policy = &verdict->policy;

	find(step, "This recipient's spam %s, from a score of %.1f on", words[policy->action],
		policy->junk);
	if (policy->action == ACTION_REJECT)
		find(step, " to Junk, from %.1f on rejected", policy->reject);
	find(step, " (laid down by the %s).",
		policy->action_from == LIST_NONE ? "configuration"
						 : list_scope_name(policy->action_from));
	if (fabs(verdict->own_shift) >= 0.05)
		find(step, " The user's own presses act as if that were %.1f %s.",
			fabs(verdict->own_shift), verdict->own_shift > 0 ? "higher" : "lower");
	find(step, " This message %s.", words[verdict->action]);
	if (verdict->spared)
		find(step, " It would be rejected, but its score is too uncertain.");
}

static void show_check(
	struct diagnosis_step *step, const char *name, const struct origin_check *check)
{
	find(step, " %s: %s%s%.80s.", name, *check->result ? check->result : "not stamped",
		*check->domain ? " for " : "", check->domain);
}

static void on_authentication(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	const struct origin *origin = given->origin;

	if (!given->has_authserv_ids) {
		find(step, "Not judged: it is not configured how our mail servers sign.");
		advise(step,
			"Set authserv-ids in hamlet.conf to the name that your mail server "
			"puts first in Authentication-Results.");
		return;
	}
	find(step,
		origin->authenticated     ? "The author's domain is proven."
			: origin->refuted ? "DMARC failed: the author's address may be forged."
					  : "The author's domain is not proven.");
	show_check(step, "SPF", &origin->spf);
	show_check(step, "DKIM", &origin->dkim);
	show_check(step, "DMARC", &origin->dmarc);
	if (origin->forged)
		find(step,
			" A field below our own Received line claims to be ours and was ignored.");
	if (!origin->stamped)
		advise(step,
			"Our mail server stamped nothing: check that it verifies SPF, DKIM and "
			"DMARC and writes Authentication-Results above its Received line.");
	else if (!origin->authenticated && !origin->refuted)
		advise(step, "The sender should sign with DKIM as %.100s or publish DMARC.",
			*origin->domain ? origin->domain : "its own domain");
}

static void on_origin(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	const struct origin *origin = given->origin;
	char client[NETWORK_TEXT];

	if (origin->has_client) {
		network_format(&origin->client, client);
		find(step, "Sent by %s.", client);
	} else {
		find(step, "The sending host is not known: no Received line of ours names one.");
		advise(step,
			"Check that the message is the one that was delivered, and own-networks "
			"in hamlet.conf.");
	}
	find(step, " Author: %.120s.", *origin->author ? origin->author : "none");
	if (origin->authors > 1)
		find(step, " There are %zu authors: none is believed.", origin->authors);
	else if (*origin->author && !origin->sole)
		find(step, " The From field is not well formed: the author is not believed.");
	if (*origin->list)
		find(step, " Mailing list: %.120s.", origin->list);
	if (given->trusted)
		find(step, " The author is on the site's list of trusted senders%s.",
			origin->authenticated ? "" : ", but that does not count without proof");
}

static void on_score(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	const struct verdict *verdict = given->verdict;

	find(step,
		"Probability of spam %.3f (log-odds %+.1f), uncertainty %.2f; %zu of %zu features known, "
		"judged by the reports of %s.",
		verdict->probability, verdict->log_odds, verdict->uncertainty, verdict->known,
		verdict->tokens, verdict->personal ? "the user and everybody" : "everybody");
	if (verdict->known * 4 < verdict->tokens)
		advise(step, "Little of it was seen before: reports of such messages will help.");
}

static void show_counts(
	struct diagnosis_step *step, const char *what, const struct past_counts *counts)
{
	char text[32];

	if (counts->spam + counts->ham > 0)
		find(step, " Of this %s: %zu as spam, %zu as not spam, the last one %s.", what,
			counts->spam, counts->ham, date(counts->last, text));
}

static void describe_past(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	static const char *const labels[] = {"and taken back", "as not spam", "as spam"};
	const struct past *past = given->past;
	char text[32];

	if (!*given->user) {
		find(step, "Asked without a user.");
		advise(step, "Ask again with --user to see what the user pressed.");
		return;
	}
	if (past->message.known)
		find(step, "The user reported this message %s, %s%s.", labels[past->message.label],
			date(past->message.time, text),
			past->message.muted ? "; the sender is trusted, so it moved nothing" : "");
	else
		find(step, "The user has not reported this message.");
	show_counts(step, "author", &past->sender);
	show_counts(step, "list", &past->list);
	if (past->sender.spam > 0 && past->sender.ham > 0)
		advise(step,
			"The user pressed both ways for this author: an entry in the user's list "
			"would settle it.");
}

/* The button, and the command for who has none. */
static void describe_press(
	struct diagnosis_step *step, const char *user, const char *button, const char *label)
{
	char whose[MOST_OPTION];

	find(step, "press \"%s\"", button);
	if (user_option(user, whose))
		find(step, " (hamlet report %s%s)", label, whose);
}

/* What a person at the desk would do. */
static void on_next(struct diagnosis_step *step, const struct diagnosis_case *given)
{
	const struct verdict *verdict = given->verdict;
	const char *user = given->user;

	if (verdict->match.scope != LIST_NONE) {
		find(step, "A list decided: change the list, not the filter.");
	} else if (verdict->spam) {
		find(step, "It is taken for spam. If it is wanted, ");
		describe_press(step, user, "Not spam", "ham");
		find(step, ": the next one like it will pass.");
	} else if (given->trusted && given->origin->authenticated) {
		find(step,
			"It is taken for wanted mail of a trusted sender. Unsubscribe from it rather "
			"than report it.");
	} else {
		find(step, "It is taken for wanted mail. If it is spam, ");
		describe_press(step, user, "Spam", "spam");
		find(step, ": the next one like it goes to Junk.");
	}
}

void diagnose(struct diagnosis *diagnosis, const struct diagnosis_case *given)
{
	static const struct {
		const char *name;
		void (*fill)(struct diagnosis_step *step, const struct diagnosis_case *given);
	} steps[DIAGNOSIS_STEPS] = {{"list", on_list}, {"policy", on_policy},
		{"authentication", on_authentication}, {"origin", on_origin}, {"score", on_score},
		{"past", describe_past}, {"next", on_next}};

	for (size_t i = 0; i < DIAGNOSIS_STEPS; i++) {
		struct diagnosis_step *step = &diagnosis->steps[i];

		step->name = steps[i].name;
		*step->finding = *step->advice = '\0';
		steps[i].fill(step, given);
	}
}
