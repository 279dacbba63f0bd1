/* A disk in memory on which SQLite works while a test has it: it fails when it is
 * told to, and it knows what a power cut would leave.
 *
 * What is written is volatile until the file's xSync; a file that was made is
 * volatile until the first xSync of a new journal or WAL beside it (SQLite syncs the
 * folder then), one that was deleted until then as well, or at once when SQLite asks
 * for that. A power cut leaves of each sector of 512 bytes some state that it has
 * been in since the last xSync, and of a file's size and name too; room that was
 * added and not written holds rubbish.
 *
 * One thread. Files outside a test's folder do not exist here; the `-lock` file of
 * the store, which is none of SQLite's, stays on the real file system.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum vfs_call {
	VFS_OPEN = 1,
	VFS_READ = 2,
	VFS_WRITE = 4,
	VFS_TRUNCATE = 8,
	VFS_SYNC = 16,
	VFS_DELETE = 32,
};

/* What changes the disk, or may bring it down to it. */
enum { VFS_CHANGES = VFS_OPEN | VFS_WRITE | VFS_TRUNCATE | VFS_SYNC | VFS_DELETE };

/* Becomes SQLite's default with an empty disk, and ceases to be; all connections must
 * be closed then. */
void vfs_install(void);
void vfs_remove(void);

/* Calls `watch` before each of `calls` is done; NULL = nobody. In it the test may use
 * other connections. */
typedef void vfs_watch_fn(void *context, enum vfs_call call);
void vfs_watch(unsigned calls, vfs_watch_fn *watch, void *context);

struct vfs_fault {
	unsigned calls; /* it strikes one of these: */
	unsigned number; /* the n-th from now on; 0 = none */
	bool lasting; /* and all of these that come after */
	int code; /* what SQLite is told, SQLITE_FULL, ... */
	int system_error; /* the errno that goes with it */
};

/* Takes the place of the former one. A write that is struck writes its first half. */
void vfs_set_fault(const struct vfs_fault *fault);

/* How many calls it has struck. */
unsigned vfs_fault_count(void);

/* From now on xSync says that all is well and does nothing. */
void vfs_lie(bool lies);

/* What a power cut now would leave of the files whose names begin with `folder`; the
 * same seed at the same moment leaves the same. */
struct vfs_image;
struct vfs_image *vfs_cut(const char *folder, uint64_t seed);

/* Whether the text is anywhere in its files. */
bool vfs_image_has(const struct vfs_image *image, const char *text);

/* Puts it in the place of all files below `folder` (none may be open); takes *image. */
void vfs_mount(struct vfs_image **image, const char *folder);
void vfs_image_free(struct vfs_image **image);
