/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Where the header fields and the parts of a message are (RFC 5322 section 2.2, RFC
 * 2046 section 5.1), found in its bytes without an object for each: however many
 * fields, parts or levels a message claims to have, each byte is looked at a bounded
 * number of times. As lenient as GMime with what is broken. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/tokenizer.h"

/* Bytes of a message, borrowed. */
struct outline_range {
	const char *at, *end;
};

/* A header field where it stands: neither string is terminated. */
struct outline_field {
	const char *name;
	size_t name_length; /* 1 at least */
	const char *value; /* all after the colon, the last line break as well */
	size_t length;
};

struct outline_section {
	struct outline_field fields[TOKENIZER_MAX_HEADERS]; /* the first ones */
	size_t count;
	const char *content; /* where the content begins */
};

/* Reads the header section at the beginning of a message, or of a part. False when
 * what begins there is none: a message that begins with another line. */
bool outline_section(struct outline_section *section, struct outline_range range, bool message);

/* The last field of that name, given in any case; NULL = none. */
const struct outline_field *outline_find(const struct outline_section *section, const char *name);

/* Takes the next part of a multipart with this boundary from the front of *rest,
 * which at first is the content of the multipart, and false when there is none any
 * more. *begun is false before the first one. */
bool outline_part(
	struct outline_range *rest, const char *boundary, bool *begun, struct outline_range *part);
