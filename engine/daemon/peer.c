/* Who is at the other end, and what they may do.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/thread-role.h"
#include "engine/service/scope/scope.h"

/* Enough for the entry of any sensible directory. */
static const size_t ENTRY_SIZE = 16384;

/* The kernel tells how many there are when there is too little room. */
static bool has_group(int fd, gid_t group)
{
	socklen_t size = 0;
	gid_t *groups = NULL;
	bool found = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(groups[0]) && !found; i++)
			found = groups[i] == group;
	}
	free(groups);
	return found;
}

/* Who can write to a socket may connect to it. */
static bool is_admitted(int fd, const struct ucred *credentials)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address) - 1;
	struct stat found;

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 || !*address.sun_path ||
		stat(address.sun_path, &found) != 0)
		return false;
	return !(found.st_mode & S_IWOTH) || credentials->uid == found.st_uid ||
		credentials->gid == found.st_gid || has_group(fd, found.st_gid);
}

void peer_identify(struct peer *peer, int fd)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	int domain = 0;
	socklen_t domain_size = sizeof(domain);

	*peer = (struct peer){0};
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0 || domain != AF_UNIX)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
		return;
	peer->local = true;
	peer->uid = credentials.uid;
	peer->pid = credentials.pid;
	peer->admitted = is_admitted(fd, &credentials);
}

void peer_resolve(struct peer *peer)
{
	struct passwd entry, *found = NULL;
	char *buffer = malloc(ENTRY_SIZE);

	ASSERT_WORKER();
	if (buffer && peer->local &&
		getpwuid_r(peer->uid, &entry, buffer, ENTRY_SIZE, &found) == 0 && found &&
		strlen(found->pw_name) <= PEER_MAX_LOGIN)
		strcpy(peer->login, found->pw_name);
	free(buffer);
}

bool peer_is_resolved(const struct peer *peer)
{
	return !peer->local || *peer->login;
}

static bool is_named(const char *login, char *const *logins)
{
	for (; *login && *logins; logins++) {
		if (strcmp(login, *logins) == 0)
			return true;
	}
	return false;
}

static bool is_administrator(const struct peer *peer, const struct settings *settings)
{
	return peer->local &&
		(peer->uid == 0 || peer->uid == geteuid() ||
			is_named(peer->login, settings->administrators));
}

enum status peer_may_administer(
	const struct peer *peer, const struct settings *settings, struct failure *failure)
{
	if (is_administrator(peer, settings))
		return STATUS_OK;
	if (!peer->local)
		return failure_set(failure, STATUS_DENIED,
			"permission denied: changes are taken through the Unix socket only");
	return failure_set(failure, STATUS_DENIED,
		"permission denied: uid %u is not one of the administrators", (unsigned)peer->uid);
}

/* Login and user are compared as everybody's names are. */
static bool is_own(const struct peer *peer, const char *user, const struct settings *settings)
{
	const struct user_naming *naming = &settings->service.naming;
	char own[STORE_MAX_USER + 1], named[STORE_MAX_USER + 1];

	return user_name(naming, peer->login, own) && *own && user_name(naming, user, named) &&
		strcmp(own, named) == 0;
}

enum status peer_may_report(const struct peer *peer, const char *user,
	const struct settings *settings, struct failure *failure)
{
	if (peer->trusted)
		return STATUS_OK;
	if (!peer->local)
		return failure_set(failure, STATUS_DENIED,
			"permission denied: reports are taken through the Unix socket only");
	if (is_administrator(peer, settings) || is_named(peer->login, settings->reporters))
		return STATUS_OK;
	if (!*user)
		return failure_set(failure, STATUS_DENIED,
			"permission denied: uid %u may not report for the whole site",
			(unsigned)peer->uid);
	if (is_own(peer, user, settings))
		return STATUS_OK;
	return failure_set(failure, STATUS_DENIED,
		"permission denied: uid %u may report as its own login only", (unsigned)peer->uid);
}

enum peer_view peer_view(
	const struct peer *peer, const char *user, const struct settings *settings, bool *certain)
{
	bool all = !*user || peer_may_report(peer, user, settings, NULL) == STATUS_OK;

	*certain = all || peer_is_resolved(peer);
	if (all)
		return PEER_SEES_ALL;
	return peer->admitted ? PEER_SEES_VERDICT : PEER_SEES_NOTHING;
}

lanes_client peer_client(const struct peer *peer)
{
	return peer->local ? (lanes_client)peer->uid : CLIENT_TCP;
}

bool peer_rules_over(const struct peer *peer, const char *user, const struct settings *settings)
{
	return is_administrator(peer, settings) && !is_own(peer, user, settings);
}

struct log_field peer_log(const struct peer *peer)
{
	return peer->local ? log_number("uid", peer->uid) : (struct log_field){0};
}
