/* One file of mail: a message, or an mbox file with several. What Dovecot keeps
 * compressed is unpacked, what is no mail is refused. Files are read, not mapped, so one
 * that is cut short meanwhile does no harm.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/mbox.h"
#include "engine/base/status.h"

/* Most bytes in memory at once: of a file, of what it unpacks to, of what is no file. */
enum { MAIL_FILE_MAX = 256 << 20 };

struct mail_file {
	const char *data; /* never NULL; of a larger mbox file the part that is in memory */
	size_t length;
	/* private */
	bool mbox, mmdf; /* what it begins like */
	int descriptor; /* of a larger mbox file, otherwise -1 */
	uint64_t start; /* where `data` lies in it */
	bool more; /* there is something after it */
	struct buffer content;
	struct buffer message;
};

/* How the messages lie in a file. */
enum mail_form {
	MAIL_DETECT, /* an mbox file if it begins like one */
	MAIL_SINGLE, /* one, whatever it looks like: a file of a Maildir */
	MAIL_MBOX, /* an mbox file */
};

/* Reads a regular file, as who started the program, also between account_begin
 * and account_end (account.h); never blocks on another. *file is to be closed
 * whatever happens. STATUS_IO, or STATUS_INVALID: it is no regular file, or nothing but
 * what no message is (message-kind.h), or cannot be unpacked; STATUS_LIMIT: it has, or
 * unpacks to, more than MAIL_FILE_MAX bytes and is not an mbox file, which may have any
 * size when it is not compressed; STATUS_NOMEM. */
enum status mail_file_open(struct mail_file *file, const char *path, struct failure *failure);

/* The same of all that comes from a descriptor, for messages about it called `name`.
 * STATUS_LIMIT: more than MAIL_FILE_MAX bytes, of any kind. */
enum status mail_file_read(
	struct mail_file *file, int descriptor, const char *name, struct failure *failure);

void mail_file_close(struct mail_file *file);

/* A message's place in the file, after unpacking. */
struct mail_place {
	uint64_t offset;
	size_t length;
	bool mbox; /* its lines may be quoted */
};

/* A walk through the messages of a file. */
struct mail_cursor {
	enum mail_form form; /* never MAIL_DETECT */
	size_t left_out; /* messages of more than MAIL_FILE_MAX bytes */
	enum status status; /* why the walk has ended: STATUS_IO, STATUS_NOMEM */
	/* private */
	uint64_t at;
	bool mmdf, rest; /* rest: of what is left out */
};

struct mail_cursor mail_file_begin(const struct mail_file *file, enum mail_form form);

/* The next message's place. False at the end, or after a failure. */
bool mail_file_next(struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place);

/* The message at a place, without the quoting of mbox files; valid until the next call with
 * the file. STATUS_INVALID: the file has no such place (any more); STATUS_IO;
 * STATUS_NOMEM. */
enum status mail_file_message(struct mail_file *file, const struct mail_place *place,
	const char **message, size_t *length);
