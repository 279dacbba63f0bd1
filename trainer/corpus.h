/* Index files of labelled messages.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

/* What a line of an index is for. */
enum corpus_use {
	CORPUS_BOTH = 0, /* `spam`, `ham`: scored, then learned */
	CORPUS_SCORED, /* `Spam`, `Ham`: scored alone */
	CORPUS_LEARNED, /* `SPAM`, `HAM`: learned alone: the label came now */
};

/* One line of an index: `spam|ham PATH [USER]`. Indexes of the TREC spam track are
 * read as they are; those for delayed feedback have the other spellings of a label,
 * which the toolkit's run script of 2006 tells apart. */
struct corpus_entry {
	bool spam;
	enum corpus_use use;
	char *path; /* absolute, or relative to the working directory */
	char *user; /* "" = none */
};

struct corpus_index {
	struct corpus_entry *entries;
	size_t count;
};

/* Reads an index file; paths in it are relative to its folder. A path with
 * blanks is not possible. STATUS_INVALID names the line. */
enum status corpus_read_index(
	struct corpus_index *index, const char *path, struct failure *failure);
void corpus_free_index(struct corpus_index *index);
