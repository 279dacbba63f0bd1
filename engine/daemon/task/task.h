/* One question on its way through the engine, whatever protocol it came by: who asks, what
 * that one may, work in the pool, the writer. Loop thread only, but for `render`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/daemon/loop/job.h"
#include "engine/daemon/loop/writer.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/task/call.h"
#include "engine/daemon/task/context.h"

struct server;
struct task;

/* What is done for a task. Each function but `run` ends in the next one, or the task. */
struct task_kind {
	/* [loop] What can be refused at once; then `begin`, if need be through
	 * task_identify. */
	void (*start)(struct task *task);
	/* [loop] Who asks is known as far as it matters: what that one may. Then task_run, or
	 * a ticket for the writer. */
	void (*begin)(struct task *task);
	/* Of the task's job. [pool] The work, with its outcome in task->failure; [loop] what
	 * follows, up to `done`. */
	void (*run)(struct job *job, struct worker *worker);
	void (*ran)(struct job *job);
};

extern const struct task_kind task_scan; /* gives a query with its verdicts */
extern const struct task_kind task_press; /* gives a press with its answer */
extern const struct task_kind task_diagnose; /* gives JSON */
extern const struct task_kind task_call; /* gives JSON */

/* Embedded by its owner, who zeroes it and fills in the first part; what that
 * points to must live until `done`. */
struct task {
	void *owner;
	struct server *server;
	struct peer *peer;
	const struct task_kind *kind;
	const char *name; /* for the log: "CHECK", "/v1/score" */
	const char *user; /* "" = none; of a scan unless the context has recipients */
	struct context context; /* the task's from then on */
	struct call *call; /* of task_call; the task's from then on */
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

	/* Private to the kinds of tasks. */
	struct job job;
	struct ticket ticket;
	struct change *adoption;
	unsigned tries; /* to adopt */
	int64_t time;
	uint64_t started;
};

static inline void task_start(struct task *task)
{
	task->started = uv_hrtime();
	task->job = (struct job){.data = task};
	task->kind->start(task);
}

/* Frees what the task holds; for the owner, in or after `done`. */
void task_release(struct task *task);

/* --- For kinds of tasks -------------------------------------------------- */

/* Finds the peer's login, in the pool, then begins the task. */
void task_identify(struct task *task);

/* Has the pool run the task; ends it when there is too much to do. */
void task_run(struct task *task);

/* The task has ended, and its owner is told: it was done, or task->failure says why not,
 * which is logged. Also for an owner whose task cannot be started. */
void task_end(struct task *task);

/* Ends the task if it was refused or failed; STATUS_DENIED is counted. True then. */
bool task_end_if_failed(struct task *task, enum status status);

/* The `ran` of a task that has given task->json or failed: ends it. NULL = there was no
 * memory for the answer. */
void task_end_with_json(struct job *job);

/* Milliseconds since its start. */
double task_elapsed_ms(const struct task *task);
