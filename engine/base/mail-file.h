/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One file of mail: a message, or an mbox file with several. What Dovecot keeps
 * compressed is unpacked, what is no mail is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/mbox.h"
#include "engine/base/status.h"

/* Most bytes that are unpacked, or read from what is no file. */
enum { MAIL_FILE_MAX = 256 << 20 };

struct mail_file {
	const char *data; /* never NULL */
	size_t length;
	/* private */
	void *map;
	size_t mapped;
	struct buffer unpacked;
	struct buffer message;
};

/* How the messages lie in a file. */
enum mail_form {
	MAIL_SINGLE, /* one, whatever it looks like: a file of a Maildir */
	MAIL_DETECT, /* an mbox file if it begins like one */
	MAIL_MBOX, /* an mbox file */
};

/* Maps a regular file for reading, as who started the program, also between account_begin
 * and account_end (account.h); never blocks on another. *file is to be closed
 * whatever happens. STATUS_IO, or STATUS_INVALID: it is no regular file, or nothing but
 * what no message is (message-kind.h), or cannot be unpacked; STATUS_LIMIT: it unpacks
 * to too much. */
enum status mail_file_open(struct mail_file *file, const char *path, struct failure *failure);

/* The same of all that comes from a descriptor, for messages about it called `name`.
 * STATUS_LIMIT: more than MAIL_FILE_MAX bytes. */
enum status mail_file_read(
	struct mail_file *file, int descriptor, const char *name, struct failure *failure);

void mail_file_close(struct mail_file *file);

/* A message's place in the file, after unpacking. */
struct mail_place {
	size_t offset;
	size_t length;
	bool mbox; /* its lines may be quoted */
};

/* A walk through the messages of a file. */
struct mail_cursor {
	enum mail_form form; /* never MAIL_DETECT */
	struct mbox rest;
};

struct mail_cursor mail_file_begin(const struct mail_file *file, enum mail_form form);
bool mail_file_next(
	const struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place);

/* The message at a place, without the quoting of mbox files; valid until the next one,
 * and as long as the file is open. STATUS_INVALID: the file has no such place (any more);
 * STATUS_NOMEM. */
enum status mail_file_message(struct mail_file *file, const struct mail_place *place,
	const char **message, size_t *length);
