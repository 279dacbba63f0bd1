/* In which order the messages of an index are scored and learned: online, with a part
 * held out, in folds. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "trainer/corpus.h"

/* What is learned of an entry. */
struct lesson {
	bool learned;
	bool spam; /* as what; may be wrong on purpose */
};

enum step_kind { STEP_SCORE, STEP_LEARN, STEP_RETRAIN };

struct step {
	enum step_kind kind;
	size_t entry; /* of the index; 0 with STEP_RETRAIN */
	bool spam; /* of STEP_LEARN */
};

/* An array of struct lesson, one an entry: `labelled` percent of the entries are learned,
 * `wrong` percent with the other label. Which these are, the seed says; neither percentage
 * changes what the other picks. */
GArray *schedule_lessons(
	const struct corpus_index *index, double labelled, double wrong, uint64_t seed);

/* The following return an array of struct step. */

/* Score, then learn. A label comes when `delay` further messages were scored (TREC 2006
 * spam track: delayed feedback), 0 = at once; those still outstanding at the end never come.
 * Where the index itself says when a label comes, it comes then. */
GArray *schedule_online(const struct corpus_index *index, const GArray *lessons, size_t delay);

/* Learn all but the last `held_out` entries; retrain, if asked; score these. */
GArray *schedule_held_out(
	const struct corpus_index *index, const GArray *lessons, size_t held_out, bool retrain);

/* Learn what is not of `fold`, in order; retrain, if asked; score the fold. */
GArray *schedule_fold(const struct corpus_index *index, const GArray *lessons, const size_t *folds,
	size_t fold, bool retrain);

/* Score all, learn nothing. */
GArray *schedule_scores(const struct corpus_index *index);

/* Puts `count` entries into `folds` folds: those of one group (below group_count) into the
 * same one; groups in an order that the seed says, each into the fold that has fewest. Sizes
 * differ by at most the largest group. */
void schedule_assign_folds(const size_t *groups, size_t count, size_t group_count, size_t folds,
	uint64_t seed, size_t *fold_of);
