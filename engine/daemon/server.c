/* The root of the daemon: what is told of refusals, and when all that was begun has ended.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/server.h"

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/state.h"

static const unsigned REFUSALS_A_SECOND = 10;

void server_log_refusal(struct server *server, enum log_level level, const struct log_field *fields)
{
	if (log_limit_passes(&server->refusal_limit, uv_now(&server->loop))) {
		if (server->refusals > REFUSALS_A_SECOND)
			log_event(server->log, LOG_WARNING, "refusals-not-shown",
				(struct log_field[]){
					log_number("count", server->refusals - REFUSALS_A_SECOND),
					{0}});
		server->refusals = 0;
	}
	if (server->refusals++ < REFUSALS_A_SECOND)
		log_event(server->log, level, "refused", fields);
}

void server_move(struct server *server, enum server_state to)
{
	static const unsigned MOVES[] = {
		[SERVER_RUNNING] = STATE_BIT(SERVER_DRAINING),
		[SERVER_DRAINING] = STATE_BIT(SERVER_FORCED) | STATE_BIT(SERVER_STOPPED),
		[SERVER_FORCED] = STATE_BIT(SERVER_STOPPED),
		[SERVER_STOPPED] = 0,
	};

	STATE_MOVE(server->state, to, MOVES);
}

static void on_drained(void *context)
{
	struct server *server = context;

	server_move(server, SERVER_STOPPED);
	uv_stop(&server->loop);
}

void server_delay_stop(struct server *server)
{
	ASSERT_OWNER();
	server->stop_delays++;
}

/* When all that was begun has ended, what waits for the disk is the rest. */
void server_allow_stop(struct server *server)
{
	bool stopping = server->state == SERVER_DRAINING || server->state == SERVER_FORCED;

	server->stop_delays--;
	if (stopping && server->stop_delays == 0)
		writer_drain(server->writer, on_drained, server);
}
