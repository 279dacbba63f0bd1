/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: what readers do. */
#include <stddef.h>
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

static enum status damaged(
	const struct connection *connection, const struct report *report, struct failure *failure)
{
	return failure_set(failure, STATUS_CORRUPT,
		"reading %s: report %lld is damaged: " SQLITE_DAMAGED, connection->path,
		(long long)report->seq);
}

enum status sqlite_read_report(struct connection *connection, sqlite3_stmt *row, const char *user,
	struct report *report, struct failure *failure)
{
	*report = (struct report){
		.seq = sqlite3_column_int64(row, 0),
		.user = user,
		.time = sqlite3_column_int64(row, 1),
		.message = (uint64_t)sqlite3_column_int64(row, 2),
		.label = (enum label)sqlite3_column_int(row, 3),
		.flags = (unsigned)sqlite3_column_int(row, 4),
		.margin = sqlite3_column_double(row, 5),
		.global = read_contribution(row, 6),
		.undone = read_contribution(row, 12),
		.sender = (uint64_t)sqlite3_column_int64(row, 18),
		.list = (uint64_t)sqlite3_column_int64(row, 19),
		.retrained = sqlite3_column_int(row, 20) != 0,
	};
	if (store_check_report(report, NULL) != STATUS_OK)
		return damaged(connection, report, failure);
	return STATUS_OK;
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
			status = failure_set(
				failure, STATUS_LIMIT, "value %s has %zu bytes", name, found);
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

/* What a row unpacks to. */
struct room {
	char user[STORE_MAX_USER + 1];
	uint64_t keys[STORE_MAX_TOKENS];
};

static enum status read_tokens(struct connection *connection, sqlite3_stmt *row,
	struct report *report, uint64_t *keys, struct failure *failure)
{
	const unsigned char *packed = sqlite3_column_blob(row, SQLITE_REPORT_WIDTH);
	size_t size = (size_t)sqlite3_column_bytes(row, SQLITE_REPORT_WIDTH);

	report->keys = keys;
	if (packed && pack_read(packed, size, keys, STORE_MAX_TOKENS, &report->count) != STATUS_OK)
		return damaged(connection, report, failure);
	if (store_check_report(report, NULL) != STATUS_OK)
		return damaged(connection, report, failure);
	return STATUS_OK;
}

/* The name in the row's last column; NULL when there is none, which is damage. */
static const char *read_user(sqlite3_stmt *row, char *name)
{
	const void *bytes = sqlite3_column_blob(row, SQLITE_REPORT_WIDTH + 1);
	size_t length = (size_t)sqlite3_column_bytes(row, SQLITE_REPORT_WIDTH + 1);

	if (sqlite3_column_type(row, SQLITE_REPORT_WIDTH + 1) == SQLITE_NULL ||
		length > STORE_MAX_USER)
		return NULL;
	if (length > 0)
		memcpy(name, bytes, length);
	name[length] = '\0';
	return name;
}

/* Hands the rows of a report statement to the caller. `user` NULL = the row's
 * last column. */
static enum status walk_reports(struct connection *connection, sqlite3_stmt *row, const char *user,
	store_report_fn *each, void *context, struct failure *failure)
{
	struct room room;
	enum status status = STATUS_OK;
	int code = SQLITE_DONE;

	while (status == STATUS_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		const char *name = user ? user : read_user(row, room.user);
		struct report report;

		status = sqlite_read_report(connection, row, name, &report, failure);
		if (status == STATUS_OK)
			status = read_tokens(connection, row, &report, room.keys, failure);
		if (status == STATUS_OK)
			status = each(context, &report);
	}
	if (status == STATUS_OK && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
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
	sqlite3_bind_int64(row, 2, sqlite_count(limit));
	return walk_reports(connection, row, user, each, context, failure);
}

enum status sqlite_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_REPORTS_AFTER);

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_int64(row, 1, after);
	return walk_reports(connection, row, NULL, each, context, failure);
}

enum status sqlite_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_COUNTING_REPORTS);

	return row ? walk_reports(connection, row, NULL, each, context, failure)
		   : sqlite_failure(connection, "reading", failure);
}

/* Reports of one user, as many as are left to be given. */
struct journal_walk {
	const char *user;
	size_t left;
	store_report_fn *each;
	void *context;
};

static enum status count_report(void *context, const struct report *report)
{
	struct journal_walk *walk = context;

	walk->left--;
	return walk->each(walk->context, report);
}

static enum status walk_journal(struct connection *connection, enum sqlite_statement which,
	int64_t after, int64_t until, struct journal_walk *walk, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, which);

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, walk->user, (int)strlen(walk->user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, after);
	sqlite3_bind_int64(row, 3, sqlite_count(walk->left));
	if (which == SQL_JOURNAL_NEAR)
		sqlite3_bind_int64(row, 4, until);
	return walk_reports(connection, row, walk->user, count_report, walk, failure);
}

/* Few reports of one who reports much are near: among the next rows of the journal,
 * NEAR for each that is wanted. Where they are not, the index is asked, which has to
 * look at all entries of the user. */
enum { NEAR = 10, NEAR_MOST = 10000 };

enum status sqlite_journal(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	struct journal_walk walk = {.user = user, .left = limit, .each = each, .context = context};
	enum status status = STATUS_OK;

	if (limit <= NEAR_MOST && after < INT64_MAX - NEAR * NEAR_MOST) {
		int64_t until = after + NEAR * (int64_t)limit;
		status = walk_journal(connection, SQL_JOURNAL_NEAR, after, until, &walk, failure);
		after = until;
	}
	if (status == STATUS_OK && walk.left > 0)
		status = walk_journal(connection, SQL_JOURNAL, after, 0, &walk, failure);
	return status;
}

enum status sqlite_get_checkpoint(struct connection *connection,
	struct sqlite_checkpoint *checkpoint, struct failure *failure)
{
	size_t size = sizeof(*checkpoint);

	*checkpoint = (struct sqlite_checkpoint){0};
	enum status status = sqlite_get(connection, SQLITE_CHECKPOINT, checkpoint, &size, failure);
	if (status == STATUS_NOTFOUND)
		return STATUS_OK;
	bool whole =
		size == sizeof(*checkpoint) || size == offsetof(struct sqlite_checkpoint, ahead);
	if (status == STATUS_LIMIT || (status == STATUS_OK && !whole))
		return failure_set(failure, STATUS_CORRUPT, "reading %s: the checkpoint is damaged",
			connection->path);
	return status;
}

enum status sqlite_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure)
{
	struct sqlite_checkpoint row;
	enum status status = sqlite_get_checkpoint(connection_of(reader), &row, failure);

	*checkpoint = (struct store_checkpoint){
		.seq = row.seq,
		.bias_sum = (double)row.bias_sum * STORE_UNIT,
		.bias_gain = (double)row.bias_gain * STORE_UNIT,
	};
	memcpy(checkpoint->ahead, row.ahead, sizeof(row.ahead));
	return status;
}

enum status sqlite_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure)
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
		status = store_is_token(&token) && token.gain > 0
			? each(context, &token)
			: failure_set(failure, STATUS_CORRUPT, "reading %s: token %lld is damaged",
				  connection->path, (long long)token.key);
	}
	if (status == STATUS_OK && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_read_number(
	struct connection *connection, const char *sql, int64_t *value, struct failure *failure)
{
	sqlite3_stmt *row = NULL;
	enum status status = STATUS_OK;

	if (sqlite3_prepare_v2(connection->db, sql, -1, &row, NULL) != SQLITE_OK ||
		sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	else
		*value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return status;
}

enum status sqlite_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_STATS);
	struct store_size size = {0};
	enum status status = sqlite_read_size(reader, &size, failure);

	if (status == STATUS_OK && (!row || sqlite3_step(row) != SQLITE_ROW)) {
		status = sqlite_failure(connection, "reading", failure);
	} else if (status == STATUS_OK) {
		*stats = (struct store_stats){
			.reports = sqlite3_column_int64(row, 0),
			.users = sqlite3_column_int64(row, 1),
			.tokens = sqlite3_column_int64(row, 2),
			.last_seq = sqlite3_column_int64(row, 3),
			.bytes = size.bytes + size.log,
		};
	}
	if (row)
		sqlite3_reset(row);
	return status;
}
