/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Mail servers that ask as they receive: Postfix and Sendmail through the milter
 * protocol. A message is refused where every recipient's policy says so, otherwise
 * taken and marked. Loop thread only. */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"

struct server;
struct milter;

/* Opens the socket milter.sock or the one that was passed, and listen-milter when
 * configured. */
enum status milter_open(struct milter **milter, struct server *server, struct failure *failure);

/* Accepts nobody any more, and closes connections without a message at work. Then
 * server_on_disconnect is called whenever a connection has ended. */
void milter_quiesce(struct milter *milter);

/* Connections: what a shutdown waits for. */
size_t milter_connections(const struct milter *milter);

/* Closes all. NULL is allowed. The memory is freed when the loop has closed the
 * handles. */
void milter_close(struct milter **milter);
