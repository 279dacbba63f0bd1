/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The global store as a function of what each report adds, for work in several
 * passes: reports are added, looked at without their own part, and changed. Uses the
 * service's model and table; in memory alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/model.h"
#include "engine/store/store.h"

struct learner;

/* NULL when out of memory. */
struct learner *learner_new(const struct model_params *params);
void learner_free(struct learner **learner);

/* Scores a message of these keys (ascending). `without` = what one report of the same
 * keys added, which is left out; NULL = nothing. */
struct model_score learner_score(struct learner *learner, const uint64_t *keys, size_t count,
	const struct contribution *without);

/* What a report with this label teaches at a margin, times `weight`. `gains` false =
 * the steps alone, no evidence gained. */
struct contribution learner_step(const struct learner *learner, const uint64_t *keys, size_t count,
	double margin, bool spam, double error, double weight, bool gains);

/* Adds to the store, and to `total` unless it is NULL. */
enum status learner_add(struct learner *learner, const uint64_t *keys, size_t count,
	const struct contribution *contribution, struct contribution *total);

/* A token's mean weight; 0 for one that is unknown. */
double learner_weight(struct learner *learner, uint64_t key);

size_t learner_tokens(const struct learner *learner);
size_t learner_bytes(const struct learner *learner);
