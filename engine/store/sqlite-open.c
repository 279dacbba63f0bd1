/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The SQLite driver: opening, locking, migrating. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/store/migrations.h"
#include "engine/store/sqlite.h"

/* "HMLT": tells our databases from others, also to file(1). */
enum { APPLICATION_ID = 0x484D4C54 };

/* Before anything is written: pages of 8 KiB hold three reports each. */
static const char BEFORE_CREATION[] = "PRAGMA page_size = 8192";

/* FULL: acknowledged means on disk. secure_delete: erased means gone. The WAL is
 * moved into the database every 8 MiB and cut back to that. */
static const char WRITER_SETUP[] = "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA secure_delete = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA wal_autocheckpoint = 1000;"
				   "PRAGMA journal_size_limit = 8388608;"
				   "PRAGMA cache_size = -32768;";

static const char READER_SETUP[] = "PRAGMA trusted_schema = OFF;"
				   "PRAGMA query_only = ON;"
				   "PRAGMA cache_size = -4096;";

enum { BUSY_MILLISECONDS = 5000 }; /* readers alone: WAL recovery by another one */

static enum status execute(
	struct connection *connection, const char *sql, const char *doing, struct failure *failure)
{
	if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_failure(connection, doing, failure);
	return STATUS_OK;
}

void sqlite_close_connection(struct connection *connection)
{
	for (size_t i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(connection->statements[i]);
	sqlite3_close(connection->db);
	*connection = (struct connection){0};
}

/* file:PATH?immutable=1 with what a URI would misread escaped. */
static char *immutable_uri(const char *path)
{
	char *uri = malloc(3 * strlen(path) + 32);
	char *out = uri;

	if (!uri)
		return NULL;
	out += sprintf(out, "file:");
	for (; *path; path++)
		out += strchr("?#%", *path) ? sprintf(out, "%%%02X", (unsigned char)*path)
					    : sprintf(out, "%c", *path);
	sprintf(out, "?immutable=1");
	return uri;
}

enum status sqlite_open_connection(struct connection *connection, const char *path, int flags,
	bool immutable, struct failure *failure)
{
	char *uri = immutable ? immutable_uri(path) : NULL;
	enum status status = STATUS_OK;

	*connection = (struct connection){.path = path};
	if (immutable && !uri)
		return failure_set(failure, STATUS_NOMEM, "opening %s: out of memory", path);
	if (sqlite3_open_v2(immutable ? uri : path, &connection->db,
		    flags | SQLITE_OPEN_NOMUTEX | (immutable ? SQLITE_OPEN_URI : 0), NULL) != SQLITE_OK)
		status = sqlite_failure(connection, "opening", failure);
	if (status == STATUS_OK) {
		sqlite3_busy_timeout(connection->db, BUSY_MILLISECONDS);
		if (flags & SQLITE_OPEN_READONLY)
			status = execute(connection, READER_SETUP, "opening", failure);
	}
	if (status != STATUS_OK)
		sqlite_close_connection(connection);
	free(uri);
	return status;
}

/* A lock of its own and not SQLite's: it is held as long as the store is open,
 * and the kernel lets go of it with the process, however that ends. */
static enum status take_lock(struct sqlite_store *store, struct failure *failure)
{
	char path[4096], holder[32] = "";

	if ((size_t)snprintf(path, sizeof(path), "%s-lock", store->path) >= sizeof(path))
		return failure_set(failure, STATUS_INVALID, "path of the database is too long");
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock < 0)
		return failure_set(failure, errno == EROFS || errno == EACCES ? STATUS_READONLY : STATUS_IO,
			"opening %s: %s", path, strerror(errno));
	if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
		ssize_t length = read(store->lock, holder, sizeof(holder) - 1);
		holder[length > 0 ? length : 0] = '\0';
		return failure_set(failure, STATUS_BUSY,
			"%s is in use by process %s: stop that one first", store->path,
			*holder ? holder : "(unknown)");
	}
	int length = snprintf(holder, sizeof(holder), "%ld", (long)getpid());
	if (ftruncate(store->lock, 0) != 0 || write(store->lock, holder, (size_t)length) != length) {
		/* The number is a courtesy; a full disk must not stop a start. */
	}
	return STATUS_OK;
}

static enum status read_pragma(
	struct connection *connection, const char *sql, int64_t *value, struct failure *failure)
{
	sqlite3_stmt *row = NULL;
	enum status status = STATUS_OK;

	if (sqlite3_prepare_v2(connection->db, sql, -1, &row, NULL) != SQLITE_OK ||
		sqlite3_step(row) != SQLITE_ROW)
		status = sqlite_failure(connection, "opening", failure);
	else
		*value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return status;
}

/* Which schema the database has; refuses what is not ours or is newer. */
static enum status check_version(
	struct connection *connection, int64_t *version, struct failure *failure)
{
	int64_t application = 0, tables = 0;
	enum status status =
		read_pragma(connection, "PRAGMA user_version", version, failure);

	if (status == STATUS_OK)
		status = read_pragma(connection, "PRAGMA application_id", &application, failure);
	if (status == STATUS_OK)
		status = read_pragma(connection,
			"SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'user', 'journal', "
			"'journal_user', 'token')",
			&tables, failure);
	if (status != STATUS_OK)
		return status;
	if (*version > (int64_t)migrations_count)
		return failure_set(failure, STATUS_NEWER,
			"%s has schema %lld, this program knows up to %zu: install the newer version",
			connection->path, (long long)*version, migrations_count);
	if ((*version == 0) != (tables == 0) || (*version > 0 && application != APPLICATION_ID) ||
		(*version > 0 && tables != 5))
		return failure_set(failure, STATUS_CORRUPT,
			"%s is not a Hamlet database, or is damaged: restore it from a backup",
			connection->path);
	return STATUS_OK;
}

static enum status migrate(struct connection *connection, int64_t version, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = (size_t)version; i < migrations_count && status == STATUS_OK; i++) {
		char finish[128];

		snprintf(finish, sizeof(finish),
			"PRAGMA application_id = %d; PRAGMA user_version = %zu; COMMIT",
			APPLICATION_ID, i + 1);
		status = execute(connection, "BEGIN IMMEDIATE", "migrating", failure);
		if (status == STATUS_OK)
			status = execute(connection, migrations[i], "migrating", failure);
		if (status == STATUS_OK)
			status = execute(connection, finish, "migrating", failure);
		if (status != STATUS_OK && connection->db && !sqlite3_get_autocommit(connection->db))
			execute(connection, "ROLLBACK", "migrating", NULL);
	}
	return status;
}

static enum status open_writer(struct sqlite_store *store, struct failure *failure)
{
	struct connection *connection = &store->connection;
	int64_t version = 0;
	enum status status = take_lock(store, failure);

	if (status != STATUS_OK)
		return status;
	/* Made before SQLite would, so that nobody else can read it, ever. */
	int file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return failure_set(failure,
			errno == EROFS || errno == EACCES ? STATUS_READONLY : STATUS_IO, "opening %s: %s",
			store->path, strerror(errno));
	close(file);
	status = sqlite_open_connection(
		connection, store->path, SQLITE_OPEN_READWRITE, false, failure);
	if (status == STATUS_OK)
		status = execute(connection, BEFORE_CREATION, "opening", failure);
	if (status == STATUS_OK)
		status = check_version(connection, &version, failure);
	if (status == STATUS_OK)
		status = execute(connection, WRITER_SETUP, "opening", failure);
	if (status == STATUS_OK)
		status = migrate(connection, version, failure);
	store->writable = status == STATUS_OK;
	return status;
}

/* For a medium or file that cannot be written: scoring goes on. */
static enum status open_readonly(struct sqlite_store *store, struct failure *failure)
{
	int64_t version = 0;
	enum status status = STATUS_OK;

	for (int immutable = 0; immutable < 2; immutable++) {
		sqlite_close_connection(&store->connection);
		store->immutable = immutable;
		status = sqlite_open_connection(&store->connection, store->path,
			SQLITE_OPEN_READONLY, store->immutable, failure);
		if (status == STATUS_OK)
			status = check_version(&store->connection, &version, failure);
		if (status == STATUS_OK || status == STATUS_NEWER || status == STATUS_CORRUPT)
			break;
	}
	if (status == STATUS_OK && version == 0)
		status = failure_set(failure, STATUS_READONLY, "%s is empty and cannot be written",
			store->path);
	return status;
}

enum status store_open_sqlite(struct store **result, const char *path, struct failure *failure)
{
	struct sqlite_store *store = calloc(1, sizeof(*store));
	struct failure first = {0};

	*result = NULL;
	if (!store || !(store->path = strdup(path))) {
		free(store);
		return failure_set(failure, STATUS_NOMEM, "opening %s: out of memory", path);
	}
	store->store.driver = &sqlite_driver;
	store->lock = -1;
	enum status status = open_writer(store, &first);
	if (status == STATUS_READONLY && access(path, R_OK) == 0)
		status = open_readonly(store, &first);
	if (status == STATUS_OK) {
		*result = &store->store;
	} else {
		failure_set(failure, status, "%s", first.detail);
		store->store.driver->close(&store->store);
	}
	return status;
}
