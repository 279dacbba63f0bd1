/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Header fields to tokens: words under the field's own name, and the
 * fingerprint that the sending program left (order, case, shapes). */
#pragma once

#include <stdbool.h>
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
	char previous[HEADER_MAX_NAME + 1]; /* name of the field before, as written */
	size_t previous_length;
	size_t received; /* Received fields seen */
};

/* A field made ready. Strings are not terminated but for `lower`. */
struct header {
	const struct mime_header *raw;
	const char *name; /* as written, 1 to HEADER_MAX_NAME bytes */
	size_t name_length;
	char lower[HEADER_MAX_NAME + 1]; /* the name in lower case */
	const char *value; /* unfolded: a line break with what space follows is one space */
	size_t length; /* without white space at the end */
	size_t untrimmed; /* with it; TOKENIZER_MAX_HEADER_BYTES at most */
};

void header_fields_init(struct header_fields *fields, const struct emit *emit);
void header_begin(struct header_state *state, struct emit *emit, const struct header_fields *fields);

/* Makes a field ready; `room`, of TOKENIZER_MAX_HEADER_BYTES, is for the value where
 * it must be written anew. False when the name is too short or long. */
bool header_read(struct header *header, const struct mime_header *raw, char *room);

/* Tokens of one field. */
void header_tokens(struct header_state *state, const struct header *header);

/* "Ab12-cd" as "Aa0-a": runs of letters and digits, other bytes as they are.
 * Returns the length, at most `size`. */
size_t header_shape(const char *text, size_t length, char *out, size_t size);

/* Emits "name shape": the value's shape under a name, at most HEADER_MAX_NAME bytes. */
void header_emit_shape(struct header_state *state, const char *name, size_t name_length,
	const char *value, size_t length);
