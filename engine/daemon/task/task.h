/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One question on its way through the engine, whatever protocol it came by:
 * rights, work in the pool, the writer. Loop thread only, but for `render`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/daemon/task/call.h"
#include "engine/daemon/task/context.h"
#include "engine/daemon/loop/job.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/loop/writer.h"
#include "engine/service/service.h"

struct server;

enum task_kind {
	TASK_SCAN, /* gives a query with its verdicts */
	TASK_PRESS, /* gives a press with its answer */
	TASK_DIAGNOSE, /* gives JSON */
	TASK_CALL, /* gives JSON; the message is the call */
};

/* Embedded by its owner, who zeroes it and fills in the first part; what that
 * points to must live until `done`. */
struct task {
	void *owner;
	struct server *server;
	struct peer *peer;
	enum task_kind kind;
	const char *name; /* for the log: "CHECK", "/v1/score" */
	const char *user; /* "" = none; of a scan unless the context has recipients */
	struct context context; /* the task's from then on */
	enum label label; /* of a press that is no move */
	bool explain; /* a scan with reasons */
	bool unshared; /* a mail server's: its jobs have no quota */
	bool shows; /* a scan whose answer tells more than a verdict: reasons, entries */
	const char *message;
	size_t length;
	/* After a scan, in the pool: what takes time to be made from it. May be
	 * NULL. */
	void (*render)(struct task *task);
	/* Called once, perhaps before task_start returns. */
	void (*done)(struct task *task);

	/* What became of it, until task_release. */
	struct failure failure; /* code STATUS_OK: it was done */
	struct query *query;
	struct press *press;
	char *json;

	/* Private. */
	struct job job;
	struct ticket ticket;
	struct call *call;
	struct adoption *adoption;
	unsigned tries; /* to adopt */
	int64_t time;
	uint64_t started;
};

void task_start(struct task *task);

/* Frees what the task holds; for the owner, in or after `done`. */
void task_release(struct task *task);
