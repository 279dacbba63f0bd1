/* The parts of a retraining: what a report adds, who is believed, who wins.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"
#include "trainer/retrain/comparison.h"
#include "trainer/retrain/learner.h"
#include "trainer/retrain/reporters.h"
#include "trainer/retrain/shared-tokens.h"

static struct failure failure;

/* --- What a report adds --------------------------------------------------------------- */

static const uint64_t KEYS[] = {3, 17, 4711, STORE_BODY_BIT | 5, STORE_BODY_BIT | 99};
enum { COUNT = 5 };

static const struct learner_message *first(size_t count)
{
	static struct learner_message message;

	message = (struct learner_message){.keys = KEYS, .count = count};
	return &message;
}

static double weight(struct learner *learner, uint64_t key)
{
	double weight;

	learner_weight(learner, key, &weight);
	return weight;
}

static struct learner *taught(bool also_ham)
{
	struct learner *learner = learner_new(&model_defaults);
	struct contribution step;

	ck_assert_ptr_nonnull(learner);
	for (int i = 0; i < 3; i++) { /* each of a message with one token more */
		step = learner_step(learner, first((size_t)i + 3), 0.3 * i, true, 0.1, 1, true);
		ck_assert_int_eq(
			learner_add(learner, first((size_t)i + 3), &step, NULL), STATUS_OK);
	}
	if (also_ham) {
		step = learner_step(learner, first(COUNT), 1.7, false, 0.2, 0.7, true);
		learner_add(learner, first(COUNT), &step, NULL);
	}
	return learner;
}

START_TEST(left_out_is_as_if_it_had_never_been)
{
	struct learner *without = taught(false), *with = taught(true);
	struct contribution total = {0};
	struct contribution step = learner_step(with, first(COUNT), 1.7, false, 0.2, 0.7, true);
	struct model_score expected = learner_score(without, first(COUNT), NULL);
	struct model_score found = learner_score(with, first(COUNT), &step);

	ck_assert_double_eq(found.margin, expected.margin);
	ck_assert_double_eq(found.variance, expected.variance);
	ck_assert_double_lt(learner_score(with, first(COUNT), NULL).margin, expected.margin);
	learner_add(without, first(COUNT), &step, &total);
	ck_assert_mem_eq(&total, &step, sizeof(step));
	ck_assert_double_eq(weight(without, 17), weight(with, 17));
	ck_assert_double_eq(weight(with, 18), 0);
	learner_free(&with);
	learner_free(&without);
	ck_assert_ptr_null(with);
}
END_TEST

START_TEST(a_token_that_nobody_else_has_changes_no_other)
{
	static const unsigned char marks[] = {1 << 0 | 1 << 2 | 1 << 4}; /* 17 and 5 are alone */
	struct learner *all = taught(false), *some = taught(false);
	const struct learner_message message = {.keys = KEYS, .count = COUNT, .shared = marks};
	const uint64_t others[] = {3, 4711, STORE_BODY_BIT | 99};
	const struct learner_message other = {.keys = others, .count = 3};
	struct contribution step = learner_step(some, &message, 0.4, false, 0.1, 1, true);
	double before = weight(some, 17);

	learner_add(all, first(COUNT), &step, NULL);
	learner_add(some, &message, &step, NULL);
	ck_assert_double_eq(
		learner_score(some, &other, NULL).margin, learner_score(all, &other, NULL).margin);
	ck_assert_double_eq(weight(some, 17), before);
	ck_assert_double_ne(weight(all, 17), before);
	learner_free(&all);
	learner_free(&some);
}
END_TEST

START_TEST(tokens_of_several_reports_are_told_from_others)
{
	enum { REPORTS = 2000, OWN = 50, COMMON = 10 };
	struct shared_tokens *tokens = shared_tokens_new(REPORTS);
	uint64_t keys[OWN + COMMON];
	size_t mistaken = 0;

	ck_assert_ptr_nonnull(tokens);
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t report = 0; report < REPORTS; report++) {
			unsigned char marks[(OWN + COMMON + 7) / 8];
			for (uint64_t i = 0; i < OWN; i++)
				keys[i] = (report * OWN + i) * 2654435761 + 7;
			for (uint64_t i = 0; i < COMMON; i++)
				keys[OWN + i] = UINT64_C(1) << 38 | (report / 2 * COMMON + i);
			if (pass == 0) {
				shared_tokens_note(tokens, keys, OWN + COMMON);
				continue;
			}
			shared_tokens_mark(tokens, keys, OWN + COMMON, marks);
			for (size_t i = 0; i < OWN; i++)
				mistaken += marks[i / 8] >> (i % 8) & 1;
			for (size_t i = OWN; i < OWN + COMMON; i++)
				ck_assert(marks[i / 8] >> (i % 8) & 1);
		}
	}
	ck_assert_uint_lt(mistaken, REPORTS * OWN / 10);
	shared_tokens_free(&tokens);
}
END_TEST

START_TEST(weight_and_error_scale_a_step)
{
	struct learner *learner = taught(true);
	struct contribution whole = learner_step(learner, first(COUNT), 0, true, 0.1, 1, true);
	struct contribution half = learner_step(learner, first(COUNT), 0, true, 0.1, 0.5, true);
	struct contribution steps = learner_step(learner, first(COUNT), 0, true, 0.1, 1, false);
	struct contribution nothing = learner_step(learner, first(COUNT), 0, true, 0.5, 1, true);

	ck_assert_double_eq_tol(half.head_sum, whole.head_sum / 2, STORE_UNIT);
	ck_assert_double_eq_tol(half.body_gain, whole.body_gain / 2, STORE_UNIT);
	ck_assert_double_eq(steps.head_sum, whole.head_sum);
	ck_assert_double_eq(steps.head_gain, 0);
	ck_assert_double_eq(nothing.head_sum, 0);
	ck_assert_double_eq(nothing.bias_sum, 0);
	/* However little it weighs, a token that was seen is known. */
	ck_assert_double_eq(
		learner_step(learner, first(COUNT), 0, true, 0.1, 1e-12, true).head_gain,
		STORE_UNIT);
	learner_free(&learner);
}
END_TEST

/* --- Who is believed ----------------------------------------------------------------------- */

static double error_after(const char *name, double probability, bool spam, int reports)
{
	struct reporters *reporters = reporters_new(0.12);
	size_t number = reporters_find(reporters, name);
	size_t other = reporters_find(reporters, "somebody else");

	for (int i = 0; i < reports; i++)
		reporters_judge(reporters, number, probability, spam);
	reporters_settle(reporters);
	double error = reporters_at(reporters, number)->error;
	ck_assert_double_eq(reporters_at(reporters, other)->error, 0.12);
	ck_assert_uint_eq(reporters_find(reporters, name), number);
	ck_assert_uint_eq(reporters_count(reporters), 2);
	reporters_free(&reporters);
	return error;
}

START_TEST(reputation_comes_from_what_the_others_are_sure_of)
{
	ck_assert_double_eq(error_after("new", 0.99, true, 0), 0.12);
	ck_assert_double_lt(error_after("right", 0.99, true, 20), 0.05);
	ck_assert_double_lt(error_after("right", 0.01, false, 20), 0.05);
	ck_assert_double_gt(error_after("wrong", 0.01, true, 20), 0.4);
	ck_assert_double_gt(error_after("wrong", 0.99, false, 20), 0.4);
	ck_assert_double_le(error_after("wrong", 0, true, 100000), 0.5);
	ck_assert_double_ge(error_after("right", 1, true, 100000), 0.01);
	/* Where people differ, nobody is wrong. */
	ck_assert_double_eq(error_after("taste", 0.5, true, 1000), 0.12);
	/* The site itself is not judged. */
	ck_assert_double_eq(error_after("", 0.01, true, 1000), 0.12);
	/* One slip costs little. */
	ck_assert_double_lt(error_after("slip", 0.01, true, 1), 0.3);
}
END_TEST

/* --- Who wins -------------------------------------------------------------------------------- */

/* Every third message is spam; spam gets `spam`, ham `ham`, and every `odd`-th message what
 * the other kind gets. */
static void fill(struct result *results, size_t count, double spam, double ham, size_t odd)
{
	for (size_t i = 0; i < count; i++) {
		bool is_spam = i % 3 == 0;
		bool wrong = odd && i % odd == 1;
		double probability = is_spam != wrong ? spam : ham;
		results[i] = (struct result){.spam = is_spam,
			.probability = probability,
			.score = model_log_odds(probability),
			.called_spam = probability >= 0.9};
	}
}

static enum verdict_of_comparison judge(size_t count, double champion, size_t champion_odd,
	double challenger, size_t challenger_odd)
{
	struct comparison comparison = {.champion = g_new(struct result, count),
		.challenger = g_new(struct result, count),
		.count = count};

	fill(comparison.champion, count, champion, 1 - champion, champion_odd);
	fill(comparison.challenger, count, challenger, 1 - challenger, challenger_odd);
	assert_ok(comparison_judge(&comparison, &failure));
	ck_assert_uint_gt(strlen(comparison.reason), 10);
	const struct difference *loss = &comparison.differences[METRIC_LOG_LOSS];
	ck_assert_double_le(loss->low, loss->high);
	if (champion == challenger && champion_odd == challenger_odd) {
		ck_assert_double_eq(loss->low, 0);
		ck_assert_double_eq(loss->high, 0);
	}
	g_free(comparison.champion);
	g_free(comparison.challenger);
	return comparison.verdict;
}

START_TEST(a_challenger_loses_only_beyond_chance)
{
	ck_assert_int_eq(judge(600, 0.95, 0, 0.95, 0), COMPARISON_NOT_WORSE);
	ck_assert_int_eq(judge(600, 0.95, 0, 0.99, 0), COMPARISON_NOT_WORSE);
	ck_assert_int_eq(judge(600, 0.95, 20, 0.95, 0), COMPARISON_NOT_WORSE);
	ck_assert_int_eq(judge(600, 0.99, 0, 0.95, 0), COMPARISON_WORSE);
	ck_assert_int_eq(judge(600, 0.95, 0, 0.95, 20), COMPARISON_WORSE);
	/* One message more that is wrong, where all else is better. */
	ck_assert_int_eq(judge(600, 0.95, 0, 0.96, 400), COMPARISON_NOT_WORSE);
	ck_assert_int_eq(judge(99, 0.95, 0, 0.99, 0), COMPARISON_TOO_FEW);
	ck_assert_int_eq(judge(100, 0.95, 0, 0.99, 0), COMPARISON_NOT_WORSE);
}
END_TEST

START_TEST(one_kind_alone_says_nothing)
{
	struct result results[200];
	struct comparison comparison = {
		.champion = results, .challenger = results, .count = G_N_ELEMENTS(results)};

	fill(results, comparison.count, 0.9, 0.1, 0);
	for (size_t i = 9; i < comparison.count; i++)
		results[i].spam = false;
	assert_ok(comparison_judge(&comparison, &failure));
	ck_assert_int_eq(comparison.verdict, COMPARISON_TOO_FEW);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("retrain");
	TCase *tcase = tcase_create("retrain");

	tcase_add_test(tcase, left_out_is_as_if_it_had_never_been);
	tcase_add_test(tcase, weight_and_error_scale_a_step);
	tcase_add_test(tcase, a_token_that_nobody_else_has_changes_no_other);
	tcase_add_test(tcase, tokens_of_several_reports_are_told_from_others);
	tcase_add_test(tcase, reputation_comes_from_what_the_others_are_sure_of);
	tcase_add_test(tcase, a_challenger_loses_only_beyond_chance);
	tcase_add_test(tcase, one_kind_alone_says_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
