/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Header fields that only filters write and that a message brought along: X-Spam* and
 * X-Hamlet*. Whoever reads them later would believe them, so all of them have to go. The
 * milter protocol takes away the n-th field of a name, so occurrences are counted by name.
 * Pure, but for memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the replies that take all of them away. That is room for some 80,000 fields; no
 * honest program writes a hundred. */
enum { FORGED_MAX_BYTES = 2 << 20 };

struct forged_name {
	struct forged_name *next;
	size_t count; /* fields of this name */
	char name[]; /* as the first one was written */
};

/* Zero it first. */
struct forged_fields {
	struct forged_name *names;
	size_t bytes; /* of the replies */
	bool uncounted; /* there were more, or memory was short */
	void *tree; /* private: the names, without regard to case */
};

/* Counts a field, when its name is such a one. */
void forged_fields_note(struct forged_fields *fields, const char *name);
void forged_fields_clear(struct forged_fields *fields);
