/* The SQLite driver: entries, and whether a user shares.
 * SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "engine/store/sqlite/sqlite.h"

static void bind_bytes(sqlite3_stmt *statement, int at, const char *text)
{
	sqlite3_bind_blob(statement, at, text, (int)strlen(text), SQLITE_STATIC);
}

enum status sqlite_write_entry(
	struct connection *connection, const struct store_entry *entry, struct failure *failure)
{
	sqlite3_stmt *write =
		sqlite_statement(connection, entry->value ? SQL_PUT_ENTRY : SQL_DELETE_ENTRY);

	if (write) {
		bind_bytes(write, 1, entry->scope);
		sqlite3_bind_int(write, 2, entry->kind);
		bind_bytes(write, 3, entry->name);
		if (entry->value) {
			bind_bytes(write, 4, entry->value);
			sqlite3_bind_int64(write, 5, entry->time);
		}
	}
	return sqlite_run(connection, write, "writing entries to", failure);
}

enum status sqlite_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_reader *)reader)->connection;
	sqlite3_stmt *row = sqlite_statement(connection, SQL_ENTRIES);
	char name[STORE_MAX_NAME + 1], value[STORE_MAX_VALUE + 1];
	enum status status = STATUS_OK;
	int code = SQLITE_DONE;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	bind_bytes(row, 1, scope);
	sqlite3_bind_int(row, 2, kind);
	sqlite3_bind_int(row, 3, kind ? kind : INT_MAX);
	while (status == STATUS_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct store_entry entry = {.scope = scope,
			.kind = sqlite3_column_int(row, 0),
			.name = name,
			.value = value,
			.time = sqlite3_column_int64(row, 3)};
		status = sqlite_copy_column(row, 1, name, STORE_MAX_NAME) &&
				sqlite_copy_column(row, 2, value, STORE_MAX_VALUE)
			? each(context, &entry)
			: failure_set(failure, STATUS_CORRUPT, "reading %s: an entry is damaged",
				  connection->path);
	}
	if (status == STATUS_OK && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_reader *)reader)->connection;
	sqlite3_stmt *row = sqlite_statement(connection, SQL_SHARES);
	enum status status = STATUS_OK;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	bind_bytes(row, 1, user);
	if (sqlite3_step(row) == SQLITE_ROW)
		*shares = sqlite3_column_int(row, 0) != 0;
	else
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_next_scope(struct store_reader *reader, char *scope, struct failure *failure)
{
	struct connection *connection = &((struct sqlite_reader *)reader)->connection;
	sqlite3_stmt *row = sqlite_statement(connection, SQL_NEXT_SCOPE);
	char next[STORE_MAX_USER + 1];
	enum status status = STATUS_OK;

	if (row)
		bind_bytes(row, 1, scope);
	if (!row || sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	else if (!sqlite_copy_name(row, next))
		status = failure_set(failure, STATUS_CORRUPT, "reading %s: an entry is damaged",
			connection->path);
	else
		strcpy(scope, next);
	if (row)
		sqlite3_reset(row);
	return status;
}
