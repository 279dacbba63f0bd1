/* The lines that part the entities of multipart content (RFC 2046 section 5.1): found in
 * one pass, however many multiparts are open.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/tokenizer.h"

/* The boundaries of the multiparts that are open, the outermost first; borrowed. */
struct boundaries {
	struct {
		const char *text;
		size_t length;
	} list[TOKENIZER_MAX_DEPTH];
	size_t count; /* TOKENIZER_MAX_DEPTH at most */
};

/* A delimiter line, or the end of the message. */
struct delimiter {
	const char *line; /* where it begins */
	const char *next; /* what follows its line break */
	size_t level; /* whose it is: place in the list; BOUNDARY_NONE = the end */
	bool closing; /* of the last part */
};

#define BOUNDARY_NONE ((size_t)-1)

/* Is the line at `at` dashes, one of the boundaries and nothing else but blanks? The
 * innermost counts where several are. *delimiter is left alone when not. */
bool boundary_match(const struct boundaries *open, const char *at, const char *end,
	struct delimiter *delimiter);

/* The first delimiter from the beginning of the line at `at` on. */
void boundary_find(const struct boundaries *open, const char *at, const char *end,
	struct delimiter *delimiter);

/* Where content that begins at `start` ends: the line break before a delimiter is part
 * of the delimiter. */
const char *boundary_content_end(const struct delimiter *delimiter, const char *start);
