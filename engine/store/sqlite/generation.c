/* The SQLite driver: a generation is written beside the global rows, and put in their
 * place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store/sqlite/sqlite.h"

/* Of each table, cleared at a time: others wait for no more. */
enum { CLEAR_ROWS = 2000 };

static const char DOING[] = "adopting a generation in";

static enum status put_retrained(struct connection *connection,
	const struct store_retrained *report, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_PUT_RETRAINED_NEXT);

	if (row) {
		sqlite3_bind_int64(row, 1, report->seq);
		sqlite3_bind_double(row, 2, report->margin);
		sqlite_bind_contribution(row, 3, &report->global);
	}
	return sqlite_run(connection, row, DOING, failure);
}

static enum status put_piece(
	struct connection *connection, const struct store_piece *piece, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < piece->report_count && status == STATUS_OK; i++)
		status = put_retrained(connection, &piece->reports[i], failure);
	for (size_t i = 0; i < piece->token_count && status == STATUS_OK; i++)
		status = sqlite_write_token(connection, true, &piece->tokens[i], failure);
	return status;
}

static enum status clear_some(struct connection *connection, enum sqlite_statement which,
	bool *more, struct failure *failure)
{
	sqlite3_stmt *statement = sqlite_statement(connection, which);

	if (statement)
		sqlite3_bind_int64(statement, 1, CLEAR_ROWS);
	enum status status = sqlite_run(connection, statement, DOING, failure);
	if (status == STATUS_OK && sqlite3_changes(connection->db) == CLEAR_ROWS)
		*more = true;
	return status;
}

enum status sqlite_clear_former(struct connection *connection, bool *more, struct failure *failure)
{
	enum status status = sqlite_begin(connection, DOING, failure);

	if (status == STATUS_OK)
		status = clear_some(connection, SQL_CLEAR_SOME_RETRAINED_NEXT, more, failure);
	if (status == STATUS_OK)
		status = clear_some(connection, SQL_CLEAR_SOME_TOKENS_NEXT, more, failure);
	return sqlite_finish(connection, status, DOING, failure);
}

enum status sqlite_forget_former(struct connection *connection, struct failure *failure)
{
	enum status status = sqlite_run(
		connection, sqlite_statement(connection, SQL_CLEAR_RETRAINED_NEXT), DOING, failure);

	if (status == STATUS_OK)
		status = sqlite_run(connection, sqlite_statement(connection, SQL_CLEAR_TOKENS_NEXT),
			DOING, failure);
	return status;
}

/* The tables change names, which takes no time; emptying the former ones would. */
static enum status exchange_tables(struct connection *connection, struct failure *failure)
{
	static const char sql[] = "ALTER TABLE token RENAME TO token_former;"
				  "ALTER TABLE token_next RENAME TO token;"
				  "ALTER TABLE token_former RENAME TO token_next;"
				  "ALTER TABLE retrained RENAME TO retrained_former;"
				  "ALTER TABLE retrained_next RENAME TO retrained;"
				  "ALTER TABLE retrained_former RENAME TO retrained_next;";

	return sqlite_execute_alone(connection, sql, DOING, failure);
}

static enum status replace_entries(struct connection *connection,
	const struct store_generation *generation, struct failure *failure)
{
	sqlite3_stmt *clear = sqlite_statement(connection, SQL_CLEAR_ENTRIES);

	if (clear)
		sqlite3_bind_int(clear, 1, generation->entry_kind);
	enum status status = sqlite_run(connection, clear, DOING, failure);
	for (size_t i = 0; i < generation->entry_count && status == STATUS_OK; i++)
		status = sqlite_write_entry(connection, &generation->entries[i], failure);
	return status;
}

enum status sqlite_take_over(struct connection *connection,
	const struct store_generation *generation, struct failure *failure)
{
	enum status status = put_piece(connection, &generation->piece, failure);

	if (status != STATUS_OK || !generation->checkpoint)
		return status;
	status = sqlite_check_seq(connection, generation->checkpoint->seq, failure);
	if (status == STATUS_OK)
		status = exchange_tables(connection, failure);
	if (status == STATUS_OK)
		status = replace_entries(connection, generation, failure);
	return status == STATUS_OK
		? sqlite_put_checkpoint(connection, generation->checkpoint, failure)
		: status;
}
