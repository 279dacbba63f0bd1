/* Header fields to tokens: words under the field's own name, and the
 * fingerprint that the sending program left (order, case, shapes).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/header-state.h"
#include "tokenizer/mime.h"

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

/* Makes a field ready; `room`, of TOKENIZER_MAX_HEADER_BYTES, is for the value where
 * it must be written anew. False when the name is too short or long. */
bool header_read(struct header *header, const struct mime_header *raw, char *room);

/* Tokens of one field. */
void header_tokens(struct header_state *state, const struct header *header);
