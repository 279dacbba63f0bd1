/* A disk in memory that keeps what was synced and may lose the rest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/vfs-disk.h"

#include <string.h>

/* --- Files ---------------------------------------------------------------------- */

static void clear_pending(gpointer data)
{
	g_free(((struct pending *)data)->bytes);
}

static void clear_file(gpointer data)
{
	struct file *file = data;

	g_byte_array_unref(file->now);
	g_byte_array_unref(file->synced);
	g_array_unref(file->pending);
	g_ptr_array_unref(file->handles);
	g_ptr_array_unref(file->shm);
}

void file_unref(gpointer file)
{
	if (file)
		g_rc_box_release_full(file, clear_file);
}

struct file *file_new(void)
{
	struct file *file = g_rc_box_new0(struct file);

	file->now = g_byte_array_new();
	file->synced = g_byte_array_new();
	file->pending = g_array_new(FALSE, FALSE, sizeof(struct pending));
	g_array_set_clear_func(file->pending, clear_pending);
	file->handles = g_ptr_array_new();
	file->shm = g_ptr_array_new_with_free_func(g_free);
	return file;
}

void file_resize(GByteArray *bytes, size_t size, int fill)
{
	size_t before = bytes->len;

	g_byte_array_set_size(bytes, (guint)size);
	if (size > before)
		memset(bytes->data + before, fill, size - before);
}

static void apply(GByteArray *bytes, const struct pending *pending)
{
	if (!pending->bytes) {
		file_resize(bytes, pending->offset, 0);
		return;
	}
	if (pending->offset + pending->length > bytes->len)
		file_resize(bytes, pending->offset + pending->length, 0);
	memcpy(bytes->data + pending->offset, pending->bytes, pending->length);
}

void file_change(struct file *file, size_t offset, const void *bytes, size_t length)
{
	struct pending pending = {.offset = offset, .length = length};

	pending.bytes = bytes ? g_memdup2(bytes, length) : NULL;
	apply(file->now, &pending);
	g_array_append_val(file->pending, pending);
}

void file_sync(struct file *file)
{
	for (guint i = 0; i < file->pending->len; i++)
		apply(file->synced, &g_array_index(file->pending, struct pending, i));
	g_array_set_size(file->pending, 0);
}

/* --- Names ---------------------------------------------------------------------- */

GHashTable *names_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, file_unref);
}

void names_put(GHashTable *names, const char *name, struct file *file)
{
	if (file)
		g_hash_table_insert(names, g_strdup(name), g_rc_box_acquire(file));
	else
		g_hash_table_remove(names, name);
}

static void clear_naming(gpointer data)
{
	struct naming *naming = data;

	g_free(naming->name);
	file_unref(naming->file);
}

void disk_name(struct disk *disk, const char *name, struct file *file)
{
	struct naming naming = {g_strdup(name), file ? g_rc_box_acquire(file) : NULL};

	names_put(disk->now, name, file);
	g_array_append_val(disk->namings, naming);
}

void disk_sync_names(struct disk *disk)
{
	for (guint i = 0; i < disk->namings->len; i++) {
		struct naming *naming = &g_array_index(disk->namings, struct naming, i);
		names_put(disk->synced, naming->name, naming->file);
	}
	g_array_set_size(disk->namings, 0);
}

void disk_init(struct disk *disk)
{
	disk->now = names_new();
	disk->synced = names_new();
	disk->namings = g_array_new(FALSE, FALSE, sizeof(struct naming));
	g_array_set_clear_func(disk->namings, clear_naming);
}

void disk_clear(struct disk *disk)
{
	g_hash_table_unref(disk->now);
	g_hash_table_unref(disk->synced);
	g_array_unref(disk->namings);
}
