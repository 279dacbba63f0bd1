/* Root becomes the owner of a database's folder, for good or between two calls.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/account.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* More links on one way are a circle; as many as the kernel follows. */
enum { MOST_LINKS = 40 };

struct account {
	uid_t uid;
	gid_t gid;
	char name[33]; /* "" = the uid has none */
};

/* --- The way to the folder ------------------------------------------------------------ */

static enum status check_way(const char *path, int *links, struct failure *failure);

/* A link of root's leads on: relative to the folder it is in. */
static enum status follow(const char *link, int *links, struct failure *failure)
{
	char target[PATH_MAX], next[PATH_MAX];
	const char *slash = strrchr(link, '/');
	size_t folder = slash ? (size_t)(slash - link) + 1 : 0;
	ssize_t length = readlink(link, target, sizeof(target) - 1);

	if (length < 0 || ++*links > MOST_LINKS)
		return failure_set(failure, STATUS_INVALID, "%s: %s", link,
			strerror(length < 0 ? errno : ELOOP));
	target[length] = '\0';
	if (*target == '/')
		return check_way(target, links, failure);
	if (snprintf(next, sizeof(next), "%.*s%s", (int)folder, link, target) >= PATH_MAX)
		return failure_set(failure, STATUS_INVALID, "%s: %s", link, strerror(ENAMETOOLONG));
	return check_way(next, links, failure);
}

static enum status check_component(const char *path, int *links, struct failure *failure)
{
	struct stat found;

	if (lstat(path, &found) != 0 || !S_ISLNK(found.st_mode))
		return STATUS_OK; /* what is missing is made, or missed, later */
	if (found.st_uid == 0)
		return follow(path, links, failure);
	return failure_set(failure, STATUS_INVALID,
		"%s is a symbolic link that uid %u has made: root does not follow it; remove it, "
		"or run this as that account",
		path, (unsigned)found.st_uid);
}

static enum status check_way(const char *path, int *links, struct failure *failure)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	enum status status = STATUS_OK;

	if (length >= sizeof(part))
		return failure_set(
			failure, STATUS_INVALID, "%.60s...: %s", path, strerror(ENAMETOOLONG));
	for (size_t at = 1; at <= length && status == STATUS_OK; at++) {
		if (path[at] != '/' && path[at] != '\0')
			continue;
		memcpy(part, path, at);
		part[at] = '\0';
		status = check_component(part, links, failure);
	}
	return status;
}

/* --- The owner of the folder ---------------------------------------------------------- */

static bool folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 1;

	if (length >= PATH_MAX)
		return false;
	memcpy(folder, slash ? path : ".", length);
	folder[length] = '\0';
	if (length == 0)
		strcpy(folder, "/");
	return true;
}

/* account->uid == 0: root may go on as it is. */
static enum status find_owner(const char *path, struct account *account, struct failure *failure)
{
	char folder[PATH_MAX];
	struct stat found;
	struct passwd *entry;
	int links = 0;
	enum status status;

	*account = (struct account){0};
	if (!folder_of(path, folder))
		return failure_set(
			failure, STATUS_INVALID, "%.60s...: %s", path, strerror(ENAMETOOLONG));
	status = check_way(folder, &links, failure);
	if (status != STATUS_OK || stat(folder, &found) != 0)
		return status;
	if (found.st_uid == 0) /* others may write into it all the same, as into /tmp */
		return check_way(path, &links, failure);
	entry = getpwuid(found.st_uid);
	account->uid = found.st_uid;
	account->gid = entry ? entry->pw_gid : found.st_gid;
	if (entry)
		snprintf(account->name, sizeof(account->name), "%s", entry->pw_name);
	return STATUS_OK;
}

/* --- Becoming it ---------------------------------------------------------------------- */

static bool set_groups(const struct account *account)
{
	return (*account->name ? initgroups(account->name, account->gid)
			       : setgroups(1, &account->gid)) == 0;
}

static enum status change_account(const char *path, bool lasting, struct failure *failure)
{
	struct account account;
	enum status status;

	account_end();
	if (geteuid() != 0)
		return STATUS_OK;
	status = find_owner(path, &account, failure);
	if (status != STATUS_OK || account.uid == 0)
		return status;
	if (!set_groups(&account) ||
		setresgid(lasting ? account.gid : (gid_t)-1, account.gid,
			lasting ? account.gid : (gid_t)-1) != 0 ||
		setresuid(lasting ? account.uid : (uid_t)-1, account.uid,
			lasting ? account.uid : (uid_t)-1) != 0)
		return failure_set(failure, STATUS_DENIED,
			"%s is in a folder of uid %u, as whom root goes on, but may not here: %s; run "
			"this as that account",
			path, (unsigned)account.uid, strerror(errno));
#ifdef __SANITIZE_ADDRESS__ /* whose leak checker attaches like a debugger */
	prctl(PR_SET_DUMPABLE, 1);
#endif
	return STATUS_OK;
}

enum status account_become(const char *path, struct failure *failure)
{
	return change_account(path, true, failure);
}

enum status account_begin(const char *path, struct failure *failure)
{
	return change_account(path, false, failure);
}

/* To go on as somebody else than intended would be worse than to end. */
static void set_effective(uid_t uid)
{
	if (geteuid() != uid && seteuid(uid) != 0)
		abort();
}

void account_end(void)
{
	if (getuid() != 0 || geteuid() == 0)
		return;
	set_effective(0);
	if (setegid(getgid()) != 0)
		abort();
}

uid_t account_pause(void)
{
	uid_t owner = geteuid();

	if (getuid() == 0)
		set_effective(0);
	return owner;
}

void account_resume(uid_t owner)
{
	set_effective(owner);
}
