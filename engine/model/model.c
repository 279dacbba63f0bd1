/* The formulas of model.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/model.h"

#include <math.h>

/* Measured on seeded shuffles of the SpamAssassin corpus, with and without
 * wrong labels; see docs/model.md. */
const struct model_params model_defaults = {
	.variance = 30,
	.user_variance = 10,
	.bias_variance = 1,
	.user_bias_variance = 0.1,
	.user_bias_limit = HUGE_VAL,
	.gain = 4,
	.head_share = 0.5,
	.scale = 3,
};

static const double SMALLEST_CURVATURE = 1e-4; /* of p (1 - p) */
static const double LARGEST_LOG_ODDS = 700; /* exp() stays finite */
static const double TWIN_CLEARANCE = 1; /* nats beyond the threshold */

double model_probability(double log_odds)
{
	return 1 / (1 + exp(-fmin(fmax(log_odds, -LARGEST_LOG_ODDS), LARGEST_LOG_ODDS)));
}

double model_log_odds(double probability)
{
	const double smallest = 1e-15;
	double p = fmin(fmax(probability, smallest), 1 - smallest);

	return log(p / (1 - p));
}

struct model_message model_message(const struct model_params *params, size_t head, size_t count)
{
	struct model_message message = {.head = head, .count = count};
	double body = (double)(count - head);
	double share = head == 0 ? 0 : head == count ? 1 : params->head_share;

	if (head > 0)
		message.x_head = sqrt(share / (double)head);
	if (count > head)
		message.x_body = sqrt((1 - share) / body);
	return message;
}

static double clamp(double value, double limit)
{
	return fmin(fmax(value, -limit), limit);
}

double model_user_bias(const struct model_params *params, double sum, double gain)
{
	return clamp(model_mean(params->user_bias_variance, sum, gain), params->user_bias_limit);
}

/* Adds one group's part of margin and uncertainty. */
static void add_group(const struct model_params *params, double x, size_t from, size_t to,
	const struct model_evidence *global, const struct model_evidence *user,
	struct model_score *score)
{
	const double prior = 1 / params->variance;
	const double user_prior = 1 / params->user_variance;
	double mean = 0, user_mean = 0, variance = 0;

	for (size_t i = from; i < to; i++) {
		double global_precision = prior + global->gains[i];
		double own = user ? user->gains[i] : 0;

		mean += global->sums[i] / global_precision;
		if (own > 0)
			user_mean += user->sums[i] / (user_prior + own);
		variance += 1 / (global_precision + own);
	}
	score->global_margin += x * mean;
	score->margin += x * (mean + user_mean);
	score->variance += x * x * variance;
}

struct model_score model_score(const struct model_params *params,
	const struct model_message *message, const struct model_evidence *global,
	const struct model_evidence *user)
{
	double own_gain = user ? user->bias_gain : 0;
	struct model_score score = {
		.global_margin =
			model_mean(params->bias_variance, global->bias_sum, global->bias_gain),
		.variance = 1 / (1 / params->bias_variance + global->bias_gain + own_gain),
	};

	score.margin = score.global_margin;
	if (user)
		score.margin += model_user_bias(params, user->bias_sum, own_gain);
	add_group(params, message->x_head, 0, message->head, global, user, &score);
	add_group(params, message->x_body, message->head, message->count, global, user, &score);
	score.log_odds = params->scale * score.margin / sqrt(1 + M_PI / 8 * score.variance);
	score.probability = model_probability(score.log_odds);
	return score;
}

static double round_unit(double value)
{
	return nearbyint(value / MODEL_UNIT) * MODEL_UNIT;
}

/* The numbers of one step from g and h. */
static struct model_step make_step(const struct model_message *message, double g, double h)
{
	double x_head = message->x_head, x_body = message->x_body;
	struct model_step step = {
		.head_sum = round_unit(g * x_head),
		.head_gain = x_head > 0 ? fmax(round_unit(h * x_head * x_head), MODEL_UNIT) : 0,
		.body_sum = round_unit(g * x_body),
		.body_gain = x_body > 0 ? fmax(round_unit(h * x_body * x_body), MODEL_UNIT) : 0,
		.bias_sum = round_unit(g),
		.bias_gain = round_unit(h),
	};
	return step;
}

/* g and h of a report at margin t. */
static void believe(
	const struct model_params *params, double t, bool spam, double error, double *g, double *h)
{
	double p = model_probability(t);
	double q = spam ? p : 1 - p;
	double trust = 1 - 2 * error;
	double r = error > 0 ? trust * q / (error + trust * q) : 1;

	*g = r * ((spam ? 1 : 0) - p);
	*h = params->gain * fmax(p * (1 - p), SMALLEST_CURVATURE);
}

struct model_step model_learn(const struct model_params *params,
	const struct model_message *message, double margin, bool spam, double error)
{
	double g, h;

	if (error >= 0.5)
		return (struct model_step){0};
	believe(params, margin, spam, error, &g, &h);
	return make_step(message, g, h);
}

struct model_target model_target(const struct model_params *params, double log_odds)
{
	/* The largest uncertainty is that of a message of which nothing is known. */
	double shrink = sqrt(1 + M_PI / 8 * (params->variance + params->bias_variance));
	double margin = log_odds * shrink / params->scale;

	return (struct model_target){
		.spam = fmax(margin, 0) + TWIN_CLEARANCE,
		.ham = fmin(margin, 0) - TWIN_CLEARANCE,
	};
}

/* After a step (g, h) the twin's margin in the user's scope is
 * tokens + token_slope g + clamp(bias + bias_slope g). */
struct prospect {
	double tokens, token_slope;
	double bias, bias_slope;
};

static void predict_group(const struct model_params *params, double x, size_t from, size_t to,
	const struct model_evidence *user, double h, struct prospect *prospect)
{
	double prior = 1 / params->user_variance;

	for (size_t i = from; i < to; i++) {
		double precision = prior + user->gains[i] + h * x * x;

		prospect->tokens += x * user->sums[i] / precision;
		prospect->token_slope += x * x / precision;
	}
}

static struct prospect predict(const struct model_params *params,
	const struct model_message *message, const struct model_evidence *user, double h)
{
	double precision = 1 / params->user_bias_variance + user->bias_gain + h;
	struct prospect prospect = {
		.bias = user->bias_sum / precision, .bias_slope = 1 / precision};

	predict_group(params, message->x_head, 0, message->head, user, h, &prospect);
	predict_group(params, message->x_body, message->head, message->count, user, h, &prospect);
	return prospect;
}

/* The least g with which the user's scope reaches `wanted` (upwards for spam,
 * downwards for ham). Where the bias has met its limit, the tokens do it alone. */
static double needed_step(const struct model_params *params, const struct prospect *prospect,
	bool spam, double wanted)
{
	double side = spam ? 1 : -1;
	double limit = params->user_bias_limit;
	double g = (wanted - prospect->tokens - prospect->bias) /
		(prospect->token_slope + prospect->bias_slope);

	if (side * (prospect->bias + prospect->bias_slope * g) > limit && prospect->token_slope > 0)
		g = (wanted - prospect->tokens - side * limit) / prospect->token_slope;
	return g;
}

struct model_step model_learn_user(const struct model_params *params,
	const struct model_message *message, double global_margin,
	const struct model_evidence *user, bool spam, double error,
	const struct model_target *target)
{
	struct prospect now = predict(params, message, user, 0);
	double g, h;

	believe(params, global_margin + now.tokens + clamp(now.bias, params->user_bias_limit), spam,
		error, &g, &h);
	struct prospect then = predict(params, message, user, h);
	double needed = needed_step(
		params, &then, spam, (spam ? target->spam : target->ham) - global_margin);
	g = spam ? fmax(g, needed) : fmin(g, needed);
	return make_step(message, g, h);
}
