/* Keeps the header fields of the outer message that tell who sent it and by
 * which way, for those who judge that. Bounded: padding with one kind of field
 * does not push the others out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/header.h"
#include "tokenizer/tokenizer.h"

/* What a field is kept for; each has room of its own. */
enum fields_class {
	FIELDS_AUTHOR, /* From, List-Id and the like: the first two of each */
	FIELDS_TRACE, /* Received: the first ones, as of all that follow */
	FIELDS_STAMP, /* authentication results */
	FIELDS_SIGNATURE, /* DKIM */
	FIELDS_OTHER, /* whatever the site's own mail server may have written on top */
	FIELDS_CLASSES,
};

enum {
	FIELDS_ROOM = 24576, /* bytes of each class, names and values */
	FIELDS_MAX_VALUE = 2048, /* bytes of a value; longer is cut */
	FIELDS_MAX_OF_CLASS = 48,
};

struct fields {
	struct tokenizer_field list[FIELDS_CLASSES * FIELDS_MAX_OF_CLASS];
	size_t count;
	size_t counts[FIELDS_CLASSES];
	size_t used[FIELDS_CLASSES];
	char text[FIELDS_CLASSES][FIELDS_ROOM];
};

void fields_reset(struct fields *fields);

/* Keeps one field. */
void fields_add(struct fields *fields, const struct header *header);
