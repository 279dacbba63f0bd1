/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Header fields to tokens: words under the field's own name, and the
 * fingerprint that the sending program left (order, case, shapes). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/emit.h"

enum { HEADER_MAX_NAME = 64 };

/* Fields are private. */
struct header_fields {
	struct field name, order, shape, received, host, domain, route, zone, words;
};

struct header_state {
	struct emit *emit;
	const struct header_fields *fields;
	char previous[HEADER_MAX_NAME + 1]; /* name of the field before, as written */
	size_t received;                    /* Received fields seen */
};

void header_fields_init(struct header_fields *fields, const struct emit *emit);
void header_begin(struct header_state *state, struct emit *emit, const struct header_fields *fields);

/* Tokens of one field. `value` is raw (folded, encoded) and terminated;
 * `nested` says that it belongs to an attached message. */
void header_tokens(struct header_state *state, const char *name, const char *value, bool nested);

/* "Ab12-cd" as "Aa0-a": runs of letters and digits, other bytes as they are.
 * Returns the length, at most `size`. */
size_t header_shape(const char *text, size_t length, char *out, size_t size);

/* Emits "name shape": the value's shape under the field's name as written, at
 * most HEADER_MAX_NAME bytes. */
void header_emit_shape(
	struct header_state *state, const char *name, const char *value, size_t length);
