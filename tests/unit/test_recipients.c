/* A message for several recipients: each has a verdict of their own, and the one that
 * holds for all is never made milder by what one of them laid down or pressed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/service/query/private.h"
#include "engine/service/query/verdict.h"
#include "tests/unit/fixture.h"

static const char SPAM[] = "lottery", HAM[] = "dinner";

/* What is spam by everybody's presses is rejected, unless somebody says otherwise. */
static void setup(void)
{
	settings = service_defaults();
	settings.spam_action = ACTION_REJECT;
	settings.reject_score = 6;
	settings.reject_uncertainty = 100;
	open_memory();
}

static const char *mail(const char *topic, unsigned number)
{
	static char text[2048];
	size_t used = (size_t)sprintf(
		text, "From: %s@%s.example\nSubject: %s %u\n\n", topic, topic, topic, number);

	for (unsigned i = 0; i < 30; i++)
		used += (size_t)sprintf(text + used, " %s%u", topic, (number * 31 + i * 7) % 60);
	return text;
}

static void press(const char *user, const char *text, enum label label)
{
	const struct press_info info = {.user = user, .event = {.label = label}, .time = 1000};

	press_text(&info, text, strlen(text));
}

static void teach(void)
{
	for (unsigned i = 0; i < 40; i++) {
		press("", mail(SPAM, i), LABEL_SPAM);
		press("", mail(HAM, i), LABEL_HAM);
	}
}

static const char ANN[] = "ann@example.org", BOB[] = "bob@example.org",
		  MALLORY[] = "mallory@evil.example", TWIN[] = "twin@evil.example", NOBODY[] = "";

/* The message for all of them; to be ended. */
static struct query *ask_for(const char *const *users, size_t count, const char *topic)
{
	const char *text = mail(topic, 900);
	struct query *query;

	assert_ok(query_begin(service, users, count, false, &query, &failure));
	while (query_goes_on(query))
		assert_ok(query_run(query, worker, text, strlen(text), &failure));
	return query;
}

static struct query *ask(const char *const *users, size_t count)
{
	return ask_for(users, count, SPAM);
}

/* The verdict for all. */
static struct verdict ask_about(const char *const *users, size_t count, const char *topic)
{
	struct query *query = ask_for(users, count, topic);
	struct verdict verdict = *query_verdict(query, query_joint(query));

	query_end(service, &query);
	return verdict;
}

static struct verdict ask_one(const char *user)
{
	return ask_about(&user, 1, SPAM);
}

/* The verdict for all is that which `user` alone would get, in whichever order they are
 * named. */
static void assert_decides(const char *const *users, size_t count, const char *user)
{
	struct verdict alone = ask_one(user);

	for (size_t shift = 0; shift < count; shift++) {
		const char *turned[4];

		for (size_t i = 0; i < count; i++)
			turned[i] = users[(i + shift) % count];
		struct query *query = ask(turned, count);
		const struct verdict *common = query_verdict(query, query_joint(query));
		ck_assert_int_eq(common->action, alone.action);
		ck_assert_double_eq(common->score, alone.score);
		ck_assert_double_eq(common->threshold, alone.threshold);
		query_end(service, &query);
	}
}
#define ASSERT_DECIDES(user, ...)                                                                  \
	assert_decides((const char *const[]){__VA_ARGS__},                                         \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), user)

/* --- One's own word --------------------------------------------------------------- */

static const struct word {
	int kind; /* 0: a press */
	const char *name, *value;
} MILDER[] = {
	{ENTRY_LIST, "lottery.example", "allow"},
	{ENTRY_LIST, "lottery@lottery.example", "allow"},
	{ENTRY_POLICY, POLICY_SPAM_ACTION, "junk"},
	{ENTRY_POLICY, POLICY_SPAM_ACTION, "tag"},
	{ENTRY_POLICY, POLICY_JUNK_SCORE, "5.5"},
	{ENTRY_POLICY, POLICY_REJECT_SCORE, "900"},
	{0, NULL, NULL},
};
enum { MILDER_COUNT = sizeof(MILDER) / sizeof(MILDER[0]), DOMAINS_COUNT = MILDER_COUNT - 1 };

static void speak(const char *scope, const struct word *word)
{
	if (word->kind)
		lay_down(scope, word->kind, word->name, word->value);
	else
		press(scope, mail(SPAM, 900), LABEL_HAM);
}

START_TEST(a_users_word_helps_nobody_else)
{
	struct verdict before;

	teach();
	before = ask_one(MALLORY);
	ck_assert_int_eq(before.action, ACTION_REJECT);
	speak(MALLORY, &MILDER[_i]);
	struct verdict after = ask_one(MALLORY);
	ck_assert(verdict_is_milder(&after, &before));
	ASSERT_DECIDES(ANN, ANN, MALLORY);
	ASSERT_DECIDES(TWIN, TWIN, MALLORY);
	ASSERT_DECIDES(NOBODY, NOBODY, MALLORY);
	ASSERT_DECIDES(ANN, ANN, BOB, MALLORY);
	ASSERT_DECIDES(MALLORY, MALLORY, MALLORY);
	struct query *query = ask((const char *const[]){ANN, MALLORY}, 2);
	ck_assert_int_eq(query->recipients[0].milder_by, LIST_NONE);
	ck_assert_int_eq(query->recipients[1].milder_by, LIST_USER);
	query_end(service, &query);
}
END_TEST

START_TEST(a_domains_word_helps_no_other_domain)
{
	teach();
	speak("@evil.example", &MILDER[_i]);
	ASSERT_DECIDES(ANN, ANN, MALLORY);
	ASSERT_DECIDES(NOBODY, NOBODY, MALLORY);
	ASSERT_DECIDES(MALLORY, MALLORY, TWIN);
	struct query *query = ask((const char *const[]){ANN, MALLORY}, 2);
	ck_assert_int_eq(query->recipients[1].milder_by, LIST_DOMAIN);
	query_end(service, &query);
}
END_TEST

/* A word that is as strict as what would hold without it is none that helps. */
START_TEST(a_stricter_word_binds_its_owner_alone)
{
	teach();
	lay_down("@example.org", ENTRY_POLICY, POLICY_SPAM_ACTION, "junk");
	lay_down(BOB, ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down(MALLORY, ENTRY_LIST, "lottery.example", "block");
	ck_assert_int_eq(ask_one(MALLORY).action, ACTION_REJECT);
	struct query *query = ask((const char *const[]){ANN, BOB, MALLORY}, 3);
	ck_assert_int_eq(query->recipients[0].milder_by, LIST_DOMAIN);
	ck_assert_int_eq(query->recipients[1].milder_by, LIST_NONE);
	ck_assert_int_eq(query->recipients[2].milder_by, LIST_NONE);
	query_end(service, &query);
	ASSERT_DECIDES(BOB, BOB, MALLORY);
	ASSERT_DECIDES(BOB, ANN, BOB);
	lay_down(MALLORY, ENTRY_LIST, "dinner.example", "block");
	ck_assert_int_eq(ask_about(&(const char *){MALLORY}, 1, HAM).action, ACTION_REJECT);
	ck_assert_int_eq(
		ask_about((const char *const[]){MALLORY, BOB}, 2, HAM).action, ACTION_DELIVER);
}
END_TEST

/* Where nobody is left who has no such word the least mild holds: none of them is let
 * past another. */
START_TEST(with_a_word_each_the_least_mild_holds)
{
	teach();
	lay_down("@evil.example", ENTRY_POLICY, POLICY_SPAM_ACTION, "junk");
	lay_down(ANN, ENTRY_POLICY, POLICY_SPAM_ACTION, "tag");
	lay_down(MALLORY, ENTRY_LIST, "lottery.example", "allow");
	ASSERT_DECIDES(ANN, ANN, MALLORY);
	ASSERT_DECIDES(TWIN, ANN, MALLORY, TWIN);
	ck_assert_int_eq(ask_one(TWIN).action, ACTION_JUNK);
}
END_TEST

/* What the site says for all is nobody's own word, nor is good mail anybody's favour. */
START_TEST(without_a_word_the_mildest_holds)
{
	teach();
	lay_down(BOB, ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, "junk");
	ASSERT_DECIDES(ANN, ANN, BOB);
	ASSERT_DECIDES(NOBODY, BOB, NOBODY);
	lay_down("", ENTRY_LIST, "lottery.example", "allow");
	ck_assert_int_eq(ask_one(ANN).action, ACTION_DELIVER);
	ASSERT_DECIDES(ANN, ANN, BOB);
}
END_TEST

START_TEST(a_thousand_and_nobody_are_judged)
{
	static char names[QUERY_MAX_USERS][32];
	const char *users[QUERY_MAX_USERS + 2];
	struct query *query;

	for (size_t i = 0; i < QUERY_MAX_USERS; i++) {
		sprintf(names[i], "u%zu@example.org", i);
		users[i] = names[i];
	}
	users[QUERY_MAX_USERS] = users[QUERY_MAX_USERS + 1] = NOBODY;
	teach();
	lay_down("@example.org", ENTRY_LIST, "lottery.example", "allow");
	query = ask(users, QUERY_MAX_USERS + 1);
	ck_assert_uint_eq(query_count(query), 1001);
	ck_assert_uint_eq(query_joint(query), QUERY_MAX_USERS);
	query_end(service, &query);
	ck_assert_int_eq(query_begin(service, users, QUERY_MAX_USERS + 2, false, &query, &failure),
		STATUS_INVALID);
	ck_assert_int_eq(query_begin(service, users, 0, false, &query, &failure), STATUS_INVALID);
}
END_TEST

/* --- The order of verdicts ---------------------------------------------------------- */

START_TEST(verdicts_have_an_order)
{
	/* Each goes before all that follow. */
	static const struct {
		enum list_scope by;
		struct verdict verdict;
	} ORDER[] = {
		{LIST_NONE, {.action = ACTION_DELIVER, .score = 4, .threshold = 9}},
		{LIST_NONE, {.action = ACTION_DELIVER, .score = 1, .threshold = 5}},
		{LIST_NONE, {.action = ACTION_TAG, .score = 1, .threshold = 0}},
		{LIST_NONE, {.action = ACTION_REJECT, .score = 9, .threshold = 5}},
		{LIST_DOMAIN, {.action = ACTION_JUNK, .score = 7, .threshold = 5}},
		{LIST_DOMAIN, {.action = ACTION_JUNK, .score = 6, .threshold = 5}},
		{LIST_DOMAIN, {.action = ACTION_DELIVER, .score = -99, .threshold = 5}},
		{LIST_USER, {.action = ACTION_JUNK, .score = 7, .threshold = 5}},
		{LIST_USER, {.action = ACTION_DELIVER, .score = -99, .threshold = 5}},
	};
	const size_t count = sizeof(ORDER) / sizeof(ORDER[0]);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++)
			ck_assert_int_eq(verdict_goes_before(&ORDER[i].verdict, ORDER[i].by,
						 &ORDER[j].verdict, ORDER[j].by),
				i < j);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("recipients");
	TCase *tcase = tcase_create("recipients");
	TCase *order = tcase_create("order");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_users_word_helps_nobody_else, 0, MILDER_COUNT);
	tcase_add_loop_test(tcase, a_domains_word_helps_no_other_domain, 0, DOMAINS_COUNT);
	tcase_add_test(tcase, a_stricter_word_binds_its_owner_alone);
	tcase_add_test(tcase, with_a_word_each_the_least_mild_holds);
	tcase_add_test(tcase, without_a_word_the_mildest_holds);
	tcase_add_test(tcase, a_thousand_and_nobody_are_judged);
	suite_add_tcase(suite, tcase);
	tcase_add_test(order, verdicts_have_an_order);
	suite_add_tcase(suite, order);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
