/* The mathematics: numbers in, numbers out. No I/O, no clock, no allocation, no
 * globals; no input gives a NaN.
 *
 * Robust Bayesian logistic regression with additive evidence. A message is a
 * set of distinct tokens in two groups, head and body; each group carries its
 * share of the message's unit length:
 *
 *   x = sqrt(share / n_head) or sqrt((1 - share) / n_body)     (sum of x^2 = 1)
 *
 * For each token and scope (global, one user) two sums over the reports are
 * kept, the steps S and the gained precision G. The weight's posterior is
 *
 *   mean m = S / (1/V + G)        variance v = 1 / (1/V + G)
 *
 * that is, the precision-weighted form of the online Newton step (dual
 * averaging: Xiao, JMLR 11, 2010). Because only sums are kept, what a report
 * added can be taken away exactly. A user's weight is an offset from global:
 *
 *   margin       t  = b + sum x (m_global + m_user)
 *   uncertainty  s2 = v_b + sum x^2 / (1/V + G_global + G_user)
 *   log-odds     z  = scale * t / sqrt(1 + pi/8 s2)      (MacKay, Neural
 *                                                Computation 4, 1992, eq. 5.8)
 *   P(spam)         = 1 / (1 + exp(-z))
 *
 * `scale` makes up for tokens of one message not being independent: measured,
 * it brings the calibration error from 0.13 to 0.01.
 *
 * A report y in {0, 1} whose label is wrong with probability e adds
 *
 *   p = 1 / (1 + exp(-t));   q = y ? p : 1 - p
 *   r = (1 - 2e) q / (e + (1 - 2e) q)        how far the label is believed
 *   g = r (y - p);   h = k max(p (1 - p), 1e-4)
 *   S += g x,  G += h x^2                    (the bias with x = 1)
 *
 * (class-conditional noise as in Bootkrajang and Kaban, ECML 2012). At e = 0.5
 * a report moves nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct model_params {
	double variance; /* V, prior of a global weight */
	double user_variance; /* V, prior of a user's offset */
	double bias_variance; /* V, prior of the global bias */
	double user_bias_variance; /* V, prior of a user's bias */
	double user_bias_limit; /* its mean is kept within +- this, in nats; >= 0 */
	double gain; /* k */
	double head_share; /* of the unit length, in (0, 1) */
	double scale;
};

/* The measured defaults. */
extern const struct model_params model_defaults;

/* Evidence is rounded to multiples of this, so that sums in double are exact
 * in any order. Must equal what the store keeps (STORE_UNIT). */
#define MODEL_UNIT      0x1p-30
#define MODEL_UNIT_BITS 30

/* One message as the model sees it: tokens [0, head) are the head's, tokens
 * [head, count) the body's. */
struct model_message {
	size_t head;
	size_t count;
	double x_head; /* value of each token of the group; 0 for an empty group */
	double x_body;
};

struct model_message model_message(const struct model_params *params, size_t head, size_t count);

/* What one scope knows of the message's tokens, in the message's order. */
struct model_evidence {
	const double *sums;
	const double *gains;
	double bias_sum;
	double bias_gain;
};

struct model_score {
	double margin; /* t, both scopes, in nats */
	double global_margin; /* the global scope's part of it */
	double variance; /* s2 */
	double log_odds; /* z */
	double probability; /* of spam */
};

/* Scores a message. `user` may be NULL: a user without evidence scores exactly
 * as global alone. */
struct model_score model_score(const struct model_params *params,
	const struct model_message *message, const struct model_evidence *global,
	const struct model_evidence *user);

/* What a report adds. Multiples of MODEL_UNIT; gains >= MODEL_UNIT for a group
 * with tokens. */
struct model_step {
	double head_sum, head_gain;
	double body_sum, body_gain;
	double bias_sum, bias_gain;
};

/* What a report adds to global, given the present margin of global alone.
 * `error` is e, in [0, 0.5]. */
struct model_step model_learn(const struct model_params *params,
	const struct model_message *message, double margin, bool spam, double error);

/* Margins that the reporter's own copy of the message must reach: at least
 * `spam` after a spam report, at most `ham` after a ham report. */
struct model_target {
	double spam;
	double ham;
};

/* Targets with which an exact twin is on the right side of the given log-odds,
 * whatever is known of its tokens. */
struct model_target model_target(const struct model_params *params, double log_odds);

/* What a report adds to the reporter's own scope: the step above with e, made
 * longer where the twin would not reach its target. `global_margin` is that of
 * the time of the report. */
struct model_step model_learn_user(const struct model_params *params,
	const struct model_message *message, double global_margin,
	const struct model_evidence *user, bool spam, double error,
	const struct model_target *target);

/* Mean of one weight: its part of a margin is x times this. */
static inline double model_mean(double variance, double sum, double gain)
{
	return sum / (1 / variance + gain);
}

/* Mean of a user's bias, within its limit: how far the user's own threshold has
 * moved, in nats (upwards = sooner spam). */
double model_user_bias(const struct model_params *params, double sum, double gain);

/* Logistic function and its inverse; finite for every p in [0, 1]. */
double model_probability(double log_odds);
double model_log_odds(double probability);
