/* The messages of an mbox file (RFC 4155, and the mboxo and mboxrd forms that
 * programs write) or of an MMDF file, which has lines of four ^A around each message.
 * Nothing is copied and no memory is taken.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"

/* Whether the line at `line` begins a message when it comes first or after an empty
 * line: "From ", a sender, and a date as asctime writes it. The year may have two
 * digits, a zone may stand around it, and the date may be that of RFC 5322: all of
 * these are in people's files. "From here on all is cheap" begins nothing. */
bool mbox_is_separator(const char *line, const char *end);

/* A walk of a file. The bytes are borrowed. */
struct mbox {
	const char *at, *end; /* what is yet to be read */
	bool mmdf;
};

/* Whether the bytes are an mbox file: their first line that is not empty begins
 * with "From ", or is the separator of MMDF. Less is asked of this line than of the later
 * ones. */
bool mbox_is_mbox(const char *data, size_t length);

/* Begins the walk; sees by itself whether it is MMDF. */
struct mbox mbox_open(const char *data, size_t length);

/* Passes over the rest of a message, up to the next separator or the end. */
void mbox_skip(struct mbox *mbox);

/* The next message, without the separator before it and the empty line after it;
 * quoting is left as it is. What comes before the first separator is a message as well.
 * Content-Length is not looked at: whoever sent the message wrote it. Messages of MMDF
 * are not quoted. False at the end. */
bool mbox_next(struct mbox *mbox, const char **message, size_t *length);

/* Whether a line begins with ">From ", ">>From " and so on. */
bool mbox_is_quoted(const char *message, size_t length);

/* Appends the message with one ">" less before each such line, as mboxrd asks. `out`
 * needs room for `length` bytes. */
void mbox_unquote(const char *message, size_t length, struct buffer *out);
