/* A header section (RFC 5322 section 2.2), found in the message's bytes without an object
 * for each field. As lenient as mail programs are with what is broken.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/boundary.h"
#include "tokenizer/tokenizer.h"

/* One field where it stands in the message; neither string is terminated. */
struct section_field {
	const char *name; /* NULL = there is no such field */
	size_t name_length; /* 1 at least */
	const char *value; /* all after the colon, the last line break as well */
	size_t length;
};

/* The fields that say how the content is to be read. */
enum section_content { SECTION_TYPE, SECTION_DISPOSITION, SECTION_ENCODING, SECTION_CONTENTS };

struct section {
	struct section_field fields[TOKENIZER_MAX_HEADERS]; /* the first ones, but for Content-* */
	size_t count;
	struct section_field about[SECTION_CONTENTS]; /* the last of each */
	const char *content; /* where the content begins, after the empty line */
};

/* Reads the section that begins at `at`. An empty line ends it, so does a delimiter of
 * an open multipart. A line that is no field is passed over with what continues it.
 * False when there is such a line, other than that of an mbox file, before any field. */
bool section_read(
	struct section *section, const struct boundaries *open, const char *at, const char *end);
