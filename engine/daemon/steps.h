/* What main.c starts and stops: the parts of a server, one function each.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/server.h"

/* Each fills its part of a server that is otherwise zeroed, in this order. */
enum status server_start_log(struct server *server, struct failure *failure);
enum status server_start_loop(struct server *server, struct failure *failure);
enum status server_start_store(struct server *server, struct failure *failure);
enum status server_start_service(struct server *server, struct failure *failure);
/* A part of the sandbox, in force until the end: before there are threads. */
enum status server_confine_files(struct server *server, struct failure *failure);
enum status server_start_jobs(struct server *server, struct failure *failure);
enum status server_start_writer(struct server *server, struct failure *failure);
enum status server_start_housekeeping(struct server *server, struct failure *failure);
enum status server_start_signals(struct server *server, struct failure *failure);
/* Opens server->fronts. */
enum status server_start_fronts(struct server *server, struct failure *failure);
/* The other part of the sandbox: when all is open. */
enum status server_confine_calls(struct server *server, struct failure *failure);

/* Stops in the reverse order what was started, after a failure, too. */
void server_stop(struct server *server);
void server_stop_signals(struct server *server);
void server_stop_fronts(struct server *server);

/* Serves until a SIGTERM or SIGINT, then until everything that was taken is
 * answered and durable. */
void server_run(struct server *server);

/* Reads the configuration into the settings, before anything is started. */
enum status server_load_settings(struct server *server, struct complaints *complaints);

/* Threads for messages, as configured or one a processor. */
size_t server_workers(const struct settings *settings);
