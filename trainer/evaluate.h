/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Online replay of labelled mail: score, then learn, in the order given, with
 * the daemon's own tokenizer, model and service over a store in memory. With a part
 * held out: learn, then measure on that part. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/service.h"
#include "trainer/corpus.h"
#include "trainer/metrics.h"

struct evaluate_options {
	double wrong_labels; /* percent of the messages learned with the other label */
	double labelled;     /* percent of the messages that are learned at all */
	uint64_t seed;       /* of which these are */
	double held_out;     /* percent at the end that are scored, not learned, and measured
			      * alone; 0 = all are learned and measured */
	bool retrain;        /* before these: the store is retrained and adopted */
	bool quiet;          /* no progress */
	struct service_settings settings;
};

struct evaluation {
	struct result *results; /* in the order of the index */
	size_t count;
	double messages_per_second; /* scored and learned, reading included */
};

/* Replays the index. Lines with a user are scored for that user, who consents to
 * share. */
enum status evaluate_run(struct evaluation *evaluation, const struct corpus_index *index,
	const struct evaluate_options *options, struct failure *failure);
void evaluate_free(struct evaluation *evaluation);

/* The figures for people, and as a JSON object (one line). */
void evaluate_print(const struct evaluation *evaluation);
enum status evaluate_print_json(const struct evaluation *evaluation);
