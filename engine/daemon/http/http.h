/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * HTTP on a Unix socket, and on loopback TCP with a token: libmicrohttpd driven
 * by the loop through its epoll descriptor. Loop thread only. */
#pragma once

#include <stddef.h>

#include "engine/base/status.h"

struct server;
struct settings;
struct http;

/* Whether there is the token that listen-http needs. */
enum status http_check(const struct settings *settings, struct failure *failure);

/* Opens the socket http.sock or the one that was passed, and listen-http when
 * configured. */
enum status http_open(struct http **http, struct server *server, struct failure *failure);

/* Reads the token anew, where one is in use; the former one counts no more then, nor on
 * connections that are open. After a failure it stays. */
enum status http_reload(struct http *http, struct failure *failure);

/* Accepts nobody any more. Then server_on_disconnect is called whenever a request
 * has ended. */
void http_quiesce(struct http *http);

/* Cuts off who has not sent a whole request. */
void http_expire(struct http *http);

/* Requests between their first byte and their last: what a shutdown waits for. */
size_t http_active(const struct http *http);
size_t http_connections(const struct http *http);

/* Closes all; not while a request is active. NULL is allowed. The memory is freed
 * when the loop has closed the handles. */
void http_close(struct http **http);
