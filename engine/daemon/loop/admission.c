/* Who is let in: places, descriptors and memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/admission.h"

#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/server.h"

/* Descriptors that connections leave alone. */
static const size_t SPARE_DESCRIPTORS = 16;

/* --- Connections --------------------------------------------------------- */

void admission_open(
	struct admission *admission, struct server *server, size_t refused_most, bool shared)
{
	*admission = (struct admission){.server = server,
		.quota = shared ? quota_new() : NULL,
		.refused_most = refused_most};
}

void admission_close(struct admission *admission)
{
	quota_free(&admission->quota);
}

static enum admitted decide_admission(const struct admission *admission, const struct peer *peer)
{
	size_t most = admission->server->settings.max_connections;

	if (!admission_has_room(admission->server))
		return NO_DESCRIPTORS;
	if (admission->count - admission->refused < most &&
		(!admission->quota || quota_take(admission->quota, peer_client(peer), most)))
		return ADMITTED;
	return admission->refused < admission->refused_most ? TURNED_AWAY : DROPPED;
}

enum admitted admission_enter(struct admission *admission, const struct peer *peer)
{
	struct server *server = admission->server;
	enum admitted admitted = decide_admission(admission, peer);
	bool refused = admitted != ADMITTED;

	ASSERT_OWNER();
	server->connections++;
	server->counters.connections++;
	server->counters.refused.connections += refused;
	admission->count++;
	admission->refused += refused;
	return admitted;
}

void admission_leave(struct admission *admission, const struct peer *peer, enum admitted admitted)
{
	admission->server->connections--;
	admission->count--;
	if (admitted != ADMITTED)
		admission->refused--;
	else if (admission->quota)
		quota_give(admission->quota, peer_client(peer));
}

/* --- Descriptors --------------------------------------------------------- */

/* The lowest free number tells how many are open. */
size_t admission_count_room(void)
{
	struct rlimit files;
	int lowest = dup(STDERR_FILENO);

	if (lowest >= 0)
		close(lowest);
	if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 1;
	size_t taken = (size_t)lowest + SPARE_DESCRIPTORS;
	return files.rlim_cur > taken ? files.rlim_cur - taken : 1;
}

bool admission_has_room(struct server *server)
{
	if (server->connections < server->room)
		return true;
	if (log_limit_passes(&server->room_limit, uv_now(&server->loop)))
		log_event(server->log, LOG_ERROR, "no-descriptors",
			(struct log_field[]){
				log_number("connections", (int64_t)server->connections),
				log_text("reason", "raise the limit of open files (LimitNOFILE)"),
				{0}});
	return false;
}

/* --- Memory -------------------------------------------------------------- */

void admission_hold(struct server *server, size_t *held, size_t bytes)
{
	server->held_bytes += bytes - *held;
	*held = bytes;
}

bool admission_has_memory(struct server *server, size_t more)
{
	if (server->held_bytes + more <= server->settings.max_buffered_bytes)
		return true;
	server->counters.refused.memory++;
	return false;
}
