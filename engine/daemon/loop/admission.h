/* Who is let in: connections of each front are counted against max-connections, a client's
 * share and the descriptors that there are; what their requests hold of the memory is
 * counted against max-buffered-bytes. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/daemon/loop/quota.h"
#include "engine/daemon/peer.h"

struct server;

enum admitted {
	ADMITTED,
	TURNED_AWAY, /* there is no place: it is told so, and takes none */
	DROPPED, /* even those who are told so are too many: it is closed */
	NO_DESCRIPTORS, /* likewise, since descriptors are few */
};

/* The connections of one front. */
struct admission {
	struct server *server;
	struct quota *quota; /* NULL: one client may have all places */
	size_t count;
	size_t refused; /* of them: not admitted */
	size_t refused_most; /* more are dropped */
};

/* `shared`: each client has a quota of the places. */
void admission_open(
	struct admission *admission, struct server *server, size_t refused_most, bool shared);
void admission_close(struct admission *admission);

/* A client has connected. Whatever this returns, admission_leave follows with it. */
enum admitted admission_enter(struct admission *admission, const struct peer *peer);
void admission_leave(struct admission *admission, const struct peer *peer, enum admitted admitted);

/* How many connections there are descriptors for: to be asked once all else is open. */
size_t admission_count_room(void);

/* Whether a connection more leaves descriptors for the database and for files that are
 * read now and then. Accepting until there is none would close connections without a
 * word. When there is no room, says so once a second. */
bool admission_has_room(struct server *server);

/* Books that a request holds `bytes` now, and no more what it held before. */
void admission_hold(struct server *server, size_t *held, size_t bytes);

/* Is there memory for so many bytes more? Counts a refusal when there is none. */
bool admission_has_memory(struct server *server, size_t more);
