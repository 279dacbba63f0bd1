/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: two users become one, and a copy is kept of what was before. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/private-file.h"
#include "engine/store/sqlite.h"

static const char DOING[] = "merging users in";

/* --- Two users ------------------------------------------------------------------ */

static void bind_name(sqlite3_stmt *statement, int at, const char *name)
{
	if (statement)
		sqlite3_bind_blob(statement, at, name, (int)strlen(name), SQLITE_STATIC);
}

/* ?1 and ?2; `second` may be NULL. */
static enum status run_with(struct connection *connection, enum sqlite_statement which,
	const char *first, const char *second, int64_t *changed, struct failure *failure)
{
	sqlite3_stmt *statement = sqlite_statement(connection, which);

	bind_name(statement, 1, first);
	if (second)
		bind_name(statement, 2, second);
	enum status status = sqlite_run(connection, statement, DOING, failure);
	if (status == STATUS_OK && changed)
		*changed = sqlite3_changes(connection->db);
	return status;
}

/* Whether it gives a row, and in *yes whether that row's first column is not 0. */
static enum status ask(struct connection *connection, enum sqlite_statement which,
	const char *first, const char *second, bool *found, bool *yes, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, which);
	enum status status = STATUS_OK;

	bind_name(row, 1, first);
	if (second)
		bind_name(row, 2, second);
	int code = row ? sqlite3_step(row) : SQLITE_ERROR;
	*found = code == SQLITE_ROW;
	*yes = *found && sqlite3_column_int64(row, 0) != 0;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		status = sqlite_failure(connection, DOING, failure);
	if (row)
		sqlite3_reset(row);
	return status;
}

/* Of a message that both told of the newest report counts from now on. */
static enum status join_reports(
	struct connection *connection, struct store_merge *merge, struct failure *failure)
{
	bool found, both;
	enum status status =
		ask(connection, SQL_BOTH_TOLD, merge->from, merge->to, &found, &both, failure);

	if (status == STATUS_OK)
		status = run_with(connection, SQL_TAKE_OVER, merge->from, merge->to,
			&merge->reports, failure);
	if (status == STATUS_OK)
		status = run_with(connection, SQL_ERASE_USER, merge->from, NULL, NULL, failure);
	if (status != STATUS_OK || !both)
		return status;
	merge->refold = true;
	status = run_with(connection, SQL_SUPERSEDE, merge->to, NULL, NULL, failure);
	return status == STATUS_OK
		? run_with(connection, SQL_STRIP_OF_USER, merge->to, NULL, NULL, failure)
		: status;
}

static enum status take_reports(
	struct connection *connection, struct store_merge *merge, struct failure *failure)
{
	bool from, to = false, number;
	enum status status =
		ask(connection, SQL_FIND_USER, merge->from, NULL, &from, &number, failure);

	if (status == STATUS_OK)
		status = ask(connection, SQL_FIND_USER, merge->to, NULL, &to, &number, failure);
	if (status != STATUS_OK || !from)
		return status;
	return to ? join_reports(connection, merge, failure)
		  : run_with(connection, SQL_RENAME_USER, merge->from, merge->to, NULL, failure);
}

static enum status forget_checkpoint(struct connection *connection, struct failure *failure)
{
	sqlite3_stmt *forget = sqlite_statement(connection, SQL_DELETE_VALUE);

	if (forget)
		sqlite3_bind_text(forget, 1, SQLITE_CHECKPOINT, -1, SQLITE_STATIC);
	enum status status = sqlite_run(connection, forget, DOING, failure);
	if (status == STATUS_OK)
		status = sqlite_run(
			connection, sqlite_statement(connection, SQL_CLEAR_TOKENS), DOING, failure);
	return status == STATUS_OK ? sqlite_forget_stage(connection, failure) : status;
}

enum status sqlite_merge(struct store *store, struct store_merge *merge, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	struct store_removal removal = {
		.kind = REMOVE_SHARED, .until = INT64_MAX, .user = merge->to};
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), DOING, failure);

	if (status == STATUS_OK)
		status = take_reports(connection, merge, failure);
	for (size_t i = 0; i < merge->entry_count && status == STATUS_OK; i++)
		status = sqlite_write_entry(connection, &merge->entries[i], failure);
	if (status == STATUS_OK && merge->withdraw) {
		merge->refold = true;
		status = sqlite_take_out(connection, &removal, failure);
	}
	if (status == STATUS_OK && merge->refold)
		status = forget_checkpoint(connection, failure);
	return sqlite_finish(connection, status, DOING, failure);
}

enum status sqlite_next_scope(struct store_reader *reader, char *scope, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_reader *)reader)->connection;
	sqlite3_stmt *row = sqlite_statement(connection, SQL_NEXT_SCOPE);
	char next[STORE_MAX_USER + 1];
	enum status status = STATUS_OK;

	bind_name(row, 1, scope);
	if (!row || sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	else if (!sqlite_copy_column(row, 0, next, STORE_MAX_USER) ||
		strlen(next) != (size_t)sqlite3_column_bytes(row, 0))
		status = failure_set(failure, STATUS_CORRUPT, "reading %s: an entry is damaged",
			connection->path);
	else
		strcpy(scope, next);
	if (row)
		sqlite3_reset(row);
	return status;
}

/* --- A copy ------------------------------------------------------------------------- */

/* The copy takes as much as the database at most, and what it is kept for some more: a mail
 * server may live on the same disk. */
static bool has_room(const char *path)
{
	struct statvfs disk;
	struct stat file;

	return stat(path, &file) == 0 && statvfs(path, &disk) == 0 &&
		(double)disk.f_bavail * (double)disk.f_frsize >= 2.0 * (double)file.st_size;
}

static enum status sync_copy(const char *copy, struct failure *failure)
{
	int file = open(copy, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool synced = file >= 0 && fsync(file) == 0;

	if (file >= 0)
		close(file);
	return synced ? STATUS_OK
		      : failure_set(failure, status_of_errno(errno), "copying to %s: %s", copy,
				strerror(errno));
}

static enum status write_copy(
	struct connection *connection, const char *copy, struct failure *failure)
{
	sqlite3_stmt *vacuum = NULL;
	enum status status = STATUS_OK;
	struct failure reason;
	int file = private_file_open(copy, &reason); /* SQLite fills one that is empty */

	if (file < 0)
		return failure_set(failure, reason.code, "%s", reason.detail);
	close(file);
	if (sqlite3_prepare_v2(connection->db, "VACUUM INTO ?1", -1, &vacuum, NULL) != SQLITE_OK ||
		sqlite3_bind_text(vacuum, 1, copy, -1, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_step(vacuum) != SQLITE_DONE)
		status = sqlite_failure(connection, "copying", failure);
	sqlite3_finalize(vacuum);
	if (status == STATUS_OK)
		status = sync_copy(copy, failure);
	if (status != STATUS_OK)
		unlink(copy);
	return status;
}

enum status sqlite_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	char path[4096];
	struct stat file;
	enum status status = STATUS_OK;

	if ((size_t)snprintf(path, sizeof(path), "%s.%s", sqlite->path, suffix) >= sizeof(path))
		return failure_set(failure, STATUS_INVALID, "path of the database is too long");
	if (lstat(path, &file) != 0 || file.st_size == 0)
		status = has_room(sqlite->path) ? write_copy(&sqlite->connection, path, failure)
						: failure_set(failure, STATUS_FULL,
							  "copying to %s: there is not room", path);
	if (status == STATUS_OK)
		snprintf(copy, room, "%s", path);
	return status;
}
