/* The root of the daemon: fronts, tasks and housekeeping reach everything from here. Loop
 * thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "engine/daemon/counters.h"
#include "engine/daemon/log.h"
#include "engine/daemon/loop/job.h"
#include "engine/daemon/loop/writer.h"
#include "engine/daemon/sandbox.h"
#include "engine/settings/settings.h"
#include "engine/store/store.h"

enum { SERVER_SIGNALS = 3, SERVER_READ_SIZE = 65536, SERVER_FRONTS_MAX = 8 };

/* RUNNING, then DRAINING from the first SIGTERM on, then STOPPED when nothing is
 * left to do but to close. FORCED in between when the grace is over. */
enum server_state { SERVER_RUNNING, SERVER_DRAINING, SERVER_FORCED, SERVER_STOPPED };

struct front;
struct housekeeping;

struct server {
	uv_loop_t loop;
	const char *config_path;
	bool config_optional; /* without the file there are the defaults */
	struct settings settings; /* in force */
	bool verbose; /* debug lines whatever log-level says */
	struct log *log;
	struct store *store;
	struct service *service;
	struct jobs *jobs;
	struct sandbox sandbox;
	struct writer *writer;
	struct housekeeping *housekeeping;
	const struct front *const *fronts; /* NULL-terminated, SERVER_FRONTS_MAX at most */
	void *front_states[SERVER_FRONTS_MAX]; /* of each that was opened */
	enum server_state state;
	uint64_t started; /* uv_hrtime */
	bool has_loop;

	uv_signal_t signals[SERVER_SIGNALS];
	uv_timer_t grace_timer;
	uv_timer_t watchdog_timer;
	bool has_handles; /* the signals and timers are initialized */

	size_t stop_delays; /* see server_delay_stop */
	struct counters counters;
	size_t connections; /* of all fronts */
	size_t room; /* how many of them there are descriptors for */
	size_t held_bytes; /* by the requests of all connections */
	unsigned refusals; /* in the second of the last one */
	struct log_limit refusal_limit;
	struct log_limit room_limit; /* there was none */
	struct log_limit nobody_limit; /* a recipient's name meant nobody */
	struct log_limit stranger_limit; /* a peer was not given a user's verdict */
	struct log_limit unreadable_limit; /* a user's fold was not read */

	/* What was read from a connection, until its protocol has taken it: libuv reads and
	 * calls back in one go. */
	char read_buffer[SERVER_READ_SIZE];
};

/* To a state that may follow. */
void server_move(struct server *server, enum server_state to);

/* Something begins that a shutdown waits for: a connection, a request; and it has ended. */
void server_delay_stop(struct server *server);
void server_allow_stop(struct server *server);

/* Logs event=refused with the fields, but only so many a second: refusals come
 * in floods. */
void server_log_refusal(
	struct server *server, enum log_level level, const struct log_field *fields);
