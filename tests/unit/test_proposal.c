/* What thresholds and what scale are proposed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "engine/model/model.h"
#include "tests/unit/unit.h"
#include "trainer/retrain/proposal.h"

enum { MOST = 8000 };

static struct result results[MOST];
static size_t count;
static uint64_t state;
static struct proposal proposal;
static struct proposal_terms terms;
static struct failure failure;

static double uniform(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return ((double)(state >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static void setup(void)
{
	state = 4711;
	count = 0;
	proposal = (struct proposal){0};
	terms = (struct proposal_terms){.scale = 3,
		.threshold = 5,
		.junk_log_odds = model_log_odds(0.9),
		.bounds = {.junk = 5, .reject = 10, .junk_min = 2, .junk_max = 10},
		.present = {.junk = 5, .reject = 10},
		.ham_lost = 0.1};
}

static void teardown(void)
{
	proposal_free(&proposal);
}

/* Messages whose log-odds are right when multiplied by `factor`, with wrong labels. */
static void draw(size_t number, double factor, double noise)
{
	for (count = 0; count < number; count++) {
		double right = 5 * normal() + (uniform() < 0.4 ? 4 : -4);
		bool spam = uniform() < model_probability(right);
		results[count] = (struct result){.score = right / factor,
			.probability = model_probability(right / factor),
			.spam = spam != (uniform() < noise)};
	}
}

static void propose(void)
{
	proposal_free(&proposal);
	assert_ok(proposal_make(&proposal, results, count, &terms, &failure));
}

START_TEST(the_scale_is_found)
{
	static const double factors[] = {0.6, 1, 1.8};

	for (size_t i = 0; i < 3; i++) {
		draw(MOST, factors[i], 0);
		propose();
		ck_assert(proposal.made);
		ck_assert_double_eq_tol(proposal.proposed.scale, 3 * factors[i], 0.3);
		ck_assert_double_lt(proposal.proposed.calibration_error, 0.02);
		ck_assert_double_le(proposal.proposed.log_loss, proposal.present.log_loss + 1e-12);
		if (factors[i] != 1)
			ck_assert_double_lt(proposal.proposed.calibration_error,
				proposal.present.calibration_error);
	}
}
END_TEST

START_TEST(wrong_presses_do_not_make_it_timid)
{
	draw(MOST, 1, 0.05);
	propose();
	ck_assert_double_eq_tol(proposal.noise, 0.05, 0.026);
	ck_assert_double_eq_tol(proposal.proposed.scale, 3, 0.5);
}
END_TEST

START_TEST(the_scale_stays_within_its_bounds)
{
	draw(MOST, 10, 0);
	propose();
	ck_assert_double_le(proposal.proposed.scale, POLICY_MOST_SCALE + 0.01);
	ck_assert_double_gt(proposal.proposed.scale, 5.9);
	draw(MOST, 0.05, 0);
	propose();
	ck_assert_double_ge(proposal.proposed.scale, POLICY_LEAST_SCALE - 0.01);
	ck_assert_double_lt(proposal.proposed.scale, 1.6);
}
END_TEST

START_TEST(the_junk_score_keeps_to_the_target)
{
	static const double targets[] = {0.2, 0.5, 2};
	double before = INFINITY;

	draw(MOST, 1, 0);
	for (size_t i = 0; i < 3; i++) {
		terms.ham_lost = targets[i];
		propose();
		ck_assert_double_le(proposal.proposed.ham_lost, targets[i]);
		ck_assert_double_le(proposal.proposed.junk, before);
		before = proposal.proposed.junk;
		/* A tenth of a point lower would lose more, or is out of bounds. */
		if (before > terms.bounds.junk_min && before < terms.bounds.junk_max) {
			terms.present.junk = before - 0.2;
			propose();
			ck_assert_double_gt(proposal.present.ham_lost, targets[i] * 0.9);
		}
	}
}
END_TEST

START_TEST(thresholds_stay_within_their_bounds)
{
	draw(MOST, 1, 0);
	for (size_t i = 0; i < count; i++) { /* nothing is ever lost */
		if (!results[i].spam)
			results[i].score = -20;
	}
	propose();
	ck_assert_double_eq(proposal.proposed.junk, 2);
	ck_assert_double_eq(proposal.proposed.reject, 10);
	draw(MOST, 1, 0);
	terms.bounds.junk_max = 2.5;
	propose();
	ck_assert_double_eq(proposal.proposed.junk, 2.5);
	ck_assert_double_ge(proposal.proposed.reject, 10);
}
END_TEST

START_TEST(labels_that_contradict_the_scores_say_nothing)
{
	draw(MOST, 1, 0);
	for (size_t i = 0; i < MOST / 4; i++)
		results[i] = (struct result){.score = 9, .probability = model_probability(9)};
	propose();
	ck_assert(!proposal.made);
}
END_TEST

START_TEST(few_reports_say_nothing)
{
	draw(150, 1, 0);
	propose();
	ck_assert(!proposal.made);
	count = 0;
	propose();
	ck_assert(!proposal.made);
	draw(2000, 1, 0);
	for (size_t i = 0; i < count; i++)
		results[i].spam = false;
	propose();
	ck_assert(!proposal.made);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("proposal");
	TCase *tcase = tcase_create("proposal");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_scale_is_found);
	tcase_add_test(tcase, wrong_presses_do_not_make_it_timid);
	tcase_add_test(tcase, the_scale_stays_within_its_bounds);
	tcase_add_test(tcase, the_junk_score_keeps_to_the_target);
	tcase_add_test(tcase, thresholds_stay_within_their_bounds);
	tcase_add_test(tcase, labels_that_contradict_the_scores_say_nothing);
	tcase_add_test(tcase, few_reports_say_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
