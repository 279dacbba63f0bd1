/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: connections, statements, and what the writer does. */
#include "engine/store/sqlite.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/store/pack.h"

/* Reports that a checkpoint looks at for what they supersede: others wait meanwhile. */
enum { STRIP_MOST = 10000 };

/* What a row supersedes; the index has all of it. */
#define SQLITE_BEFORE                                                                              \
	"(SELECT max(seq) FROM journal AS b WHERE b.user = journal.user AND b.message = "          \
	"journal.message AND b.seq < journal.seq AND (b.flags & 2) = 0)"

static const char *const SQL[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
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
	[SQL_OLDEST_BEFORE] = "SELECT seq, time < ?1 FROM journal WHERE time <= ?3 "
			      "ORDER BY seq LIMIT ?2",
	[SQL_OLDEST] = "SELECT max(seq) FROM (SELECT seq FROM journal ORDER BY seq LIMIT ?1)",
	[SQL_OLDEST_OF_USER] = "SELECT max(seq) FROM (SELECT seq FROM journal WHERE user = "
			       "(SELECT id FROM user WHERE name = ?2) ORDER BY seq LIMIT ?1)",
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
		"AND (flags & 2) = 0 GROUP BY message) WHERE l <> 0 ORDER BY newest DESC LIMIT ?2) ORDER BY seq",
	[SQL_REPORTS_AFTER] =
		"SELECT " SQLITE_REPORT_COLUMNS ", tokens, (SELECT name FROM user "
		"WHERE id = journal.user) FROM " SQLITE_REPORTS " WHERE seq > ?1 ORDER BY seq",
	[SQL_COUNTING_REPORTS] =
		"SELECT " SQLITE_REPORT_COLUMNS
		", tokens, (SELECT name FROM user WHERE id = j.user) "
		"FROM journal AS j LEFT JOIN retrained ON report = seq WHERE label <> 0 "
		"AND (flags & 2) = 0 AND NOT EXISTS (SELECT 1 FROM journal AS n WHERE "
		"n.user = j.user AND n.message = j.message AND n.seq > j.seq AND (n.flags & 2) = 0) "
		"ORDER BY seq",
	[SQL_TOKENS] = "SELECT key, sum, gain FROM token",
	[SQL_STATS] = "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM user), "
		      "(SELECT count(*) FROM token), "
		      "(SELECT seq FROM sqlite_sequence WHERE name = 'journal')",
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

static enum status run(struct connection *connection, enum sqlite_statement which,
	const char *doing, struct failure *failure)
{
	return sqlite_run(connection, sqlite_statement(connection, which), doing, failure);
}

enum status sqlite_finish(struct connection *connection, enum status status, const char *doing,
	struct failure *failure)
{
	if (status == STATUS_OK)
		status = run(connection, SQL_COMMIT, doing, failure);
	if (status != STATUS_OK && !sqlite3_get_autocommit(connection->db))
		run(connection, SQL_ROLLBACK, doing, NULL);
	return status;
}

static int64_t units(double number)
{
	return llrint(number / STORE_UNIT);
}

/* The user's number, made when there is none. */
static enum status find_user(
	struct connection *connection, const char *name, int64_t *user, struct failure *failure)
{
	static const char doing[] = "appending to";
	sqlite3_stmt *find = sqlite_statement(connection, SQL_FIND_USER);

	if (!find)
		return sqlite_failure(connection, doing, failure);
	sqlite3_bind_blob(find, 1, name, (int)strlen(name), SQLITE_STATIC);
	int code = sqlite3_step(find);
	if (code == SQLITE_ROW)
		*user = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (code == SQLITE_ROW)
		return STATUS_OK;
	if (code != SQLITE_DONE)
		return sqlite_failure(connection, doing, failure);

	sqlite3_stmt *add = sqlite_statement(connection, SQL_ADD_USER);
	if (add)
		sqlite3_bind_blob(add, 1, name, (int)strlen(name), SQLITE_STATIC);
	enum status status = sqlite_run(connection, add, doing, failure);
	*user = sqlite3_last_insert_rowid(connection->db);
	return status;
}

void sqlite_bind_contribution(sqlite3_stmt *row, int at, const struct contribution *contribution)
{
	sqlite3_bind_int64(row, at, units(contribution->head_sum));
	sqlite3_bind_int64(row, at + 1, units(contribution->head_gain));
	sqlite3_bind_int64(row, at + 2, units(contribution->body_sum));
	sqlite3_bind_int64(row, at + 3, units(contribution->body_gain));
	sqlite3_bind_int64(row, at + 4, units(contribution->bias_sum));
	sqlite3_bind_int64(row, at + 5, units(contribution->bias_gain));
}

static enum status insert_report(
	struct connection *connection, struct report *report, int64_t user, struct failure *failure)
{
	static const char doing[] = "appending to";
	unsigned char packed[32 + 10 * STORE_MAX_TOKENS];
	size_t size = pack_keys(report->keys, report->count, packed);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_ADD_REPORT);

	if (!row)
		return sqlite_failure(connection, doing, failure);
	sqlite3_bind_int64(row, 2, report->time);
	sqlite3_bind_int64(row, 3, (int64_t)report->message);
	sqlite3_bind_int64(row, 4, report->label);
	sqlite3_bind_int64(row, 5, report->flags);
	sqlite3_bind_double(row, 6, report->margin);
	sqlite_bind_contribution(row, 7, &report->global);
	sqlite_bind_contribution(row, 13, &report->undone);
	sqlite3_bind_int64(row, 19, user);
	sqlite3_bind_blob(row, 20, packed, (int)size, SQLITE_STATIC);
	sqlite3_bind_int64(row, 21, (int64_t)report->sender);
	sqlite3_bind_int64(row, 22, (int64_t)report->list);
	enum status status = sqlite_run(connection, row, doing, failure);
	report->seq = sqlite3_last_insert_rowid(connection->db);
	sqlite3_bind_null(row, 20); /* `packed` goes */
	return status;
}

static enum status append_all(
	struct store *store, struct report *reports, size_t count, struct failure *failure)
{
	static const char doing[] = "appending to";
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status = run(connection, SQL_BEGIN, doing, failure);

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		int64_t user = 0;
		status = find_user(connection, reports[i].user, &user, failure);
		if (status == STATUS_OK)
			status = insert_report(connection, &reports[i], user, failure);
	}
	return sqlite_finish(connection, status, doing, failure);
}

/* A log that is moved now and not later makes room for some more. */
static enum status sqlite_append(
	struct store *store, struct report *reports, size_t count, struct failure *failure)
{
	enum status status = append_all(store, reports, count, failure);

	return status == STATUS_FULL && sqlite_empty_log((struct sqlite_store *)store)
		? append_all(store, reports, count, failure)
		: status;
}

static enum status sqlite_find(struct store *store, const char *user, uint64_t message,
	int64_t before, struct report *report, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	sqlite3_stmt *row = sqlite_statement(connection, SQL_FIND_REPORT);
	enum status status = STATUS_OK;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, user, (int)strlen(user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, (int64_t)message);
	sqlite3_bind_int64(row, 3, before);
	int code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		status = sqlite_read_report(connection, row, user, report, failure);
	} else if (code == SQLITE_DONE) {
		status = failure_set(failure, STATUS_NOTFOUND, "no such report");
	} else {
		status = sqlite_failure(connection, "reading", failure);
	}
	sqlite3_reset(row);
	return status;
}

enum status sqlite_put_value(struct connection *connection, const char *name, const void *value,
	size_t size, struct failure *failure)
{
	sqlite3_stmt *put = sqlite_statement(connection, SQL_PUT_VALUE);

	if (put) {
		sqlite3_bind_text(put, 1, name, -1, SQLITE_STATIC);
		sqlite3_bind_blob(put, 2, size ? value : "", (int)size, SQLITE_STATIC);
	}
	return sqlite_run(connection, put, "writing to", failure);
}

enum status sqlite_put_checkpoint(struct connection *connection,
	const struct store_checkpoint *checkpoint, struct failure *failure)
{
	struct sqlite_checkpoint row = {.seq = checkpoint->seq,
		.bias_sum = units(checkpoint->bias_sum),
		.bias_gain = units(checkpoint->bias_gain)};
	bool ahead = store_last_included(checkpoint) > checkpoint->seq;

	memcpy(row.ahead, checkpoint->ahead, sizeof(row.ahead));
	return sqlite_put_value(connection, SQLITE_CHECKPOINT, &row,
		ahead ? sizeof(row) : offsetof(struct sqlite_checkpoint, ahead), failure);
}

static enum status sqlite_put(struct store *store, const char *name, const void *value, size_t size,
	struct failure *failure)
{
	return sqlite_put_value(
		&((struct sqlite_store *)store)->connection, name, value, size, failure);
}

enum status sqlite_write_token(struct connection *connection, bool next,
	const struct store_token *token, struct failure *failure)
{
	static const enum sqlite_statement puts[] = {SQL_PUT_TOKEN, SQL_PUT_TOKEN_NEXT};
	static const enum sqlite_statement deletes[] = {SQL_DELETE_TOKEN, SQL_DELETE_TOKEN_NEXT};
	bool gone = token->gain <= 0;
	sqlite3_stmt *write = sqlite_statement(connection, gone ? deletes[next] : puts[next]);

	if (write) {
		sqlite3_bind_int64(write, 1, (int64_t)token->key);
		if (!gone) {
			sqlite3_bind_int64(write, 2, units(token->sum));
			sqlite3_bind_int64(write, 3, units(token->gain));
		}
	}
	return sqlite_run(connection, write, "writing tokens to", failure);
}

static enum status strip_those(struct connection *connection, enum sqlite_statement which,
	int64_t after, int64_t until, struct failure *failure)
{
	sqlite3_stmt *statement = sqlite_statement(connection, which);

	if (statement) {
		sqlite3_bind_int64(statement, 1, after);
		sqlite3_bind_int64(statement, 2, until);
	}
	return sqlite_run(connection, statement, "cleaning", failure);
}

/* What was superseded or forgotten loses its tokens once the checkpoint `until` includes
 * that. How far this went is kept by itself: an adoption moves the checkpoint on. */
static enum status strip(
	struct connection *connection, int64_t before, int64_t until, struct failure *failure)
{
	int64_t after = 0;
	size_t size = sizeof(after);
	enum status status = sqlite_get(connection, SQLITE_STRIPPED, &after, &size, failure);

	if (status == STATUS_NOTFOUND) {
		after = before;
		status = STATUS_OK;
	}
	if (until > after + STRIP_MOST)
		until = after + STRIP_MOST;
	if (status != STATUS_OK || until <= after)
		return status;
	status = strip_those(connection, SQL_STRIP_SUPERSEDED, after, until, failure);
	if (status == STATUS_OK)
		status = strip_those(connection, SQL_STRIP_FORGOTTEN, after, until, failure);
	return status == STATUS_OK
		? sqlite_put_value(connection, SQLITE_STRIPPED, &until, sizeof(until), failure)
		: status;
}

/* A checkpoint past the journal would hide the reports to come from a replay. */
enum status sqlite_check_seq(struct connection *connection, int64_t seq, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_LAST_REPORT);
	enum status status = STATUS_OK;

	if (!row || sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	else if (seq > sqlite3_column_int64(row, 0))
		status = failure_set(failure, STATUS_INVALID, "no report %lld", (long long)seq);
	if (row)
		sqlite3_reset(row);
	return status;
}

static enum status sqlite_write_checkpoint(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	static const char doing[] = "writing tokens to";
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	struct sqlite_checkpoint before;
	enum status status = run(connection, SQL_BEGIN, doing, failure);

	if (status == STATUS_OK)
		status = sqlite_check_seq(connection, store_last_included(checkpoint), failure);
	if (status == STATUS_OK)
		status = sqlite_get_checkpoint(connection, &before, failure);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = sqlite_write_token(connection, false, &tokens[i], failure);
	if (status == STATUS_OK)
		status = strip(connection, before.seq, checkpoint->seq, failure);
	if (status == STATUS_OK && removal)
		status = sqlite_take_out(connection, removal, failure);
	if (status == STATUS_OK)
		status = sqlite_put_checkpoint(connection, checkpoint, failure);
	return sqlite_finish(connection, status, doing, failure);
}

static bool sqlite_writable(const struct store *store)
{
	return ((const struct sqlite_store *)store)->writable;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	sqlite_close_connection(&sqlite->connection);
	if (sqlite->reserve >= 0)
		close(sqlite->reserve);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	free(sqlite->path);
	free(sqlite);
}

const struct store_driver sqlite_driver = {
	.close = sqlite_close,
	.writable = sqlite_writable,
	.append = sqlite_append,
	.find = sqlite_find,
	.write_checkpoint = sqlite_write_checkpoint,
	.replace_tokens = sqlite_replace_tokens,
	.stage = sqlite_stage,
	.clear_stage = sqlite_clear_stage,
	.adopt = sqlite_adopt,
	.log_is_due = sqlite_log_is_due,
	.move_log = sqlite_move_log,
	.make_room = sqlite_make_room,
	.keep_room = sqlite_keep_room,
	.compact = sqlite_compact,
	.forget_users = sqlite_forget_users,
	.merge = sqlite_merge,
	.keep_copy = sqlite_keep_copy,
	.give_back = sqlite_give_back,
	.put_entries = sqlite_put_entries,
	.put = sqlite_put,
	.reader_open = sqlite_reader_open,
	.reader_close = sqlite_reader_close,
	.get = sqlite_reader_get,
	.user_reports = sqlite_user_reports,
	.journal = sqlite_journal,
	.shares = sqlite_shares,
	.entries = sqlite_entries,
	.next_scope = sqlite_next_scope,
	.read_checkpoint = sqlite_read_checkpoint,
	.tokens = sqlite_tokens,
	.reports_after = sqlite_reports_after,
	.counting_reports = sqlite_counting_reports,
	.read_span = sqlite_read_span,
	.oldest_before = sqlite_oldest_before,
	.oldest = sqlite_oldest,
	.users = sqlite_users,
	.read_size = sqlite_read_size,
	.read_stats = sqlite_read_stats,
};
