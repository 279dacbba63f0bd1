/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: what readers do. */
#include <stdlib.h>
#include <string.h>

#include "engine/store/pack.h"
#include "engine/store/sqlite.h"

static double number(sqlite3_stmt *row, int column)
{
	return (double)sqlite3_column_int64(row, column) * STORE_UNIT;
}

static struct contribution read_contribution(sqlite3_stmt *row, int column)
{
	return (struct contribution){
		.head_sum = number(row, column),
		.head_gain = number(row, column + 1),
		.body_sum = number(row, column + 2),
		.body_gain = number(row, column + 3),
		.bias_sum = number(row, column + 4),
		.bias_gain = number(row, column + 5),
	};
}

void sqlite_read_report(sqlite3_stmt *row, struct report *report)
{
	*report = (struct report){
		.seq = sqlite3_column_int64(row, 0),
		.time = sqlite3_column_int64(row, 1),
		.message = (uint64_t)sqlite3_column_int64(row, 2),
		.label = (enum label)sqlite3_column_int(row, 3),
		.flags = (unsigned)sqlite3_column_int(row, 4),
		.margin = sqlite3_column_double(row, 5),
		.global = read_contribution(row, 6),
		.undone = read_contribution(row, 12),
	};
}

enum status sqlite_reader_open(
	struct store *store, struct store_reader **result, struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	struct sqlite_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return failure_set(failure, STATUS_NOMEM, "opening a reader: out of memory");
	enum status status = sqlite_open_connection(&reader->connection, sqlite->path,
		SQLITE_OPEN_READONLY, sqlite->immutable, failure);
	if (status != STATUS_OK) {
		free(reader);
		return status;
	}
	reader->reader.driver = store->driver;
	*result = &reader->reader;
	return STATUS_OK;
}

void sqlite_reader_close(struct store_reader *reader)
{
	sqlite_close_connection(&((struct sqlite_reader *)reader)->connection);
	free(reader);
}

static struct connection *connection_of(struct store_reader *reader)
{
	return &((struct sqlite_reader *)reader)->connection;
}

enum status sqlite_get(struct connection *connection, const char *name, void *value, size_t *size,
	struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_GET_VALUE);
	enum status status = STATUS_OK;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
	int code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		size_t found = (size_t)sqlite3_column_bytes(row, 0);
		if (found > *size)
			status = failure_set(failure, STATUS_LIMIT, "value %s has %zu bytes", name, found);
		else if (found > 0)
			memcpy(value, sqlite3_column_blob(row, 0), found);
		*size = found;
	} else if (code == SQLITE_DONE) {
		status = failure_set(failure, STATUS_NOTFOUND, "no value %s", name);
	} else {
		status = sqlite_failure(connection, "reading", failure);
	}
	sqlite3_reset(row);
	return status;
}

enum status sqlite_reader_get(struct store_reader *reader, const char *name, void *value,
	size_t *size, struct failure *failure)
{
	return sqlite_get(connection_of(reader), name, value, size, failure);
}

/* Hands the rows of a report statement to the caller. `user` NULL = the row's
 * last column. */
static enum status walk_reports(struct connection *connection, sqlite3_stmt *row, const char *user,
	store_report_fn *each, void *context, struct failure *failure)
{
	uint64_t keys[STORE_MAX_TOKENS];
	char name[STORE_MAX_USER + 1];
	enum status status = STATUS_OK;
	int code;

	while (status == STATUS_OK && (code = sqlite3_step(row)) != SQLITE_DONE) {
		struct report report;

		if (code != SQLITE_ROW) {
			status = sqlite_failure(connection, "reading", failure);
			break;
		}
		sqlite_read_report(row, &report);
		const unsigned char *packed = sqlite3_column_blob(row, SQLITE_REPORT_WIDTH);
		size_t size = (size_t)sqlite3_column_bytes(row, SQLITE_REPORT_WIDTH);
		if (packed && pack_read(packed, size, keys, STORE_MAX_TOKENS, &report.count) != STATUS_OK) {
			status = failure_set(failure, STATUS_CORRUPT,
				"reading %s: tokens of report %lld are damaged", connection->path,
				(long long)report.seq);
			break;
		}
		if (!user) {
			size_t length = (size_t)sqlite3_column_bytes(row, SQLITE_REPORT_WIDTH + 1);
			const void *bytes = sqlite3_column_blob(row, SQLITE_REPORT_WIDTH + 1);
			length = length > STORE_MAX_USER ? STORE_MAX_USER : length;
			if (length > 0)
				memcpy(name, bytes, length);
			name[length] = '\0';
		}
		report.user = user ? user : name;
		report.keys = keys;
		status = each(context, &report);
	}
	sqlite3_reset(row);
	return status;
}

enum status sqlite_user_reports(struct store_reader *reader, const char *user, size_t limit,
	store_report_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_USER_REPORTS);

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, user, (int)strlen(user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, (int64_t)(limit < INT64_MAX ? limit : INT64_MAX));
	return walk_reports(connection, row, user, each, context, failure);
}

enum status sqlite_reports_after(struct store_reader *reader, int64_t after,
	store_report_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_REPORTS_AFTER);

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_int64(row, 1, after);
	return walk_reports(connection, row, NULL, each, context, failure);
}

enum status sqlite_read_checkpoint(struct store_reader *reader,
	struct store_checkpoint *checkpoint, struct failure *failure)
{
	int64_t row[3] = {0};
	size_t size = sizeof(row);
	enum status status = sqlite_get(connection_of(reader), "checkpoint", row, &size, failure);

	if (status != STATUS_OK && status != STATUS_NOTFOUND)
		return status;
	*checkpoint = (struct store_checkpoint){
		.seq = row[0],
		.bias_sum = (double)row[1] * STORE_UNIT,
		.bias_gain = (double)row[2] * STORE_UNIT,
	};
	return STATUS_OK;
}

enum status sqlite_tokens(struct store_reader *reader, store_token_fn *each, void *context,
	struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_TOKENS);
	enum status status = STATUS_OK;
	int code = SQLITE_DONE;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	while (status == STATUS_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct store_token token = {.key = (uint64_t)sqlite3_column_int64(row, 0),
			.sum = number(row, 1),
			.gain = number(row, 2)};
		status = each(context, &token);
	}
	if (status == STATUS_OK && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

static int64_t pragma(struct connection *connection, const char *sql)
{
	sqlite3_stmt *row = NULL;
	int64_t value = 0;

	if (sqlite3_prepare_v2(connection->db, sql, -1, &row, NULL) == SQLITE_OK &&
		sqlite3_step(row) == SQLITE_ROW)
		value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return value;
}

enum status sqlite_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_STATS);
	enum status status = STATUS_OK;

	if (!row || sqlite3_step(row) != SQLITE_ROW) {
		status = sqlite_failure(connection, "reading", failure);
	} else {
		*stats = (struct store_stats){
			.reports = sqlite3_column_int64(row, 0),
			.users = sqlite3_column_int64(row, 1),
			.tokens = sqlite3_column_int64(row, 2),
			.last_seq = sqlite3_column_int64(row, 3),
			.bytes = pragma(connection, "PRAGMA page_count") *
				pragma(connection, "PRAGMA page_size"),
		};
	}
	if (row)
		sqlite3_reset(row);
	return status;
}
