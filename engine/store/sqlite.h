/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the files of the SQLite driver share. */
#pragma once

#include <sqlite3.h>

#include "engine/store/driver.h"

enum sqlite_statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_ADD_USER,
	SQL_FIND_USER,
	SQL_FIND_REPORT,
	SQL_ADD_REPORT,
	SQL_ERASE_JOURNAL,
	SQL_ERASE_ENTRIES,
	SQL_ERASE_USER,
	SQL_WITHDRAW,
	SQL_EXPIRE_ALL,
	SQL_EXPIRE_USER,
	SQL_RETRAINED_EXPIRE_ALL,
	SQL_RETRAINED_EXPIRE_USER,
	SQL_SOME_USERS,
	SQL_FORGET_USERS,
	SQL_SPAN,
	SQL_OLDEST_BEFORE,
	SQL_OLDEST,
	SQL_OLDEST_OF_USER,
	SQL_USERS,
	SQL_PUT_ENTRY,
	SQL_DELETE_ENTRY,
	SQL_ENTRIES,
	SQL_SHARES,
	SQL_NEXT_SCOPE,
	SQL_BOTH_TOLD,
	SQL_RENAME_USER,
	SQL_TAKE_OVER,
	SQL_SUPERSEDE,
	SQL_STRIP_OF_USER,
	SQL_CLEAR_TOKENS,
	SQL_DELETE_VALUE,
	SQL_JOURNAL,
	SQL_JOURNAL_NEAR,
	SQL_STRIP_SUPERSEDED,
	SQL_STRIP_FORGOTTEN,
	SQL_RETRAINED_WITHDRAW,
	SQL_CLEAR_RETRAINED_NEXT,
	SQL_CLEAR_SOME_RETRAINED_NEXT,
	SQL_PUT_RETRAINED_NEXT,
	SQL_CLEAR_TOKENS_NEXT,
	SQL_CLEAR_SOME_TOKENS_NEXT,
	SQL_PUT_TOKEN_NEXT,
	SQL_DELETE_TOKEN_NEXT,
	SQL_CLEAR_ENTRIES,
	SQL_PUT_TOKEN,
	SQL_DELETE_TOKEN,
	SQL_PUT_VALUE,
	SQL_GET_VALUE,
	SQL_USER_REPORTS,
	SQL_REPORTS_AFTER,
	SQL_COUNTING_REPORTS,
	SQL_TOKENS,
	SQL_STATS,
	SQL_LAST_REPORT,
	SQL_STATEMENTS,
};

/* How long one waits for another: readers for the recovery of a WAL, and a
 * compaction for the readers of an old state. */
enum { SQLITE_BUSY_MILLISECONDS = 5000, SQLITE_COMPACT_MILLISECONDS = 30000 };

/* Pages of the log from which on it is moved into the database: when nobody waits (2 MiB),
 * and within a commit (6 MiB: a log that comes to more than 8 is cut, which costs a sync). */
enum { SQLITE_LOG_SOME = 128, SQLITE_LOG_MOST = 384 };

/* A connection with its statements, prepared at first use. */
struct connection {
	sqlite3 *db;
	const char *path; /* for messages; borrowed */
	sqlite3_stmt *statements[SQL_STATEMENTS];
};

struct sqlite_store {
	struct store store;
	struct connection connection;
	char *path;
	int lock; /* descriptor that holds the writers' lock, -1 = none */
	int reserve; /* of the file that keeps room; -1 = none */
	int64_t released; /* bytes that it had when it was given up */
	bool writable;
	bool immutable; /* on a medium where not even -shm can be made */
	int log_pages; /* in the log at the last commit; 0 = moved since */
	int log_most; /* from so many on it is moved within a commit; less on a small disk */
};

struct sqlite_reader {
	struct store_reader reader;
	struct connection connection;
};

extern const struct store_driver sqlite_driver;

/* The errno of the call that failed last; sqlite3_system_errno does not know that of a
 * COMMIT. */
int sqlite_system_error(sqlite3 *db);

/* What an administrator can do about a damaged database. */
#define SQLITE_DAMAGED "restore a backup, or see DAMAGED DATABASE in hamletd(8)"

/* Translates the connection's last error; `doing` names what was attempted. */
enum status sqlite_failure(
	const struct connection *connection, const char *doing, struct failure *failure);

/* The statement, reset and ready to bind; NULL on failure. */
sqlite3_stmt *sqlite_statement(struct connection *connection, enum sqlite_statement which);

/* Runs a statement that returns no rows, and resets it. */
enum status sqlite_run(struct connection *connection, sqlite3_stmt *statement, const char *doing,
	struct failure *failure);

/* Runs SQL that gives no rows and takes no values; _alone: one that a statement in use
 * would stop, so all are reset first. */
enum status sqlite_execute(
	struct connection *connection, const char *sql, const char *doing, struct failure *failure);
enum status sqlite_execute_alone(
	struct connection *connection, const char *sql, const char *doing, struct failure *failure);

/* Opens one more connection to a store, for reading. */
enum status sqlite_open_connection(struct connection *connection, const char *path, int flags,
	bool immutable, struct failure *failure);
void sqlite_close_connection(struct connection *connection);

/* What a pragma or another statement gives as its one number. */
enum status sqlite_read_number(
	struct connection *connection, const char *sql, int64_t *value, struct failure *failure);

/* Copies a column's bytes with an end; false when there is not room. */
bool sqlite_copy_column(sqlite3_stmt *row, int column, char *text, size_t room);

/* Part of a transaction of the caller's: see store_remove. */
enum status sqlite_take_out(
	struct connection *connection, struct store_removal *removal, struct failure *failure);

/* Sets a named value: part of a transaction of the caller's, or by itself. */
enum status sqlite_put_value(struct connection *connection, const char *name, const void *value,
	size_t size, struct failure *failure);

/* Writes one, or removes it: part of a transaction of the caller's. */
enum status sqlite_write_entry(
	struct connection *connection, const struct store_entry *entry, struct failure *failure);
enum status sqlite_write_token(struct connection *connection, bool next,
	const struct store_token *token, struct failure *failure);
enum status sqlite_put_checkpoint(struct connection *connection,
	const struct store_checkpoint *checkpoint, struct failure *failure);
enum status sqlite_check_seq(struct connection *connection, int64_t seq, struct failure *failure);
void sqlite_bind_contribution(sqlite3_stmt *row, int at, const struct contribution *contribution);

/* As store.h says: sqlite-generation.c. */
enum status sqlite_replace_tokens(struct store *store, bool readable,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure);

/* Puts a generation in place: sqlite-generation.c. */
enum status sqlite_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure);
enum status sqlite_clear_stage(
	struct store *store, size_t rows, bool *more, struct failure *failure);
enum status sqlite_adopt(
	struct store *store, const struct store_generation *generation, struct failure *failure);

/* Forgets all that is staged: part of a transaction of the caller's. */
enum status sqlite_forget_stage(struct connection *connection, struct failure *failure);

/* Commits, or rolls back when something failed. */
enum status sqlite_finish(struct connection *connection, enum status status, const char *doing,
	struct failure *failure);

/* Methods of the writer around entries. */
enum status sqlite_merge(struct store *store, struct store_merge *merge, struct failure *failure);
enum status sqlite_next_scope(struct store_reader *reader, char *scope, struct failure *failure);
enum status sqlite_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure);
enum status sqlite_put_entries(struct store *store, const struct store_entry *entries, size_t count,
	struct failure *failure);

/* Room on a full disk: sqlite-room.c. The reserve is opened, made and kept as far as there
 * is room; nothing depends on it. */
void sqlite_open_reserve(struct sqlite_store *store);
void sqlite_keep_room(struct store *store);
bool sqlite_make_room(struct store *store);

/* How long the log may become where the store is. */
void sqlite_limit_log(struct sqlite_store *store);

/* Moves all of the log into the database and cuts it to nothing, unless somebody reads an
 * old state: then, and after a failure, false. */
bool sqlite_empty_log(struct sqlite_store *store);

/* What goes and what has to be known for it: sqlite-expiry.c. */
bool sqlite_log_is_due(const struct store *store);
void sqlite_move_log(struct store *store);
enum status sqlite_compact(struct store *store, struct failure *failure);
enum status sqlite_forget_users(
	struct store *store, char *name, size_t users, int64_t *count, struct failure *failure);
enum status sqlite_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure);
enum status sqlite_read_span(
	struct store_reader *reader, struct store_span *span, struct failure *failure);
enum status sqlite_oldest_before(struct store_reader *reader, int64_t time, int64_t present,
	size_t count, int64_t *seq, struct failure *failure);
enum status sqlite_oldest(struct store_reader *reader, const char *user, size_t count, int64_t *seq,
	struct failure *failure);
enum status sqlite_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure);
enum status sqlite_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure);

/* Reads a named value; as store_get. */
enum status sqlite_get(struct connection *connection, const char *name, void *value, size_t *size,
	struct failure *failure);

/* A number of rows as SQL has it; SIZE_MAX, for all, stays more than there are. */
static inline int64_t sqlite_count(size_t count)
{
	return (int64_t)(count < INT64_MAX ? count : INT64_MAX);
}

/* The value that keeps the checkpoint: sums in units, as this machine has them. It ends
 * before `ahead` when no range is. */
#define SQLITE_CHECKPOINT "checkpoint"
struct sqlite_checkpoint {
	int64_t seq, bias_sum, bias_gain;
	int64_t ahead[STORE_RANGES];
};

/* The value that keeps up to which report (int64_t) what is superseded was stripped. */
#define SQLITE_STRIPPED "stripped"

/* Reads the checkpoint; zeroes when there is none yet. */
enum status sqlite_get_checkpoint(struct connection *connection,
	struct sqlite_checkpoint *checkpoint, struct failure *failure);

/* Fills a report without tokens from a row of the columns SQLITE_REPORT_COLUMNS;
 * STATUS_CORRUPT when it is not one that store_append lets in. */
enum status sqlite_read_report(struct connection *connection, sqlite3_stmt *row, const char *user,
	struct report *report, struct failure *failure);

#define SQLITE_REPORT_COLUMNS                                                                      \
	"seq, time, message, label, flags, ifnull(new_margin, margin), "                           \
	"ifnull(new_head_sum, head_sum), ifnull(new_head_gain, head_gain), "                       \
	"ifnull(new_body_sum, body_sum), ifnull(new_body_gain, body_gain), "                       \
	"ifnull(new_bias_sum, bias_sum), ifnull(new_bias_gain, bias_gain), undone_head_sum, "      \
	"undone_head_gain, undone_body_sum, undone_body_gain, undone_bias_sum, "                   \
	"undone_bias_gain, sender, list, report IS NOT NULL"
/* Where they come from. */
#define SQLITE_REPORTS "journal LEFT JOIN retrained ON report = seq"
enum { SQLITE_REPORT_WIDTH = 21 };

/* Methods that need only a reader. */
enum status sqlite_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);
void sqlite_reader_close(struct store_reader *reader);
enum status sqlite_reader_get(struct store_reader *reader, const char *name, void *value,
	size_t *size, struct failure *failure);
enum status sqlite_user_reports(struct store_reader *reader, const char *user, size_t limit,
	store_report_fn *each, void *context, struct failure *failure);
enum status sqlite_journal(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure);
enum status sqlite_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);
enum status sqlite_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);
enum status sqlite_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure);
enum status sqlite_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure);
enum status sqlite_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure);
enum status sqlite_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure);
enum status sqlite_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure);
