/* One HTTP request and its answer, as a route has them in hand.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "engine/base/buffer.h"
#include "engine/base/compression.h"
#include "engine/daemon/http/target.h"
#include "engine/daemon/loop/job.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/task/task.h"

struct server;
struct exchange;

/* A path that is served. */
struct route {
	const char *method; /* of "GET", HEAD is served too */
	const char *path; /* compared without case where `rspamd` is set */
	const char *name; /* for log and counters */
	bool open; /* over TCP without a token, too */
	bool rspamd; /* errors are {"error": ...} and not problem details */
	bool mail; /* the body is a message, and refused when it is none */
	/* The whole body is there. Answers now, or starts the exchange's task. */
	void (*start)(struct exchange *exchange);
};

extern const struct route http_routes[];
extern const size_t http_routes_count;

struct exchange {
	struct server *server;
	struct MHD_Connection *connection;
	struct target target;
	const struct route *route;
	struct peer peer;
	struct buffer body;
	struct task task;

	/* The answer. */
	bool answered;
	unsigned code;
	const char *type; /* Content-Type */
	struct parameter hint; /* a further header field; name NULL = none */
	char *text; /* owned, by malloc */
	size_t length;

	/* Private to body.c. */
	enum compression compression;
	struct buffer unpacked;
	struct failure failure;
	struct job job;

	/* Private to exchange.c and receive.c. */
	void (*finish)(struct task *task);
	struct listening *listening;
	LIST_ENTRY(exchange) link;
	bool refused; /* as its client */
	bool counted; /* as active */
	bool started, suspended, too_large;
	bool malformed; /* nobody knows where the next request begins */
	size_t held;
};

/* Takes over `text` (malloc), NULL = out of memory. */
void exchange_answer(struct exchange *exchange, unsigned code, const char *type, char *text);
void exchange_answer_json(struct exchange *exchange, char *json);
void exchange_fail(struct exchange *exchange, const struct failure *failure);

/* A query parameter, or a header field; NULL = not given. Borrowed. */
const char *exchange_parameter(const struct exchange *exchange, const char *name);
const char *exchange_header(const struct exchange *exchange, const char *name);

/* All values of a parameter or a field, NULL-terminated, to be freed with
 * g_strfreev; NULL when there is none. */
char **exchange_parameters(const struct exchange *exchange, const char *name);
char **exchange_headers(const struct exchange *exchange, const char *name);

/* The task is for these recipients (taken over, NULL = nobody in particular). False when
 * they are too many: then it is answered. */
bool exchange_set_recipients(struct exchange *exchange, char **names);

/* The task is about the body, for this user (borrowed). `finish` answers when it was done. */
void exchange_prepare(struct exchange *exchange, const struct task_kind *kind, const char *user,
	void (*finish)(struct task *task));

/* Starts such a task; what it needs besides was filled in before. */
void exchange_start(struct exchange *exchange, const struct task_kind *kind, const char *user,
	void (*finish)(struct task *task));

/* Routes of rspamd.c. */
void rspamd_check(struct exchange *exchange);
void rspamd_learn_spam(struct exchange *exchange);
void rspamd_learn_ham(struct exchange *exchange);
void rspamd_ping(struct exchange *exchange);
void rspamd_stat(struct exchange *exchange);
