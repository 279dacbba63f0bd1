/* What the files that serve HTTP share: http.c opens the sockets, listening.c drives one,
 * clients.c knows who is connected, receive.c takes a request in, body.c unpacks it and
 * starts its route, exchange.c is what a route has in hand.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/queue.h>
#include <uv.h>

#include "engine/daemon/http/clients.h"

struct exchange;

/* A socket with the daemon of libmicrohttpd behind it. */
struct listening {
	struct http *http;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_idle_t soon; /* runs while there is work at once */
	int open_handles;
	char *path; /* that this process made */
	bool tcp;
	LIST_ENTRY(listening) link;
};

struct http {
	struct server *server;
	LIST_HEAD(, listening) sockets;
	struct clients clients;
	LIST_HEAD(, exchange) exchanges; /* between the first byte and the last */
	uv_timer_t reaper;
	char *token; /* "" = none */
	int references; /* of what the loop still has to close */
};

/* http.c: something is closed; frees `http` with the last of it. */
void http_release(struct http *http);

/* listening.c: serves `fd`, as sockets_fn; `context` = the struct http. */
enum status listening_open(
	void *context, int fd, int domain, const char *path, struct failure *failure);
/* Accepts nobody any more. */
void listening_quiesce(struct listening *listening);
/* The memory is freed when the loop has closed the handles. */
void listening_close(struct listening *listening);
/* Has libmicrohttpd look at its connections in the next turn of the loop: after
 * MHD_resume_connection. */
void listening_wake(struct listening *listening);

/* receive.c: libmicrohttpd's calls when a request's target has come, while the rest comes
 * in, and when it has ended; `context` of the second = the listening. */
void *receive_on_target(void *context, const char *text, struct MHD_Connection *connection);
enum MHD_Result receive_on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *data, size_t *size,
	void **state);
void receive_on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why);

/* body.c: the last byte is there. */
void body_start(struct exchange *exchange);

/* exchange.c: answers with an error in words of HTTP. */
void exchange_problem(struct exchange *exchange, unsigned code, const char *detail);
/* Hands the answer to libmicrohttpd. */
enum MHD_Result exchange_send(struct exchange *exchange);
/* Leaves the connection alone until the task has answered. */
void exchange_suspend(struct exchange *exchange);
/* Has the answer sent, when the connection was left alone. */
void exchange_resume(struct exchange *exchange);
