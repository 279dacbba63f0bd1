/* Properties of the model.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/model/model.h"
#include "tests/unit/unit.h"

enum { TOKENS = 300, HEAD = 120 };

static const struct model_params *const params = &model_defaults;

/* Evidence that a test can change. */
struct scope {
	double sums[TOKENS];
	double gains[TOKENS];
	double bias_sum, bias_gain;
};

static struct scope nobody;
static uint64_t random_state;

static double uniform(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(random_state >> 11) * 0x1p-53;
}

static struct model_evidence evidence(const struct scope *scope)
{
	return (struct model_evidence){.sums = scope->sums,
		.gains = scope->gains,
		.bias_sum = scope->bias_sum,
		.bias_gain = scope->bias_gain};
}

static void apply(struct scope *scope, const struct model_step *step, double sign)
{
	for (size_t i = 0; i < TOKENS; i++) {
		scope->sums[i] += sign * (i < HEAD ? step->head_sum : step->body_sum);
		scope->gains[i] += sign * (i < HEAD ? step->head_gain : step->body_gain);
	}
	scope->bias_sum += sign * step->bias_sum;
	scope->bias_gain += sign * step->bias_gain;
}

static struct scope random_scope(double strength)
{
	struct scope scope = {0};

	for (size_t i = 0; i < TOKENS; i++) {
		scope.gains[i] = floor(uniform() * 1e6) * MODEL_UNIT;
		scope.sums[i] = floor((uniform() - 0.5) * 2 * strength / MODEL_UNIT) * MODEL_UNIT;
	}
	return scope;
}

static struct model_score score(const struct scope *global, const struct scope *user)
{
	struct model_message message = model_message(params, HEAD, TOKENS);
	struct model_evidence everybody = evidence(global), own;

	if (user)
		own = evidence(user);
	return model_score(params, &message, &everybody, user ? &own : NULL);
}

static struct model_step learn(const struct scope *scope, bool spam, double error)
{
	struct model_message message = model_message(params, HEAD, TOKENS);

	return model_learn(params, &message, score(scope, NULL).margin, spam, error);
}

static struct model_step learn_user(const struct scope *global, const struct scope *user, bool spam,
	const struct model_target *target)
{
	struct model_message message = model_message(params, HEAD, TOKENS);
	struct model_evidence own = evidence(user);

	return model_learn_user(
		params, &message, score(global, NULL).margin, &own, spam, 0.1, target);
}

START_TEST(groups_share_the_unit_length)
{
	struct model_message message = model_message(params, HEAD, TOKENS);

	ck_assert_double_eq_tol(HEAD * message.x_head * message.x_head, params->head_share, 1e-12);
	ck_assert_double_eq_tol(
		(TOKENS - HEAD) * message.x_body * message.x_body, 1 - params->head_share, 1e-12);
	message = model_message(params, 0, 10);
	ck_assert_double_eq_tol(10 * message.x_body * message.x_body, 1, 1e-12);
	message = model_message(params, 10, 10);
	ck_assert_double_eq_tol(10 * message.x_head * message.x_head, 1, 1e-12);
	ck_assert_double_eq(message.x_body, 0);
}
END_TEST

START_TEST(no_evidence_is_neutral)
{
	struct model_score result = score(&nobody, NULL);
	struct model_message empty = model_message(params, 0, 0);
	struct model_evidence everybody = evidence(&nobody);

	ck_assert_double_eq(result.margin, 0);
	ck_assert_double_eq(result.probability, 0.5);
	ck_assert_double_eq(model_score(params, &empty, &everybody, NULL).probability, 0.5);
}
END_TEST

START_TEST(user_without_evidence_scores_as_global)
{
	struct scope global = random_scope(1);

	ck_assert_double_eq(score(&global, NULL).log_odds, score(&global, &nobody).log_odds);
}
END_TEST

START_TEST(spam_and_ham_mirror_each_other)
{
	struct scope global = random_scope(1), mirror = global;

	for (size_t i = 0; i < TOKENS; i++)
		mirror.sums[i] = -mirror.sums[i];
	ck_assert_double_eq(score(&global, NULL).log_odds, -score(&mirror, NULL).log_odds);
	struct model_step spam = learn(&global, true, 0.1), ham = learn(&mirror, false, 0.1);
	ck_assert_double_eq(spam.head_sum, -ham.head_sum);
	ck_assert_double_eq(spam.body_sum, -ham.body_sum);
	ck_assert_double_eq(spam.head_gain, ham.head_gain);
}
END_TEST

START_TEST(learning_moves_the_right_way)
{
	struct scope global = random_scope(0.5);

	for (int i = 0; i < 20; i++) {
		double before = score(&global, NULL).margin;
		struct model_step step = learn(&global, i % 2 == 0, 0.1);
		apply(&global, &step, 1);
		double after = score(&global, NULL).margin;
		ck_assert(i % 2 == 0 ? after > before : after < before);
	}
}
END_TEST

START_TEST(undo_is_exact_in_any_order)
{
	struct scope global = random_scope(1), start = global;
	struct model_step steps[50];

	for (int i = 0; i < 50; i++) {
		steps[i] = learn(&global, uniform() < 0.5, 0.1);
		apply(&global, &steps[i], 1);
	}
	for (int i = 0; i < 50; i++)
		apply(&global, &steps[(i * 7 + 3) % 50], -1);
	ck_assert_mem_eq(&global, &start, sizeof(global));
}
END_TEST

START_TEST(coin_tossers_move_nothing)
{
	struct scope global = random_scope(1);
	struct model_step none = {0}, step = learn(&global, true, 0.5);

	ck_assert_mem_eq(&step, &none, sizeof(step));
}
END_TEST

START_TEST(labels_against_the_evidence_are_believed_less)
{
	struct scope global = {0};

	for (int i = 0; i < 100; i++) {
		struct model_step step = learn(&global, true, 0.1);
		apply(&global, &step, 1);
	}
	ck_assert_double_gt(fabs(learn(&global, false, 0).bias_sum),
		5 * fabs(learn(&global, false, 0.1).bias_sum));
}
END_TEST

/* A press moves the reporter's twin across, whatever everybody thinks. */
START_TEST(own_press_moves_the_twin_across)
{
	static const double thresholds[] = {0.1, 0.5, 0.9, 0.99, 0.999};

	for (int round = 0; round < 2000; round++) {
		double threshold = model_log_odds(thresholds[round % 5]);
		struct model_target target = model_target(params, threshold);
		struct scope global = random_scope(round % 7 * 2), user = {0};

		for (int press = 0; press < 4; press++) {
			bool spam = uniform() < 0.5;
			struct model_step step = learn_user(&global, &user, spam, &target);
			apply(&user, &step, 1);
			double log_odds = score(&global, &user).log_odds;
			ck_assert_msg(spam ? log_odds >= threshold : log_odds < threshold,
				"round %d press %d: %g against %g", round, press, log_odds,
				threshold);
		}
	}
}
END_TEST

START_TEST(order_of_tokens_is_irrelevant)
{
	struct scope global = random_scope(1), reversed = global;

	for (size_t i = 0; i < HEAD; i++) {
		reversed.sums[i] = global.sums[HEAD - 1 - i];
		reversed.gains[i] = global.gains[HEAD - 1 - i];
	}
	ck_assert_double_eq_tol(
		score(&global, NULL).log_odds, score(&reversed, NULL).log_odds, 1e-12);
}
END_TEST

START_TEST(no_input_gives_a_nan)
{
	static const double extremes[] = {0, MODEL_UNIT, 1, 1e6, 8e6, -1, -1e6, -8e6};

	for (size_t i = 0; i < 8; i++) {
		for (size_t j = 0; j < 4; j++) {
			struct scope scope;
			for (size_t k = 0; k < TOKENS; k++) {
				scope.sums[k] = extremes[i];
				scope.gains[k] = extremes[j];
			}
			scope.bias_sum = extremes[i];
			scope.bias_gain = extremes[j];
			struct model_target target =
				model_target(params, model_log_odds((double)j / 3));
			struct model_score result = score(&scope, &scope);
			ck_assert(isfinite(result.log_odds) && isfinite(result.variance));
			ck_assert(result.probability >= 0 && result.probability <= 1);
			struct model_step step = learn(&scope, i % 2, 0.1);
			ck_assert(isfinite(step.body_sum) && isfinite(step.body_gain));
			step = learn_user(&scope, &scope, i % 2, &target);
			ck_assert(isfinite(step.head_sum) && isfinite(step.bias_gain));
		}
	}
	ck_assert(isfinite(model_log_odds(0)) && isfinite(model_log_odds(1)));
	ck_assert_double_eq(model_probability(INFINITY), 1);
}
END_TEST

START_TEST(steps_are_multiples_of_the_unit)
{
	struct scope global = random_scope(1);
	struct model_step step = learn(&global, true, 0.1);
	const double *numbers = (const double *)&step;

	for (size_t i = 0; i < sizeof(step) / sizeof(double); i++)
		ck_assert_double_eq(numbers[i] / MODEL_UNIT, nearbyint(numbers[i] / MODEL_UNIT));
	ck_assert_double_ge(step.head_gain, MODEL_UNIT);
	ck_assert_double_ge(step.body_gain, MODEL_UNIT);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");

	tcase_add_test(tcase, groups_share_the_unit_length);
	tcase_add_test(tcase, no_evidence_is_neutral);
	tcase_add_test(tcase, user_without_evidence_scores_as_global);
	tcase_add_test(tcase, spam_and_ham_mirror_each_other);
	tcase_add_test(tcase, learning_moves_the_right_way);
	tcase_add_test(tcase, undo_is_exact_in_any_order);
	tcase_add_test(tcase, coin_tossers_move_nothing);
	tcase_add_test(tcase, labels_against_the_evidence_are_believed_less);
	tcase_add_test(tcase, own_press_moves_the_twin_across);
	tcase_add_test(tcase, order_of_tokens_is_irrelevant);
	tcase_add_test(tcase, no_input_gives_a_nan);
	tcase_add_test(tcase, steps_are_multiples_of_the_unit);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
