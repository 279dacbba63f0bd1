/* Which files hamletd keeps, by Landlock: landlock(7), Linux' Documentation/userspace-api.
 * The C library has no functions for it, and its headers may be older than the kernel:
 * hence the numbers here.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_landlock_create_ruleset

enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

/* LANDLOCK_ACCESS_FS_* and the first version of the interface that has them. */
enum {
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_FILE = 1 << 5,
	MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9,
	VERSION_1 = (1 << 13) - 1,
	REFER = 1 << 13, /* 2 */
	TRUNCATE = 1 << 14, /* 3 */
	IOCTL_DEV = 1 << 15, /* 5 */
};

enum {
	CONNECT_TCP = 2, /* LANDLOCK_ACCESS_NET_*, 4 */
	SCOPE_SIGNAL = 2, /* LANDLOCK_SCOPE_*, 6 */
};

struct ruleset {
	uint64_t files, network, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static uint64_t known_files(int version)
{
	return VERSION_1 | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0) |
		(version >= 5 ? IOCTL_DEV : 0);
}

/* An older kernel refuses a structure that is longer than its own. */
static int create(int version)
{
	const struct ruleset ruleset = {.files = known_files(version),
		.network = version >= 4 ? CONNECT_TCP : 0,
		.scoped = version >= 6 ? SCOPE_SIGNAL : 0};
	size_t fields = version >= 6 ? 3 : version >= 4 ? 2 : 1;

	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, fields * sizeof(uint64_t), 0);
}

static bool allow(int ruleset, const struct sandbox_path *path, int version)
{
	static const uint64_t of_files = READ_FILE | WRITE_FILE | TRUNCATE;
	struct beneath rule = {.allowed = READ_FILE | READ_DIR};
	struct stat found;
	bool good = true;

	rule.parent = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0)
		return true;
	if (path->access == SANDBOX_WRITE)
		rule.allowed |= WRITE_FILE | REMOVE_FILE | MAKE_REG | MAKE_SOCK | TRUNCATE;
	rule.allowed &= known_files(version);
	if (fstat(rule.parent, &found) == 0 && !S_ISDIR(found.st_mode))
		rule.allowed &= of_files;
	good = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent);
	return good;
}

/* A thread that runs already would keep all that it has. */
static bool is_alone(void)
{
	DIR *folder = opendir("/proc/self/task");
	int count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return !folder || count == 3; /* with . and .. */
}

static bool restrict_to(const struct sandbox_path *paths, size_t count, int version)
{
	int ruleset = create(version);
	bool good = ruleset >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	for (size_t i = 0; i < count && good; i++)
		good = allow(ruleset, &paths[i], version);
	good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (ruleset >= 0)
		close(ruleset);
	return good;
}

void sandbox_restrict_files(const struct sandbox_path *paths, size_t count, struct sandbox *sandbox)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	if (version < 1) {
		sandbox_explain(sandbox, "the kernel has no Landlock");
	} else if (!is_alone()) {
		sandbox_explain(sandbox, "other threads run already, so there is no Landlock");
	} else if (!restrict_to(paths, count, version)) {
		sandbox_explain(sandbox, "Landlock takes no rules");
	} else {
		sandbox->files = version;
		sandbox->network = version >= 4;
	}
}

#else

void sandbox_restrict_files(const struct sandbox_path *paths, size_t count, struct sandbox *sandbox)
{
	(void)paths;
	(void)count;
	sandbox_explain(sandbox, "built where there is no Landlock");
}

#endif
