/* Which tokens occur in more than one report. Most do not, and to a report that is looked
 * at without its own part such a token is unknown: a retraining can do without them,
 * and its memory goes with what people's mail has in common.
 *
 * Two bits for each place that a key is hashed to (Bloom, CACM 13, 1970): a token that
 * is alone is now and then taken for one that is not, never the other way round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct shared_tokens;

/* For about so many reports; 256 bytes for each, 512 MB at most. NULL when out of
 * memory. */
struct shared_tokens *shared_tokens_new(size_t reports);
void shared_tokens_free(struct shared_tokens **tokens);
size_t shared_tokens_bytes(const struct shared_tokens *tokens);

/* One report's distinct keys; each report once. */
void shared_tokens_note(struct shared_tokens *tokens, const uint64_t *keys, size_t count);

/* After all were noted: bit i of `marks` ((count + 7) / 8 bytes) = others have key i. */
void shared_tokens_mark(const struct shared_tokens *tokens, const uint64_t *keys, size_t count,
	unsigned char *marks);
