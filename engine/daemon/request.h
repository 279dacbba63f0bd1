/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One complete request on its way to its reply: rights, work in the pool, the
 * writer. Loop thread only. */
#pragma once

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/daemon/call.h"
#include "engine/daemon/context.h"
#include "engine/daemon/job.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/writer.h"
#include "engine/protocol/spamd.h"
#include "engine/service/service.h"

struct server;

/* Embedded by its owner. The first four are the owner's to fill in; `reply` is
 * filled when `done` is called, and released by the owner. */
struct request {
	struct server *server;
	const struct spamd_request *spamd; /* must live until `done` */
	struct peer *peer;
	void (*done)(struct request *request);
	struct buffer reply; /* empty: just close */

	/* Private. */
	struct job job;
	struct ticket ticket;
	struct context context;
	struct query *query;
	struct press *press;
	struct call *call;
	int64_t time; /* of a change */
	char *json;   /* made in the pool */
	struct failure failure;
	uint64_t started;
};

/* `done` is called once, perhaps before this returns. */
void request_start(struct request *request);

/* --- For the files that carry requests out ------------------------------------ */

/* Answers and ends. The failure's detail says what went wrong in words that a
 * client may see. */
void request_finish(struct request *request);
void request_fail(struct request *request);

/* Has the pool run it; fails the request when there is too much to do. */
void request_submit(struct request *request, void (*run)(struct job *job, struct worker *worker),
	void (*done)(struct job *job));

/* Replies with request->json, or for want of memory with a failure. */
void request_reply_json(struct request *request);

/* CALL and DIAGNOSE. */
void request_call(struct request *request);
void request_diagnose(struct request *request);
