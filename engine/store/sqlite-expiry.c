/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: what is taken out, and the room that it leaves. */
#include <string.h>
#include <sys/stat.h>

#include "engine/store/sqlite.h"

/* Free pages that stay for what comes next: a share of all. */
enum { KEPT_SHARE = 16 };

static struct connection *connection_of(struct store_reader *reader)
{
	return &((struct sqlite_reader *)reader)->connection;
}

/* The first column; with less than the whole name nobody would ever get past it. */
static bool copy_name(sqlite3_stmt *row, char *name)
{
	return sqlite_copy_column(row, 0, name, STORE_MAX_USER) &&
		strlen(name) == (size_t)sqlite3_column_bytes(row, 0);
}

/* --- Taking out ------------------------------------------------------------ */

/* ?1 is the user where there is one. */
static enum status run_for(struct connection *connection, enum sqlite_statement which,
	const struct store_removal *removal, int64_t *changed, struct failure *failure)
{
	sqlite3_stmt *statement = sqlite_statement(connection, which);
	int at = 1;

	if (statement && removal->user)
		sqlite3_bind_blob(
			statement, at++, removal->user, (int)strlen(removal->user), SQLITE_STATIC);
	if (statement && removal->kind != REMOVE_USER)
		sqlite3_bind_int64(statement, at, removal->until);
	enum status status = sqlite_run(connection, statement, "removing from", failure);
	if (status == STATUS_OK && changed)
		*changed = sqlite3_changes(connection->db);
	return status;
}

static enum status take_shared(
	struct connection *connection, struct store_removal *removal, struct failure *failure)
{
	enum status status = run_for(connection, SQL_RETRAINED_EXPIRE_USER, removal, NULL, failure);

	return status == STATUS_OK
		? run_for(connection, SQL_WITHDRAW, removal, &removal->reports, failure)
		: status;
}

static enum status take_user(
	struct connection *connection, struct store_removal *removal, struct failure *failure)
{
	enum status status = run_for(connection, SQL_RETRAINED_WITHDRAW, removal, NULL, failure);

	if (status == STATUS_OK)
		status =
			run_for(connection, SQL_ERASE_JOURNAL, removal, &removal->reports, failure);
	if (status == STATUS_OK)
		status =
			run_for(connection, SQL_ERASE_ENTRIES, removal, &removal->entries, failure);
	if (status == STATUS_OK)
		status = run_for(connection, SQL_ERASE_USER, removal, NULL, failure);
	return status;
}

static enum status take_old(
	struct connection *connection, struct store_removal *removal, struct failure *failure)
{
	bool all = !removal->user;
	enum status status = run_for(connection,
		all ? SQL_RETRAINED_EXPIRE_ALL : SQL_RETRAINED_EXPIRE_USER, removal, NULL, failure);

	return status == STATUS_OK ? run_for(connection, all ? SQL_EXPIRE_ALL : SQL_EXPIRE_USER,
					     removal, &removal->reports, failure)
				   : status;
}

enum status sqlite_take_out(
	struct connection *connection, struct store_removal *removal, struct failure *failure)
{
	enum status status = sqlite_forget_stage(connection, failure);

	if (status == STATUS_OK)
		status = removal->kind == REMOVE_SHARED ? take_shared(connection, removal, failure)
			: removal->kind == REMOVE_USER  ? take_user(connection, removal, failure)
							: take_old(connection, removal, failure);
	if (status == STATUS_OK && removal->entry)
		status = sqlite_write_entry(connection, removal->entry, failure);
	if (status == STATUS_OK && removal->mark)
		status = sqlite_put_value(connection, removal->mark, "1", 1, failure);
	return status;
}

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
	else if (!copy_name(row, last))
		status = failure_set(
			failure, STATUS_CORRUPT, "reading %s: a user is damaged", connection->path);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_forget_users(
	struct store *store, char *name, size_t users, int64_t *count, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	char last[STORE_MAX_USER + 1];
	enum status status = read_last_of(connection, name, users, last, failure);

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

bool sqlite_log_is_due(const struct store *store)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;

	return sqlite->log_pages >=
		(sqlite->log_most < SQLITE_LOG_SOME ? sqlite->log_most : SQLITE_LOG_SOME);
}

void sqlite_move_log(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	sqlite->log_pages = 0;
	sqlite3_wal_checkpoint_v2(
		sqlite->connection.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* VACUUM alone leaves the old pages in the file until the log is moved there. Without room
 * for a VACUUM what was deleted is overwritten nevertheless (secure_delete), but for the
 * pages of the log. That is empty before, so that a VACUUM that failed leaves nothing in
 * it that would have to be moved. */
enum status sqlite_compact(struct store *store, struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	struct connection *connection = &sqlite->connection;

	sqlite_empty_log(sqlite);
	/* The pragma takes effect with the VACUUM, in databases that were made without. */
	enum status status = sqlite_execute_alone(
		connection, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", "compacting", failure);
	return status == STATUS_OK || status == STATUS_FULL ? empty_log(connection, true, failure)
							    : status;
}

struct pages {
	int64_t count, free, size, mode;
};

static enum status read_pages(
	struct connection *connection, struct pages *pages, struct failure *failure)
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

static enum status free_pages(
	struct store *store, const struct pages *pages, int64_t count, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	char sql[64];

	if (pages->mode == 0) /* made before pages could be given back one by one */
		return sqlite_compact(store, failure);
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA incremental_vacuum(%lld)", (long long)count);
	enum status status = sqlite_execute(connection, sql, "giving room back of", failure);
	return status == STATUS_OK ? empty_log(connection, false, failure) : status;
}

enum status sqlite_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	struct pages before, after;
	enum status status = read_pages(connection, &before, failure);

	if (status != STATUS_OK)
		return status;
	int64_t spare = before.free - before.count / KEPT_SHARE;
	int64_t wanted = (int64_t)bytes / before.size + 1;
	if (spare <= 0)
		return STATUS_OK;
	status = free_pages(store, &before, spare < wanted ? spare : wanted, failure);
	if (status == STATUS_OK)
		status = read_pages(connection, &after, failure);
	if (status == STATUS_OK)
		*returned = (before.count - after.count) * before.size;
	return status;
}

enum status sqlite_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	struct pages pages;
	char log[4096];
	struct stat file;
	enum status status = read_pages(connection, &pages, failure);

	if (status != STATUS_OK)
		return status;
	*size = (struct store_size){
		.bytes = pages.count * pages.size, .free = pages.free * pages.size};
	sqlite3_snprintf(sizeof(log), log, "%s-wal", connection->path);
	if (stat(log, &file) == 0)
		size->log = file.st_size;
	return STATUS_OK;
}

/* --- What is old --------------------------------------------------------------- */

enum status sqlite_read_span(
	struct store_reader *reader, struct store_span *span, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_SPAN);
	enum status status = STATUS_OK;
	int code = row ? sqlite3_step(row) : SQLITE_ERROR;

	if (code == SQLITE_ROW)
		*span = (struct store_span){.first = sqlite3_column_int64(row, 0),
			.last = sqlite3_column_int64(row, 1),
			.last_time = sqlite3_column_int64(row, 2)};
	else if (code != SQLITE_DONE) /* there is no report */
		status = sqlite_failure(connection, "reading", failure);
	if (row)
		sqlite3_reset(row);
	return status;
}

enum status sqlite_oldest_before(struct store_reader *reader, int64_t time, int64_t present,
	size_t count, int64_t *seq, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_OLDEST_BEFORE);
	enum status status = STATUS_OK;
	int code;

	*seq = 0;
	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_int64(row, 1, time);
	sqlite3_bind_int64(row, 2, sqlite_count(count));
	sqlite3_bind_int64(row, 3, present);
	while ((code = sqlite3_step(row)) == SQLITE_ROW && sqlite3_column_int(row, 1))
		*seq = sqlite3_column_int64(row, 0);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_oldest(struct store_reader *reader, const char *user, size_t count, int64_t *seq,
	struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, user ? SQL_OLDEST_OF_USER : SQL_OLDEST);
	enum status status = STATUS_OK;

	*seq = 0;
	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_int64(row, 1, sqlite_count(count));
	if (user)
		sqlite3_bind_blob(row, 2, user, (int)strlen(user), SQLITE_STATIC);
	if (sqlite3_step(row) == SQLITE_ROW)
		*seq = sqlite3_column_int64(row, 0); /* NULL is 0 */
	else
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_USERS);
	char name[STORE_MAX_USER + 1];
	int64_t left = sqlite_count(rows);
	enum status status = STATUS_OK;
	int code = SQLITE_ROW;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, after, (int)strlen(after), SQLITE_STATIC);
	while (status == STATUS_OK && left > 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct store_user user = {.name = name,
			.reports = sqlite3_column_int64(row, 1),
			.last_time = sqlite3_column_int64(row, 2)};
		status = copy_name(row, name)
			? each(context, &user)
			: failure_set(failure, STATUS_CORRUPT, "reading %s: a user is damaged",
				  connection->path);
		left -= user.reports > 0 ? user.reports : 1;
	}
	if (status == STATUS_OK && code != SQLITE_DONE && code != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}
