/* Work on messages in the thread pool: each job gets one of a fixed number of
 * workers lent, and waits while none is free: clients have their turns. A brief one
 * that is alone runs on the loop itself. Loop thread only, but for a job's `run`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <uv.h>

#include "engine/daemon/loop/lanes.h"
#include "engine/service/service.h"

/* Embedded in what is to be done; fields but the first six are private. It
 * must stay where it is until `done`. */
struct job {
	void *data; /* the owner's */
	void (*run)(struct job *job, struct worker *worker); /* in the pool, if not brief */
	void (*done)(struct job *job); /* on the loop */
	bool brief; /* takes well below a millisecond and waits for nothing */
	lanes_client client; /* who hands it in */
	bool unshared; /* a mail server's: the client may have all that there is */
	uv_work_t work;
	struct jobs *jobs;
	struct worker *worker;
	STAILQ_ENTRY(job) fresh;
	struct lanes_item item;
};

struct jobs;

/* `loop` and `service` must outlive the jobs. */
enum status jobs_new(struct jobs **jobs, uv_loop_t *loop, struct service *service, size_t workers,
	struct failure *failure);

/* Not while a job is running or waiting; the loop has to run once more. */
void jobs_close(struct jobs **jobs);

/* Neither `run` nor `done` is called before this has returned. STATUS_OVERLOAD: `limit`
 * jobs are running or waiting already, or the client has its quota of them; `done` will
 * not be called. */
enum status jobs_submit(struct jobs *jobs, struct job *job, size_t limit);

size_t jobs_workers(const struct jobs *jobs);
size_t jobs_running(const struct jobs *jobs);
size_t jobs_waiting(const struct jobs *jobs);
