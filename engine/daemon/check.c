/* What keeps hamletd from starting, found beforehand.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/account.h"
#include "engine/daemon/loop/sockets.h"
#include "engine/service/service.h"
#include "engine/settings/budget.h"
#include "engine/store/store.h"

/* --- Directories ------------------------------------------------------------- */

/* With this mode where it is made, whatever the umask. Whether it could be is checked
 * afterwards. */
static bool make_directory(const char *path, mode_t mode)
{
	return !g_file_test(path, G_FILE_TEST_EXISTS) &&
		g_mkdir_with_parents(path, (int)mode) == 0 && chmod(path, mode) == 0;
}

/* What root makes is for the account that it goes on as. */
static enum status make_directories(const struct settings *settings, struct failure *failure)
{
	const char *run = settings->runtime_directory;
	struct stat state;
	bool made;

	make_directory(settings->state_directory, 0700);
	made = make_directory(run, 0755);
	if (made && geteuid() == 0 && stat(settings->state_directory, &state) == 0 &&
		lchown(run, state.st_uid, state.st_gid) != 0)
		return failure_set(failure, STATUS_IO, "%s: owner: %s", run, g_strerror(errno));
	return STATUS_OK;
}

static bool may(const char *path, int what)
{
	return faccessat(AT_FDCWD, path, what, AT_EACCESS) == 0;
}

/* One that is not there is made by a start, if that may. */
static void check_missing(const char *key, const char *path, struct complaints *complaints)
{
	char *folder;

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return;
	folder = g_path_get_dirname(path);
	while (!g_file_test(folder, G_FILE_TEST_EXISTS)) {
		char *above = g_path_get_dirname(folder);
		g_free(folder);
		folder = above;
	}
	if (!may(folder, W_OK | X_OK))
		complaints_error(complaints,
			"%s %s: is not there, and uid %u cannot make it in %s: make it, for that "
			"account",
			key, path, (unsigned)geteuid(), folder);
	g_free(folder);
}

enum status check_account(const struct settings *settings, bool make, struct complaints *complaints)
{
	char *database = settings_database(settings);
	struct failure failure;
	enum status status = make ? make_directories(settings, &failure) : STATUS_OK;

	check_missing("state-directory", settings->state_directory, complaints);
	check_missing("runtime-directory", settings->runtime_directory, complaints);
	if (status == STATUS_OK)
		status = account_become(database, &failure);
	complaints_take(complaints, status, &failure);
	g_free(database);
	return status;
}

/* Where hamletd can do without writing it says so, and starts. */
static void check_writable(const char *key, const char *path, const struct stat *found, bool needed,
	struct complaints *complaints)
{
	static const char words[] = "%s %s: uid %u may not write there, it belongs to uid %u%s";

	if (may(path, W_OK))
		return;
	if (needed)
		complaints_error(complaints, words, key, path, (unsigned)geteuid(),
			(unsigned)found->st_uid, "");
	else
		complaints_warn(complaints, words, key, path, (unsigned)geteuid(),
			(unsigned)found->st_uid, ": reports will be refused");
}

static void check_directory(
	const char *key, const char *path, bool write, struct complaints *complaints)
{
	struct stat found;

	if (stat(path, &found) != 0) {
		if (errno != ENOENT)
			complaints_error(complaints, "%s %s: %s", key, path, g_strerror(errno));
		return;
	}
	if (!S_ISDIR(found.st_mode))
		complaints_error(complaints, "%s %s: is no directory", key, path);
	else if (geteuid() == 0 && found.st_uid != 0)
		complaints_error(complaints,
			"%s %s: belongs to uid %u, and root does not work in the folder of "
			"another: give the state directory to that account, too",
			key, path, (unsigned)found.st_uid);
	else if (!may(path, R_OK | X_OK))
		complaints_error(complaints, "%s %s: uid %u may not read it, it belongs to uid %u",
			key, path, (unsigned)geteuid(), (unsigned)found.st_uid);
	else
		check_writable(key, path, &found, write, complaints);
}

/* --- Logins ------------------------------------------------------------------------ */

static void check_logins(const char *key, char *const *logins, struct complaints *complaints)
{
	for (; *logins; logins++) {
		if (!getpwnam(*logins))
			complaints_warn(
				complaints, "%s: there is no login %.60s here", key, *logins);
	}
}

/* --- All ------------------------------------------------------------------------------ */

static void on_complaint(void *context, const struct failure *failure)
{
	complaints_error(context, "%s", failure->detail);
}

static void check_state(const struct settings *settings, struct complaints *complaints)
{
	char *database = settings_database(settings);

	check_directory("state-directory", settings->state_directory, access(database, F_OK) != 0,
		complaints);
	g_free(database);
}

void check_settings(const struct settings *settings, const struct front *const *fronts,
	struct complaints *complaints)
{
	struct service_settings service = settings_of_service(settings);
	struct failure failure;

	check_state(settings, complaints);
	check_directory("runtime-directory", settings->runtime_directory, true, complaints);
	sockets_check(fronts, settings, complaints);
	for (; *fronts; fronts++) {
		if ((*fronts)->check)
			complaints_take(complaints, (*fronts)->check(settings, &failure), &failure);
	}
	service_check(&service, on_complaint, complaints);
	check_logins("reporters", settings->reporters, complaints);
	check_logins("administrators", settings->administrators, complaints);
}

/* A start goes on when it cannot write: it scores. */
static void check_files(const char *database, struct complaints *complaints)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};

	for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
		char *path = g_strconcat(database, suffixes[i], NULL);
		struct stat found;
		if (lstat(path, &found) != 0) {
			/* it will be made */
		} else if (S_ISLNK(found.st_mode) && i > 0) {
			complaints_error(complaints,
				"%s: is a symbolic link, which is not followed: see where it "
				"leads, and remove it",
				path);
		} else if (!may(path, R_OK | W_OK)) {
			complaints_warn(complaints,
				"%s: uid %u may not write it, so reports will be refused; it "
				"belongs to uid %u",
				path, (unsigned)geteuid(), (unsigned)found.st_uid);
		}
		g_free(path);
	}
}

void check_database(const struct settings *settings, struct complaints *complaints)
{
	char *path = settings_database(settings);
	size_t before = complaints->errors;
	struct store *store = NULL;
	struct failure failure;
	enum status status;

	check_files(path, complaints);
	if (complaints->errors == before) {
		status = store_open(&store, path, STORE_READ, &failure);
		/* Not there, or older: a start makes it, or brings it up to date. */
		if (status != STATUS_NOTFOUND && status != STATUS_READONLY)
			complaints_take(complaints, status, &failure);
	}
	if (store)
		store_close(&store);
	g_free(path);
}
