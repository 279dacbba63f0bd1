/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: a generation takes the place of the global rows. */
#include "engine/store/sqlite.h"

static const char DOING[] = "adopting a generation in";

static enum status put_retrained(struct connection *connection,
	const struct store_retrained *report, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_PUT_RETRAINED);

	if (row) {
		sqlite3_bind_int64(row, 1, report->seq);
		sqlite3_bind_double(row, 2, report->margin);
		sqlite_bind_contribution(row, 3, &report->global);
	}
	return sqlite_run(connection, row, DOING, failure);
}

static enum status replace_reports(struct connection *connection,
	const struct store_generation *generation, struct failure *failure)
{
	enum status status = sqlite_run(
		connection, sqlite_statement(connection, SQL_CLEAR_RETRAINED), DOING, failure);

	for (size_t i = 0; i < generation->report_count && status == STATUS_OK; i++)
		status = put_retrained(connection, &generation->reports[i], failure);
	return status;
}

static enum status replace_tokens(struct connection *connection,
	const struct store_generation *generation, struct failure *failure)
{
	enum status status = sqlite_run(
		connection, sqlite_statement(connection, SQL_CLEAR_TOKENS), DOING, failure);

	for (size_t i = 0; i < generation->token_count && status == STATUS_OK; i++)
		status = sqlite_write_token(connection, &generation->tokens[i], failure);
	return status;
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

enum status sqlite_adopt(struct store *store, const struct store_generation *generation,
	struct failure *failure)
{
	struct connection *connection = &((struct sqlite_store *)store)->connection;
	enum status status =
		sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN), DOING, failure);

	if (status == STATUS_OK)
		status = sqlite_check_seq(connection, generation->checkpoint.seq, failure);
	if (status == STATUS_OK)
		status = replace_reports(connection, generation, failure);
	if (status == STATUS_OK)
		status = replace_tokens(connection, generation, failure);
	if (status == STATUS_OK)
		status = replace_entries(connection, generation, failure);
	if (status == STATUS_OK)
		status = sqlite_put_checkpoint(connection, &generation->checkpoint, failure);
	return sqlite_finish(connection, status, DOING, failure);
}
