/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The root of the daemon: everything is reached from here. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "engine/daemon/counters.h"
#include "engine/daemon/loop/job.h"
#include "engine/daemon/log.h"
#include "engine/daemon/loop/quota.h"
#include "engine/daemon/sandbox.h"
#include "engine/daemon/loop/writer.h"
#include "engine/service/service.h"
#include "engine/settings/settings.h"
#include "engine/store/store.h"

enum { SERVER_SIGNALS = 3, SERVER_READ_SIZE = 65536 };

/* RUNNING, then DRAINING from the first SIGTERM on, then STOPPED when nothing is
 * left to do but to close. FORCED in between when the grace is over. */
enum server_state { SERVER_RUNNING, SERVER_DRAINING, SERVER_FORCED, SERVER_STOPPED };

struct connection;
struct housekeeping;
struct http;
struct listener;
struct milter;

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
	struct listener *listeners;
	struct http *http;
	struct milter *milter;
	enum server_state state;
	uint64_t started; /* uv_hrtime */
	bool has_loop;

	uv_signal_t signals[SERVER_SIGNALS];
	uv_timer_t grace_timer;
	uv_timer_t watchdog_timer;
	bool has_handles; /* the signals and timers are initialized */

	struct connection *connections;
	size_t connection_count;
	size_t refused_count; /* of them */
	struct quota *quota; /* of the connections' clients */
	size_t held_bytes; /* by the sessions of all connections */
	struct counters counters;
	size_t room; /* connections of all protocols that there are descriptors for */
	uint64_t room_second; /* of the loop's clock, when there was none */
	uint64_t nobody_second; /* likewise, when a recipient's name meant nobody */
	uint64_t stranger_second; /* likewise, when a peer was not given a user's verdict */
	uint64_t unreadable_second; /* likewise, when a user's store was not read */
	uint64_t refusal_second; /* of the loop's clock */
	unsigned refusals; /* in it */

	/* What was read from a connection, until it was fed to its session: libuv
	 * reads and calls back in one go. */
	char read_buffer[SERVER_READ_SIZE];
};

/* Each start fills its part of a server that is otherwise zeroed, in this
 * order; each stop undoes it, in the reverse order, and does nothing when the
 * start failed or was not reached. */
enum status server_start_log(struct server *server, struct failure *failure);
void server_stop_log(struct server *server);
enum status server_start_loop(struct server *server, struct failure *failure);
void server_stop_loop(struct server *server);
enum status server_start_store(struct server *server, struct failure *failure);
void server_stop_store(struct server *server);
enum status server_start_service(struct server *server, struct failure *failure);
void server_stop_service(struct server *server);
enum status server_start_jobs(struct server *server, struct failure *failure);
void server_stop_jobs(struct server *server);
/* Runs the loop until all handles are closed. */
void server_stop_handles(struct server *server);
enum status server_start_writer(struct server *server, struct failure *failure);
void server_stop_writer(struct server *server);
enum status server_start_housekeeping(struct server *server, struct failure *failure);
void server_stop_housekeeping(struct server *server);
enum status server_start_signals(struct server *server, struct failure *failure);
void server_stop_signals(struct server *server);
enum status server_start_listeners(struct server *server, struct failure *failure);
void server_stop_listeners(struct server *server);
enum status server_start_http(struct server *server, struct failure *failure);
void server_stop_http(struct server *server);
enum status server_start_milter(struct server *server, struct failure *failure);
void server_stop_milter(struct server *server);

/* Parts of the sandbox, in force until the end: before there are threads, and last. */
enum status server_confine_files(struct server *server, struct failure *failure);
enum status server_confine_calls(struct server *server, struct failure *failure);

/* Serves until a SIGTERM or SIGINT, then until everything that was taken is
 * answered and durable. */
void server_run(struct server *server);

/* Reads the configuration into the settings, before anything is started. */
enum status server_load_settings(struct server *server, struct complaints *complaints);

/* Threads for messages, as configured or one a processor. */
size_t server_workers(const struct settings *settings);

/* A connection or an HTTP request is gone: the last one may be what a shutdown
 * waits for. */
void server_on_disconnect(struct server *server);

/* Whether a connection more leaves descriptors for the database and for files that are
 * read now and then. Accepting until there is none would close connections without a
 * word. When there is no room, says so once a second. */
bool server_has_room(struct server *server);

/* Logs event=refused with the fields, but only so many a second: refusals come
 * in floods. */
void server_log_refusal(
	struct server *server, enum log_level level, const struct log_field *fields);
