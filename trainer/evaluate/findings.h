/* What is told of an evaluation: the figures, and what was asked for beyond them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "engine/base/status.h"
#include "trainer/evaluate/against.h"
#include "trainer/measure/bootstrap.h"
#include "trainer/evaluate/evaluate.h"
#include "trainer/evaluate/gray.h"
#include "trainer/evaluate/by-user.h"

struct findings_options {
	size_t folds; /* of the evaluation; 0 = none */
	bool per_user, gray_mail;
	size_t resamples; /* for intervals; 0 = none */
	uint64_t seed; /* of these */
	const struct evaluation *against; /* of the same messages; NULL = none */
	const char *names[2]; /* of the databases, with `against` */
};

/* How the folds differ. */
struct folds {
	size_t *messages; /* of each fold */
	double (*values)[METRICS];
	double mean[METRICS], deviation[METRICS]; /* over folds that have it */
};

struct findings {
	const struct evaluation *evaluation;
	const struct findings_options *options;
	struct user_numbers users;
	bool over_users; /* whole users were resampled */
	struct interval intervals[METRICS];
	struct folds folds;
	struct by_user by_user;
	struct gray gray;
	struct against against;
};

/* The arguments must outlive the findings, which are freed by the caller whatever
 * happens. STATUS_NOMEM. */
enum status findings_make(struct findings *findings, const struct evaluation *evaluation,
	const struct corpus_index *index, const struct findings_options *options,
	struct failure *failure);
void findings_free(struct findings *findings);

/* For people, and as a JSON object (one line). */
void findings_print(const struct findings *findings);
enum status findings_print_json(const struct findings *findings);
