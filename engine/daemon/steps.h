/* What main.c starts and stops: the parts of a server, one function each.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/server.h"

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
/* Opens server->fronts. */
enum status server_start_fronts(struct server *server, struct failure *failure);
void server_stop_fronts(struct server *server);

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
