/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What a driver implements; never included outside this folder. A driver's
 * store and reader begin with these structs. Arguments are checked before
 * (store.c), and the promises are those of store.h. */
#pragma once

#include "engine/store/store.h"

/* The last report that rows of the checkpoint include. */
int64_t store_last_included(const struct store_checkpoint *checkpoint);

struct store_driver {
	void (*close)(struct store *store);
	/* False when it was opened for reading. */
	bool (*writable)(const struct store *store);
	enum status (*append)(
		struct store *store, struct report *reports, size_t count, struct failure *failure);
	enum status (*find)(struct store *store, const char *user, uint64_t message, int64_t before,
		struct report *report, struct failure *failure);
	/* `removal` may be NULL. */
	enum status (*write_checkpoint)(struct store *store, struct store_removal *removal,
		const struct store_token *tokens, size_t count,
		const struct store_checkpoint *checkpoint, struct failure *failure);
	enum status (*replace_tokens)(struct store *store, bool readable,
		const struct store_token *tokens, size_t count,
		const struct store_checkpoint *checkpoint, struct failure *failure);
	enum status (*stage)(
		struct store *store, const struct store_piece *piece, struct failure *failure);
	enum status (*clear_stage)(
		struct store *store, size_t rows, bool *more, struct failure *failure);
	enum status (*adopt)(struct store *store, const struct store_generation *generation,
		struct failure *failure);
	bool (*log_is_due)(const struct store *store);
	void (*move_log)(struct store *store);
	bool (*make_room)(struct store *store);
	void (*keep_room)(struct store *store);
	enum status (*compact)(struct store *store, struct failure *failure);
	enum status (*forget_users)(struct store *store, char *name, size_t users, int64_t *count,
		struct failure *failure);
	enum status (*merge)(
		struct store *store, struct store_merge *merge, struct failure *failure);
	enum status (*keep_copy)(struct store *store, const char *suffix, char *copy, size_t room,
		struct failure *failure);
	enum status (*give_back)(
		struct store *store, size_t bytes, int64_t *returned, struct failure *failure);
	enum status (*put_entries)(struct store *store, const struct store_entry *entries,
		size_t count, struct failure *failure);
	enum status (*put)(struct store *store, const char *name, const void *value, size_t size,
		struct failure *failure);
	enum status (*reader_open)(
		struct store *store, struct store_reader **reader, struct failure *failure);
	void (*reader_close)(struct store_reader *reader);
	enum status (*get)(struct store_reader *reader, const char *name, void *value, size_t *size,
		struct failure *failure);
	enum status (*user_reports)(struct store_reader *reader, const char *user, size_t limit,
		store_report_fn *each, void *context, struct failure *failure);
	enum status (*journal)(struct store_reader *reader, const char *user, int64_t after,
		size_t limit, store_report_fn *each, void *context, struct failure *failure);
	enum status (*shares)(struct store_reader *reader, const char *user, bool *shares,
		struct failure *failure);
	enum status (*entries)(struct store_reader *reader, const char *scope, int kind,
		store_entry_fn *each, void *context, struct failure *failure);
	enum status (*next_scope)(
		struct store_reader *reader, char *scope, struct failure *failure);
	enum status (*read_checkpoint)(struct store_reader *reader,
		struct store_checkpoint *checkpoint, struct failure *failure);
	enum status (*tokens)(struct store_reader *reader, store_token_fn *each, void *context,
		struct failure *failure);
	enum status (*reports_after)(struct store_reader *reader, int64_t after,
		store_report_fn *each, void *context, struct failure *failure);
	enum status (*counting_reports)(struct store_reader *reader, store_report_fn *each,
		void *context, struct failure *failure);
	enum status (*read_span)(
		struct store_reader *reader, struct store_span *span, struct failure *failure);
	enum status (*oldest_before)(struct store_reader *reader, int64_t time, int64_t present,
		size_t count, int64_t *seq, struct failure *failure);
	/* `user` may be NULL. */
	enum status (*oldest)(struct store_reader *reader, const char *user, size_t count,
		int64_t *seq, struct failure *failure);
	enum status (*users)(struct store_reader *reader, const char *after, size_t rows,
		store_user_fn *each, void *context, struct failure *failure);
	enum status (*read_size)(
		struct store_reader *reader, struct store_size *size, struct failure *failure);
	enum status (*read_stats)(
		struct store_reader *reader, struct store_stats *stats, struct failure *failure);
};

/* Whether store_append lets this report in. Drivers ask it of what they read
 * from a file as well: nothing else may reach the callers. */
enum status store_check_report(const struct report *report, struct failure *failure);
bool store_is_contribution(const struct contribution *contribution);
bool store_is_token(const struct store_token *token);

struct store {
	const struct store_driver *driver;
	struct store_migration migration;
	_Atomic bool failing; /* the last write did; store.c's */
};

struct store_reader {
	const struct store_driver *driver;
};
