/* Walks through mail where people keep it: files, mbox files, Maildirs and other
 * folders. One walk for the programs that learn from it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/mail-file.h"
#include "engine/base/status.h"

/* Called for each message: it lies at `place` of the file. All is borrowed for the call. A
 * status other than STATUS_OK ends the walk and is returned. */
typedef enum status mail_message_fn(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length);

/* Who is told of what a walk meets. The strings are borrowed for the call; all but
 * `message` may be NULL. */
struct mail_visitor {
	mail_message_fn *message;
	/* Something was skipped: `why` names it and the reason. */
	void (*skipped)(void *context, const char *why);
	/* A folder below the path was left out: it is read when it is named itself. */
	void (*left_out)(void *context, const char *path);
	void *context;
	const volatile sig_atomic_t *stop; /* NULL, or: ends the walk with STATUS_INTERRUPTED */
	enum mail_form form; /* of files outside of Maildirs; MAIL_DETECT looks at names as well */
	bool pipes; /* a path that is a named pipe is read */
};

/* Mail is read as who started the program, also between account_begin and account_end
 * (engine/base/account.h).
 *
 * Walks the messages at `path`: a folder and all below it, an mbox file (".mbox" in its
 * name, or "From " at its start), or a file with one message. In the order of names, so
 * that a second walk is the same. Of a Maildir, which is a folder with `cur` and `new`,
 * only these two are read, and of them not what is marked as deleted (":2,T"); each file
 * there is one message. In other folders dot files, dot folders, `tmp` and the files that
 * mail servers keep beside the mail are left out.
 *
 * Links are followed, and a folder is entered once. What is no mail is skipped, and so is a
 * message of more than MAIL_FILE_MAX bytes. Below the path, what cannot be read, is no
 * regular file or was entered before is skipped as well; of the path itself that is an
 * error: STATUS_IO, or STATUS_INVALID if it is no file and no folder. A pipe that is read
 * has to have a writer when the walk comes to it, or STATUS_INVALID: none is waited for. */
enum status mail_walk(
	const char *path, const struct mail_visitor *visitor, struct failure *failure);

/* The same of all that comes from a descriptor, which the visitor knows by `name`. What is no
 * mail is an error here: STATUS_INVALID, STATUS_LIMIT, STATUS_IO. */
enum status mail_walk_input(int descriptor, const char *name, const struct mail_visitor *visitor,
	struct failure *failure);

/* Whether mail_walk could begin at `path` without pipes, with its errors. */
enum status mail_walk_check(const char *path, struct failure *failure);
