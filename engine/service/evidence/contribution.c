/* Puts what a report adds into a table, token by token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/contribution.h"

#include "tokenizer/tokenizer.h"

_Static_assert(STORE_BODY_BIT == TOKENIZER_BODY_BIT, "one bit tells head from body");
_Static_assert(STORE_UNIT_BITS == MODEL_UNIT_BITS, "the store keeps the model's numbers exactly");
_Static_assert((int)STORE_MAX_TOKENS >= (int)TOKENIZER_MAX_TOKENS, "every set can be kept");

size_t evidence_head(const uint64_t *keys, size_t count)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;
		if (keys[middle] & STORE_BODY_BIT)
			count = middle;
		else
			low = middle + 1;
	}
	return low;
}

enum status evidence_apply(struct table *table, const uint64_t *keys, size_t count,
	const struct contribution *contribution, double sign)
{
	if (count == 0) /* then there may be no array, either */
		return STATUS_OK;

	size_t head = evidence_head(keys, count);
	enum status status = table_add(
		table, keys, head, sign * contribution->head_sum, sign * contribution->head_gain);

	if (status == STATUS_NOMEM)
		return status;
	status = table_add(table, keys + head, count - head, sign * contribution->body_sum,
		sign * contribution->body_gain);
	if (status == STATUS_NOMEM)
		table_add(table, keys, head, -sign * contribution->head_sum,
			-sign * contribution->head_gain);
	return status == STATUS_NOMEM ? status : STATUS_OK;
}

struct contribution evidence_contribution(const struct model_step *step)
{
	return (struct contribution){
		.head_sum = step->head_sum,
		.head_gain = step->head_gain,
		.body_sum = step->body_sum,
		.body_gain = step->body_gain,
		.bias_sum = step->bias_sum,
		.bias_gain = step->bias_gain,
	};
}
