/* A disk that misbehaves, for LD_PRELOAD: files in the folder $HAMLET_SHIM say how.
 * hold: syncs wait until the file is gone. slow: they take 300 ms. eio: they fail.
 * rofs: nothing can be written, as on a file system that was remounted read-only.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static int is_on(const char *what)
{
	const char *folder = getenv("HAMLET_SHIM");
	char path[4096];
	int error = errno;

	if (!folder)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, what);
	int on = access(path, F_OK) == 0;
	errno = error;
	return on;
}

static int sync_file(const char *name, int file)
{
	int (*real)(int);

	*(void **)&real = dlsym(RTLD_NEXT, name);
	while (is_on("hold"))
		usleep(5000);
	if (is_on("slow"))
		usleep(300000);
	if (is_on("eio")) {
		errno = EIO;
		return -1;
	}
	return real(file);
}

int fsync(int file)
{
	return sync_file("fsync", file);
}

int fdatasync(int file)
{
	return sync_file("fdatasync", file);
}

static ssize_t write_at(const char *name, int file, const void *bytes, size_t size, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t);

	*(void **)&real = dlsym(RTLD_NEXT, name);
	if (is_on("rofs")) {
		errno = EROFS;
		return -1;
	}
	return real(file, bytes, size, at);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
	return write_at("pwrite", file, bytes, size, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
	return write_at("pwrite64", file, bytes, size, at);
}
