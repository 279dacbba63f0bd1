/* The SQLite driver: room on a full disk. What takes something out has to write before it
 * can free anything: rows and what they taught go through the log. So room for that is
 * kept in a file beside the database, and the log is moved at once, since most of its
 * pages are in it many times over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/private-file.h"
#include "engine/store/sqlite/sqlite.h"

static const int64_t RESERVE_LEAST = INT64_C(8) << 20;
static const int64_t RESERVE_MOST = INT64_C(256) << 20;
enum {
	RESERVE_DATABASE_SHARE = 4, /* of the database */
	RESERVE_DISK_SHARE = 8, /* of the file system: no more than that */
	LOG_DISK_SHARE = 64, /* likewise, of the log */
	LOG_LEAST = 8, /* pages */
	PAGE_BYTES = 16384,
};

/* What should be there: a removal rewrites a part of the pages. */
static int64_t wanted_bytes(const struct sqlite_store *store, const struct statvfs *disk)
{
	struct stat database;
	int64_t most = (int64_t)(disk->f_blocks * disk->f_frsize / RESERVE_DISK_SHARE);
	int64_t wanted = RESERVE_LEAST;

	if (stat(store->path, &database) == 0 && database.st_size / RESERVE_DATABASE_SHARE > wanted)
		wanted = database.st_size / RESERVE_DATABASE_SHARE;
	if (wanted > RESERVE_MOST)
		wanted = RESERVE_MOST;
	return wanted < most ? wanted : most;
}

/* Not with posix_fallocate, which writes where the file system cannot: what is written is
 * no room that is sure to be there afterwards. */
void sqlite_keep_room(struct sqlite_store *sqlite)
{
	struct statvfs disk;
	struct stat file;

	if (sqlite->reserve < 0 || fstatvfs(sqlite->reserve, &disk) != 0 ||
		fstat(sqlite->reserve, &file) != 0)
		return;
	int64_t room = (int64_t)(disk.f_bavail * disk.f_frsize);
	int64_t missing = wanted_bytes(sqlite, &disk) - file.st_size;
	/* What was given up comes back before anything else takes it; of more, as much again
	 * is left to what the database is for. */
	if (room < 2 * missing && missing > sqlite->released - file.st_size)
		missing = sqlite->released - file.st_size;
	if (missing > room)
		missing = room;
	if (missing <= 0)
		return;
	if (fallocate(sqlite->reserve, 0, file.st_size, missing) != 0 &&
		ftruncate(sqlite->reserve, file.st_size) != 0) {
		/* Then there is less of it. */
	}
}

void sqlite_open_reserve(struct sqlite_store *store)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s-reserve", store->path) < sizeof(path))
		store->reserve = private_file_open(path, NULL);
	sqlite_keep_room(store);
}

void sqlite_limit_log(struct sqlite_store *store)
{
	struct statvfs disk;
	char sql[64];

	if (statvfs(store->path, &disk) != 0)
		return;
	uint64_t most = disk.f_blocks * disk.f_frsize / LOG_DISK_SHARE;
	if (most / PAGE_BYTES >= SQLITE_LOG_MOST)
		return;
	store->log_most = most / PAGE_BYTES > LOG_LEAST ? (int)(most / PAGE_BYTES) : LOG_LEAST;
	sqlite3_snprintf(
		sizeof(sql), sql, "PRAGMA journal_size_limit = %d", store->log_most * PAGE_BYTES);
	sqlite_execute(&store->connection, sql, "opening", NULL);
}

void sqlite_note_log(struct sqlite_store *store, int pages)
{
	int some = store->log_most < SQLITE_LOG_SOME ? store->log_most : SQLITE_LOG_SOME;

	store->store.untidy = pages >= some;
}

bool sqlite_empty_log(struct sqlite_store *store)
{
	/* Nobody is waited for: readers of an old state keep the log. */
	sqlite3_busy_timeout(store->connection.db, 0);
	int code = sqlite3_wal_checkpoint_v2(
		store->connection.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(store->connection.db, SQLITE_BUSY_MILLISECONDS);
	if (code == SQLITE_OK)
		sqlite_note_log(store, 0);
	return code == SQLITE_OK;
}

bool sqlite_make_room(struct sqlite_store *sqlite)
{
	struct stat file;
	bool released = sqlite->reserve >= 0 && fstat(sqlite->reserve, &file) == 0 &&
		file.st_size > 0 && ftruncate(sqlite->reserve, 0) == 0;

	if (released && file.st_size > sqlite->released)
		sqlite->released = file.st_size;
	return sqlite_empty_log(sqlite) || released;
}
