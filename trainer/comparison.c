/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEWEST = 100, FEWEST_OF_A_CLASS = 10, RESAMPLES = 400 };

static const double LARGEST_WORK = 2e7; /* messages that are resampled in all */

typedef double measure_fn(const struct result *results, size_t count);

/* xorshift64* (Vigna, ACM TOMS 42, 2016): the same draws in every run. */
static size_t draw(uint64_t *state, size_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (size_t)((*state * UINT64_C(2685821657736338717) >> 11) % below);
}

static int compare_numbers(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* What a resampling draws into. */
struct room {
	struct result *champion, *challenger;
	double differences[RESAMPLES];
};

static void resample(const struct comparison *comparison, struct room *room, uint64_t *state)
{
	for (size_t i = 0; i < comparison->count; i++) {
		size_t from = draw(state, comparison->count);
		room->champion[i] = comparison->champion[from];
		room->challenger[i] = comparison->challenger[from];
	}
}

static struct difference measure(
	const struct comparison *comparison, struct room *room, measure_fn *of)
{
	size_t count = comparison->count;
	size_t times = (size_t)fmin(RESAMPLES, fmax(40, LARGEST_WORK / (double)count));
	uint64_t state = 88172645463325252;
	struct difference difference = {
		.champion = of(comparison->champion, count),
		.challenger = of(comparison->challenger, count),
	};

	for (size_t i = 0; i < times; i++) {
		resample(comparison, room, &state);
		room->differences[i] = of(room->challenger, count) - of(room->champion, count);
	}
	qsort(room->differences, times, sizeof(double), compare_numbers);
	difference.low = room->differences[(size_t)(0.025 * (double)times)];
	difference.high = room->differences[(size_t)(0.975 * (double)times)];
	return difference;
}

static void conclude(struct comparison *comparison)
{
	const char *worse = comparison->log_loss.low > 0   ? "log loss"
			    : comparison->ham_lost.low > 0 ? "ham lost"
							   : NULL;

	comparison->verdict = worse ? COMPARISON_WORSE : COMPARISON_NOT_WORSE;
	if (worse)
		snprintf(comparison->reason, sizeof(comparison->reason),
			"%s is higher by more than chance explains", worse);
	else
		snprintf(comparison->reason, sizeof(comparison->reason),
			"not worse on %zu reports: log loss %.4f, it was %.4f", comparison->count,
			comparison->log_loss.challenger, comparison->log_loss.champion);
}

enum status comparison_judge(struct comparison *comparison, struct failure *failure)
{
	size_t count = comparison->count;
	size_t spam = metrics_spam(comparison->champion, count);
	struct room room = {
		.champion = malloc((count + 1) * sizeof(struct result)),
		.challenger = malloc((count + 1) * sizeof(struct result)),
	};
	enum status status = STATUS_OK;

	if (!room.champion || !room.challenger) {
		status = failure_set(failure, STATUS_NOMEM, "comparing: out of memory");
	} else if (count < FEWEST || spam < FEWEST_OF_A_CLASS || count - spam < FEWEST_OF_A_CLASS) {
		comparison->verdict = COMPARISON_TOO_FEW;
		snprintf(comparison->reason, sizeof(comparison->reason),
			"%zu new reports, %zu of spam, are too few to compare on: %d are wanted, "
			"%d of each kind",
			count, spam, FEWEST, FEWEST_OF_A_CLASS);
	} else {
		comparison->log_loss = measure(comparison, &room, metrics_log_loss);
		comparison->ham_lost = measure(comparison, &room, metrics_ham_lost);
		comparison->spam_missed = measure(comparison, &room, metrics_spam_missed);
		comparison->one_minus_roca = measure(comparison, &room, metrics_one_minus_roca);
		conclude(comparison);
	}
	free(room.champion);
	free(room.challenger);
	return status;
}
