/* The SQLite driver: connections and their statements.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store/sqlite/sqlite.h"

#include <stddef.h>
#include <string.h>

/* What a row supersedes; the index has all of it. */
#define SQLITE_BEFORE                                                                              \
	"(SELECT max(seq) FROM journal AS b WHERE b.user = journal.user AND b.message = "          \
	"journal.message AND b.seq < journal.seq AND (b.flags & 2) = 0)"

static const char *const SQL[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_BEGIN_READING] = "BEGIN",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_ADD_USER] = "INSERT INTO user (name) VALUES (?1)",
	[SQL_FIND_USER] = "SELECT id FROM user WHERE name = ?1",
	[SQL_FIND_REPORT] =
		"SELECT " SQLITE_REPORT_COLUMNS " FROM " SQLITE_REPORTS " WHERE seq = "
		"(SELECT max(seq) FROM journal WHERE message = ?2 AND user = "
		"(SELECT id FROM user WHERE name = ?1) AND seq < ?3 AND (flags & 2) = 0)",
	[SQL_ADD_REPORT] =
		"INSERT INTO journal (seq, time, message, label, flags, margin, head_sum, "
		"head_gain, body_sum, body_gain, bias_sum, bias_gain, undone_head_sum, "
		"undone_head_gain, undone_body_sum, undone_body_gain, undone_bias_sum, "
		"undone_bias_gain, user, tokens, sender, list, supersedes) VALUES (NULL, "
		"?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
		"?18, ?19, ?20, ?21, ?22, (SELECT max(seq) FROM journal WHERE user = ?19 "
		"AND message = ?3 AND (flags & 2) = 0 AND (?5 & 2) = 0))",
	[SQL_ERASE_JOURNAL] = "DELETE FROM journal WHERE user = "
			      "(SELECT id FROM user WHERE name = ?1)",
	[SQL_ERASE_ENTRIES] = "DELETE FROM entry WHERE scope = ?1",
	[SQL_ERASE_USER] = "DELETE FROM user WHERE name = ?1",
	[SQL_WITHDRAW] = "UPDATE journal SET flags = flags & ~1, head_sum = 0, head_gain = 0, "
			 "body_sum = 0, body_gain = 0, bias_sum = 0, bias_gain = 0, "
			 "undone_head_sum = 0, undone_head_gain = 0, undone_body_sum = 0, "
			 "undone_body_gain = 0, undone_bias_sum = 0, undone_bias_gain = 0 "
			 "WHERE user = (SELECT id FROM user WHERE name = ?1) AND seq <= ?2 "
			 "AND (flags & 1)",
	[SQL_EXPIRE_ALL] = "DELETE FROM journal WHERE seq <= ?1",
	[SQL_EXPIRE_USER] = "DELETE FROM journal WHERE user = "
			    "(SELECT id FROM user WHERE name = ?1) AND seq <= ?2",
	[SQL_RETRAINED_EXPIRE_ALL] = "DELETE FROM retrained WHERE report <= ?1",
	[SQL_RETRAINED_EXPIRE_USER] =
		"DELETE FROM retrained WHERE report IN (SELECT seq FROM journal "
		"WHERE user = (SELECT id FROM user WHERE name = ?1) AND seq <= ?2)",
	[SQL_SOME_USERS] = "SELECT max(name) FROM (SELECT name FROM user WHERE name > ?1 "
			   "ORDER BY name LIMIT ?2)",
	[SQL_FORGET_USERS] = "DELETE FROM user WHERE name > ?1 AND name <= ?2 AND NOT EXISTS "
			     "(SELECT 1 FROM journal WHERE user = user.id)",
	[SQL_SPAN] = "SELECT (SELECT min(seq) FROM journal), seq, time FROM journal "
		     "ORDER BY seq DESC LIMIT 1",
	[SQL_USERS] = "SELECT name, reports, (SELECT time FROM journal WHERE seq = newest) "
		      "FROM (SELECT name, count(seq) AS reports, max(seq) AS newest FROM user "
		      "LEFT JOIN journal ON user = id WHERE name > ?1 GROUP BY name)",
	[SQL_RETRAINED_WITHDRAW] = "DELETE FROM retrained WHERE report IN (SELECT seq FROM journal "
				   "WHERE user = (SELECT id FROM user WHERE name = ?1))",
	[SQL_CLEAR_RETRAINED_NEXT] = "DELETE FROM retrained_next",
	[SQL_CLEAR_SOME_RETRAINED_NEXT] = "DELETE FROM retrained_next WHERE report IN "
					  "(SELECT report FROM retrained_next LIMIT ?1)",
	[SQL_PUT_RETRAINED_NEXT] =
		"INSERT OR REPLACE INTO retrained_next (report, new_margin, new_head_sum, "
		"new_head_gain, new_body_sum, new_body_gain, new_bias_sum, "
		"new_bias_gain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_CLEAR_TOKENS_NEXT] = "DELETE FROM token_next",
	[SQL_CLEAR_SOME_TOKENS_NEXT] = "DELETE FROM token_next WHERE key IN "
				       "(SELECT key FROM token_next LIMIT ?1)",
	[SQL_PUT_TOKEN_NEXT] = "INSERT OR REPLACE INTO token_next (key, sum, gain) "
			       "VALUES (?1, ?2, ?3)",
	[SQL_DELETE_TOKEN_NEXT] = "DELETE FROM token_next WHERE key = ?1",
	[SQL_CLEAR_ENTRIES] = "DELETE FROM entry WHERE kind = ?1",
	[SQL_PUT_ENTRY] = "INSERT OR REPLACE INTO entry (scope, kind, name, value, time) "
			  "VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_DELETE_ENTRY] = "DELETE FROM entry WHERE scope = ?1 AND kind = ?2 AND name = ?3",
	[SQL_ENTRIES] = "SELECT kind, name, value, time FROM entry WHERE scope = ?1 "
			"AND kind BETWEEN ?2 AND ?3 ORDER BY kind, name",
	/* The index has all that it asks for. */
	[SQL_SHARES] = "SELECT EXISTS (SELECT 1 FROM journal WHERE user = "
		       "(SELECT id FROM user WHERE name = ?1) AND (flags & 1))",
	[SQL_NEXT_SCOPE] = "SELECT min(scope) FROM entry WHERE scope > ?1",
	[SQL_BOTH_TOLD] = "SELECT EXISTS (SELECT 1 FROM journal AS a WHERE a.user = "
			  "(SELECT id FROM user WHERE name = ?1) AND (a.flags & 2) = 0 AND EXISTS "
			  "(SELECT 1 FROM journal AS b WHERE b.user = (SELECT id FROM user WHERE "
			  "name = ?2) AND b.message = a.message AND (b.flags & 2) = 0))",
	[SQL_RENAME_USER] = "UPDATE user SET name = ?2 WHERE name = ?1",
	[SQL_TAKE_OVER] = "UPDATE journal SET user = (SELECT id FROM user WHERE name = ?2) "
			  "WHERE user = (SELECT id FROM user WHERE name = ?1)",
	[SQL_SUPERSEDE] =
		"UPDATE journal SET supersedes = " SQLITE_BEFORE " WHERE user = (SELECT id "
		"FROM user WHERE name = ?1) AND (flags & 2) = 0 "
		"AND supersedes IS NOT " SQLITE_BEFORE,
	[SQL_STRIP_OF_USER] =
		"UPDATE journal SET tokens = NULL WHERE tokens IS NOT NULL AND seq IN "
		"(SELECT supersedes FROM journal WHERE user = "
		"(SELECT id FROM user WHERE name = ?1))",
	[SQL_CLEAR_TOKENS] = "DELETE FROM token",
	[SQL_DELETE_VALUE] = "DELETE FROM meta WHERE name = ?1",
	/* The index alone says which: rows with their tokens are not sorted. */
	[SQL_JOURNAL] =
		"SELECT " SQLITE_REPORT_COLUMNS ", tokens FROM " SQLITE_REPORTS " WHERE seq IN "
		"(SELECT seq FROM journal WHERE user = (SELECT id FROM user WHERE name = ?1) "
		"AND seq > ?2 ORDER BY seq LIMIT ?3) ORDER BY seq",
	/* In the order of the rows: the plus keeps the index out. */
	[SQL_JOURNAL_NEAR] = "SELECT " SQLITE_REPORT_COLUMNS ", tokens FROM " SQLITE_REPORTS
			     " WHERE +user = (SELECT id FROM user WHERE name = ?1) "
			     "AND seq > ?2 AND seq <= ?4 ORDER BY seq LIMIT ?3",
	[SQL_STRIP_SUPERSEDED] =
		"UPDATE journal SET tokens = NULL WHERE seq IN (SELECT supersedes "
		"FROM journal WHERE seq > ?1 AND seq <= ?2) AND tokens IS NOT NULL",
	[SQL_STRIP_FORGOTTEN] = "UPDATE journal SET tokens = NULL "
				"WHERE seq > ?1 AND seq <= ?2 AND label = 0",
	[SQL_PUT_TOKEN] = "INSERT OR REPLACE INTO token (key, sum, gain) VALUES (?1, ?2, ?3)",
	[SQL_DELETE_TOKEN] = "DELETE FROM token WHERE key = ?1",
	[SQL_PUT_VALUE] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
	[SQL_GET_VALUE] = "SELECT value FROM meta WHERE name = ?1",
	/* Beside max(), SQLite takes bare columns from the row that has it. */
	[SQL_USER_REPORTS] =
		"SELECT " SQLITE_REPORT_COLUMNS ", tokens FROM " SQLITE_REPORTS " WHERE seq IN "
		"(SELECT newest FROM (SELECT max(seq) AS newest, label AS l "
		"FROM journal WHERE user = (SELECT id FROM user WHERE name = ?1) "
		"AND (flags & 2) = 0 GROUP BY message) WHERE l <> 0 AND newest > ?3 "
		"ORDER BY newest DESC LIMIT ?2) ORDER BY seq",
	[SQL_REPORTS_AFTER] = "SELECT " SQLITE_REPORT_COLUMNS ", tokens, (SELECT name FROM user "
			      "WHERE id = journal.user) FROM " SQLITE_REPORTS
			      " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[SQL_COUNTING_REPORTS] =
		"SELECT " SQLITE_REPORT_COLUMNS
		", tokens, (SELECT name FROM user WHERE id = j.user) "
		"FROM journal AS j LEFT JOIN retrained ON report = seq WHERE label <> 0 AND seq > ?1 "
		"AND (flags & 2) = 0 AND NOT EXISTS (SELECT 1 FROM journal AS n WHERE "
		"n.user = j.user AND n.message = j.message AND n.seq > j.seq AND (n.flags & 2) = 0) "
		"ORDER BY seq LIMIT ?2",
	[SQL_TOKENS] = "SELECT key, sum, gain FROM token",
	[SQL_COUNTS] = "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM user), "
		       "(SELECT count(*) FROM token)",
	/* Given once, whether it is still there or not. */
	[SQL_LAST_REPORT] = "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = "
			    "'journal'), 0)",
};

_Static_assert(REPORT_MUTED == 2, "the statement above tests the bit");
_Static_assert(REPORT_CONSENT == 1, "and this one");

int sqlite_system_error(sqlite3 *db)
{
	sqlite3_vfs *vfs = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK || !vfs)
		return sqlite3_system_errno(db);
	return vfs->xGetLastError(vfs, 0, NULL);
}

static enum status translate(sqlite3 *db)
{
	switch (sqlite3_errcode(db) & 0xFF) {
	case SQLITE_NOMEM:
		return STATUS_NOMEM;
	case SQLITE_FULL:
		return STATUS_FULL;
	case SQLITE_READONLY:
		return STATUS_READONLY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return STATUS_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return STATUS_BUSY;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return status_of_errno(sqlite_system_error(db));
	default:
		return STATUS_IO;
	}
}

enum status sqlite_failure(
	const struct connection *connection, const char *doing, struct failure *failure)
{
	sqlite3 *db = connection->db;

	if (!db)
		return failure_set(
			failure, STATUS_NOMEM, "%s %s: out of memory", doing, connection->path);
	enum status status = translate(db);
	const char *more = "";
	if (status == STATUS_CORRUPT)
		more = ": " SQLITE_DAMAGED;
	else if (status == STATUS_FULL && sqlite3_errcode(db) != SQLITE_FULL)
		more = ": the disk is full"; /* "disk I/O error" tells nobody */
	return failure_set(
		failure, status, "%s %s: %s%s", doing, connection->path, sqlite3_errmsg(db), more);
}

sqlite3_stmt *sqlite_statement(struct connection *connection, enum sqlite_statement which)
{
	sqlite3_stmt **statement = &connection->statements[which];

	if (*statement)
		sqlite3_reset(*statement);
	else
		sqlite3_prepare_v3(
			connection->db, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	return *statement;
}

enum status sqlite_run(struct connection *connection, sqlite3_stmt *statement, const char *doing,
	struct failure *failure)
{
	enum status status = STATUS_OK;

	if (!statement || sqlite3_step(statement) != SQLITE_DONE)
		status = sqlite_failure(connection, doing, failure);
	if (statement)
		sqlite3_reset(statement);
	return status;
}

enum status sqlite_execute(
	struct connection *connection, const char *sql, const char *doing, struct failure *failure)
{
	return sqlite3_exec(connection->db, sql, NULL, NULL, NULL) == SQLITE_OK
		? STATUS_OK
		: sqlite_failure(connection, doing, failure);
}

enum status sqlite_execute_alone(
	struct connection *connection, const char *sql, const char *doing, struct failure *failure)
{
	for (int i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_reset(connection->statements[i]);
	return sqlite_execute(connection, sql, doing, failure);
}

static enum status run_prepared(struct connection *connection, enum sqlite_statement which,
	const char *doing, struct failure *failure)
{
	return sqlite_run(connection, sqlite_statement(connection, which), doing, failure);
}

enum status sqlite_begin(struct connection *connection, const char *doing, struct failure *failure)
{
	return run_prepared(connection, SQL_BEGIN, doing, failure);
}

enum status sqlite_finish(struct connection *connection, enum status status, const char *doing,
	struct failure *failure)
{
	if (status == STATUS_OK)
		status = run_prepared(connection, SQL_COMMIT, doing, failure);
	if (status != STATUS_OK && !sqlite3_get_autocommit(connection->db))
		run_prepared(connection, SQL_ROLLBACK, doing, NULL);
	return status;
}

bool sqlite_copy_column(sqlite3_stmt *row, int column, char *text, size_t room)
{
	size_t length = (size_t)sqlite3_column_bytes(row, column);

	if (length > room)
		return false;
	if (length > 0)
		memcpy(text, sqlite3_column_blob(row, column), length);
	text[length] = '\0';
	return true;
}

bool sqlite_copy_name(sqlite3_stmt *row, char *name)
{
	return sqlite_copy_column(row, 0, name, STORE_MAX_USER) &&
		strlen(name) == (size_t)sqlite3_column_bytes(row, 0);
}
