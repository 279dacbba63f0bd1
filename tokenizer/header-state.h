/* What the readers of header fields share: their tokens' fields, how far in the header
 * section they are, and shapes.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/emit.h"
#include "tokenizer/mime.h"

enum { HEADER_MAX_NAME = 64 };

/* Fields are private. */
struct header_fields {
	struct field name, order, shape, received, host, domain, route, zone, words;
	struct field subject_pairs, subject_shouts;
};

struct header_state {
	struct emit *emit;
	const struct header_fields *fields;
	struct mime_reader *reader; /* for encoded words */
	char previous[HEADER_MAX_NAME + 1]; /* name of the field before, as written */
	size_t previous_length;
	size_t received; /* Received fields seen */
};

void header_fields_init(struct header_fields *fields, const struct emit *emit);
void header_begin(struct header_state *state, struct emit *emit, const struct header_fields *fields,
	struct mime_reader *reader);

/* "Ab12-cd" as "Aa0-a": runs of letters and digits, other bytes as they are.
 * Returns the length, at most `size`. */
size_t header_shape(const char *text, size_t length, char *out, size_t size);

/* Emits "name shape": the value's shape under a name, at most HEADER_MAX_NAME bytes. */
void header_emit_shape(struct header_state *state, const char *name, size_t name_length,
	const char *value, size_t length);
