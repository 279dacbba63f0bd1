/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The walk of corpus.h. Folders of people's mail hold what they put there: pipes,
 * devices and links in a circle as well. */
#include "trainer/corpus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/account.h"

struct walk {
	const struct corpus_visitor *visitor;
	GHashTable *entered; /* "device:inode" of each folder */
	struct failure *failure;
};

/* --- Files ----------------------------------------------------------------------------- */

static enum status fail_reading(const char *path, int error, struct failure *failure)
{
	return failure_set(failure, STATUS_IO, "reading %s: %s", path, g_strerror(error));
}

static enum status map(const char *path, GMappedFile **file, struct failure *failure)
{
	struct stat found;

	if (stat(path, &found) != 0)
		return fail_reading(path, errno, failure);
	if (!S_ISREG(found.st_mode))
		return failure_set(failure, STATUS_INVALID, "%s is not a regular file", path);
	/* It may have become a pipe since: opening that must not block. */
	int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (descriptor < 0)
		return fail_reading(path, errno, failure);
	*file = g_mapped_file_new_from_fd(descriptor, FALSE, NULL);
	close(descriptor);
	return *file ? STATUS_OK
		     : failure_set(failure, STATUS_IO, "reading %s: it cannot be mapped", path);
}

enum status corpus_map(const char *path, GMappedFile **file, struct failure *failure)
{
	uid_t owner = account_pause();

	*file = NULL;
	enum status status = map(path, file, failure);
	account_resume(owner);
	return status;
}

/* The start of the next "From " line after a blank one, or the end. */
static const char *find_separator(const char *from, const char *end)
{
	while (from < end) {
		const char *line = memchr(from, '\n', (size_t)(end - from));
		if (!line)
			return end;
		line++;
		bool blank = (line < end && *line == '\n') ||
			(line + 1 < end && line[0] == '\r' && line[1] == '\n');
		if (blank) {
			const char *next = line + (*line == '\r' ? 2 : 1);
			if (end - next >= 5 && memcmp(next, "From ", 5) == 0)
				return next;
		}
		from = line;
	}
	return end;
}

static bool stopped(const struct walk *walk)
{
	return walk->visitor->stop && *walk->visitor->stop;
}

static enum status walk_mbox(struct walk *walk, const char *path, const char *data, size_t length)
{
	const struct corpus_visitor *visitor = walk->visitor;
	const char *end = data + length;
	const char *at = data;
	enum status status = STATUS_OK;

	while (at < end && status == STATUS_OK) {
		const char *next = find_separator(at, end);
		status = stopped(walk) ? STATUS_INTERRUPTED
				       : visitor->message(visitor->context, path,
						 (size_t)(at - data), at, (size_t)(next - at));
		at = next;
	}
	return status;
}

static enum status walk_mapped(struct walk *walk, const char *path, GMappedFile *file)
{
	const struct corpus_visitor *visitor = walk->visitor;
	const char *data = g_mapped_file_get_contents(file);
	size_t length = g_mapped_file_get_length(file);

	if (length >= 5 && memcmp(data, "From ", 5) == 0)
		return walk_mbox(walk, path, data, length);
	return length > 0 ? visitor->message(visitor->context, path, 0, data, length) : STATUS_OK;
}

/* What cannot be read ends the walk if it was named, and is skipped if it was met. */
static enum status skip(struct walk *walk, bool named, const struct failure *why)
{
	if (named)
		return failure_set(walk->failure, why->code, "%s", why->detail);
	if (walk->visitor->skipped)
		walk->visitor->skipped(walk->visitor->context, why->detail);
	return STATUS_OK;
}

static enum status walk_file(struct walk *walk, const char *path, bool named)
{
	struct failure why;
	GMappedFile *file;

	if (corpus_map(path, &file, &why) != STATUS_OK)
		return skip(walk, named, &why);
	enum status status = walk_mapped(walk, path, file);
	g_mapped_file_unref(file);
	return status;
}

/* --- Folders --------------------------------------------------------------------------- */

static bool has_folder(const char *path, const char *name)
{
	char *folder = g_build_filename(path, name, NULL);
	bool has = g_file_test(folder, G_FILE_TEST_IS_DIR);

	g_free(folder);
	return has;
}

/* Whether what is called `name` is read when its folder is. */
static bool is_read(const char *name, bool maildir)
{
	if (maildir)
		return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;
	return name[0] != '.' && strcmp(name, "tmp") != 0;
}

static void leave_out(const struct walk *walk, const char *folder, const char *name)
{
	const struct corpus_visitor *visitor = walk->visitor;

	if (!visitor->left_out || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strcmp(name, "tmp") == 0 || !has_folder(folder, name))
		return;
	char *path = g_build_filename(folder, name, NULL);
	visitor->left_out(visitor->context, path);
	g_free(path);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status list_folder(
	const struct walk *walk, const char *path, GPtrArray *paths, struct failure *failure)
{
	bool maildir = has_folder(path, "cur") && has_folder(path, "new");
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder)
		return fail_reading(path, errno, failure);
	while (errno = 0, (entry = readdir(folder))) {
		if (is_read(entry->d_name, maildir))
			g_ptr_array_add(paths, g_build_filename(path, entry->d_name, NULL));
		else
			leave_out(walk, path, entry->d_name);
	}
	int error = errno;
	closedir(folder);
	g_ptr_array_sort(paths, compare_names);
	return error == 0 ? STATUS_OK : fail_reading(path, error, failure);
}

static enum status walk_path(struct walk *walk, const char *path, bool named);

static enum status walk_folder(struct walk *walk, const char *path, bool named)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	struct failure why;
	enum status status = STATUS_OK;

	if (list_folder(walk, path, paths, &why) != STATUS_OK)
		status = skip(walk, named, &why);
	for (guint i = 0; i < paths->len && status == STATUS_OK; i++)
		status = walk_path(walk, paths->pdata[i], false);
	g_ptr_array_unref(paths);
	return status;
}

/* Each folder once: links may lead in a circle, or to many folders in many orders. */
static enum status enter(
	struct walk *walk, const char *path, const struct stat *found, struct failure *failure)
{
	char *identity =
		g_strdup_printf("%ju:%ju", (uintmax_t)found->st_dev, (uintmax_t)found->st_ino);

	if (!g_hash_table_add(walk->entered, identity))
		return failure_set(
			failure, STATUS_INVALID, "%s leads to a folder that was read", path);
	return STATUS_OK;
}

static enum status look(const char *path, struct stat *found, struct failure *failure)
{
	if (stat(path, found) != 0)
		return fail_reading(path, errno, failure);
	if (!S_ISREG(found->st_mode) && !S_ISDIR(found->st_mode))
		return failure_set(
			failure, STATUS_INVALID, "%s is neither a file nor a folder", path);
	return STATUS_OK;
}

static enum status walk_path(struct walk *walk, const char *path, bool named)
{
	struct failure why;
	struct stat found;

	if (stopped(walk))
		return STATUS_INTERRUPTED;
	if (look(path, &found, &why) != STATUS_OK)
		return skip(walk, named, &why);
	if (S_ISREG(found.st_mode))
		return walk_file(walk, path, named);
	if (enter(walk, path, &found, &why) != STATUS_OK)
		return skip(walk, named, &why);
	return walk_folder(walk, path, named);
}

enum status corpus_walk(
	const char *path, const struct corpus_visitor *visitor, struct failure *failure)
{
	struct walk walk = {.visitor = visitor,
		.entered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.failure = failure};
	uid_t owner = account_pause();
	enum status status = walk_path(&walk, path, true);

	account_resume(owner);
	g_hash_table_unref(walk.entered);
	return status;
}

enum status corpus_check(const char *path, struct failure *failure)
{
	struct stat found;
	enum status status = look(path, &found, failure);

	if (status == STATUS_OK && access(path, R_OK) != 0)
		status = fail_reading(path, errno, failure);
	return status;
}
