/* What a power cut leaves.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/fault/vfs-disk.h"
#include "tests/fault/vfs.h"

enum { SECTOR = 512 };

/* --- A power cut ------------------------------------------------------------------------ */

/* How much of what is volatile has got through: nothing, everything, each sector as
 * far as it happens, or everything up to some moment. */
enum fate { LOST, KEPT, MIXED, MOMENT };

struct cut {
	enum fate fate;
	uint64_t state;
};

static uint64_t next_random(struct cut *cut, uint64_t below)
{
	cut->state = cut->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (cut->state >> 33) % below;
}

/* How many of `count` changes, in their order, have reached something. */
static guint reached(struct cut *cut, guint count, guint moment)
{
	switch (cut->fate) {
	case LOST:
		return 0;
	case KEPT:
		return count;
	case MIXED:
		return (guint)next_random(cut, (uint64_t)count + 1);
	case MOMENT:
		return moment;
	}
	return 0;
}

/* The part of a change that falls into one sector; of a changed size, what it cuts off. */
static void apply_to_sector(GByteArray *bytes, const struct pending *pending, size_t sector)
{
	size_t from = MAX(pending->offset, sector), until = sector + SECTOR;

	if (!pending->bytes) {
		if (from < until)
			memset(bytes->data + from, 0, until - from);
		return;
	}
	until = MIN(until, pending->offset + pending->length);
	if (from < until)
		memcpy(bytes->data + from, pending->bytes + (from - pending->offset), until - from);
}

static bool touches(const struct pending *pending, size_t sector)
{
	return pending->offset < sector + SECTOR &&
		(!pending->bytes || pending->offset + pending->length > sector);
}

/* The sizes that the file has had, in `sizes`; returns the largest. */
static size_t read_sizes(const struct file *file, size_t *sizes)
{
	size_t largest = sizes[0] = file->synced->len;

	for (guint i = 0; i < file->pending->len; i++) {
		const struct pending *pending = &g_array_index(file->pending, struct pending, i);
		size_t end = pending->offset + pending->length;
		sizes[i + 1] = pending->bytes ? MAX(sizes[i], end) : pending->offset;
		largest = MAX(largest, sizes[i + 1]);
	}
	return largest;
}

static struct file *cut_file(const struct file *file, struct cut *cut)
{
	guint count = file->pending->len;
	struct file *left = file_new();
	size_t *sizes = g_new(size_t, count + 1);
	size_t room = (read_sizes(file, sizes) + SECTOR - 1) / SECTOR * SECTOR;
	guint moment = (guint)next_random(cut, (uint64_t)count + 1);
	size_t size = sizes[reached(cut, count, moment)];
	bool *touched = g_new0(bool, room / SECTOR);

	g_byte_array_append(left->synced, file->synced->data, file->synced->len);
	file_resize(left->synced, room, next_random(cut, 2) ? 0xA5 : 0);
	for (guint i = 0; i < count; i++) {
		const struct pending *pending = &g_array_index(file->pending, struct pending, i);
		size_t end = pending->bytes ? pending->offset + pending->length : room;
		for (size_t sector = pending->offset / SECTOR; sector * SECTOR < end; sector++)
			touched[sector] = true;
	}
	for (size_t sector = 0; sector < room / SECTOR; sector++) {
		guint until = touched[sector] ? reached(cut, count, moment) : 0;
		for (guint i = 0; i < until; i++) {
			const struct pending *pending =
				&g_array_index(file->pending, struct pending, i);
			if (touches(pending, sector * SECTOR))
				apply_to_sector(left->synced, pending, sector * SECTOR);
		}
	}
	file_resize(left->synced, size, 0);
	g_byte_array_append(left->now, left->synced->data, left->synced->len);
	g_free(sizes);
	g_free(touched);
	return left;
}

struct vfs_image {
	char *folder;
	GHashTable *files;
};

/* The folder as it was when as many of its changes as `cut` says had reached it. */
static GHashTable *cut_names(const char *folder, struct cut *cut)
{
	const struct disk *disk = disk_get();
	GHashTable *names = names_new();
	guint moment = (guint)next_random(cut, (uint64_t)disk->namings->len + 1);
	guint until = reached(cut, disk->namings->len, moment);
	GHashTableIter iter;
	gpointer name, file;

	g_hash_table_iter_init(&iter, disk->synced);
	while (g_hash_table_iter_next(&iter, &name, &file)) {
		if (g_str_has_prefix(name, folder))
			names_put(names, name, file);
	}
	for (guint i = 0; i < until; i++) {
		const struct naming *naming = &g_array_index(disk->namings, struct naming, i);
		if (g_str_has_prefix(naming->name, folder))
			names_put(names, naming->name, naming->file);
	}
	return names;
}

struct vfs_image *vfs_cut(const char *folder, uint64_t seed)
{
	struct vfs_image *image = g_new0(struct vfs_image, 1);
	struct cut cut = {.fate = (enum fate)(seed % 4), .state = seed};
	GHashTable *names = cut_names(folder, &cut);
	GHashTableIter iter;
	gpointer name, file;

	image->folder = g_strdup(folder);
	image->files = names_new();
	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, &file))
		g_hash_table_insert(image->files, g_strdup(name), cut_file(file, &cut));
	g_hash_table_unref(names);
	return image;
}

bool vfs_image_has(const struct vfs_image *image, const char *text)
{
	GHashTableIter iter;
	gpointer file;
	bool found = false;

	g_hash_table_iter_init(&iter, image->files);
	while (!found && g_hash_table_iter_next(&iter, NULL, &file)) {
		const GByteArray *bytes = ((const struct file *)file)->now;
		found = bytes->len > 0 &&
			memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
	}
	return found;
}

void vfs_image_free(struct vfs_image **image)
{
	g_hash_table_unref((*image)->files);
	g_free((*image)->folder);
	g_free(*image);
	*image = NULL;
}

static gboolean is_below(gpointer name, gpointer file, gpointer folder)
{
	(void)file;
	return g_str_has_prefix(name, folder);
}

/* Images fill the folder that they are put into only; what was volatile below it
 * would come back otherwise. */
void vfs_mount(struct vfs_image **image, const char *folder)
{
	struct disk *disk = disk_get();
	GHashTableIter iter;
	gpointer name, file;

	g_hash_table_foreach_remove(disk->now, is_below, (gpointer)folder);
	g_hash_table_foreach_remove(disk->synced, is_below, (gpointer)folder);
	for (guint i = disk->namings->len; i > 0; i--) {
		if (g_str_has_prefix(
			    g_array_index(disk->namings, struct naming, i - 1).name, folder))
			g_array_remove_index(disk->namings, i - 1);
	}
	g_hash_table_iter_init(&iter, (*image)->files);
	while (g_hash_table_iter_next(&iter, &name, &file)) {
		char *moved =
			g_strconcat(folder, (const char *)name + strlen((*image)->folder), NULL);
		names_put(disk->now, moved, file);
		names_put(disk->synced, moved, file);
		g_free(moved);
	}
	vfs_image_free(image);
}
