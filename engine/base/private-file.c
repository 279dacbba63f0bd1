/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/private-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool stat_folder(const char *path, struct stat *found)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	char folder[PATH_MAX];

	if (!slash)
		return stat(".", found) == 0;
	if (length + 2 > sizeof(folder))
		return false;
	memcpy(folder, path, length);
	memcpy(folder + length, "/", 2); /* the root has no other name */
	return stat(folder, found) == 0;
}

/* A file with a second name may be anybody's: the folder's owner may have put it there. */
static void give(int file, const char *path)
{
	struct stat of_file, of_folder;

	if (geteuid() == 0 && stat_folder(path, &of_folder) && of_folder.st_uid != 0 &&
		fstat(file, &of_file) == 0 && of_file.st_uid == 0 && of_file.st_nlink == 1 &&
		S_ISREG(of_file.st_mode) && fchown(file, of_folder.st_uid, of_folder.st_gid) != 0) {
		/* Root need not be almighty: it stays as it is. */
	}
}

int private_file_open(const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (file < 0)
		return errno == EEXIST ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	fchmod(file, 0600);
	give(file, path);
	return file;
}

void private_file_give(const char *path)
{
	int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (file < 0)
		return;
	give(file, path);
	close(file);
}
