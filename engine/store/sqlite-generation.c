/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: the global rows are replaced as a whole. */
#include "engine/store/sqlite.h"

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
	size_t rows, bool *more, struct failure *failure)
{
	sqlite3_stmt *statement = sqlite_statement(connection, which);

	if (statement)
		sqlite3_bind_int64(statement, 1, (int64_t)rows);
	enum status status = sqlite_run(connection, statement, DOING, failure);
	if (status == STATUS_OK && (size_t)sqlite3_changes(connection->db) == rows)
		*more = true;
	return status;
}

enum status sqlite_clear_stage(
	struct store *store, size_t rows, bool *more, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), DOING, failure);

	*more = false;
	if (status == STATUS_OK)
		status = clear_some(connection, SQL_CLEAR_SOME_RETRAINED_NEXT, rows, more, failure);
	if (status == STATUS_OK)
		status = clear_some(connection, SQL_CLEAR_SOME_TOKENS_NEXT, rows, more, failure);
	return sqlite_finish(connection, status, DOING, failure);
}

enum status sqlite_forget_stage(struct connection *connection, struct failure *failure)
{
	enum status status = sqlite_run(
		connection, sqlite_statement(connection, SQL_CLEAR_RETRAINED_NEXT), DOING, failure);

	if (status == STATUS_OK)
		status = sqlite_run(connection, sqlite_statement(connection, SQL_CLEAR_TOKENS_NEXT),
			DOING, failure);
	return status;
}

enum status sqlite_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), DOING, failure);

	if (status == STATUS_OK)
		status = put_piece(connection, piece, failure);
	return sqlite_finish(connection, status, DOING, failure);
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

enum status sqlite_adopt(
	struct store *store, const struct store_generation *generation, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), DOING, failure);

	if (status == STATUS_OK)
		status = sqlite_check_seq(connection, generation->checkpoint.seq, failure);
	if (status == STATUS_OK)
		status = put_piece(connection, &generation->rest, failure);
	if (status == STATUS_OK)
		status = exchange_tables(connection, failure);
	if (status == STATUS_OK)
		status = replace_entries(connection, generation, failure);
	if (status == STATUS_OK)
		status = sqlite_put_checkpoint(connection, &generation->checkpoint, failure);
	return sqlite_finish(connection, status, DOING, failure);
}

/* Neither DELETE nor DROP gets past a page that is unreadable: the table's name is taken
 * away, its pages are left to the next store_compact. */
static enum status abandon_tokens(struct connection *connection, struct failure *failure)
{
	static const char sql[] =
		"PRAGMA writable_schema = ON;"
		"DELETE FROM sqlite_schema WHERE name = 'token';"
		"PRAGMA writable_schema = RESET;"
		"CREATE TABLE token (key INTEGER PRIMARY KEY, sum INTEGER NOT NULL, "
		"gain INTEGER NOT NULL);";

	return sqlite_execute_alone(connection, sql, "writing tokens to", failure);
}

enum status sqlite_replace_tokens(struct store *store, bool readable,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	static const char doing[] = "writing tokens to";
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), doing, failure);

	if (status == STATUS_OK)
		status = sqlite_check_seq(connection, checkpoint->seq, failure);
	if (status == STATUS_OK)
		status = readable ? sqlite_execute(connection, "DELETE FROM token", doing, failure)
				  : abandon_tokens(connection, failure);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = sqlite_write_token(connection, false, &tokens[i], failure);
	if (status == STATUS_OK)
		status = sqlite_put_checkpoint(connection, checkpoint, failure);
	return sqlite_finish(connection, status, doing, failure);
}
