/* Header fields that only filters write and that a message brought along: X-Spam* and
 * X-Hamlet*. Whoever reads them later would believe them, so all of them have to go, in
 * every protocol. The milter protocol takes away the n-th field of a name, so occurrences are
 * counted by name. Pure, but for memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the replies that take all of them away. */
enum { FORGED_MAX_BYTES = 2 << 20 };

/* For each field that goes a mail server reads the header from the top up to it: Postfix 3.7
 * takes 0.3 s for 1,000 short fields, 8 s for 4,000, 53 s for 10,000. So what stands before
 * each is summed up, and there is no more of it than so many bytes: about 1,500 fields in a
 * header of nothing else, 100 at the end of one of 200,000 bytes. No honest program writes
 * fifty. A field counts as its bytes and FORGED_FIELD_COST. */
enum { FORGED_MAX_READ = 32 << 20, FORGED_FIELD_COST = 16 };

struct forged_name {
	struct forged_name *next;
	size_t count; /* fields of this name */
	char name[]; /* as the first one was written */
};

/* Zero it first. */
struct forged_fields {
	struct forged_name *names;
	size_t bytes; /* of the replies */
	size_t read; /* bytes that a mail server reads to take them away */
	bool uncounted; /* there were more, or memory was short */
	void *tree; /* private: the names, without regard to case */
};

/* Does a field's name, or the line that begins with it, start as a filter's do: X-Spam or
 * X-Hamlet, in any case? So X-Spam itself, X-Spam-Flag, X-Spam_Flag, X-Hamlet-Score. */
bool forged_fields_named(const char *name, size_t length);

/* Calls `each` with the name of every such field in the header of a message (RFC 5322, lines
 * end in LF or CRLF), as often as it is there; white space before the colon is no part of
 * it. */
void forged_fields_each(const char *message, size_t length,
	void (*each)(void *context, const char *name, size_t length), void *context);

/* Counts a field, when its name is such a one; `before` is what stands before it in the
 * header. */
void forged_fields_note(struct forged_fields *fields, const char *name, size_t before);
void forged_fields_clear(struct forged_fields *fields);
