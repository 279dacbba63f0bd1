/* Marks tokens that occur in more than one report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/shared-tokens.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_BITS = 16, MOST_BITS = 31, PLACES_A_REPORT = 1024, AHEAD = 32 };

/* Two bits a place: 1 = noted, 2 = noted again. */
struct shared_tokens {
	unsigned bits; /* log2 of the places */
	unsigned char *places;
};

struct shared_tokens *shared_tokens_new(size_t reports)
{
	struct shared_tokens *tokens = calloc(1, sizeof(*tokens));

	if (!tokens)
		return NULL;
	tokens->bits = LEAST_BITS;
	while (tokens->bits < MOST_BITS && (size_t)1 << tokens->bits < reports * PLACES_A_REPORT)
		tokens->bits++;
	tokens->places = calloc(shared_tokens_bytes(tokens), 1);
	if (!tokens->places)
		shared_tokens_free(&tokens);
	return tokens;
}

void shared_tokens_free(struct shared_tokens **tokens)
{
	if (*tokens)
		free((*tokens)->places);
	free(*tokens);
	*tokens = NULL;
}

size_t shared_tokens_bytes(const struct shared_tokens *tokens)
{
	return (size_t)1 << (tokens->bits - 2);
}

static size_t place_of(const struct shared_tokens *tokens, uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - tokens->bits));
}

static void prefetch(
	const struct shared_tokens *tokens, const uint64_t *keys, size_t count, size_t at)
{
	if (at + AHEAD < count)
		__builtin_prefetch(&tokens->places[place_of(tokens, keys[at + AHEAD]) / 4], 1);
}

void shared_tokens_note(struct shared_tokens *tokens, const uint64_t *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t place = place_of(tokens, keys[i]);
		unsigned char *byte = &tokens->places[place / 4];
		unsigned shift = 2 * (place % 4);

		prefetch(tokens, keys, count, i);
		*byte |= (unsigned char)((*byte >> shift & 1 ? 2U : 1U) << shift);
	}
}

void shared_tokens_mark(const struct shared_tokens *tokens, const uint64_t *keys, size_t count,
	unsigned char *marks)
{
	memset(marks, 0, (count + 7) / 8);
	for (size_t i = 0; i < count; i++) {
		size_t place = place_of(tokens, keys[i]);

		prefetch(tokens, keys, count, i);
		if (tokens->places[place / 4] >> (2 * (place % 4)) & 2)
			marks[i / 8] |= (unsigned char)(1U << (i % 8));
	}
}
