/* Opens a file for its owner alone, and follows no link.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC };

static int fail_opening(const char *path, int reason, struct failure *failure)
{
	if (reason == ELOOP)
		failure_set(failure, STATUS_INVALID,
			"opening %s: it is a symbolic link, which is not followed: see where it "
			"leads, and remove it",
			path);
	else
		failure_set(failure, status_of_errno(reason), "opening %s: %s%s", path,
			strerror(reason),
			reason == EACCES ? "; only its owner may, see ls -l" : "");
	return -1;
}

static bool is_acceptable(int file, const char *path, struct failure *failure)
{
	struct stat found;

	if (fstat(file, &found) != 0) {
		fail_opening(path, errno, failure);
		return false;
	}
	if (!S_ISREG(found.st_mode)) {
		failure_set(failure, STATUS_INVALID,
			"opening %s: it is no regular file: see what it is, and remove it", path);
		return false;
	}
	if (geteuid() == 0 && found.st_nlink > 1) {
		failure_set(failure, STATUS_INVALID,
			"opening %s: it has a second name, so root leaves it alone: see ls -l, and "
			"remove one of them",
			path);
		return false;
	}
	return true;
}

int private_file_open(const char *path, struct failure *failure)
{
	int file = open(path, FLAGS | O_EXCL, 0600);

	if (file >= 0) {
		fchmod(file, 0600);
		return file;
	}
	if (errno == EEXIST)
		file = open(path, FLAGS, 0600);
	if (file < 0)
		return fail_opening(path, errno, failure);
	if (is_acceptable(file, path, failure))
		return file;
	close(file);
	return -1;
}
