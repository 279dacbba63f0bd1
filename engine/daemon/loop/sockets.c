/* Sockets to listen on: Unix, TCP, and those of systemd.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

/* Of sd_listen_fds(3). */
static const int FIRST_PASSED_FD = 3;

/* --- The Unix socket ----------------------------------------------------- */

static enum status set_address(
	struct sockaddr_un *address, const char *path, struct failure *failure)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return failure_set(failure, STATUS_INVALID,
			"%s: longer than the %zu bytes that a socket's path may have", path,
			sizeof(address->sun_path) - 1);
	strcpy(address->sun_path, path);
	return STATUS_OK;
}

static char *socket_path(const struct front *front, const struct settings *settings)
{
	char *name = g_strconcat(front->name, ".sock", NULL);
	char *path = g_build_filename(settings->runtime_directory, name, NULL);

	g_free(name);
	return path;
}

static enum status check_kind(const char *path, const struct stat *found, struct failure *failure)
{
	if (S_ISSOCK(found->st_mode))
		return STATUS_OK;
	return failure_set(failure, STATUS_BUSY,
		"%s: exists and is not a socket: see what it is, and remove it", path);
}

/* A socket that nobody answers at is what a killed process left behind. */
static enum status remove_stale(const struct sockaddr_un *address, struct failure *failure)
{
	const char *path = address->sun_path;
	struct stat found;
	int probe = -1;
	enum status status = STATUS_OK;

	if (lstat(path, &found) != 0)
		goto out; /* bind() will say why */
	status = check_kind(path, &found, failure);
	if (status != STATUS_OK)
		goto out;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0)
		status = failure_set(
			failure, STATUS_BUSY, "%s: another process listens there", path);
	else if (errno != ECONNREFUSED)
		status = failure_set(failure, STATUS_BUSY,
			"%s: cannot tell whether another process listens there: %s", path,
			g_strerror(errno));
	else if (unlink(path) != 0)
		status = failure_set(
			failure, STATUS_IO, "%s: cannot be removed: %s", path, g_strerror(errno));
out:
	if (probe >= 0)
		close(probe);
	return status;
}

/* *group = that of the sockets; -1 when it is to stay the daemon's own. */
static enum status find_group(
	const struct settings *settings, gid_t *group, struct failure *failure)
{
	const char *name = settings->socket_group;
	const struct group *found = *name ? getgrnam(name) : NULL;

	*group = found ? found->gr_gid : (gid_t)-1;
	if (*name && !found)
		return failure_set(
			failure, STATUS_NOTFOUND, "socket-group %s: no such group", name);
	return STATUS_OK;
}

/* The folder may be another account's, which could put something else in the place of the
 * socket: nothing is changed through a link, and the mode comes with the socket. */
static enum status set_group(
	const char *path, const struct settings *settings, struct failure *failure)
{
	gid_t group;
	enum status status = find_group(settings, &group, failure);

	if (status == STATUS_OK && group != (gid_t)-1 &&
		fchownat(AT_FDCWD, path, (uid_t)-1, group, AT_SYMLINK_NOFOLLOW) != 0)
		status = failure_set(failure, STATUS_DENIED, "%s: group %s: %s", path,
			settings->socket_group, g_strerror(errno));
	return status;
}

static bool bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode)
{
	mode_t former = umask(0777 & ~mode);
	bool bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	umask(former);
	return bound;
}

/* Nobody can connect before mode and group are set: it does not listen yet. */
static enum status bind_unix(
	const char *path, const struct settings *settings, int *result, struct failure *failure)
{
	struct sockaddr_un address;
	int fd = -1;
	enum status status = set_address(&address, path, failure);

	if (status == STATUS_OK)
		status = remove_stale(&address, failure);
	if (status != STATUS_OK)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !bind_with_mode(fd, &address, (mode_t)settings->socket_mode)) {
		status = failure_set(failure, STATUS_IO, "%s: %s", path, g_strerror(errno));
		goto out;
	}
	status = set_group(path, settings, failure);
	if (status != STATUS_OK) {
		unlink(path);
		goto out;
	}
	*result = fd;
	return STATUS_OK;
out:
	if (fd >= 0)
		close(fd);
	return status;
}

static enum status open_unix(const struct front *front, const struct settings *settings,
	sockets_fn *each, void *context, struct failure *failure)
{
	char *path = socket_path(front, settings);
	int fd = -1;
	enum status status = bind_unix(path, settings, &fd, failure);

	if (status == STATUS_OK) {
		status = each(context, fd, AF_UNIX, path, failure);
		if (status != STATUS_OK)
			unlink(path);
	}
	g_free(path);
	return status;
}

/* --- TCP ----------------------------------------------------------------- */

static bool parse_address(const char *text, struct sockaddr_storage *address)
{
	char *host = g_strdup(text[0] == '[' ? text + 1 : text);
	char *colon = strrchr(host, ':');
	int port = colon ? atoi(colon + 1) : 0;
	bool valid = false;

	if (colon) {
		*colon = '\0';
		if (text[0] == '[') {
			colon[-1] = '\0';
			valid = uv_ip6_addr(host, port, (struct sockaddr_in6 *)address) == 0;
		} else {
			valid = uv_ip4_addr(host, port, (struct sockaddr_in *)address) == 0;
		}
	}
	g_free(host);
	return valid;
}

/* *fd is -1 after a failure; STATUS_BUSY: somebody has the address. */
static enum status bind_tcp(const struct front *front, const struct settings *settings, int *fd,
	struct failure *failure)
{
	const char *text = front_tcp_address(front, settings);
	struct sockaddr_storage address = {0};
	socklen_t size;
	int on = 1;

	*fd = -1;
	if (!parse_address(text, &address))
		return failure_set(
			failure, STATUS_INVALID, "%s %s: no address", front->tcp_key, text);
	size = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					     : sizeof(struct sockaddr_in);
	*fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0)
		setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (*fd >= 0 && bind(*fd, (struct sockaddr *)&address, size) == 0)
		return STATUS_OK;
	int reason = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return failure_set(failure, reason == EADDRINUSE ? STATUS_BUSY : STATUS_IO, "%s %s: %s",
		front->tcp_key, text, g_strerror(reason));
}

static enum status open_tcp(const struct front *front, const struct settings *settings,
	sockets_fn *each, void *context, struct failure *failure)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	int fd;
	enum status status = bind_tcp(front, settings, &fd, failure);

	if (status != STATUS_OK)
		return status;
	getsockname(fd, (struct sockaddr *)&bound, &size);
	return each(context, fd, bound.ss_family, NULL, failure);
}

/* --- Sockets from systemd ------------------------------------------------ */

static int count_passed(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");

	if (!pid || !count || strtoll(pid, NULL, 10) != getpid())
		return 0;
	return atoi(count);
}

static bool is_loopback(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return false;
	if (address.ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* Whose the passed socket is: without a known name it is the first front's. */
static const struct front *front_of(const struct front *const *fronts, int index)
{
	const char *names = getenv("LISTEN_FDNAMES");
	char **list = g_strsplit(names ? names : "", ":", -1);
	const struct front *const *found = fronts;

	while (*found && index < (int)g_strv_length(list) &&
		strcmp((*found)->name, list[index]) != 0)
		found++;
	g_strfreev(list);
	return *found ? *found : *fronts;
}

static enum status check_passed(int fd, int *domain, struct failure *failure)
{
	int type = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, domain, &size) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
		return failure_set(failure, STATUS_INVALID,
			"descriptor %d from the service manager is no stream socket", fd);
	if (*domain != AF_UNIX && !is_loopback(fd))
		return failure_set(failure, STATUS_INVALID,
			"descriptor %d from the service manager is not bound to loopback", fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return STATUS_OK;
}

/* *count = how many there were. */
static enum status open_passed(const struct front *const *fronts, const struct front *front,
	size_t *count, sockets_fn *each, void *context, struct failure *failure)
{
	int passed = count_passed();
	enum status status = STATUS_OK;

	*count = 0;
	for (int i = 0; i < passed && status == STATUS_OK; i++) {
		int domain = 0;
		if (front_of(fronts, i) != front)
			continue;
		status = check_passed(FIRST_PASSED_FD + i, &domain, failure);
		if (status == STATUS_OK)
			status = each(context, FIRST_PASSED_FD + i, domain, NULL, failure);
		(*count)++;
	}
	return status;
}

/* --- All ----------------------------------------------------------------- */

enum status sockets_open(const struct front *const *fronts, const struct front *front,
	const struct settings *settings, sockets_fn *each, void *context, struct failure *failure)
{
	size_t passed = 0;
	enum status status = open_passed(fronts, front, &passed, each, context, failure);

	if (status == STATUS_OK && passed == 0)
		status = open_unix(front, settings, each, context, failure);
	if (status == STATUS_OK && *front_tcp_address(front, settings))
		status = open_tcp(front, settings, each, context, failure);
	return status;
}

/* --- Checked ------------------------------------------------------------- */

static void check_unix(
	const struct front *front, const struct settings *settings, struct complaints *complaints)
{
	char *path = socket_path(front, settings);
	struct sockaddr_un address;
	struct failure failure;
	struct stat found;
	enum status status = set_address(&address, path, &failure);

	if (status == STATUS_OK && lstat(path, &found) == 0)
		status = check_kind(path, &found, &failure);
	complaints_take(complaints, status, &failure);
	g_free(path);
}

static bool may_give_to(gid_t group)
{
	gid_t mine[NGROUPS_MAX];
	int count = getgroups(NGROUPS_MAX, mine);

	if (group == (gid_t)-1 || group == getegid() || geteuid() == 0)
		return true;
	for (int i = 0; i < count; i++) {
		if (mine[i] == group)
			return true;
	}
	return false;
}

static void check_group(const struct settings *settings, struct complaints *complaints)
{
	struct failure failure;
	gid_t group;

	complaints_take(complaints, find_group(settings, &group, &failure), &failure);
	if (!may_give_to(group))
		complaints_error(complaints,
			"socket-group %s: hamletd's account (uid %u) is not in it: add it with "
			"adduser",
			settings->socket_group, (unsigned)geteuid());
}

static void check_tcp(
	const struct front *front, const struct settings *settings, struct complaints *complaints)
{
	struct failure failure;
	int fd;
	enum status status = bind_tcp(front, settings, &fd, &failure);

	/* The hamletd that runs may have it. */
	if (status == STATUS_OK)
		close(fd);
	else if (status != STATUS_BUSY)
		complaints_take(complaints, status, &failure);
}

void sockets_check(const struct front *const *fronts, const struct settings *settings,
	struct complaints *complaints)
{
	check_group(settings, complaints);
	for (const struct front *const *front = fronts; *front; front++) {
		const char *address = front_tcp_address(*front, settings);

		check_unix(*front, settings, complaints);
		if (!*address)
			continue;
		check_tcp(*front, settings, complaints);
		for (const struct front *const *other = fronts; other < front; other++) {
			if (strcmp(address, front_tcp_address(*other, settings)) == 0)
				complaints_error(complaints, "%s and %s: both are %s",
					(*other)->tcp_key, (*front)->tcp_key, address);
		}
	}
}
