/* The walk of mail-walk.h. Folders of people's mail hold what they put there: pipes,
 * devices and links in a circle as well.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/mail-walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "engine/base/account.h"

struct walk {
	const struct mail_visitor *visitor;
	GHashTable *entered; /* "device:inode" of each folder */
	struct failure *failure;
};

/* How a path was come by. */
enum origin { NAMED, MET, MET_IN_MAILDIR };

/* --- Files ----------------------------------------------------------------------------- */

static enum status fail_reading(const char *path, int error, struct failure *failure)
{
	return failure_set(failure, STATUS_IO, "reading %s: %s", path, g_strerror(error));
}

static bool stopped(const struct walk *walk)
{
	return walk->visitor->stop && *walk->visitor->stop;
}

/* What cannot be read ends the walk if it was named, and is skipped if it was met. */
static enum status skip_entry(struct walk *walk, enum origin origin, const struct failure *why)
{
	if (origin == NAMED)
		return failure_set(walk->failure, why->code, "%s", why->detail);
	if (walk->visitor->skipped)
		walk->visitor->skipped(walk->visitor->context, why->detail);
	return STATUS_OK;
}

/* Is this the name of what a mail server keeps beside the mail? */
static bool is_bookkeeping(const char *name)
{
	static const char *const begin[] = {"dovecot-uid", "dovecot-keywords", "dovecot-acl",
		"dovecot.index", "dovecot.list.index", "dovecot.mailbox.log", "courierimap",
		"cyrus.index", "cyrus.header", "cyrus.cache", "cyrus.seen", "cyrus.annotations",
		"cyrus.squat"};
	static const char *const whole[] = {
		"subscriptions", "maildirsize", "maildirfolder", "sieve-errors.log"};

	for (size_t i = 0; i < G_N_ELEMENTS(begin); i++) {
		if (g_str_has_prefix(name, begin[i]))
			return true;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
		if (strcmp(name, whole[i]) == 0)
			return true;
	}
	return false;
}

/* What has become of a file when its last message was read. */
static enum status walked(struct walk *walk, const char *path, const struct mail_cursor *cursor)
{
	struct failure why = {0};

	if (cursor->status != STATUS_OK)
		return failure_set(walk->failure, cursor->status, "reading %s: %s", path,
			status_text(cursor->status));
	if (cursor->left_out == 0)
		return STATUS_OK;
	failure_set(&why, STATUS_LIMIT, "%s has %zu message(s) of more than %d MiB", path,
		cursor->left_out, MAIL_FILE_MAX >> 20);
	return skip_entry(walk, MET, &why);
}

static enum status walk_messages(
	struct walk *walk, const char *path, struct mail_file *file, enum mail_form form)
{
	const struct mail_visitor *visitor = walk->visitor;
	struct mail_cursor cursor = mail_file_begin(file, form);
	struct mail_place place;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && mail_file_next(file, &cursor, &place)) {
		const char *message;
		size_t length;

		if (stopped(walk))
			return STATUS_INTERRUPTED;
		status = mail_file_message(file, &place, &message, &length);
		if (status != STATUS_OK)
			return failure_set(
				walk->failure, status, "reading %s: %s", path, status_text(status));
		status = visitor->message(visitor->context, path, &place, message, length);
	}
	return status == STATUS_OK ? walked(walk, path, &cursor) : status;
}

static enum mail_form form_of(const struct walk *walk, const char *path, enum origin origin)
{
	char *name = g_path_get_basename(path);
	char *lower = g_ascii_strdown(name, -1);
	enum mail_form form = walk->visitor->form;

	if (origin == MET_IN_MAILDIR)
		form = MAIL_SINGLE;
	else if (form == MAIL_DETECT && strstr(lower, ".mbox"))
		form = MAIL_MBOX;
	g_free(lower);
	g_free(name);
	return form;
}

static enum status walk_file(struct walk *walk, const char *path, enum origin origin)
{
	char *name = g_path_get_basename(path);
	struct failure why = {0};
	struct mail_file file;
	enum status status;

	if (is_bookkeeping(name)) {
		failure_set(&why, STATUS_INVALID, "%s is no mail: a mail server keeps it", path);
		status = skip_entry(walk, MET, &why);
		g_free(name);
		return status;
	}
	g_free(name);
	status = mail_file_open(&file, path, &why);
	if (status == STATUS_OK)
		status = walk_messages(walk, path, &file, form_of(walk, path, origin));
	else if (status == STATUS_IO)
		status = skip_entry(walk, origin, &why);
	else /* it can be read, but is no mail */
		status = skip_entry(walk, MET, &why);
	mail_file_close(&file);
	return status;
}

/* --- Pipes ----------------------------------------------------------------------------- */

/* All that comes from the descriptor. */
static enum status read_all(struct walk *walk, int descriptor, const char *name, bool pipe)
{
	struct mail_file file;
	enum status status = mail_file_read(&file, descriptor, name, walk->failure);

	if (status == STATUS_OK && pipe && file.length == 0)
		status = failure_set(
			walk->failure, STATUS_INVALID, "%s is a pipe that nobody writes to", name);
	if (status == STATUS_OK)
		status = walk_messages(walk, name, &file, form_of(walk, name, NAMED));
	mail_file_close(&file);
	return status;
}

/* Opened like this a pipe without a writer has its end at once. */
static enum status walk_pipe(struct walk *walk, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	enum status status;

	if (descriptor < 0)
		return fail_reading(path, errno, walk->failure);
	if (fcntl(descriptor, F_SETFL, 0) == 0)
		status = read_all(walk, descriptor, path, true);
	else
		status = fail_reading(path, errno, walk->failure);
	close(descriptor);
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

/* A message that its owner deleted and no client has removed yet. The copy that was moved
 * elsewhere says what it is. */
static bool is_trashed(const char *name)
{
	const char *flags = strstr(name, ":2,");

	return flags && strchr(flags + 3, 'T');
}

/* What a folder is in a Maildir: the whole, or a part with messages. */
enum kind { PLAIN, MAILDIR, MAILDIR_PART };

static enum kind kind_of_entry(const char *path)
{
	char *name = g_path_get_basename(path);
	bool part = strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;

	g_free(name);
	if (has_folder(path, "cur") && has_folder(path, "new"))
		return MAILDIR;
	return part ? MAILDIR_PART : PLAIN;
}

/* Whether what is called `name` is read when its folder is. */
static bool is_read(const char *name, enum kind kind)
{
	if (kind == MAILDIR_PART && is_trashed(name))
		return false;
	if (kind == MAILDIR)
		return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0;
	return name[0] != '.' && strcmp(name, "tmp") != 0;
}

static void leave_out_file(const struct walk *walk, const char *folder, const char *name)
{
	const struct mail_visitor *visitor = walk->visitor;

	if (!visitor->left_out || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		strcmp(name, "tmp") == 0 || !has_folder(folder, name))
		return;
	char *path = g_build_filename(folder, name, NULL);
	visitor->left_out(visitor->context, path);
	g_free(path);
}

static gint compare_file_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status list_folder(const struct walk *walk, const char *path, enum kind kind,
	GPtrArray *paths, struct failure *failure)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (!folder)
		return fail_reading(path, errno, failure);
	while (errno = 0, (entry = readdir(folder))) {
		if (is_read(entry->d_name, kind))
			g_ptr_array_add(paths, g_build_filename(path, entry->d_name, NULL));
		else
			leave_out_file(walk, path, entry->d_name);
	}
	int error = errno;
	closedir(folder);
	g_ptr_array_sort(paths, compare_file_names);
	return error == 0 ? STATUS_OK : fail_reading(path, error, failure);
}

static enum status walk_path(struct walk *walk, const char *path, enum origin origin);

static enum status walk_folder(struct walk *walk, const char *path, enum origin origin)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	enum kind kind = kind_of_entry(path);
	enum origin inner = kind == MAILDIR_PART ? MET_IN_MAILDIR : MET;
	struct failure why;
	enum status status = STATUS_OK;

	if (list_folder(walk, path, kind, paths, &why) != STATUS_OK)
		status = skip_entry(walk, origin, &why);
	for (guint i = 0; i < paths->len && status == STATUS_OK; i++)
		status = walk_path(walk, paths->pdata[i], inner);
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

static enum status look_at_entry(const char *path, struct stat *found, struct failure *failure)
{
	if (stat(path, found) != 0)
		return fail_reading(path, errno, failure);
	if (!S_ISREG(found->st_mode) && !S_ISDIR(found->st_mode))
		return failure_set(
			failure, STATUS_INVALID, "%s is neither a file nor a folder", path);
	return STATUS_OK;
}

static enum status walk_path(struct walk *walk, const char *path, enum origin origin)
{
	struct failure why;
	struct stat found;

	if (stopped(walk))
		return STATUS_INTERRUPTED;
	if (origin == NAMED && walk->visitor->pipes && stat(path, &found) == 0 &&
		S_ISFIFO(found.st_mode))
		return walk_pipe(walk, path);
	if (look_at_entry(path, &found, &why) != STATUS_OK)
		return skip_entry(walk, origin, &why);
	if (S_ISREG(found.st_mode))
		return walk_file(walk, path, origin);
	if (enter(walk, path, &found, &why) != STATUS_OK)
		return skip_entry(walk, origin, &why);
	return walk_folder(walk, path, origin);
}

enum status mail_walk(const char *path, const struct mail_visitor *visitor, struct failure *failure)
{
	struct walk walk = {.visitor = visitor,
		.entered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.failure = failure};
	uid_t owner = account_pause();
	enum status status = walk_path(&walk, path, NAMED);

	account_resume(owner);
	g_hash_table_unref(walk.entered);
	return status;
}

enum status mail_walk_input(int descriptor, const char *name, const struct mail_visitor *visitor,
	struct failure *failure)
{
	struct walk walk = {.visitor = visitor, .failure = failure};

	return read_all(&walk, descriptor, name, false);
}

enum status mail_walk_check(const char *path, struct failure *failure)
{
	struct stat found;
	enum status status = look_at_entry(path, &found, failure);

	if (status == STATUS_OK && access(path, R_OK) != 0)
		status = fail_reading(path, errno, failure);
	return status;
}
