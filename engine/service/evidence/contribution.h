/* Between the store's records and the model's numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/model/model.h"
#include "engine/service/evidence/table.h"
#include "engine/store/store.h"

/* How many of the keys are the head's; they come first in an ascending list. */
size_t evidence_head(const uint64_t *keys, size_t count);

/* Adds a contribution to the keys (ascending) of a table; with sign -1 takes it
 * away. On STATUS_NOMEM nothing was changed. */
enum status evidence_apply(struct table *table, const uint64_t *keys, size_t count,
	const struct contribution *contribution, double sign);

struct contribution evidence_contribution(const struct model_step *step);
