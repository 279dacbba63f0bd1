/* The global evidence as a function of what each report adds, for work in several
 * passes: reports are added, looked at without their own part, and changed. Uses the
 * service's model and table; in memory alone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/model/model.h"
#include "engine/store/store.h"

struct learner;

/* A report's tokens. */
struct learner_message {
	const uint64_t *keys; /* ascending */
	size_t count;
	/* Bit i: other reports have key i as well (shared-tokens.h). The others are not kept:
	 * to every other message they are unknown. NULL = all are kept. */
	const unsigned char *shared;
};

/* NULL when out of memory. */
struct learner *learner_new(const struct model_params *params);
void learner_free(struct learner **learner);

/* Scores a message. `without` = what one report of the same
 * keys added, which is left out; NULL = nothing. */
struct model_score learner_score(struct learner *learner, const struct learner_message *message,
	const struct contribution *without);

/* What a report with this label teaches at a margin, times `weight`. `gains` false =
 * the steps alone, no evidence gained. */
struct contribution learner_step(const struct learner *learner,
	const struct learner_message *message, double margin, bool spam, double error,
	double weight, bool gains);

/* Adds to the store, and to `total` unless it is NULL. */
enum status learner_add(struct learner *learner, const struct learner_message *message,
	const struct contribution *contribution, struct contribution *total);

/* A token's mean weight. False for one that is unknown. */
bool learner_weight(struct learner *learner, uint64_t key, double *weight);

size_t learner_tokens(const struct learner *learner);
size_t learner_bytes(const struct learner *learner);
