/* The SQLite driver: opening, locking, migrating.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/private-file.h"
#include "engine/store/sqlite/migrations.h"
#include "engine/store/sqlite/sqlite.h"

/* "HMLT": tells our databases from others, also to file(1). */
enum { APPLICATION_ID = 0x484D4C54 };

/* Before anything is written. 5,000 reports of 400 tokens, 1.75 KB each, take
 * 2,089 bytes each on disk with pages of 4 KiB, 2,096 with 8, 1,871 with 16 and
 * 1,809 with 32; commits are as fast with 16 as with 8. Free pages can be given back
 * one by one (store_give_back), without writing all others again. */
static const char BEFORE_CREATION[] = "PRAGMA page_size = 16384;"
				      "PRAGMA auto_vacuum = INCREMENTAL;";

/* FULL: acknowledged means on disk. secure_delete: erased means gone. The WAL is cut back
 * to 8 MiB. */
static const char WRITER_SETUP[] = "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA secure_delete = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA journal_size_limit = 8388608;"
				   "PRAGMA cache_size = -32768;";

static const char READER_SETUP[] = "PRAGMA trusted_schema = OFF;"
				   "PRAGMA query_only = ON;"
				   "PRAGMA cache_size = -4096;";

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
		    flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
			    (immutable ? SQLITE_OPEN_URI : 0),
		    NULL) != SQLITE_OK)
		status = sqlite_failure(connection, "opening", failure);
	if (status == STATUS_OK) {
		sqlite3_busy_timeout(connection->db, SQLITE_BUSY_MILLISECONDS);
		if (flags & SQLITE_OPEN_READONLY)
			status = sqlite_execute(connection, READER_SETUP, "opening", failure);
	}
	if (status != STATUS_OK)
		sqlite_close_connection(connection);
	free(uri);
	return status;
}

/* A lock of its own and not SQLite's: it is held as long as the store is open,
 * and the kernel lets go of it with the process, however that ends. */
static enum status take_writer_lock(struct sqlite_store *store, struct failure *failure)
{
	char path[4096], holder[32] = "";
	struct failure reason;

	if ((size_t)snprintf(path, sizeof(path), "%s-lock", store->path) >= sizeof(path))
		return failure_set(failure, STATUS_INVALID, "path of the database is too long");
	store->lock = private_file_open(path, &reason);
	if (store->lock < 0)
		return failure_set(failure, reason.code, "%s", reason.detail);
	if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return failure_set(
				failure, STATUS_IO, "locking %s: %s", path, strerror(errno));
		ssize_t length = read(store->lock, holder, sizeof(holder) - 1);
		holder[length > 0 ? length : 0] = '\0';
		return failure_set(failure, STATUS_BUSY,
			"%s is in use by process %s: stop that one first", store->path,
			*holder ? holder : "(unknown)");
	}
	int length = snprintf(holder, sizeof(holder), "%ld", (long)getpid());
	if (ftruncate(store->lock, 0) != 0 ||
		write(store->lock, holder, (size_t)length) != length) {
		/* The number is a courtesy; a full disk must not stop a start. */
	}
	return STATUS_OK;
}

/* Whether a database is ours, from what it says of itself. One without a version
 * must be empty: we do not move in with another program. */
static bool is_our_database(int64_t version, int64_t application, int64_t entries, int64_t tables)
{
	if (version == 0)
		return application == 0 && entries == 0;
	return application == APPLICATION_ID && tables == 5;
}

/* Which schema the database has; refuses what is not ours or is newer. */
static enum status check_version(
	struct connection *connection, int64_t *version, struct failure *failure)
{
	static const char *const questions[] = {"PRAGMA user_version", "PRAGMA application_id",
		"SELECT count(*) FROM sqlite_schema",
		"SELECT count(*) FROM sqlite_schema "
		"WHERE name IN ('meta', 'user', 'journal', 'journal_user', 'token')"};
	int64_t answers[4] = {0};

	for (size_t i = 0; i < 4; i++) {
		enum status status =
			sqlite_read_number(connection, questions[i], &answers[i], failure);
		if (status != STATUS_OK)
			return status;
	}
	*version = answers[0];
	if (*version > (int64_t)migrations_count && answers[1] == APPLICATION_ID)
		return failure_set(failure, STATUS_NEWER,
			"%s has schema %lld, this program knows up to %zu: install the newer version",
			connection->path, (long long)*version, migrations_count);
	if (*version < 0 || !is_our_database(*version, answers[1], answers[2], answers[3]))
		return failure_set(failure, STATUS_CORRUPT,
			"%s is not a Hamlet database, or is damaged: " SQLITE_DAMAGED,
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
		status = sqlite_execute(connection, "BEGIN IMMEDIATE", "migrating", failure);
		if (status == STATUS_OK)
			status = sqlite_execute(connection, migrations[i], "migrating", failure);
		if (status == STATUS_OK)
			status = sqlite_execute(connection, finish, "migrating", failure);
		if (status != STATUS_OK && connection->db &&
			!sqlite3_get_autocommit(connection->db))
			sqlite_execute(connection, "ROLLBACK", "migrating", NULL);
	}
	return status;
}

/* Before what cannot be taken back. Without room for a copy it goes on: nothing is lost by
 * a migration. */
static void keep_former(struct sqlite_store *store, int64_t version)
{
	struct store_migration *migration = &store->store.migration;
	struct failure failure = {0};
	char suffix[32];

	if (version == 0 || version >= (int64_t)migrations_count)
		return;
	migration->from = (int)version;
	migration->to = (int)migrations_count;
	snprintf(suffix, sizeof(suffix), "before-%d", migration->to);
	if (sqlite_keep_copy(&store->store, suffix, migration->copy, sizeof(migration->copy),
		    &failure) != STATUS_OK)
		snprintf(migration->reason, sizeof(migration->reason), "%s", failure.detail);
}

/* Instead of PRAGMA wal_autocheckpoint, which keeps to itself how long the log is. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *store = context;

	sqlite_note_log(store, pages);
	if (pages >= store->log_most)
		sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static enum status open_writer(struct sqlite_store *store, struct failure *failure)
{
	struct connection *connection = &store->connection;
	int64_t version = 0;
	struct failure reason;
	enum status status = take_writer_lock(store, failure);

	if (status != STATUS_OK)
		return status;
	/* Made before SQLite would, so that nobody else can read it, ever. */
	int file = private_file_open(store->path, &reason);
	if (file < 0)
		return failure_set(failure, reason.code, "%s", reason.detail);
	close(file);
	status = sqlite_open_connection(
		connection, store->path, SQLITE_OPEN_READWRITE, false, failure);
	if (status == STATUS_OK)
		status = check_version(connection, &version, failure);
	if (status == STATUS_OK && version == 0)
		status = sqlite_execute(connection, BEFORE_CREATION, "opening", failure);
	if (status == STATUS_OK)
		status = sqlite_execute(connection, WRITER_SETUP, "opening", failure);
	if (status == STATUS_OK) {
		sqlite_limit_log(store);
		sqlite3_wal_hook(connection->db, on_commit, store);
		keep_former(store, version);
		status = migrate(connection, version, failure);
	}
	store->store.writable = status == STATUS_OK;
	if (status == STATUS_OK)
		sqlite_open_reserve(store);
	return status;
}

/* Without its WAL a database may lack reports, or be half-way through taking
 * them over: it must not be read as immutable then. */
static bool has_wal(const char *path)
{
	char wal[4096];
	struct stat file;

	return (size_t)snprintf(wal, sizeof(wal), "%s-wal", path) >= sizeof(wal) ||
		(stat(wal, &file) == 0 ? file.st_size > 0 : errno != ENOENT);
}

static enum status try_readonly(
	struct sqlite_store *store, int64_t *version, struct failure *failure)
{
	enum status status = sqlite_open_connection(
		&store->connection, store->path, SQLITE_OPEN_READONLY, store->immutable, failure);

	if (status == STATUS_OK)
		status = check_version(&store->connection, version, failure);
	if (status != STATUS_OK)
		sqlite_close_connection(&store->connection);
	return status;
}

/* For a medium or file that cannot be written: scoring goes on. */
static enum status open_readonly(struct sqlite_store *store, struct failure *failure)
{
	int64_t version = 0;
	enum status status = try_readonly(store, &version, failure);

	if (status == STATUS_IO || status == STATUS_DENIED || status == STATUS_READONLY) {
		if (has_wal(store->path))
			return failure_set(failure, status,
				"%s cannot be written, nor read without writing: its last writer "
				"was killed, so let one that can write open it once",
				store->path);
		store->immutable = true;
		status = try_readonly(store, &version, failure);
	}
	if (status == STATUS_OK && version < (int64_t)migrations_count)
		status = failure_set(failure, STATUS_READONLY,
			"%s is empty or of an older version, and cannot be written", store->path);
	return status;
}

/* Where a database that is not there yet will be; NULL when its folder is not there. */
static char *path_to_be(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *real = folder ? realpath(folder, NULL) : NULL;
	char *whole = NULL;

	if (real && asprintf(&whole, "%s/%s", real, slash ? slash + 1 : path) < 0)
		whole = NULL;
	free(real);
	free(folder);
	return whole;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	sqlite_close_connection(&sqlite->connection);
	if (sqlite->reserve >= 0)
		close(sqlite->reserve);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	free(sqlite->path);
	free(sqlite);
}

static const struct store_driver sqlite_driver = {
	.close = sqlite_close,
	.commit = sqlite_commit,
	.tidy = sqlite_tidy,
	.keep_copy = sqlite_keep_copy,
	.reader_open = sqlite_reader_open,
	.reader_close = sqlite_reader_close,
	.get = sqlite_reader_get,
	.find = sqlite_find,
	.reports = sqlite_reports,
	.shares = sqlite_shares,
	.tokens = sqlite_tokens,
	.entries = sqlite_entries,
	.next_scope = sqlite_next_scope,
	.users = sqlite_users,
	.read_stats = sqlite_read_stats,
};

/* A new store with its path: the real one, as a second name of the database must
 * not mean a second lock. SQLite then follows no link. */
static struct sqlite_store *store_new(const char *path)
{
	struct sqlite_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->store.driver = &sqlite_driver;
	store->lock = store->reserve = -1;
	store->log_most = SQLITE_LOG_MOST;
	store->path = realpath(path, NULL);
	if (!store->path)
		store->path = path_to_be(path);
	if (!store->path)
		store->path = strdup(path); /* to be refused */
	if (!store->path) {
		free(store);
		return NULL;
	}
	return store;
}

static enum status open_any(struct sqlite_store *store, const char *path, struct failure *failure)
{
	struct failure first = {0};
	enum status status = open_writer(store, &first);

	if ((status == STATUS_READONLY || status == STATUS_DENIED) &&
		faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0) {
		if (failure)
			*failure = first; /* unless reading fails as well */
		sqlite_close_connection(&store->connection);
		status = open_readonly(store, &first);
	}
	return status == STATUS_OK ? status : failure_set(failure, status, "%s", first.detail);
}

static enum status check_is_there(const char *path, struct failure *failure)
{
	if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0)
		return STATUS_OK;
	return failure_set(failure, errno == ENOENT ? STATUS_NOTFOUND : STATUS_DENIED,
		"opening %s: %s", path, strerror(errno));
}

enum status sqlite_store_open(
	struct store **result, const char *path, enum store_mode mode, struct failure *failure)
{
	struct sqlite_store *store;
	enum status status = mode == STORE_READ ? check_is_there(path, failure) : STATUS_OK;

	*result = NULL;
	if (status != STATUS_OK)
		return status;
	store = store_new(path);
	if (!store)
		return failure_set(failure, STATUS_NOMEM, "opening %s: out of memory", path);
	status =
		mode == STORE_READ ? open_readonly(store, failure) : open_any(store, path, failure);
	if (status == STATUS_OK)
		*result = &store->store;
	else
		sqlite_close(&store->store);
	return status;
}
