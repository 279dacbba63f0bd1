/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The header section at the top of a message (RFC 5322 section 2.2), as long as
 * nothing about it is doubtful: nearly all of them, at a tenth of what a tree of
 * objects costs. What is doubtful is for GMime to judge. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { SECTION_MAX_FIELDS = 512, SECTION_MAX_NAME = 256 };

/* One field where it stands in the message; neither string is terminated. */
struct section_field {
	const char *name;
	size_t name_length; /* 1 to SECTION_MAX_NAME */
	const char *value; /* all after the colon, the last line break as well */
	size_t length;
};

struct section {
	struct section_field fields[SECTION_MAX_FIELDS];
	size_t count;
	size_t content; /* where the content begins, after the empty line */
};

/* Reads the section at the beginning of `message`. False when it is not one of
 * fields with names in printable ASCII up to the colon, ended by an empty line,
 * when it holds a NUL or has more than SECTION_MAX_FIELDS fields. */
bool section_read(struct section *section, const char *message, size_t length);
