/* The SQLite driver: two users become one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/store/sqlite/sqlite.h"

static const char DOING[] = "merging users in";

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
static enum status ask_row(struct connection *connection, enum sqlite_statement which,
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
		ask_row(connection, SQL_BOTH_TOLD, merge->from, merge->to, &found, &both, failure);

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
		ask_row(connection, SQL_FIND_USER, merge->from, NULL, &from, &number, failure);

	if (status == STATUS_OK)
		status = ask_row(connection, SQL_FIND_USER, merge->to, NULL, &to, &number, failure);
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
	return status == STATUS_OK ? sqlite_forget_former(connection, failure) : status;
}

enum status sqlite_merge(
	struct connection *connection, struct store_merge *merge, struct failure *failure)
{
	struct store_removal removal = {
		.kind = REMOVE_SHARED, .until = INT64_MAX, .user = merge->to};
	enum status status = take_reports(connection, merge, failure);

	if (status == STATUS_OK && merge->withdraw) {
		merge->refold = true;
		status = sqlite_take_out(connection, &removal, failure);
	}
	return status == STATUS_OK && merge->refold ? forget_checkpoint(connection, failure)
						    : status;
}
