/* The SQLite driver: a copy is kept of the database as it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/private-file.h"
#include "engine/store/sqlite/sqlite.h"

/* The copy takes as much as the database at most, and what it is kept for some more: a mail
 * server may live on the same disk. */
static bool has_room(const char *path)
{
	struct statvfs disk;
	struct stat file;

	return stat(path, &file) == 0 && statvfs(path, &disk) == 0 &&
		(double)disk.f_bavail * (double)disk.f_frsize >= 2.0 * (double)file.st_size;
}

static enum status sync_copy(const char *copy, struct failure *failure)
{
	int file = open(copy, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool synced = file >= 0 && fsync(file) == 0;

	if (file >= 0)
		close(file);
	return synced ? STATUS_OK
		      : failure_set(failure, status_of_errno(errno), "copying to %s: %s", copy,
				strerror(errno));
}

static enum status write_copy(
	struct connection *connection, const char *copy, struct failure *failure)
{
	sqlite3_stmt *vacuum = NULL;
	enum status status = STATUS_OK;
	struct failure reason;
	int file = private_file_open(copy, &reason); /* SQLite fills one that is empty */

	if (file < 0)
		return failure_set(failure, reason.code, "%s", reason.detail);
	close(file);
	if (sqlite3_prepare_v2(connection->db, "VACUUM INTO ?1", -1, &vacuum, NULL) != SQLITE_OK ||
		sqlite3_bind_text(vacuum, 1, copy, -1, SQLITE_STATIC) != SQLITE_OK ||
		sqlite3_step(vacuum) != SQLITE_DONE)
		status = sqlite_failure(connection, "copying", failure);
	sqlite3_finalize(vacuum);
	if (status == STATUS_OK)
		status = sync_copy(copy, failure);
	if (status != STATUS_OK)
		unlink(copy);
	return status;
}

enum status sqlite_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	char path[4096];
	struct stat file;
	enum status status = STATUS_OK;

	if ((size_t)snprintf(path, sizeof(path), "%s.%s", sqlite->path, suffix) >= sizeof(path))
		return failure_set(failure, STATUS_INVALID, "path of the database is too long");
	if (lstat(path, &file) != 0 || file.st_size == 0)
		status = has_room(sqlite->path) ? write_copy(&sqlite->connection, path, failure)
						: failure_set(failure, STATUS_FULL,
							  "copying to %s: there is not room", path);
	if (status == STATUS_OK)
		snprintf(copy, room, "%s", path);
	return status;
}
