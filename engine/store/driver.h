/* What a driver implements; never included outside this folder. A driver's
 * store and reader begin with these structs. Arguments are checked before
 * (store.c), and the promises are those of store.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/store/store.h"

struct store_driver {
	void (*close)(struct store *store);
	enum status (*commit)(
		struct store *store, const struct store_change *change, struct failure *failure);
	enum status (*tidy)(struct store *store, enum store_tidying effort,
		struct store_tidied *tidied, struct failure *failure);
	enum status (*keep_copy)(struct store *store, const char *suffix, char *copy, size_t room,
		struct failure *failure);
	enum status (*reader_open)(
		struct store *store, struct store_reader **reader, struct failure *failure);
	void (*reader_close)(struct store_reader *reader);
	enum status (*get)(struct store_reader *reader, const char *name, void *value, size_t *size,
		struct failure *failure);
	enum status (*find)(struct store_reader *reader, struct store_lookup *lookups, size_t count,
		struct failure *failure);
	enum status (*reports)(struct store_reader *reader, const struct store_selection *selection,
		store_report_fn *each, void *context, struct failure *failure);
	enum status (*shares)(struct store_reader *reader, const char *user, bool *shares,
		struct failure *failure);
	enum status (*tokens)(struct store_reader *reader, struct store_checkpoint *checkpoint,
		store_token_fn *each, void *context, struct failure *failure);
	enum status (*entries)(struct store_reader *reader, const char *scope, int kind,
		store_entry_fn *each, void *context, struct failure *failure);
	enum status (*next_scope)(
		struct store_reader *reader, char *scope, struct failure *failure);
	enum status (*users)(struct store_reader *reader, const char *after, size_t rows,
		store_user_fn *each, void *context, struct failure *failure);
	enum status (*read_stats)(struct store_reader *reader, bool count,
		struct store_stats *stats, struct failure *failure);
};

struct store {
	const struct store_driver *driver;
	struct store_migration migration;
	bool writable; /* it was opened for writing, and may be */
	_Atomic bool untidy; /* see store_is_untidy; the driver's */
	_Atomic bool failing; /* the last write did; store.c's */
};

struct store_reader {
	const struct store_driver *driver;
};

/* How a driver opens what an URI names after its scheme. */
typedef enum status store_open_fn(
	struct store **store, const char *name, enum store_mode mode, struct failure *failure);
store_open_fn sqlite_store_open, memory_store_open;

/* Whether store_commit lets this in. Drivers ask it of what they read
 * from a file as well: nothing else may reach the callers. */
enum status store_check_report(const struct report *report, struct failure *failure);
bool store_is_contribution(const struct contribution *contribution);
bool store_is_token(const struct store_token *token);

/* The last report that rows of the checkpoint include. */
int64_t store_last_included(const struct store_checkpoint *checkpoint);
