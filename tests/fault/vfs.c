/* A VFS of SQLite whose calls fail when a test says so.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/vfs.h"

#include <string.h>

#include <sqlite3.h>

#include "tests/fault/vfs-disk.h"

struct handle {
	sqlite3_file base;
	struct file *file;
	int level; /* SQLITE_LOCK_... */
	bool new_log; /* made by this open: the first sync is the folder's too */
	bool shm;
	uint16_t shared, exclusive; /* locks of the shm */
};

/* A test program has one disk, as SQLite has one default. */
static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	struct disk disk;
	struct vfs_fault fault;
	unsigned struck;
	bool lies;
	int system_error;
	unsigned watched;
	vfs_watch_fn *watch;
	void *context;
} state;

struct disk *disk_get(void)
{
	return &state.disk;
}

/* --- Faults ----------------------------------------------------------------------- */

/* What the call is to return instead of being done; SQLITE_OK = do it. */
static int strike(enum vfs_call call)
{
	struct vfs_fault *fault = &state.fault;

	if (state.watch && (state.watched & call))
		state.watch(state.context, call);
	if (!(fault->calls & call) || fault->number == 0)
		return SQLITE_OK;
	if (fault->number > 1) {
		fault->number--;
		return SQLITE_OK;
	}
	fault->number = fault->lasting;
	state.struck++;
	state.system_error = fault->system_error;
	return fault->code;
}

/* --- An open file ------------------------------------------------------------------- */

static struct file *file_of(sqlite3_file *base)
{
	return ((struct handle *)base)->file;
}

static int on_close(sqlite3_file *base)
{
	g_ptr_array_remove(file_of(base)->handles, base);
	file_unref(file_of(base));
	return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *bytes, int length, sqlite3_int64 offset)
{
	GByteArray *now = file_of(base)->now;
	int code = strike(VFS_READ);
	size_t there = offset < now->len ? now->len - (size_t)offset : 0;

	if (code != SQLITE_OK)
		return code;
	there = MIN(there, (size_t)length);
	if (there > 0)
		memcpy(bytes, now->data + offset, there);
	memset((char *)bytes + there, 0, (size_t)length - there);
	return there == (size_t)length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset)
{
	int code = strike(VFS_WRITE);

	file_change(file_of(base), (size_t)offset, bytes,
		(size_t)(code == SQLITE_OK ? length : length / 2));
	return code;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	int code = strike(VFS_TRUNCATE);

	if (code == SQLITE_OK)
		file_change(file_of(base), (size_t)size, NULL, 0);
	return code;
}

static int on_sync(sqlite3_file *base, int flags)
{
	struct handle *handle = (struct handle *)base;
	int code = strike(VFS_SYNC);
	(void)flags;

	if (code != SQLITE_OK || state.lies)
		return code;
	file_sync(handle->file);
	if (handle->new_log)
		disk_sync_names(&state.disk);
	handle->new_log = false;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *base, sqlite3_int64 *size)
{
	*size = file_of(base)->now->len;
	return SQLITE_OK;
}

/* The highest lock that anybody else has. */
static int others_level(const struct handle *handle)
{
	int level = SQLITE_LOCK_NONE;

	for (guint i = 0; i < handle->file->handles->len; i++) {
		const struct handle *other = handle->file->handles->pdata[i];
		if (other != handle)
			level = MAX(level, other->level);
	}
	return level;
}

static int on_lock(sqlite3_file *base, int level)
{
	struct handle *handle = (struct handle *)base;
	int others = others_level(handle);

	if (handle->level >= level)
		return SQLITE_OK;
	if (others >= (level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED))
		return SQLITE_BUSY;
	if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
		handle->level = SQLITE_LOCK_PENDING;
		return SQLITE_BUSY;
	}
	handle->level = level;
	return SQLITE_OK;
}

static int on_unlock(sqlite3_file *base, int level)
{
	struct handle *handle = (struct handle *)base;

	handle->level = MIN(handle->level, level);
	return SQLITE_OK;
}

static int on_check_reserved(sqlite3_file *base, int *reserved)
{
	const struct handle *handle = (struct handle *)base;

	*reserved = MAX(others_level(handle), handle->level) >= SQLITE_LOCK_RESERVED;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

/* As SQLite's own for Unix says of itself. */
static int on_sector_size(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int on_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* --- Shared memory ------------------------------------------------------------------- */

static int on_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **memory)
{
	struct handle *handle = (struct handle *)base;
	GPtrArray *shm = handle->file->shm;

	if (!handle->shm)
		handle->file->shm_users++;
	handle->shm = true;
	while (extend && shm->len <= (guint)region)
		g_ptr_array_add(shm, g_malloc0((gsize)size));
	*memory = (guint)region < shm->len ? shm->pdata[region] : NULL;
	return SQLITE_OK;
}

static int on_shm_lock(sqlite3_file *base, int first, int count, int flags)
{
	struct handle *handle = (struct handle *)base;
	uint16_t wanted = (uint16_t)(((1U << count) - 1) << first);
	uint16_t shared = 0, exclusive = 0;

	if (flags & SQLITE_SHM_UNLOCK) {
		handle->shared &= (uint16_t)~wanted;
		handle->exclusive &= (uint16_t)~wanted;
		return SQLITE_OK;
	}
	for (guint i = 0; i < handle->file->handles->len; i++) {
		const struct handle *other = handle->file->handles->pdata[i];
		shared |= other == handle ? 0 : other->shared;
		exclusive |= other == handle ? 0 : other->exclusive;
	}
	if ((exclusive | (flags & SQLITE_SHM_EXCLUSIVE ? shared : 0)) & wanted)
		return SQLITE_BUSY;
	*(flags & SQLITE_SHM_EXCLUSIVE ? &handle->exclusive : &handle->shared) |= wanted;
	return SQLITE_OK;
}

static void on_shm_barrier(sqlite3_file *base)
{
	(void)base;
}

static int on_shm_unmap(sqlite3_file *base, int delete)
{
	struct handle *handle = (struct handle *)base;
	(void)delete;

	if (handle->shm && --handle->file->shm_users == 0)
		g_ptr_array_set_size(handle->file->shm, 0);
	handle->shm = false;
	handle->shared = handle->exclusive = 0;
	return SQLITE_OK;
}

static const sqlite3_io_methods METHODS = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

/* --- The file system ------------------------------------------------------------------ */

/* The store makes the database's file before SQLite opens it, so that one is made
 * here whatever the flags say. */
static int on_open(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
	struct handle *handle = (struct handle *)base;
	struct file *file = name ? g_hash_table_lookup(state.disk.now, name) : NULL;
	bool create = flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB);
	int code = strike(VFS_OPEN);
	(void)vfs;

	*handle = (struct handle){0};
	if (code == SQLITE_OK && !file && !create)
		code = SQLITE_CANTOPEN;
	if (code != SQLITE_OK)
		return code;
	handle->new_log = !file && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
	handle->file = file ? g_rc_box_acquire(file) : file_new();
	if (!file && name && !(flags & SQLITE_OPEN_DELETEONCLOSE))
		disk_name(&state.disk, name, handle->file);
	handle->base.pMethods = &METHODS;
	g_ptr_array_add(handle->file->handles, handle);
	if (out_flags)
		*out_flags = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	int code = strike(VFS_DELETE);
	(void)vfs;

	if (code != SQLITE_OK)
		return code;
	if (!g_hash_table_contains(state.disk.now, name))
		return SQLITE_IOERR_DELETE_NOENT;
	disk_name(&state.disk, name, NULL);
	if (sync_folder && !state.lies)
		disk_sync_names(&state.disk);
	return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	(void)vfs;
	(void)flags;
	*result = g_hash_table_contains(state.disk.now, name);
	return SQLITE_OK;
}

static int on_last_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	(void)size;
	(void)text;
	return state.system_error;
}

/* Busy handlers wait for somebody who cannot come: there is one thread. */
static int on_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

void vfs_install(void)
{
	state.real = sqlite3_vfs_find(NULL);
	state.vfs = *state.real;
	state.vfs.zName = "fault";
	state.vfs.szOsFile = sizeof(struct handle);
	state.vfs.xOpen = on_open;
	state.vfs.xDelete = on_delete;
	state.vfs.xAccess = on_access;
	state.vfs.xGetLastError = on_last_error;
	state.vfs.xSleep = on_sleep;
	disk_init(&state.disk);
	sqlite3_vfs_register(&state.vfs, 1);
}

void vfs_remove(void)
{
	sqlite3_vfs_unregister(&state.vfs);
	sqlite3_vfs_register(state.real, 1);
	disk_clear(&state.disk);
	memset(&state, 0, sizeof(state));
}

void vfs_watch(unsigned calls, vfs_watch_fn *watch, void *context)
{
	state.watched = calls;
	state.watch = watch;
	state.context = context;
}

void vfs_set_fault(const struct vfs_fault *fault)
{
	state.fault = *fault;
	state.struck = 0;
}

unsigned vfs_fault_count(void)
{
	return state.struck;
}

void vfs_lie(bool lies)
{
	state.lies = lies;
}
