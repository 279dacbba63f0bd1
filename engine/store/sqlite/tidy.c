/* The SQLite driver: what is tidied up after deletions, and the log.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/store/sqlite/sqlite.h"

enum {
	KEPT_SHARE = 16, /* free pages that stay for what comes next: a share of all */
	STEP_USERS = 2000, /* looked at in a step of tidying: others wait for no more */
	STEP_BYTES = 4 << 20, /* given back in one, likewise */
};

/* --- Users ------------------------------------------------------------------- */

/* The last of the next `users` names, "" when there is none. */
static enum status read_last_of(struct connection *connection, const char *after, size_t users,
	char *last, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_SOME_USERS);
	enum status status = STATUS_OK;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, after, (int)strlen(after), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, sqlite_count(users));
	if (sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	else if (!sqlite_copy_name(row, last))
		status = failure_set(
			failure, STATUS_CORRUPT, "reading %s: a user is damaged", connection->path);
	sqlite3_reset(row);
	return status;
}

/* Of the next users; `name` becomes the last one that was looked at, "" = none is left. */
static enum status forget_users(
	struct connection *connection, char *name, int64_t *count, struct failure *failure)
{
	char last[STORE_MAX_USER + 1];
	enum status status = read_last_of(connection, name, STEP_USERS, last, failure);

	if (status == STATUS_OK && *last) {
		sqlite3_stmt *forget = sqlite_statement(connection, SQL_FORGET_USERS);
		if (forget) {
			sqlite3_bind_blob(forget, 1, name, (int)strlen(name), SQLITE_STATIC);
			sqlite3_bind_blob(forget, 2, last, (int)strlen(last), SQLITE_STATIC);
		}
		status = sqlite_run(connection, forget, "removing from", failure);
		if (status == STATUS_OK)
			*count = sqlite3_changes(connection->db);
	}
	if (status == STATUS_OK)
		strcpy(name, last);
	return status;
}

/* --- Room -------------------------------------------------------------------- */

/* SQLite cuts the log off without a sync: after a power cut its bytes would be back. */
static enum status sync_log(struct connection *connection, struct failure *failure)
{
	sqlite3_file *log = NULL;
	int code = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (code == SQLITE_OK && log && log->pMethods &&
		log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return failure_set(failure, status_of_errno(sqlite_system_error(connection->db)),
			"compacting %s: its log cannot be synced", connection->path);
	return STATUS_OK;
}

/* Moves the log into the database; `all` waits for readers and cuts it to nothing. */
static enum status empty_log(struct connection *connection, bool all, struct failure *failure)
{
	int mode = all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;

	if (all)
		sqlite3_busy_timeout(connection->db, SQLITE_COMPACT_MILLISECONDS);
	int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, mode, NULL, NULL);
	sqlite3_busy_timeout(connection->db, SQLITE_BUSY_MILLISECONDS);
	if (code != SQLITE_OK)
		return sqlite_failure(connection, "compacting", failure);
	return all ? sync_log(connection, failure) : STATUS_OK;
}

/* As far as no reader needs an older state. When that fails nothing is lost: a later commit
 * moves it. */
static void move_log(struct sqlite_store *store)
{
	sqlite_note_log(store, 0);
	sqlite3_wal_checkpoint_v2(
		store->connection.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* The pragma takes effect with the VACUUM, in databases that were made without. */
static enum status vacuum(struct connection *connection, struct failure *failure)
{
	return sqlite_execute_alone(
		connection, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", "compacting", failure);
}

/* VACUUM alone leaves the old pages in the file until the log is moved there. Without room
 * for a VACUUM what was deleted is overwritten nevertheless (secure_delete), but for the
 * pages of the log. That is empty before, so that a VACUUM that failed leaves nothing in
 * it that would have to be moved. */
static enum status compact(struct sqlite_store *store, struct failure *failure)
{
	struct connection *connection = &store->connection;

	sqlite_empty_log(store);
	enum status status = vacuum(connection, failure);
	if (status == STATUS_FULL && sqlite_make_room(store))
		status = vacuum(connection, failure);
	return status == STATUS_OK || status == STATUS_FULL ? empty_log(connection, true, failure)
							    : status;
}

enum status sqlite_read_pages(
	struct connection *connection, struct sqlite_pages *pages, struct failure *failure)
{
	const struct {
		const char *sql;
		int64_t *value;
	} questions[] = {{"PRAGMA page_count", &pages->count},
		{"PRAGMA freelist_count", &pages->free}, {"PRAGMA page_size", &pages->size},
		{"PRAGMA auto_vacuum", &pages->mode}};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < 4 && status == STATUS_OK; i++)
		status = sqlite_read_number(
			connection, questions[i].sql, questions[i].value, failure);
	return status;
}

static enum status free_pages(struct sqlite_store *store, const struct sqlite_pages *pages,
	int64_t count, struct failure *failure)
{
	struct connection *connection = &store->connection;
	char sql[64];

	if (pages->mode == 0) /* made before pages could be given back one by one */
		return compact(store, failure);
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA incremental_vacuum(%lld)", (long long)count);
	enum status status = sqlite_execute(connection, sql, "giving room back of", failure);
	return status == STATUS_OK ? empty_log(connection, false, failure) : status;
}

/* Some of the room that is not used, the last of the database's size first; *returned = how
 * many bytes. */
static enum status give_back_room(
	struct sqlite_store *store, int64_t *returned, struct failure *failure)
{
	struct connection *connection = &store->connection;
	struct sqlite_pages before, after;
	enum status status = sqlite_read_pages(connection, &before, failure);

	if (status != STATUS_OK)
		return status;
	int64_t spare = before.free - before.count / KEPT_SHARE;
	int64_t wanted = STEP_BYTES / before.size + 1;
	if (spare <= 0)
		return STATUS_OK;
	status = free_pages(store, &before, spare < wanted ? spare : wanted, failure);
	if (status == STATUS_OK)
		status = sqlite_read_pages(connection, &after, failure);
	if (status == STATUS_OK)
		*returned = (before.count - after.count) * before.size;
	return status;
}

/* Names first, then room until there is none to be given: then it begins anew. */
static enum status tidy_some(
	struct sqlite_store *store, struct store_tidied *tidied, struct failure *failure)
{
	enum status status;

	if (!store->names_done) {
		status =
			forget_users(&store->connection, store->last_name, &tidied->users, failure);
		store->names_done = status == STATUS_OK && !*store->last_name;
		tidied->more = status == STATUS_OK;
		return status;
	}
	status = give_back_room(store, &tidied->bytes, failure);
	tidied->more = status == STATUS_OK && tidied->bytes > 0;
	store->names_done = tidied->more;
	return status;
}

static enum status tidy(struct sqlite_store *store, enum store_tidying effort,
	struct store_tidied *tidied, struct failure *failure)
{
	switch (effort) {
	case TIDY_BRIEF:
		move_log(store);
		break;
	case TIDY_FORMER:
		return sqlite_clear_former(&store->connection, &tidied->more, failure);
	case TIDY_SOME:
		return tidy_some(store, tidied, failure);
	case TIDY_ALL:
		return compact(store, failure);
	}
	return STATUS_OK;
}

/* What makes room may use the room that is kept for that. */
enum status sqlite_tidy(struct store *store, enum store_tidying effort, struct store_tidied *tidied,
	struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	enum status status = tidy(sqlite, effort, tidied, failure);

	if (status == STATUS_FULL && sqlite_make_room(sqlite))
		status = tidy(sqlite, effort, tidied, failure);
	if (effort != TIDY_BRIEF)
		sqlite_keep_room(sqlite);
	return status;
}
