/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the store in memory share, which is for tests and evaluation:
 * containers of GLib, which ends the program when memory does. A reader sees what the
 * writer has appended, in one thread. */
#pragma once

#include <glib.h>

#include "engine/store/driver.h"
#include "engine/store/table.h"

struct user {
	char *name;
	GPtrArray *rows; /* in the order of arrival */
};

struct row {
	struct report report; /* user and keys NULL */
	struct user *user;
	unsigned char *tokens;
	size_t size;
	struct row *supersedes; /* NULL = none, or it is gone */
	struct row *successor; /* that supersedes this one */
	const struct store_retrained *retrained; /* of the memory's generation; NULL = none */
};

struct memory {
	struct store store;
	GPtrArray *rows; /* row i has sequence number i + 1; NULL = erased */
	GHashTable *users; /* by name */
	GHashTable *newest; /* rows as a set, by user and message; no muted ones */
	GTree *entries; /* struct store_entry, owned */
	GHashTable *values; /* GBytes by name */
	size_t count; /* rows that are not erased */
	struct table *tokens;
	struct store_checkpoint checkpoint;
	int64_t stripped; /* reports up to it were looked at for what they supersede */
	GArray *retrained; /* struct store_retrained */
	struct table *next_tokens;
	GArray *next_retrained;
};

/* The report with the numbers that it has now; user and keys are NULL. */
struct report memory_present(const struct row *row);

/* For containers: frees a row that nothing points to. NULL is allowed. */
void memory_free_row(gpointer row);

/* Entries by scope, kind and name: memory-entries.c. */
GTree *memory_entries_new(void);
/* Erases those of a scope; how many they were. */
size_t memory_erase_entries(struct memory *memory, const char *scope);
/* Erases those of a kind. */
void memory_clear_entries(struct memory *memory, int kind);
enum status memory_put_entries(struct store *store, const struct store_entry *entries, size_t count,
	struct failure *failure);
enum status memory_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);

enum status memory_next_scope(struct store_reader *reader, char *scope, struct failure *failure);

/* What goes and what has to be known for it: memory-expiry.c. The first is a part of a
 * checkpoint: see store_remove. */
void memory_take_out(struct memory *memory, struct store_removal *removal);
bool memory_make_room(struct store *store);
void memory_keep_room(struct store *store);
enum status memory_compact(struct store *store, struct failure *failure);
enum status memory_forget_users(
	struct store *store, char *name, size_t users, int64_t *count, struct failure *failure);
enum status memory_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure);
enum status memory_read_span(
	struct store_reader *reader, struct store_span *span, struct failure *failure);
enum status memory_oldest_before(struct store_reader *reader, int64_t time, int64_t present,
	size_t count, int64_t *seq, struct failure *failure);
enum status memory_oldest(struct store_reader *reader, const char *user, size_t count, int64_t *seq,
	struct failure *failure);
enum status memory_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure);
enum status memory_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure);

/* Two users become one: memory-merge.c. */
enum status memory_merge(struct store *store, struct store_merge *merge, struct failure *failure);
enum status memory_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure);

/* A superseded or forgotten row loses its tokens: memory.c. */
void memory_strip(struct row *row);

/* Puts a generation in place: memory-generation.c. The first forgets all that is
 * staged. */
enum status memory_forget_stage(struct memory *memory, struct failure *failure);
enum status memory_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure);
enum status memory_clear_stage(
	struct store *store, size_t rows, bool *more, struct failure *failure);
enum status memory_adopt(
	struct store *store, const struct store_generation *generation, struct failure *failure);
enum status memory_replace_tokens(struct store *store, bool readable,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure);

/* As store.h says: memory.c. */
enum status memory_write_checkpoint(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure);

/* Methods that need only a reader: memory-read.c, which knows whose reader it is. */
struct memory *memory_of(struct store_reader *reader);
enum status memory_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);
void memory_reader_close(struct store_reader *reader);
enum status memory_get(struct store_reader *reader, const char *name, void *value, size_t *size,
	struct failure *failure);
enum status memory_user_reports(struct store_reader *reader, const char *user, size_t limit,
	store_report_fn *each, void *context, struct failure *failure);
enum status memory_journal(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure);
enum status memory_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);
enum status memory_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure);
enum status memory_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure);
enum status memory_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure);
enum status memory_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure);
enum status memory_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure);
