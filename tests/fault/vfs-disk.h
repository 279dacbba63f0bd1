/* The disk behind vfs.h: files, names, and what of them is not synced yet.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include <glib.h>

/* A write, or a change of size (bytes NULL: the file ends at `offset`). */
struct pending {
	size_t offset, length;
	unsigned char *bytes;
};

struct file {
	GByteArray *now; /* as programs see it */
	GByteArray *synced; /* as the last xSync left it */
	GArray *pending; /* struct pending: from `synced` to `now` */
	GPtrArray *handles; /* that are open; vfs.c's */
	GPtrArray *shm; /* regions; they vanish with the last user */
	unsigned shm_users;
};

/* A change of a folder that is not synced: `file` NULL = deleted. */
struct naming {
	char *name;
	struct file *file;
};

struct disk {
	GHashTable *now, *synced; /* name -> struct file */
	GArray *namings; /* struct naming: from `synced` to `now` */
};

/* The one of this program. */
struct disk *disk_get(void);
void disk_init(struct disk *disk);
void disk_clear(struct disk *disk);

/* Files have references: g_rc_box_acquire and this; NULL is allowed. */
struct file *file_new(void);
void file_unref(gpointer file);

void file_resize(GByteArray *bytes, size_t size, int fill);
void file_change(struct file *file, size_t offset, const void *bytes, size_t length);
void file_sync(struct file *file);

/* name -> struct file, with a reference each. */
GHashTable *names_new(void);
void names_put(GHashTable *names, const char *name, struct file *file);

/* Names a file, or (NULL) deletes the name; volatile until disk_sync_names. */
void disk_name(struct disk *disk, const char *name, struct file *file);
void disk_sync_names(struct disk *disk);
