/* Scores labelled mail: online (score, then learn, in the order given), with a part held
 * out, in folds, or with a database as it is; by the daemon's own tokenizer, model and
 * service.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/service.h"
#include "trainer/corpus.h"
#include "trainer/measure/metrics.h"

struct evaluate_options {
	double wrong_labels; /* percent of the messages learned with the other label */
	double labelled; /* percent of the messages that are learned at all */
	uint64_t seed; /* of which these are, and of the folds */
	double held_out; /* percent at the end that are scored, not learned, and measured
			      * alone; 0 = all are learned and measured */
	bool retrain; /* before what is held out, or a fold, is scored: the store is
			      * retrained and adopted */
	size_t delay; /* messages scored after one until its label comes */
	size_t folds; /* at least 2: each is scored by a store that learned the others;
			      * 0 = none */
	bool folds_by_user; /* a user's messages are in one fold; otherwise only those that
			      * are the same */
	const char *database; /* score with this one, read-only, and learn nothing; NULL = a
			       * store in memory that learns */
	bool quiet; /* no progress */
	struct service_settings settings;
};

/* What a result is of. */
struct scored {
	size_t entry; /* of the index */
	uint64_t identity; /* equal for the same message */
	size_t fold;
};

struct evaluation {
	struct result *results; /* in the order of the index */
	struct scored *messages; /* that the results are of */
	size_t count;
	double messages_per_second; /* scored and learned, reading included */
};

/* Goes through the index. Lines with a user are scored for that user, who consents to
 * share. Held out, delayed, folds and database exclude each other, as database and
 * everything about learning do. STATUS_INVALID: there are fewer groups than folds. */
enum status evaluate_run(struct evaluation *evaluation, const struct corpus_index *index,
	const struct evaluate_options *options, struct failure *failure);
void evaluate_free(struct evaluation *evaluation);
