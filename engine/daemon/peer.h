/* Who is at the other end of a connection, and what they may do. Who can connect may have
 * everybody's verdict; see peer_view for what is a user's own. To report for somebody takes
 * being that user, or a login that the configuration names.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/status.h"
#include "engine/daemon/log.h"
#include "engine/daemon/loop/lanes.h"
#include "engine/settings/settings.h"

enum { PEER_MAX_LOGIN = 255 };

struct peer {
	bool local; /* a Unix socket: uid and pid are known */
	bool trusted; /* it has shown the token: may report for any user */
	/* It is in the group that the socket belongs to, or the socket lets no others in: a mail
	 * server, delivery, webmail. */
	bool admitted;
	uid_t uid;
	pid_t pid;
	char login[PEER_MAX_LOGIN + 1]; /* "" before peer_resolve, and where there is none */
};

/* The peer of a connected socket. */
void peer_identify(struct peer *peer, int fd);

/* Finds the login; may ask a directory service, so not on the loop. */
void peer_resolve(struct peer *peer);

/* Would that find nothing more? Over TCP nobody has a login. */
bool peer_is_resolved(const struct peer *peer);

/* May the resolved peer report for `user`, however it is written ("" = for the site)? STATUS_DENIED
 * with the reason. */
enum status peer_may_report(const struct peer *peer, const char *user,
	const struct settings *settings, struct failure *failure);

/* What a peer may see of a user: nothing, and everybody's verdict in place of the user's;
 * the verdict, which mail servers and delivery need; or also what the user has pressed and
 * laid down, which is between the two of them. */
enum peer_view { PEER_SEES_NOTHING, PEER_SEES_VERDICT, PEER_SEES_ALL };

/* Of the peer, resolved or not; `*certain` tells whether resolving it would change nothing. */
enum peer_view peer_view(
	const struct peer *peer, const char *user, const struct settings *settings, bool *certain);

/* May the resolved peer change what the whole site or a domain has laid down, and
 * erase users? STATUS_DENIED with the reason. */
enum status peer_may_administer(
	const struct peer *peer, const struct settings *settings, struct failure *failure);

/* Whose turn it is in a line. */
lanes_client peer_client(const struct peer *peer);

/* Is the resolved peer an administrator, and `user` somebody else? */
bool peer_rules_over(const struct peer *peer, const char *user, const struct settings *settings);

/* uid= for the log; left out of TCP peers. */
struct log_field peer_log(const struct peer *peer);
