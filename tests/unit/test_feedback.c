/* The feedback rules, as a hoster would say them: consent, trusted senders, lists,
 * policy, erasure, gray mail.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/origin/origin.h"
#include "tests/unit/fixture.h"
#include "tests/unit/store-verbs.h"

static const char *const authserv_ids[] = {"mx.example.org", NULL};
static const char *const headers[] = {"Authentication-Results", NULL};
static const char *const networks[] = {"10.0.0.0/8", NULL};

static void setup(void)
{
	settings = service_defaults();
	settings.authserv_ids = authserv_ids;
	settings.authentication_headers = headers;
	settings.own_networks = networks;
	now = 1000000;
	open_memory();
}

/* --- Doing --------------------------------------------------------------------- */

static struct answer press_event(
	const char *user, const char *text, const struct event *event, enum consent consent)
{
	const struct press_info info = {
		.user = user, .event = *event, .consent = consent, .time = now += 100};
	static struct origin_targets targets;
	static char trusted[STORE_MAX_NAME + 1];
	struct press *press = press_alone(&info, text, strlen(text));
	struct answer answer = *press_answer(press);

	if (answer.trusted) { /* they go with the press */
		targets = *answer.unsubscribe;
		strcpy(trusted, answer.trusted);
		answer.unsubscribe = &targets;
		answer.trusted = trusted;
	}
	press_free(&press);
	return answer;
}

static struct answer press_with(
	const char *user, const char *text, enum label label, enum consent consent)
{
	return press_event(user, text, &(struct event){.label = label}, consent);
}

static enum outcome press(const char *user, const char *text, enum label label)
{
	return press_with(user, text, label, CONSENT_DEFAULT).outcome;
}

static struct verdict judge(const char *user, const char *text)
{
	return judge_text(user, text, strlen(text));
}

/* --- Mail ------------------------------------------------------------------------ */

/* A message of words, some of which all share. Its author is on the way. */
static const char *mail(const char *author, unsigned number, const char *topic)
{
	static char texts[4][2048];
	static unsigned next;
	char *text = texts[next++ % 4];
	size_t used = (size_t)sprintf(text,
		"Received: from out (out [192.0.2.%u]) by mx.example.org; x\nFrom: %s\n"
		"Subject: %s %u\nMessage-ID: <%u.%s@example.com>\n\ncommon words of all",
		number % 200 + 1, author, topic, number, number, topic);

	for (unsigned i = 0; i < 30; i++)
		used += (size_t)sprintf(text + used, " %s%u", topic, (number * 31 + i * 7) % 60);
	return text;
}

static const char *spam(unsigned number)
{
	return mail("win@lottery.example", number, "lottery");
}

static const char *ham(unsigned number)
{
	return mail("ann@friends.example", number, "dinner");
}

/* The same as our mail server stamps it when the author's domain is proven. */
static const char *proven(const char *domain, const char *text)
{
	static char texts[2][4096];
	static unsigned next;
	char *stamped = texts[next++ % 2];

	sprintf(stamped, "Authentication-Results: mx.example.org; dmarc=pass header.from=%s\n%s",
		domain, text);
	return stamped;
}

static void teach_global(void)
{
	for (unsigned i = 0; i < 40; i++) {
		press("", spam(i), LABEL_SPAM);
		press("", ham(i), LABEL_HAM);
	}
}

/* A newsletter; stamped by our own mail server or not. */
static const char *newsletter(bool stamped, unsigned number)
{
	static char text[4096];

	sprintf(text,
		"%s%s\nList-Unsubscribe: <mailto:off@shop.example>, <https://shop.example/off>\n"
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
		"DKIM-Signature: d=shop.example; h=from:list-unsubscribe:list-unsubscribe-post; b=A\n%s",
		stamped ? "Authentication-Results: mx.example.org; dkim=pass header.d=shop.example\n"
			: "",
		"Received: from shop.example (s [192.0.2.7]) by mx.example.org; x",
		mail("news@shop.example", number, "offer"));
	return text;
}

/* All that global says of some messages: moves with any change of it. */
static double global_sum(void)
{
	double sum = 0;

	for (unsigned i = 0; i < 20; i++)
		sum += judge("", spam(i)).log_odds + judge("", ham(i)).log_odds +
			judge("", newsletter(false, i)).log_odds;
	return sum;
}

/* --- Consent ---------------------------------------------------------------------- */

/* What is known, what the person answers with the press; is it shared, is the
 * person asked again, and what is known then. */
static const struct {
	enum consent_state before;
	enum consent answer;
	bool shared, asked;
	enum consent_state after;
} CONSENTS[] = {
	{CONSENT_UNKNOWN, CONSENT_DEFAULT, false, true, CONSENT_UNKNOWN},
	{CONSENT_UNKNOWN, CONSENT_GRANTED, true, false, CONSENT_YES},
	{CONSENT_UNKNOWN, CONSENT_DECLINED, false, true, CONSENT_NO},
	{CONSENT_YES, CONSENT_DEFAULT, true, false, CONSENT_YES},
	{CONSENT_YES, CONSENT_GRANTED, true, false, CONSENT_YES},
	{CONSENT_YES, CONSENT_DECLINED, false, true, CONSENT_YES},
	{CONSENT_NO, CONSENT_DEFAULT, false, true, CONSENT_NO},
	{CONSENT_NO, CONSENT_GRANTED, true, false, CONSENT_YES},
	{CONSENT_NO, CONSENT_DECLINED, false, true, CONSENT_NO},
};

START_TEST(consent_decides_what_is_shared)
{
	static const char *const values[] = {NULL, "granted", "declined"};
	double before = global_sum();

	lay_down("bob", ENTRY_CONSENT, "", values[CONSENTS[_i].before]);
	for (unsigned i = 0; i < 2; i++) { /* each time */
		struct answer answer = press_with("bob", spam(i), LABEL_SPAM, CONSENTS[_i].answer);
		ck_assert(answer.taught_global == CONSENTS[_i].shared);
		ck_assert(answer.ask_consent == CONSENTS[_i].asked);
	}
	ck_assert((global_sum() != before) == CONSENTS[_i].shared);
	ck_assert(judge("bob", spam(0)).spam);
	ck_assert_int_eq(policy("bob").consent, CONSENTS[_i].after);
	ck_assert_int_eq(policy("eve").consent, CONSENT_UNKNOWN);
}
END_TEST

START_TEST(agreeing_in_the_dialog_shares_the_press)
{
	double before = global_sum();

	ck_assert(press_with("bob", spam(1), LABEL_SPAM, CONSENT_DEFAULT).ask_consent);
	ck_assert_double_eq(global_sum(), before);
	struct answer answer = press_with("bob", spam(1), LABEL_SPAM, CONSENT_GRANTED);
	ck_assert_int_eq(answer.outcome, OUTCOME_REPEAT);
	ck_assert(answer.taught_global && answer.seq > 0);
	double shared = global_sum();
	ck_assert_double_gt(shared, before);
	ck_assert_int_eq(press_with("bob", spam(1), LABEL_SPAM, CONSENT_DEFAULT).seq, 0);
	ck_assert_double_eq(global_sum(), shared);
}
END_TEST

START_TEST(withdrawing_takes_the_past_out_of_global)
{
	press_with("eve", spam(3), LABEL_SPAM, CONSENT_GRANTED);
	double before = global_sum();

	press_with("bob", spam(1), LABEL_SPAM, CONSENT_GRANTED);
	press_with("bob", ham(1), LABEL_HAM, CONSENT_DEFAULT);
	press_with("bob", ham(1), LABEL_SPAM, CONSENT_DEFAULT);
	ck_assert_double_ne(global_sum(), before);
	struct verdict own = judge("bob", spam(1));
	struct receipt receipt = lay_down("bob", ENTRY_CONSENT, "", _i ? "declined" : NULL);
	ck_assert_int_eq(receipt.reports, 3);
	ck_assert_double_eq(global_sum(), before);
	ck_assert(judge("bob", spam(1)).spam && own.spam);
	ck_assert_int_eq(policy("bob").spam, 2);
	reopen_service();
	ck_assert_double_eq(global_sum(), before);
	ck_assert(press_with("bob", spam(2), LABEL_SPAM, CONSENT_DEFAULT).ask_consent);
	press("bob", spam(1), LABEL_FORGET); /* what was taken out is not taken out twice */
	ck_assert_double_eq(global_sum(), before);
}
END_TEST

/* --- Trusted senders --------------------------------------------------------------- */

START_TEST(a_trusted_sender_cannot_be_learned_as_spam)
{
	char user[32];

	teach_global();
	lay_down("", ENTRY_TRUST, "Shop.Example", "trusted");
	double before = global_sum();
	struct verdict own = judge("user1", newsletter(true, 1));
	for (unsigned i = 0; i < 10000; i++) {
		sprintf(user, "user%u", i % 500);
		struct answer answer =
			press_with(user, newsletter(true, i % 7), LABEL_SPAM, CONSENT_GRANTED);
		ck_assert_int_eq(answer.outcome, OUTCOME_TRUSTED);
		ck_assert(!answer.taught_global && !answer.ask_consent && answer.seq > 0);
	}
	ck_assert_double_eq(global_sum(), before);
	ck_assert_double_eq(judge("user1", newsletter(true, 1)).log_odds, own.log_odds);
	reopen_service();
	ck_assert_double_eq(global_sum(), before);
}
END_TEST

START_TEST(the_answer_says_where_to_unsubscribe)
{
	lay_down("", ENTRY_TRUST, "news@shop.example", "trusted");
	struct answer answer = press_with("bob", newsletter(true, 1), LABEL_SPAM, CONSENT_DEFAULT);

	ck_assert_int_eq(answer.outcome, OUTCOME_TRUSTED);
	ck_assert_str_eq(answer.trusted, "news@shop.example");
	ck_assert_uint_eq(answer.unsubscribe->count, 2);
	ck_assert(answer.unsubscribe->list[1].one_click);
}
END_TEST

START_TEST(trust_needs_proof_and_is_for_spam_alone)
{
	lay_down("", ENTRY_TRUST, "shop.example", "trusted");
	ck_assert_int_eq(press("bob", newsletter(false, 1), LABEL_SPAM), OUTCOME_NEW);
	ck_assert_int_eq(press("bob", newsletter(true, 2), LABEL_HAM), OUTCOME_NEW);
	double learned = judge("bob", newsletter(true, 2)).log_odds;
	/* A ham that was learned stays: the report as spam moves nothing. */
	ck_assert_int_eq(press("bob", newsletter(true, 2), LABEL_SPAM), OUTCOME_TRUSTED);
	ck_assert_double_eq(judge("bob", newsletter(true, 2)).log_odds, learned);
	ck_assert_int_eq(press("bob", newsletter(true, 2), LABEL_FORGET), OUTCOME_FORGOTTEN);
	ck_assert_int_eq(press("bob", spam(1), LABEL_SPAM), OUTCOME_NEW);
	lay_down("", ENTRY_TRUST, "shop.example", NULL);
	ck_assert_int_eq(press("bob", newsletter(true, 3), LABEL_SPAM), OUTCOME_NEW);
}
END_TEST

START_TEST(thousands_of_trusted_senders_are_no_burden)
{
	static char names[5000][32];
	static struct store_entry entries[5000];
	struct change *change;

	for (int i = 0; i < 5000; i++) {
		sprintf(names[i], "sender%d.example", i);
		entries[i] = (struct store_entry){.scope = "",
			.kind = ENTRY_TRUST,
			.name = i == 4321 ? "shop.example" : names[i],
			.value = "trusted"};
	}
	assert_ok(change_entries(service, entries, 5000, AS_USER, &change, &failure));
	ck_assert_int_eq(run_change(change).entries, 5000);
	ck_assert_int_eq(press("bob", newsletter(true, 1), LABEL_SPAM), OUTCOME_TRUSTED);
	ck_assert_int_eq(press("bob", spam(1), LABEL_SPAM), OUTCOME_NEW);
}
END_TEST

/* --- Lists ---------------------------------------------------------------------------- */

/* Up to three entries, "scope kind name"; and what decides of mail by
 * ann@mail.friends.example from 192.0.2.8 to bob@example.org. */
static const struct {
	const char *entries[3][3];
	const char *winner; /* "scope name"; "" = the score */
	bool block;
} LISTS[] = {
	{{{"bob@example.org", "block", "ann@mail.friends.example"}},
		"user ann@mail.friends.example", true},
	{{{"bob@example.org", "block", "FRIENDS.example"}}, "user friends.example", true},
	{{{"bob@example.org", "block", "192.0.2.0/24"}}, "user 192.0.2.0/24", true},
	{{{"bob@example.org", "block", "192.0.2.8"}}, "user 192.0.2.8", true},
	{{{"bob@example.org", "block", "iends.example"}}, "", false},
	{{{"bob@example.org", "block", "192.0.3.0/24"}}, "", false},
	{{{"bob@example.org", "block", "eve@mail.friends.example"}}, "", false},
	{{{"eve@example.org", "block", "friends.example"}}, "", false},
	{{{"@example.org", "block", "friends.example"}}, "domain friends.example", true},
	{{{"@example.net", "block", "friends.example"}}, "", false},
	{{{"", "block", "friends.example"}}, "site friends.example", true},
	/* The user's own wins, then the domain's. */
	{{{"", "block", "ann@mail.friends.example"}, {"bob@example.org", "allow", "example"}},
		"user example", false},
	{{{"", "block", "ann@mail.friends.example"}, {"@example.org", "allow", "192.0.0.0/8"}},
		"domain 192.0.0.0/8", false},
	{{{"@example.org", "block", "friends.example"}, {"bob@example.org", "allow", "192.0.2.8"}},
		"user 192.0.2.8", false},
	/* In one scope the most specific wins. */
	{{{"", "block", "friends.example"}, {"", "allow", "ann@mail.friends.example"}},
		"site ann@mail.friends.example", false},
	{{{"", "block", "friends.example"}, {"", "allow", "mail.friends.example"}},
		"site mail.friends.example", false},
	{{{"", "allow", "192.0.2.8"}, {"", "block", "friends.example"}}, "site friends.example",
		true},
	{{{"", "allow", "192.0.2.0/28"}, {"", "block", "192.0.2.0/24"}}, "site 192.0.2.0/28",
		false},
	/* The last word counts. */
	{{{"", "allow", "friends.example"}, {"", "block", "friends.example"}},
		"site friends.example", true},
};

START_TEST(the_most_specific_entry_and_the_users_own_win)
{
	char winner[400];

	teach_global();
	const char *text =
		proven("mail.friends.example", mail("Ann <ann@mail.friends.example>", 7, "dinner"));
	for (int i = 0; i < 3 && LISTS[_i].entries[i][0]; i++)
		lay_down(LISTS[_i].entries[i][0], ENTRY_LIST, LISTS[_i].entries[i][2],
			LISTS[_i].entries[i][1]);
	struct verdict verdict = judge("bob@example.org", text);
	snprintf(winner, sizeof(winner), "%s %s", list_scope_name(verdict.match.scope),
		verdict.match.name);
	ck_assert_str_eq(verdict.match.scope == LIST_NONE ? "" : winner, LISTS[_i].winner);
	ck_assert(verdict.spam == LISTS[_i].block);
	ck_assert(verdict.match.block == LISTS[_i].block);
	ck_assert((verdict.score >= verdict.threshold) == verdict.spam);
}
END_TEST

START_TEST(an_entry_that_goes_decides_no_more)
{
	teach_global();
	lay_down("bob@example.org", ENTRY_LIST, "friends.example", "block");
	ck_assert(judge("bob@example.org", ham(50)).spam);
	lay_down("bob@example.org", ENTRY_LIST, "FRIENDS.EXAMPLE", NULL);
	ck_assert(!judge("bob@example.org", ham(50)).spam);
	lay_down("@example.org", ENTRY_LIST, "friends.example", "block");
	ck_assert(judge("bob@example.org", ham(50)).spam);
	lay_down("@EXAMPLE.org", ENTRY_LIST, "friends.example", NULL);
	ck_assert(!judge("bob@example.org", ham(50)).spam);
}
END_TEST

START_TEST(allowing_does_not_open_the_door_to_forgers)
{
	char text[4096];

	teach_global();
	lay_down("bob", ENTRY_LIST, "lottery.example", "allow");
	ck_assert(!judge("bob", proven("lottery.example", spam(50))).spam);
	ck_assert(judge("bob", spam(50)).spam); /* anybody may have written that */
	sprintf(text,
		"Authentication-Results: mx.example.org; dmarc=fail header.from=lottery.example\n%s",
		spam(50));
	ck_assert(judge("bob", text).spam);
	ck_assert_int_eq(judge("bob", text).match.scope, LIST_NONE);
	/* What blocks less closely holds where what allows does not. */
	lay_down("bob", ENTRY_LIST, "win@lottery.example", "allow");
	lay_down("bob", ENTRY_LIST, "lottery.example", "block");
	ck_assert(!judge("bob", proven("lottery.example", spam(50))).match.block);
	ck_assert(judge("bob", spam(50)).match.block);
}
END_TEST

START_TEST(without_stamps_an_allowed_address_holds)
{
	teach_global();
	settings.authserv_ids = NULL;
	assert_ok(service_configure(service, &settings, &failure));
	lay_down("bob", ENTRY_LIST, "lottery.example", "allow");
	ck_assert(!judge("bob", spam(50)).spam);
	ck_assert(judge("bob", mail("win@lottery.example, x@evil.example", 50, "lottery")).spam);
}
END_TEST

START_TEST(whoever_of_several_authors_is_blocked)
{
	static const char *const froms[] = {"ann@friends.example, bad@evil.example",
		"friends: ann@friends.example, bad@evil.example;", "\"bad\"@evil.example",
		"BAD@Evil.Example", "ann@friends.example\nFrom: bad@evil.example"};

	teach_global();
	lay_down("bob", ENTRY_LIST, "bad@evil.example", "block");
	for (size_t i = 0; i < sizeof(froms) / sizeof(froms[0]); i++)
		ck_assert_msg(
			judge("bob", mail(froms[i], 60, "dinner")).match.block, "%s", froms[i]);
	ck_assert(!judge("bob", ham(60)).match.block);
}
END_TEST

START_TEST(entries_have_one_form_however_they_are_written)
{
	static const struct {
		const char *entry, *from;
	} rows[] = {
		{"*@evil.example", "a@evil.example"},
		{"@EVIL.example", "a@evil.example"},
		{"*.evil.example", "a@sub.evil.example"},
		{"b\xc3\xbc"
		 "cher.example",
			"a@xn--bcher-kva.example"},
		{"xn--bcher-kva.example",
			"a@b\xc3\xbc"
			"cher.example"},
		{"User@B\xc3\x9c"
		 "CHER.example",
			"user@xn--bcher-kva.example"},
		{"xn--p1ai", "a@xn--80a1acny.xn--p1ai"},
		{"\"bad\"@evil.example", "bad@evil.example"},
	};
	static const char *const wrong[] = {
		"*", "bob@*", "evil.*", "a*@evil.example", "*@", "*@*.example"};
	struct change *change;

	teach_global();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lay_down("bob", ENTRY_LIST, rows[i].entry, "block");
		ck_assert_msg(judge("bob", mail(rows[i].from, 60, "dinner")).match.block, "%s",
			rows[i].entry);
		lay_down("bob", ENTRY_LIST, rows[i].entry, NULL);
		ck_assert(!judge("bob", mail(rows[i].from, 60, "dinner")).match.block);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct store_entry entry = {"bob", ENTRY_LIST, wrong[i], "block", 0};
		ck_assert_int_eq(change_entries(service, &entry, 1, AS_USER, &change, &failure),
			STATUS_INVALID);
	}
}
END_TEST

/* Earlier versions kept other scripts as they were typed. */
START_TEST(what_earlier_versions_wrote_holds_and_goes)
{
	static const char former[] = "\xc3\xbc"
				     "ber.example",
			  form[] = "xn--ber-goa.example";
	const struct store_entry entries[] = {{"bob", ENTRY_LIST, former, "block", 1},
		{"ann", ENTRY_LIST, former, "block", 1}, {"ann", ENTRY_LIST, form, "allow", 2}};
	char text[4096];

	teach_global();
	snprintf(text, sizeof(text), "%s",
		proven(form, mail("a@xn--ber-goa.example", 60, "dinner")));
	assert_ok(put_entries(store, entries, 3, &failure));
	ck_assert(judge("bob", text).match.block);
	ck_assert_int_eq(judge("ann", text).match.scope, LIST_USER);
	ck_assert(!judge("ann", text).match.block); /* the form of today wins */
	lay_down("bob", ENTRY_LIST, former, NULL);
	ck_assert_int_eq(judge("bob", text).match.scope, LIST_NONE);
	ck_assert_int_eq(lay_down("ann", ENTRY_LIST, former, NULL).entries, 1);
	ck_assert_int_eq(judge("ann", text).match.scope, LIST_NONE);
}
END_TEST

START_TEST(bad_entries_are_refused)
{
	static const struct store_entry wrong[] = {
		{"bob", ENTRY_LIST, "not an address", "block", 0},
		{"bob", ENTRY_LIST, "a@b@", "block", 0}, {"bob", ENTRY_LIST, "", "block", 0},
		{"bob", ENTRY_LIST, "example..org", "block", 0},
		{"bob", ENTRY_LIST, "example.org", "burn", 0},
		{"bob", ENTRY_TRUST, "example.org", "trusted", 0},
		{"", ENTRY_TRUST, "192.0.2.1/24", "trusted", 0},
		{"", ENTRY_CONSENT, "", "granted", 0}, {"bob", ENTRY_CONSENT, "", "maybe", 0},
		{"bob", ENTRY_POLICY, "junk-score", "high", 0},
		{"bob", ENTRY_POLICY, "junk-score", "nan", 0},
		{"bob", ENTRY_POLICY, "spam-action", "deliver", 0},
		{"bob", ENTRY_POLICY, "other", "1", 0},
		{"@bad domain", ENTRY_LIST, "example.org", "block", 0}, {"bob", 99, "x", "y", 0}};
	struct change *change;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(change_entries(service, &wrong[i], 1, AS_USER, &change, &failure) ==
				STATUS_INVALID,
			"%s %s", wrong[i].name, wrong[i].value);
		ck_assert_ptr_null(change);
	}
	ck_assert_int_eq(change_erase(service, "", &change, &failure), STATUS_INVALID);
}
END_TEST

/* --- Policy ------------------------------------------------------------------------------ */

/* Somebody whose mail global judges with certainty. */
static void teach_certainty(void)
{
	for (unsigned i = 0; i < 300; i++) {
		press("", spam(i), LABEL_SPAM);
		press("", ham(i), LABEL_HAM);
	}
}

START_TEST(policy_says_what_happens_to_spam)
{
	teach_certainty();
	struct verdict verdict = judge("bob@example.org", spam(900));
	ck_assert_int_eq(verdict.action, ACTION_JUNK);
	ck_assert_str_eq(verdict.reply, "");
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, "tag");
	ck_assert_int_eq(judge("bob@example.org", spam(900)).action, ACTION_TAG);
	lay_down("@example.org", ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down("@example.org", ENTRY_POLICY, POLICY_REJECT_SCORE, "8");
	verdict = judge("bob@example.org", spam(900));
	ck_assert_double_gt(verdict.score, 8);
	ck_assert_int_eq(verdict.action, ACTION_REJECT);
	ck_assert_str_eq(verdict.reply, "554 5.7.1 Spam message rejected");
	ck_assert_int_eq(judge("bob@example.net", spam(900)).action, ACTION_TAG);
	lay_down("bob@example.org", ENTRY_POLICY, POLICY_REJECT_SCORE, "200");
	ck_assert_int_eq(judge("bob@example.org", spam(900)).action, ACTION_JUNK);
	lay_down("bob@example.org", ENTRY_POLICY, POLICY_SPAM_ACTION, "junk");
	lay_down("bob@example.org", ENTRY_POLICY, POLICY_REJECT_SCORE, NULL);
	ck_assert_int_eq(judge("bob@example.org", spam(900)).action, ACTION_JUNK);
	ck_assert_int_eq(judge("ann@example.org", spam(900)).action, ACTION_REJECT);
	ck_assert_int_eq(judge("bob@example.org", ham(900)).action, ACTION_DELIVER);
}
END_TEST

START_TEST(nothing_is_rejected_on_an_uncertain_score)
{
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down("", ENTRY_POLICY, POLICY_REJECT_SCORE, "5");
	press("bob", spam(1), LABEL_SPAM); /* spam for bob at once, but nobody is sure */
	struct verdict verdict = judge("bob", spam(1));
	ck_assert(verdict.spam && verdict.uncertainty > settings.reject_uncertainty);
	ck_assert_int_eq(verdict.action, ACTION_JUNK);
	ck_assert(verdict.spared);
	lay_down("bob", ENTRY_LIST, "lottery.example", "block"); /* that is certain */
	verdict = judge("bob", spam(1));
	ck_assert_int_eq(verdict.action, ACTION_REJECT);
	ck_assert_str_eq(verdict.reply, "554 5.7.1 Sender is blocked by the recipient");
}
END_TEST

START_TEST(users_choose_within_the_administrators_bounds)
{
	lay_down("bob", ENTRY_POLICY, POLICY_JUNK_SCORE, "-50");
	ck_assert_double_eq(judge("bob", spam(1)).threshold, settings.junk_score_min);
	lay_down("bob", ENTRY_POLICY, POLICY_JUNK_SCORE, "7.5");
	ck_assert_double_eq(judge("bob", spam(1)).threshold, 7.5);
	lay_down("", ENTRY_POLICY, POLICY_JUNK_SCORE, "15");
	ck_assert_double_eq(judge("ann", spam(1)).threshold, 15);
	ck_assert_double_eq(judge("bob", spam(1)).threshold, 7.5);
	/* A press moves a twin over whatever threshold the user has. */
	lay_down("bob", ENTRY_POLICY, POLICY_JUNK_SCORE, "10");
	press("bob", spam(1), LABEL_SPAM);
	ck_assert(judge("bob", spam(1)).spam);
	press("bob", spam(1), LABEL_HAM);
	ck_assert(!judge("bob", spam(1)).spam);
}
END_TEST

START_TEST(presses_move_the_own_threshold_within_bounds)
{
	settings.own_shift = 0.25;
	assert_ok(service_configure(service, &settings, &failure));
	ck_assert_double_eq(policy("bob").shift, 0);
	press("bob", mail("a@b.example", 0, "topic0"), LABEL_SPAM);
	struct policy_view view = policy("bob");
	ck_assert_double_lt(view.shift, 0);
	ck_assert_double_eq(view.threshold, view.policy.junk + view.shift);
	for (unsigned i = 1; i < 40; i++) {
		char topic[16];
		sprintf(topic, "topic%u", i);
		press("bob", mail("a@b.example", i, topic), LABEL_SPAM);
		ck_assert(judge("bob", mail("a@b.example", i, topic)).spam);
	}
	view = policy("bob");
	ck_assert_double_eq(view.shift, -0.25);
	ck_assert_double_eq(judge("bob", ham(1)).own_shift, -0.25);
	ck_assert_uint_eq(view.spam, 40);
	ck_assert_uint_eq(view.move_count, POLICY_MOVES);
	ck_assert_double_eq(view.moves[POLICY_MOVES - 1].shift, -0.25);
	ck_assert_int_eq(view.moves[POLICY_MOVES - 1].time, now);
	press("bob", ham(1), LABEL_HAM); /* still flips its twin */
	ck_assert(!judge("bob", ham(1)).spam);
	ck_assert_double_eq(judge("eve", ham(1)).own_shift, 0);
}
END_TEST

START_TEST(what_cannot_be_judged_is_deferred)
{
	ck_assert_int_eq(strncmp(service_smtp_reply(STATUS_OVERLOAD), "421 4.3.2 ", 10), 0);
	ck_assert_int_eq(strncmp(service_smtp_reply(STATUS_FULL), "452 4.2.2 ", 10), 0);
	ck_assert_int_eq(strncmp(service_smtp_reply(STATUS_IO), "451 4.3.0 ", 10), 0);
}
END_TEST

START_TEST(several_recipients_get_a_verdict_each_and_a_joint_one)
{
	static const char *const users[] = {
		"ann@example.org", "bob@example.org", "eve@example.net", ""};
	struct query *query;
	char text[4096];

	teach_certainty();
	snprintf(text, sizeof(text), "%s", proven("lottery.example", spam(900)));
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down("", ENTRY_POLICY, POLICY_REJECT_SCORE, "6");
	lay_down("@example.org", ENTRY_POLICY, POLICY_SPAM_ACTION, "junk");
	lay_down("bob@example.org", ENTRY_LIST, "lottery.example", "allow");
	assert_ok(query_begin(service, users, 4, false, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	ck_assert_uint_eq(query_count(query), 4);
	ck_assert_int_eq(query_verdict(query, 0)->action, ACTION_JUNK);
	ck_assert_int_eq(query_verdict(query, 1)->action, ACTION_DELIVER);
	ck_assert_int_eq(query_verdict(query, 2)->action, ACTION_REJECT);
	ck_assert_int_eq(query_verdict(query, 3)->action, ACTION_REJECT);
	ck_assert_uint_ge(query_joint(query), 2); /* who have nothing laid down */
	for (size_t i = 0; i < 4; i++) {
		struct verdict alone = judge(users[i], text);
		ck_assert_double_eq(alone.score, query_verdict(query, i)->score);
		ck_assert_int_eq(alone.action, query_verdict(query, i)->action);
	}
	query_end(service, &query);
	ck_assert_int_eq(query_begin(service, users, 0, false, &query, &failure), STATUS_INVALID);
}
END_TEST

/* --- Events --------------------------------------------------------------------------------- */

START_TEST(events_go_through_the_service)
{
	const struct event trash = {.kind = EVENT_MOVE, .from = FOLDER_INBOX, .to = FOLDER_TRASH},
			   junk = {.kind = EVENT_MOVE, .from = FOLDER_INBOX, .to = FOLDER_JUNK},
			   back = {.kind = EVENT_MOVE, .from = FOLDER_JUNK, .to = FOLDER_INBOX},
			   mass = {.kind = EVENT_BUTTON, .label = LABEL_SPAM, .selected = 500};
	struct verdict before = judge("bob", spam(1));
	struct answer answer = press_event("bob", spam(1), &trash, CONSENT_GRANTED);

	ck_assert_int_eq(answer.outcome, OUTCOME_IGNORED);
	ck_assert(*answer.reason && answer.seq == 0);
	ck_assert_int_eq(policy("bob").consent, CONSENT_UNKNOWN);
	ck_assert_int_eq(press_event("bob", spam(1), &junk, CONSENT_DEFAULT).outcome, OUTCOME_NEW);
	ck_assert_int_eq(
		press_event("bob", spam(1), &junk, CONSENT_DEFAULT).outcome, OUTCOME_REPEAT);
	ck_assert(judge("bob", spam(1)).spam);
	now -= 195; /* five seconds after the first */
	answer = press_event("bob", spam(1), &back, CONSENT_DEFAULT);
	ck_assert_int_eq(answer.outcome, OUTCOME_FORGOTTEN);
	ck_assert_double_eq(judge("bob", spam(1)).log_odds, before.log_odds);
	now -= 95;
	ck_assert_int_eq(
		press_event("bob", spam(1), &back, CONSENT_DEFAULT).outcome, OUTCOME_IGNORED);
	answer = press_event("bob", spam(2), &mass, CONSENT_GRANTED);
	ck_assert_int_eq(answer.outcome, OUTCOME_NEW);
	ck_assert(!answer.taught_global && !answer.ask_consent);
}
END_TEST

/* --- Erasure ----------------------------------------------------------------------------------- */

struct walk {
	double sum, gain;
	size_t tokens;
};

static enum status add_token(void *context, const struct store_token *token)
{
	struct walk *walk = context;

	walk->sum += token->sum * (double)(token->key % 1009);
	walk->gain += token->gain * (double)(token->key % 1013);
	walk->tokens++;
	return STATUS_OK;
}

static struct walk tokens(void)
{
	struct walk walk = {0};

	assert_ok(service_checkpoint(service, &failure));
	assert_ok(walk_tokens(worker_reader(worker), add_token, &walk, &failure));
	return walk;
}

static enum status copy_report(void *context, const struct report *report)
{
	struct report copy = *report;

	copy.undone = (struct contribution){0}; /* what it undid is not there */
	return append_reports(context, &copy, 1, &failure);
}

START_TEST(erased_global_equals_a_replay_without_the_user)
{
	static const char *const users[] = {"ann", "bob", "eve"};
	struct store *other;

	for (unsigned i = 0; i < 200; i++) {
		enum label label = i * 7 % 3 == 0 ? LABEL_HAM
			: i * 7 % 3 == 1          ? LABEL_SPAM
						  : LABEL_FORGET;
		press_with(users[i * 5 % 7 % 3], i % 2 ? spam(i % 40) : ham(i % 40), label,
			CONSENT_GRANTED);
		if (i == 90)
			assert_ok(service_checkpoint(service, &failure));
	}
	lay_down("bob", ENTRY_LIST, "example.org", "block");
	/* The others' reports that count, replayed. */
	assert_ok(store_open(&other, "memory:", STORE_WRITE, &failure));
	assert_ok(put_value(other, "tokenizer-secret", (char[192]){0}, 192, &failure));
	for (int i = 0; i < 3; i += 2)
		assert_ok(counting_of_user(
			worker_reader(worker), users[i], SIZE_MAX, copy_report, other, &failure));
	struct receipt receipt = erase("bob");
	ck_assert_int_gt(receipt.reports, 20);
	ck_assert_int_eq(receipt.entries, 2);
	ck_assert(receipt.compacted);
	struct walk mine = tokens();
	ck_assert_uint_eq(count_entries("bob"), 0);
	ck_assert(!judge("bob", spam(1)).personal);
	close_service();
	struct store *erased = store;
	store = other;
	open_service();
	struct walk replayed = tokens();
	ck_assert_uint_gt(replayed.tokens, 50);
	ck_assert_uint_eq(mine.tokens, replayed.tokens);
	ck_assert_double_eq(mine.sum, replayed.sum);
	ck_assert_double_eq(mine.gain, replayed.gain);
	store_close(&erased);
}
END_TEST

/* --- Diagnosis ------------------------------------------------------------------------------------ */

START_TEST(a_diagnosis_answers_step_by_step)
{
	const char *user = "bob", *text = newsletter(true, 1);
	struct diagnosis diagnosis;
	struct query *query;
	struct past past;

	teach_global();
	lay_down("", ENTRY_TRUST, "shop.example", "trusted");
	press("bob", newsletter(true, 2), LABEL_HAM);
	press("bob", newsletter(true, 1), LABEL_SPAM);
	lay_down("bob", ENTRY_LIST, "shop.example", "block");
	text = newsletter(true, 1);
	assert_ok(query_begin(service, &user, 1, true, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	assert_ok(query_past(query, worker, &past, &failure));
	ck_assert(past.message.known && past.message.muted);
	ck_assert_uint_eq(past.sender.ham, 1);
	ck_assert_uint_eq(past.sender.spam, 1);
	diagnose(&diagnosis,
		&(struct diagnosis_case){.verdict = query_verdict(query, 0),
			.origin = query_origin(query),
			.past = &past,
			.trusted = query_trusts(query),
			.user = user,
			.has_authserv_ids = query_has_authserv_ids(query)});
	static const char *const said[DIAGNOSIS_STEPS] = {"user's list blocks shop.example",
		"goes to Junk", "DKIM: pass for shop.example", "192.0.2.7", "Probability",
		"sender is trusted", "list decided"};
	for (size_t i = 0; i < DIAGNOSIS_STEPS; i++)
		ck_assert_msg(strstr(diagnosis.steps[i].finding, said[i]) != NULL, "%s: %s",
			diagnosis.steps[i].name, diagnosis.steps[i].finding);
	query_end(service, &query);
}
END_TEST

/* Anybody may ask without a user, so that must not cost a walk through the site's reports. */
START_TEST(the_site_has_no_past)
{
	const char *user = "", *text;
	struct query *query;
	struct past past;

	press("", newsletter(true, 1), LABEL_SPAM);
	text = newsletter(true, 1);
	assert_ok(query_begin(service, &user, 1, true, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	assert_ok(query_past(query, worker, &past, &failure));
	ck_assert(!past.message.known);
	ck_assert_uint_eq(past.sender.spam + past.list.spam, 0);
	query_end(service, &query);
}
END_TEST

/* --- Gray mail --------------------------------------------------------------------------------------- */

enum { READERS = 200, ISSUES = 20 };

/* Half of the readers want a newsletter that the other half report: three presses
 * each, on issues of their own; then all get the next ones. Half of each half
 * shares its presses. */
START_TEST(gray_mail_is_everybodys_own)
{
	char user[32];
	size_t junk = 0, kept = 0, changed = 0;
	bool other[40];

	teach_global();
	for (unsigned i = 0; i < 40; i++)
		other[i] = judge("", i % 2 ? spam(100 + i) : ham(100 + i)).spam;
	for (unsigned reader = 0; reader < READERS; reader++) {
		sprintf(user, "reader%u", reader);
		for (unsigned i = 0; i < 3; i++)
			press_with(user, newsletter(false, (reader + i * 5) % ISSUES),
				reader % 2 ? LABEL_SPAM : LABEL_HAM,
				reader % 4 < 2 ? CONSENT_GRANTED : CONSENT_DEFAULT);
	}
	for (unsigned reader = 0; reader < READERS; reader++) {
		sprintf(user, "reader%u", reader);
		for (unsigned i = 0; i < 10; i++) {
			bool spam = judge(user, newsletter(false, ISSUES + i)).spam;
			junk += reader % 2 && spam;
			kept += reader % 2 == 0 && !spam;
		}
		for (unsigned i = 0; i < 40; i += 7)
			changed +=
				judge(user, i % 2 ? spam(100 + i) : ham(100 + i)).spam != other[i];
	}
	ck_assert_msg(junk * 100 >= READERS * 5 * 95, "%zu of %d in Junk", junk, READERS * 5);
	ck_assert_msg(kept * 100 >= READERS * 5 * 99, "%zu of %d kept", kept, READERS * 5);
	/* Of the readers' own other mail hardly any, of everybody else's none. */
	ck_assert_msg(changed * 100 < READERS * 6, "%zu of %d changed", changed, READERS * 6);
	for (unsigned i = 0; i < 40; i++)
		ck_assert(judge("nobody", i % 2 ? spam(100 + i) : ham(100 + i)).spam == other[i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("feedback");
	TCase *tcase = tcase_create("feedback");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(
		tcase, consent_decides_what_is_shared, 0, sizeof(CONSENTS) / sizeof(CONSENTS[0]));
	tcase_add_test(tcase, agreeing_in_the_dialog_shares_the_press);
	tcase_add_loop_test(tcase, withdrawing_takes_the_past_out_of_global, 0, 2);
	tcase_add_test(tcase, a_trusted_sender_cannot_be_learned_as_spam);
	tcase_add_test(tcase, the_answer_says_where_to_unsubscribe);
	tcase_add_test(tcase, trust_needs_proof_and_is_for_spam_alone);
	tcase_add_test(tcase, thousands_of_trusted_senders_are_no_burden);
	tcase_add_loop_test(tcase, the_most_specific_entry_and_the_users_own_win, 0,
		sizeof(LISTS) / sizeof(LISTS[0]));
	tcase_add_test(tcase, an_entry_that_goes_decides_no_more);
	tcase_add_test(tcase, allowing_does_not_open_the_door_to_forgers);
	tcase_add_test(tcase, without_stamps_an_allowed_address_holds);
	tcase_add_test(tcase, whoever_of_several_authors_is_blocked);
	tcase_add_test(tcase, entries_have_one_form_however_they_are_written);
	tcase_add_test(tcase, what_earlier_versions_wrote_holds_and_goes);
	tcase_add_test(tcase, bad_entries_are_refused);
	tcase_add_test(tcase, policy_says_what_happens_to_spam);
	tcase_add_test(tcase, nothing_is_rejected_on_an_uncertain_score);
	tcase_add_test(tcase, users_choose_within_the_administrators_bounds);
	tcase_add_test(tcase, presses_move_the_own_threshold_within_bounds);
	tcase_add_test(tcase, what_cannot_be_judged_is_deferred);
	tcase_add_test(tcase, several_recipients_get_a_verdict_each_and_a_joint_one);
	tcase_add_test(tcase, events_go_through_the_service);
	tcase_add_test(tcase, erased_global_equals_a_replay_without_the_user);
	tcase_add_test(tcase, a_diagnosis_answers_step_by_step);
	tcase_add_test(tcase, the_site_has_no_past);
	tcase_add_test(tcase, gray_mail_is_everybodys_own);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
