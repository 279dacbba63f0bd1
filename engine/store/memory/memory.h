/* What the files of the store in memory share, which is for tests and evaluation:
 * containers of GLib, which ends the program when memory does. A reader sees what the
 * writer has appended, in one thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "engine/store/driver.h"

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
	GHashTable *tokens; /* struct store_token by key */
	struct store_checkpoint checkpoint;
	int64_t stripped; /* reports up to it were looked at for what they supersede */
	GArray *retrained; /* struct store_retrained */
	GHashTable *next_tokens;
	GArray *next_retrained;
};

/* The report with the numbers that it has now; user and keys are NULL. */
struct report memory_present(const struct row *row);

/* For containers: frees a row that nothing points to. NULL is allowed. */
void memory_free_row(gpointer row);

/* The newest row of this user about this message that is not muted; NULL = none. */
struct row *memory_find_row(const struct memory *memory, const char *name, uint64_t message);

/* A superseded or forgotten row loses its tokens. */
void memory_strip(struct row *row);

/* --- Parts of a change ------------------------------------------------------- */

/* Entries by scope, kind and name: entry-tree.c. */
GTree *memory_entries_new(void);
/* Erases those of a scope; how many they were. */
size_t memory_erase_entries(struct memory *memory, const char *scope);
/* Erases those of a kind. */
void memory_clear_entries(struct memory *memory, int kind);
void memory_put_entries(struct memory *memory, const struct store_entry *entries, size_t count);

void memory_take_out(struct memory *memory, struct store_removal *removal);
/* Those who have no reports; how many they were. */
int64_t memory_forget_users(struct memory *memory);
void memory_merge(struct memory *memory, struct store_merge *merge);

/* Puts a piece beside the rows, and with the last one all of them in place. */
void memory_take_over(struct memory *memory, const struct store_generation *generation);
/* Forgets what is beside the rows. */
void memory_forget_former(struct memory *memory);

GHashTable *memory_tokens_new(void);
/* A gain of 0 takes a row away. */
void memory_put_tokens(GHashTable *rows, const struct store_token *tokens, size_t count);

/* --- Methods that need only a reader ------------------------------------------- */

/* Whose reader it is: reading.c knows. */
struct memory *memory_of(struct store_reader *reader);
enum status memory_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);
void memory_reader_close(struct store_reader *reader);
enum status memory_get(struct store_reader *reader, const char *name, void *value, size_t *size,
	struct failure *failure);
enum status memory_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure);
enum status memory_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure);
enum status memory_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);
enum status memory_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure);
enum status memory_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);
enum status memory_next_scope(struct store_reader *reader, char *scope, struct failure *failure);
enum status memory_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure);
enum status memory_read_stats(struct store_reader *reader, bool count, struct store_stats *stats,
	struct failure *failure);
