/* The SQLite driver: what readers do.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/store/pack.h"
#include "engine/store/sqlite/sqlite.h"

static double number_column(sqlite3_stmt *row, int column)
{
	return (double)sqlite3_column_int64(row, column) * STORE_UNIT;
}

static struct contribution read_contribution(sqlite3_stmt *row, int column)
{
	return (struct contribution){
		.head_sum = number_column(row, column),
		.head_gain = number_column(row, column + 1),
		.body_sum = number_column(row, column + 2),
		.body_gain = number_column(row, column + 3),
		.bias_sum = number_column(row, column + 4),
		.bias_gain = number_column(row, column + 5),
	};
}

static enum status damaged(
	const struct connection *connection, const struct report *report, struct failure *failure)
{
	return failure_set(failure, STATUS_CORRUPT,
		"reading %s: report %lld is damaged: " SQLITE_DAMAGED, connection->path,
		(long long)report->seq);
}

static enum status read_report(struct connection *connection, sqlite3_stmt *row, const char *user,
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

/* Hands the rows of a report statement to the caller. Without a user in the selection the
 * name is in the row's last column. */
static enum status walk_reports(struct connection *connection, sqlite3_stmt *row,
	const struct store_selection *selection, store_report_fn *each, void *context,
	struct failure *failure)
{
	struct room room;
	enum status status = STATUS_OK;
	int code = SQLITE_DONE;

	while (status == STATUS_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		const char *name = selection->user ? selection->user : read_user(row, room.user);
		struct report report;

		status = read_report(connection, row, name, &report, failure);
		if (status == STATUS_OK && !selection->headers)
			status = read_tokens(connection, row, &report, room.keys, failure);
		if (status == STATUS_OK)
			status = each(context, &report);
	}
	if (status == STATUS_OK && code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

static enum status walk_counting_of_user(struct connection *connection,
	const struct store_selection *selection, store_report_fn *each, void *context,
	struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_USER_REPORTS);
	const char *user = selection->user;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, user, (int)strlen(user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, sqlite_count(selection->limit));
	sqlite3_bind_int64(row, 3, selection->after);
	return walk_reports(connection, row, selection, each, context, failure);
}

/* Of all users. */
static enum status walk_all(struct connection *connection, enum sqlite_statement which,
	const struct store_selection *selection, store_report_fn *each, void *context,
	struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, which);

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_int64(row, 1, selection->after);
	sqlite3_bind_int64(row, 2, sqlite_count(selection->limit));
	return walk_reports(connection, row, selection, each, context, failure);
}

/* Reports of one user: `limit` is how many are left to be given. */
struct journal_walk {
	struct store_selection selection;
	store_report_fn *each;
	void *context;
};

static enum status count_report(void *context, const struct report *report)
{
	struct journal_walk *walk = context;

	walk->selection.limit--;
	return walk->each(walk->context, report);
}

static enum status walk_journal(struct connection *connection, enum sqlite_statement which,
	int64_t until, struct journal_walk *walk, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, which);
	const struct store_selection *selection = &walk->selection;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, selection->user, (int)strlen(selection->user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, selection->after);
	sqlite3_bind_int64(row, 3, sqlite_count(selection->limit));
	if (which == SQL_JOURNAL_NEAR)
		sqlite3_bind_int64(row, 4, until);
	return walk_reports(connection, row, selection, count_report, walk, failure);
}

/* Few reports of one who reports much are near: among the next rows of the journal,
 * NEAR for each that is wanted. Where they are not, the index is asked, which has to
 * look at all entries of the user. */
enum { NEAR = 10, NEAR_MOST = 10000 };

static enum status walk_all_of_user(struct connection *connection,
	const struct store_selection *selection, store_report_fn *each, void *context,
	struct failure *failure)
{
	struct journal_walk walk = {.selection = *selection, .each = each, .context = context};
	size_t limit = selection->limit;
	enum status status = STATUS_OK;

	if (limit <= NEAR_MOST && selection->after < INT64_MAX - NEAR * NEAR_MOST) {
		int64_t until = selection->after + NEAR * (int64_t)limit;
		status = walk_journal(connection, SQL_JOURNAL_NEAR, until, &walk, failure);
		walk.selection.after = until;
	}
	return status == STATUS_OK && walk.selection.limit > 0
		? walk_journal(connection, SQL_JOURNAL, 0, &walk, failure)
		: status;
}

enum status sqlite_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);

	if (selection->user && selection->counting)
		return walk_counting_of_user(connection, selection, each, context, failure);
	if (selection->user)
		return walk_all_of_user(connection, selection, each, context, failure);
	return walk_all(connection, selection->counting ? SQL_COUNTING_REPORTS : SQL_REPORTS_AFTER,
		selection, each, context, failure);
}

static enum status find_one(
	struct connection *connection, struct store_lookup *lookup, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_FIND_REPORT);
	enum status status = STATUS_OK;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, lookup->user, (int)strlen(lookup->user), SQLITE_STATIC);
	sqlite3_bind_int64(row, 2, (int64_t)lookup->message);
	sqlite3_bind_int64(row, 3, lookup->before);
	int code = sqlite3_step(row);
	lookup->found = code == SQLITE_ROW;
	if (lookup->found)
		status = read_report(connection, row, lookup->user, &lookup->report, failure);
	else if (code != SQLITE_DONE)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}

enum status sqlite_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure)
{
	struct failure found = {0};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		status = find_one(connection_of(reader), &lookups[i], &found);
		if (status == STATUS_CORRUPT) {
			lookups[i].failure = found;
			status = STATUS_OK;
		}
	}
	return status == STATUS_OK ? status : failure_set(failure, status, "%s", found.detail);
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

static enum status read_checkpoint(
	struct connection *connection, struct store_checkpoint *checkpoint, struct failure *failure)
{
	struct sqlite_checkpoint row;
	enum status status = sqlite_get_checkpoint(connection, &row, failure);

	*checkpoint = (struct store_checkpoint){
		.seq = row.seq,
		.bias_sum = (double)row.bias_sum * STORE_UNIT,
		.bias_gain = (double)row.bias_gain * STORE_UNIT,
	};
	memcpy(checkpoint->ahead, row.ahead, sizeof(row.ahead));
	return status;
}

static enum status walk_tokens(
	struct connection *connection, store_token_fn *each, void *context, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, SQL_TOKENS);
	enum status status = STATUS_OK;
	int code = SQLITE_DONE;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	while (status == STATUS_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct store_token token = {.key = (uint64_t)sqlite3_column_int64(row, 0),
			.sum = number_column(row, 1),
			.gain = number_column(row, 2)};
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

/* Both in one transaction, and so of one state. */
enum status sqlite_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	enum status status = each
		? sqlite_run(connection, sqlite_statement(connection, SQL_BEGIN_READING), "reading",
			  failure)
		: STATUS_OK;

	if (status != STATUS_OK)
		return status;
	status = read_checkpoint(connection, checkpoint, failure);
	if (!each)
		return status;
	if (status == STATUS_OK)
		status = walk_tokens(connection, each, context, failure);
	return sqlite_finish(connection, status, "reading", failure);
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

/* Columns of the one row of a statement; no row leaves zeroes. */
static enum status read_columns(struct connection *connection, enum sqlite_statement which,
	int64_t *const *columns, int count, struct failure *failure)
{
	sqlite3_stmt *row = sqlite_statement(connection, which);
	int code = row ? sqlite3_step(row) : SQLITE_ERROR;
	enum status status = STATUS_OK;

	if (code == SQLITE_ROW) {
		for (int i = 0; i < count; i++)
			*columns[i] = sqlite3_column_int64(row, i);
	} else if (code != SQLITE_DONE) {
		status = sqlite_failure(connection, "reading", failure);
	}
	if (row)
		sqlite3_reset(row);
	return status;
}

static enum status read_size(
	struct connection *connection, struct store_stats *stats, struct failure *failure)
{
	struct sqlite_pages pages;
	char log[4096];
	struct stat file;
	enum status status = sqlite_read_pages(connection, &pages, failure);

	if (status != STATUS_OK)
		return status;
	stats->bytes = pages.count * pages.size;
	stats->free = pages.free * pages.size;
	sqlite3_snprintf(sizeof(log), log, "%s-wal", connection->path);
	if (stat(log, &file) == 0)
		stats->log = file.st_size;
	return STATUS_OK;
}

enum status sqlite_read_stats(
	struct store_reader *reader, bool count, struct store_stats *stats, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	int64_t *const span[] = {&stats->first_seq, &stats->last_seq, &stats->last_time};
	int64_t *const given[] = {&stats->given};
	int64_t *const counts[] = {&stats->reports, &stats->users, &stats->tokens};
	enum status status = read_size(connection, stats, failure);

	if (status == STATUS_OK)
		status = read_columns(connection, SQL_SPAN, span, 3, failure);
	if (status == STATUS_OK)
		status = read_columns(connection, SQL_LAST_REPORT, given, 1, failure);
	return status == STATUS_OK && count
		? read_columns(connection, SQL_COUNTS, counts, 3, failure)
		: status;
}

enum status sqlite_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure)
{
	struct connection *connection = connection_of(reader);
	sqlite3_stmt *row = sqlite_statement(connection, SQL_USERS);
	char name[STORE_MAX_USER + 1];
	int64_t left = sqlite_count(rows);
	enum status status = STATUS_OK;
	int code = SQLITE_ROW;

	if (!row)
		return sqlite_failure(connection, "reading", failure);
	sqlite3_bind_blob(row, 1, after, (int)strlen(after), SQLITE_STATIC);
	while (status == STATUS_OK && left > 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct store_user user = {.name = name,
			.reports = sqlite3_column_int64(row, 1),
			.last_time = sqlite3_column_int64(row, 2)};
		status = sqlite_copy_name(row, name)
			? each(context, &user)
			: failure_set(failure, STATUS_CORRUPT, "reading %s: a user is damaged",
				  connection->path);
		left -= user.reports > 0 ? user.reports : 1;
	}
	if (status == STATUS_OK && code != SQLITE_DONE && code != SQLITE_ROW)
		status = sqlite_failure(connection, "reading", failure);
	sqlite3_reset(row);
	return status;
}
