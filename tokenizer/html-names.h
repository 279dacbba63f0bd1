/* Names of HTML elements and attributes that mean something to the scanner, or are so
 * frequent that it pays to know them by number.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	HTML_NAME_SIZE = 24, /* bytes of a name; longer is cut */
	HTML_NAME_SLOTS = 512, /* a power of two */
	HTML_NAMES = 96, /* numbers are smaller */
};

enum html_trait {
	HTML_INLINE = 1, /* element within a line: its tags do not end a word */
	HTML_VOID = 2, /* element without an end tag */
	HTML_ANCHOR = 4, /* element whose href is a link to follow */
	HTML_RAW = 8, /* element whose content is no text */
	HTML_LINK = 16, /* attribute whose value is a URL */
	HTML_STYLE = 32, /* attribute of declarations */
	HTML_HIDDEN = 64, /* attribute that hides its element */
	HTML_TEXT = 128, /* attribute whose value is shown */
	HTML_CHOICE = 256, /* attribute whose value is a design choice */
};

/* A name in lower case. */
struct html_name {
	char text[HTML_NAME_SIZE]; /* not terminated */
	size_t length;
	unsigned number; /* 0 = not known */
	unsigned traits; /* enum html_trait */
};

/* Made once, read by anybody. */
struct html_names {
	unsigned char slots[HTML_NAME_SLOTS]; /* numbers */
	uint64_t beginnings[HTML_NAMES]; /* the first eight bytes, zeros after them */
	size_t lengths[HTML_NAMES];
};

void html_names_init(struct html_names *names);

/* Reads the name that begins at `at`, which may be empty; returns its end. */
const char *html_names_read(
	const struct html_names *names, const char *at, const char *end, struct html_name *name);
