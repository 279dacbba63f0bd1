/* The SQLite driver: reports, entries and users are taken out.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/store/sqlite/sqlite.h"

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
	enum status status = sqlite_forget_former(connection, failure);

	if (status == STATUS_OK)
		status = removal->kind == REMOVE_SHARED ? take_shared(connection, removal, failure)
			: removal->kind == REMOVE_USER  ? take_user(connection, removal, failure)
							: take_old(connection, removal, failure);
	return status;
}
