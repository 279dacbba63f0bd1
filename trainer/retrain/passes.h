/* The passes over the reports that a retraining is made of: see retrain.h. Private to
 * it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "trainer/retrain/learner.h"
#include "trainer/progress.h"
#include "trainer/retrain/retrain.h"
#include "trainer/retrain/shared-tokens.h"

/* One report that is shared and counts. */
struct item {
	int64_t seq, time;
	uint64_t message; /* its identity */
	size_t reporter;
	size_t marks; /* where its marks begin (shared-tokens.h) */
	bool spam;
	float weight;
	struct contribution taught;
	double margin; /* without it */
};

/* What is common to all passes of a retraining. */
struct basis {
	const struct retrain_options *options;
	struct model_params params;
	struct proposal_terms terms;
	struct reporters *reporters;
	GByteArray *marks;
	struct progress progress; /* in passed reports; of the thread that shows it */
	_Atomic size_t passed;
	GThread *showing;
};

/* One store that is trained; one thread works on it. */
struct run {
	struct basis *basis;
	struct store_reader *reader; /* for the walks */
	struct store_reader *entries; /* for what is asked during a walk */
	struct item *items;
	size_t count;
	struct learner *learner;
	struct failure *failure;

	/* Of the pass that is being made. */
	size_t until; /* items of it */
	size_t at; /* the next of them */
	void (*look)(struct run *run, struct item *item, const struct report *report);
	enum status status; /* of `look` */
	const struct shared_tokens *tokens;
	struct comparison *comparison;
	struct learner *champion;
};

/* Opens the readers; the rest is as in `like`, with items of its own. */
enum status run_open(struct run *run, const struct run *like, struct store *store);
void run_close(struct run *run);

/* Reads the first time: marks the tokens that other reports have as well. */
enum status run_mark(struct run *run, const struct shared_tokens *tokens);

/* How often each reporter is wrong, in two rounds. */
enum status run_judge_reporters(struct run *run);

/* Trains the learner on the first `until` items. */
enum status run_train(struct run *run, size_t until);

/* Trains on the first `until` items and compares with what is in the store on the
 * others; fills in what was found of each, not yet who wins. */
enum status run_compare(struct run *run, size_t until, struct comparison *comparison);

/* Passes that run_train, run_compare and run_judge_reporters make, in reports. */
size_t run_train_passes(size_t until);
size_t run_compare_passes(size_t until, size_t count);
size_t run_judge_passes(size_t count);
