/* The SQLite driver: all that a change has is written in one transaction.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/store/pack.h"
#include "engine/store/sqlite/sqlite.h"

/* Reports that a checkpoint looks at for what they supersede: others wait meanwhile. */
enum { STRIP_MOST = 10000 };

static const char APPENDING[] = "appending to";
static const char WRITING_TOKENS[] = "writing tokens to";

static int64_t units(double number)
{
	return llrint(number / STORE_UNIT);
}

/* --- Reports ------------------------------------------------------------- */

/* The user's number, made when there is none. */
static enum status find_user(
	struct connection *connection, const char *name, int64_t *user, struct failure *failure)
{
	sqlite3_stmt *find = sqlite_statement(connection, SQL_FIND_USER);

	if (!find)
		return sqlite_failure(connection, APPENDING, failure);
	sqlite3_bind_blob(find, 1, name, (int)strlen(name), SQLITE_STATIC);
	int code = sqlite3_step(find);
	if (code == SQLITE_ROW)
		*user = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	if (code == SQLITE_ROW)
		return STATUS_OK;
	if (code != SQLITE_DONE)
		return sqlite_failure(connection, APPENDING, failure);

	sqlite3_stmt *add = sqlite_statement(connection, SQL_ADD_USER);
	if (add)
		sqlite3_bind_blob(add, 1, name, (int)strlen(name), SQLITE_STATIC);
	enum status status = sqlite_run(connection, add, APPENDING, failure);
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
	unsigned char packed[32 + 10 * STORE_MAX_TOKENS];
	size_t size = pack_keys(report->keys, report->count, packed);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_ADD_REPORT);

	if (!row)
		return sqlite_failure(connection, APPENDING, failure);
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
	enum status status = sqlite_run(connection, row, APPENDING, failure);
	report->seq = sqlite3_last_insert_rowid(connection->db);
	sqlite3_bind_null(row, 20); /* `packed` goes */
	return status;
}

static enum status append(
	struct connection *connection, const struct store_change *change, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < change->report_count && status == STATUS_OK; i++) {
		int64_t user = 0;
		status = find_user(connection, change->reports[i].user, &user, failure);
		if (status == STATUS_OK)
			status = insert_report(connection, &change->reports[i], user, failure);
	}
	return status;
}

/* --- Values and rows ------------------------------------------------------- */

static enum status put_value(struct connection *connection, const char *name, const void *value,
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
	return put_value(connection, SQLITE_CHECKPOINT, &row,
		ahead ? sizeof(row) : offsetof(struct sqlite_checkpoint, ahead), failure);
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
	return sqlite_run(connection, write, WRITING_TOKENS, failure);
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
static enum status strip_included(
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
		? put_value(connection, SQLITE_STRIPPED, &until, sizeof(until), failure)
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

/* Neither DELETE nor DROP gets past a page that is unreadable: the table's name is taken
 * away, its pages are left to the next TIDY_ALL. */
static enum status abandon_tokens(struct connection *connection, struct failure *failure)
{
	static const char sql[] =
		"PRAGMA writable_schema = ON;"
		"DELETE FROM sqlite_schema WHERE name = 'token';"
		"PRAGMA writable_schema = RESET;"
		"CREATE TABLE token (key INTEGER PRIMARY KEY, sum INTEGER NOT NULL, "
		"gain INTEGER NOT NULL);";

	return sqlite_execute_alone(connection, sql, WRITING_TOKENS, failure);
}

static enum status empty_rows(
	struct connection *connection, enum store_rows_how how, struct failure *failure)
{
	switch (how) {
	case ROWS_ALL:
		return sqlite_execute(connection, "DELETE FROM token", WRITING_TOKENS, failure);
	case ROWS_ALL_UNREADABLE:
		return abandon_tokens(connection, failure);
	case ROWS_CHANGED:
		break;
	}
	return STATUS_OK;
}

static enum status write_token_rows(
	struct connection *connection, const struct store_rows *rows, struct failure *failure)
{
	struct sqlite_checkpoint before;
	enum status status =
		sqlite_check_seq(connection, store_last_included(rows->checkpoint), failure);

	if (status == STATUS_OK)
		status = sqlite_get_checkpoint(connection, &before, failure);
	if (status == STATUS_OK)
		status = empty_rows(connection, rows->how, failure);
	for (size_t i = 0; i < rows->count && status == STATUS_OK; i++)
		status = sqlite_write_token(connection, false, &rows->tokens[i], failure);
	if (status == STATUS_OK && rows->how == ROWS_CHANGED)
		status = strip_included(connection, before.seq, rows->checkpoint->seq, failure);
	return status == STATUS_OK ? sqlite_put_checkpoint(connection, rows->checkpoint, failure)
				   : status;
}

/* --- The change as a whole --------------------------------------------------- */

static enum status write_all(
	struct connection *connection, const struct store_change *change, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (change->merge)
		status = sqlite_merge(connection, change->merge, failure);
	if (status == STATUS_OK && change->rows)
		status = write_token_rows(connection, change->rows, failure);
	if (status == STATUS_OK && change->removal)
		status = sqlite_take_out(connection, change->removal, failure);
	if (status == STATUS_OK && change->generation)
		status = sqlite_take_over(connection, change->generation, failure);
	if (status == STATUS_OK)
		status = append(connection, change, failure);
	for (size_t i = 0; i < change->entry_count && status == STATUS_OK; i++)
		status = sqlite_write_entry(connection, &change->entries[i], failure);
	for (size_t i = 0; i < change->value_count && status == STATUS_OK; i++)
		status = put_value(connection, change->values[i].name, change->values[i].bytes,
			change->values[i].size, failure);
	return status;
}

static enum status commit_once(
	struct connection *connection, const struct store_change *change, struct failure *failure)
{
	enum status status = sqlite_begin(connection, "writing to", failure);

	if (status == STATUS_OK)
		status = write_all(connection, change, failure);
	return sqlite_finish(connection, status, "writing to", failure);
}

/* A log that is moved now and not later makes room for some more. */
enum status sqlite_commit(
	struct store *store, const struct store_change *change, struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	enum status status = commit_once(&sqlite->connection, change, failure);
	bool gained = false;

	if (status == STATUS_FULL)
		gained = change->frees ? sqlite_make_room(sqlite) : sqlite_empty_log(sqlite);
	if (gained)
		status = commit_once(&sqlite->connection, change, failure);
	if (change->frees)
		sqlite_keep_room(sqlite);
	return status;
}
