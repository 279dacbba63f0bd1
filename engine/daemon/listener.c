/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "engine/daemon/connection.h"
#include "engine/daemon/server.h"

static const char SOCKET_NAME[] = "spamd.sock";

/* Clients that wait to be accepted; the kernel cuts it to net.core.somaxconn. */
static const int BACKLOG = 4096;

/* Of sd_listen_fds(3). */
static const int FIRST_PASSED_FD = 3;

struct listener {
	struct server *server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} socket;
	char *path; /* of the socket that this process made; NULL: none */
	struct listener *next;
};

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	g_free(listener->path);
	g_free(listener);
}

static void on_connection(uv_stream_t *stream, int error)
{
	struct listener *listener = stream->data;

	if (error)
		server_log_refusal(listener->server, LOG_ERROR,
			(struct log_field[]){log_text("reason", uv_strerror(error)), {0}});
	else
		connection_accept(listener->server, stream);
}

/* Takes over `fd`, a bound stream socket, and begins to accept. */
static enum status listen_on(
	struct server *server, int fd, int domain, const char *path, struct failure *failure)
{
	struct listener *listener = g_new0(struct listener, 1);
	int error;

	listener->server = server;
	listener->next = server->listeners;
	if (domain == AF_UNIX) {
		uv_pipe_init(&server->loop, &listener->socket.pipe, 0);
		error = uv_pipe_open(&listener->socket.pipe, fd);
	} else {
		uv_tcp_init(&server->loop, &listener->socket.tcp);
		error = uv_tcp_open(&listener->socket.tcp, fd);
	}
	listener->socket.handle.data = listener;
	server->listeners = listener;
	if (error)
		close(fd);
	else
		error = uv_listen(&listener->socket.stream, BACKLOG, on_connection);
	if (error)
		return failure_set(failure, STATUS_IO, "listening: %s", uv_strerror(error));
	listener->path = g_strdup(path);
	return STATUS_OK;
}

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

/* A socket that nobody answers at is what a killed process left behind. */
static enum status remove_stale(const struct sockaddr_un *address, struct failure *failure)
{
	const char *path = address->sun_path;
	struct stat found;
	int probe = -1;
	enum status status = STATUS_OK;

	if (lstat(path, &found) != 0)
		goto out; /* bind() will say why */
	if (!S_ISSOCK(found.st_mode)) {
		status = failure_set(failure, STATUS_BUSY, "%s: exists and is not a socket", path);
		goto out;
	}
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

static enum status set_access(
	const char *path, const struct settings *settings, struct failure *failure)
{
	const char *name = settings->socket_group;

	if (*name) {
		const struct group *group = getgrnam(name);

		if (!group)
			return failure_set(
				failure, STATUS_NOTFOUND, "socket-group %s: no such group", name);
		if (chown(path, (uid_t)-1, group->gr_gid) != 0)
			return failure_set(failure, STATUS_DENIED, "%s: group %s: %s", path, name,
				g_strerror(errno));
	}
	if (chmod(path, (mode_t)settings->socket_mode) != 0)
		return failure_set(failure, STATUS_IO, "%s: mode %04o: %s", path,
			(unsigned)settings->socket_mode, g_strerror(errno));
	return STATUS_OK;
}

/* Nobody can connect before mode and group are set: it does not listen yet. */
static enum status open_unix(struct server *server, struct failure *failure)
{
	char *path = g_build_filename(server->settings.runtime_directory, SOCKET_NAME, NULL);
	struct sockaddr_un address;
	int fd = -1;
	enum status status = set_address(&address, path, failure);

	if (status == STATUS_OK)
		status = remove_stale(&address, failure);
	if (status != STATUS_OK)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		status = failure_set(failure, STATUS_IO, "%s: %s", path, g_strerror(errno));
		goto out;
	}
	status = set_access(path, &server->settings, failure);
	if (status == STATUS_OK) {
		status = listen_on(server, fd, AF_UNIX, path, failure);
		fd = -1;
	}
	if (status != STATUS_OK)
		unlink(path);
out:
	if (fd >= 0)
		close(fd);
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

static enum status open_tcp(struct server *server, struct failure *failure)
{
	const char *text = server->settings.listen_tcp;
	struct sockaddr_storage address = {0};
	socklen_t size;
	int on = 1;
	int fd;

	if (!parse_address(text, &address))
		return failure_set(failure, STATUS_INVALID, "listen-tcp %s: no address", text);
	size = address.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					     : sizeof(struct sockaddr_in);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0) {
		failure_set(failure, STATUS_IO, "listen-tcp %s: %s", text, g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return STATUS_IO;
	}
	return listen_on(server, fd, address.ss_family, NULL, failure);
}

/* --- Sockets from systemd ------------------------------------------------ */

static int passed_sockets(void)
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

static enum status open_passed(struct server *server, int fd, struct failure *failure)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM)
		return failure_set(failure, STATUS_INVALID,
			"descriptor %d from the service manager is no stream socket", fd);
	if (domain != AF_UNIX && !is_loopback(fd))
		return failure_set(failure, STATUS_INVALID,
			"descriptor %d from the service manager is not bound to loopback", fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return listen_on(server, fd, domain, NULL, failure);
}

/* --- All ----------------------------------------------------------------- */

enum status listeners_open(struct server *server, struct failure *failure)
{
	int passed = passed_sockets();
	enum status status = STATUS_OK;

	for (int i = 0; i < passed && status == STATUS_OK; i++)
		status = open_passed(server, FIRST_PASSED_FD + i, failure);
	if (passed == 0)
		status = open_unix(server, failure);
	if (status == STATUS_OK && *server->settings.listen_tcp)
		status = open_tcp(server, failure);
	if (status != STATUS_OK)
		listeners_close(server);
	return status;
}

void listeners_close(struct server *server)
{
	struct listener *listener = server->listeners;

	server->listeners = NULL;
	while (listener) {
		struct listener *next = listener->next;

		if (listener->path)
			unlink(listener->path);
		uv_close(&listener->socket.handle, on_closed);
		listener = next;
	}
}
