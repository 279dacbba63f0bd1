/* What the files of the SQLite driver share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sqlite3.h>

#include "engine/store/driver.h"

enum sqlite_statement {
	SQL_BEGIN,
	SQL_BEGIN_READING,
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
	SQL_COUNTS,
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
	bool immutable; /* on a medium where not even -shm can be made */
	bool names_done; /* of TIDY_SOME; before, the name that was looked at last: */
	char last_name[STORE_MAX_USER + 1];
	int log_most; /* from so many on it is moved within a commit; less on a small disk */
};

struct sqlite_reader {
	struct store_reader reader;
	struct connection connection;
};

/* --- Connections: connection.c ------------------------------------------------ */

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

/* Begins a transaction that writes. */
enum status sqlite_begin(struct connection *connection, const char *doing, struct failure *failure);

/* Commits, or rolls back when something failed. */
enum status sqlite_finish(struct connection *connection, enum status status, const char *doing,
	struct failure *failure);

/* Copies a column's bytes with an end; false when there is not room. */
bool sqlite_copy_column(sqlite3_stmt *row, int column, char *text, size_t room);

/* The first column, into room for STORE_MAX_USER + 1; false unless it is the whole name: with
 * less nobody would ever get past it. */
bool sqlite_copy_name(sqlite3_stmt *row, char *name);

/* A number of rows as SQL has it; SIZE_MAX, for all, stays more than there are. */
static inline int64_t sqlite_count(size_t count)
{
	return (int64_t)(count < INT64_MAX ? count : INT64_MAX);
}

/* Opens one more connection to a store, for reading: open.c. */
enum status sqlite_open_connection(struct connection *connection, const char *path, int flags,
	bool immutable, struct failure *failure);
void sqlite_close_connection(struct connection *connection);

/* --- Parts of a change: each is part of sqlite_commit's transaction ---------------- */

enum status sqlite_write_entry(
	struct connection *connection, const struct store_entry *entry, struct failure *failure);
enum status sqlite_write_token(struct connection *connection, bool next,
	const struct store_token *token, struct failure *failure);
enum status sqlite_put_checkpoint(struct connection *connection,
	const struct store_checkpoint *checkpoint, struct failure *failure);
enum status sqlite_check_seq(struct connection *connection, int64_t seq, struct failure *failure);
void sqlite_bind_contribution(sqlite3_stmt *row, int at, const struct contribution *contribution);
enum status sqlite_take_out(
	struct connection *connection, struct store_removal *removal, struct failure *failure);
enum status sqlite_take_over(struct connection *connection,
	const struct store_generation *generation, struct failure *failure);
enum status sqlite_merge(
	struct connection *connection, struct store_merge *merge, struct failure *failure);

/* Forgets all that is beside the present rows. */
enum status sqlite_forget_former(struct connection *connection, struct failure *failure);

/* Some of it, in a transaction of its own. */
enum status sqlite_clear_former(struct connection *connection, bool *more, struct failure *failure);

/* --- Room: room.c ------------------------------------------------------------------ */

/* On a full disk. The reserve (the file PATH-reserve: a quarter of the database's size, 8
 * to 256 MiB, an eighth of the file system at most) is opened, made and kept as far as
 * there is room; nothing depends on it. */
void sqlite_open_reserve(struct sqlite_store *store);

/* Gives up the reserve and moves the log. True: something was gained. */
bool sqlite_make_room(struct sqlite_store *store);

/* Keeps room again: what was given up as far as there is any, and more when there is twice
 * as much. */
void sqlite_keep_room(struct sqlite_store *store);

/* How long the log may become where the store is. */
void sqlite_limit_log(struct sqlite_store *store);

/* Moves all of the log into the database and cuts it to nothing, unless somebody reads an
 * old state: then, and after a failure, false. */
bool sqlite_empty_log(struct sqlite_store *store);

/* So many pages are in the log. */
void sqlite_note_log(struct sqlite_store *store, int pages);

struct sqlite_pages {
	int64_t count, free, size, mode; /* mode 0: none can be given back by itself */
};
enum status sqlite_read_pages(
	struct connection *connection, struct sqlite_pages *pages, struct failure *failure);

/* --- Numbers ------------------------------------------------------------------------ */

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

/* Reads a named value; as store_get. */
enum status sqlite_get(struct connection *connection, const char *name, void *value, size_t *size,
	struct failure *failure);

/* What a pragma or another statement gives as its one number. */
enum status sqlite_read_number(
	struct connection *connection, const char *sql, int64_t *value, struct failure *failure);

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

/* --- Methods: as store.h says ------------------------------------------------------- */

enum status sqlite_commit(
	struct store *store, const struct store_change *change, struct failure *failure);
enum status sqlite_tidy(struct store *store, enum store_tidying effort, struct store_tidied *tidied,
	struct failure *failure);
enum status sqlite_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure);
enum status sqlite_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);
void sqlite_reader_close(struct store_reader *reader);
enum status sqlite_reader_get(struct store_reader *reader, const char *name, void *value,
	size_t *size, struct failure *failure);
enum status sqlite_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure);
enum status sqlite_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure);
enum status sqlite_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);
enum status sqlite_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure);
enum status sqlite_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);
enum status sqlite_next_scope(struct store_reader *reader, char *scope, struct failure *failure);
enum status sqlite_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure);
enum status sqlite_read_stats(struct store_reader *reader, bool count, struct store_stats *stats,
	struct failure *failure);
