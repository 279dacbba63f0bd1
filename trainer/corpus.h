/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Where mail lies: files, mbox files, Maildirs and other folders, and index
 * files of labelled messages. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "engine/base/status.h"

/* Mail is read as who started the program, also between account_begin and account_end
 * (engine/base/account.h). */

/* Called for each message: `length` bytes at `offset` of the file. The bytes and
 * the path are borrowed for the call. A status other than STATUS_OK ends the walk
 * and is returned. */
typedef enum status corpus_message_fn(
	void *context, const char *path, size_t offset, const char *message, size_t length);

/* Who is told of what a walk meets. The strings are borrowed for the call; all but
 * `message` may be NULL. */
struct corpus_visitor {
	corpus_message_fn *message;
	/* Something below the path was skipped: `why` names it and the reason. */
	void (*skipped)(void *context, const char *why);
	/* A folder below the path was left out: it is read when it is named itself. */
	void (*left_out)(void *context, const char *path);
	void *context;
	const volatile sig_atomic_t *stop; /* ends the walk with STATUS_INTERRUPTED */
};

/* Walks the messages at `path`: a folder and all below it, an mbox file ("From " at
 * its start), or a file with one message. In the order of names, so that a second
 * walk is the same. Of a Maildir, which is a folder with `cur` and `new`, only these
 * two are read; in other folders dot files, dot folders and `tmp` are left out.
 *
 * Links are followed, and a folder is entered once. Below the path, what cannot be
 * read, is no regular file or was entered before is skipped; of the path itself
 * that is an error: STATUS_IO, or STATUS_INVALID if it is no file and no folder. */
enum status corpus_walk(
	const char *path, const struct corpus_visitor *visitor, struct failure *failure);

/* Whether corpus_walk could begin at `path`, with its errors. */
enum status corpus_check(const char *path, struct failure *failure);

/* Maps a regular file for reading; never blocks on another. *file is to be released
 * with g_mapped_file_unref; the contents of an empty file are NULL. STATUS_IO, or
 * STATUS_INVALID if it is no regular file. */
enum status corpus_map(const char *path, GMappedFile **file, struct failure *failure);

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
