/* Jobs: the workers, who waits for one, and the pool.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/job.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/quota.h"
#include "engine/service/service.h"

struct jobs {
	uv_loop_t *loop;
	struct worker **free_workers; /* a stack: the warmest first */
	size_t free_count;
	size_t worker_count;
	STAILQ_HEAD(, job) fresh; /* of this turn of the loop: see on_turn */
	size_t fresh_count;
	uv_idle_t turn;
	struct lanes *waiting; /* for a worker */
	struct quota *quota; /* of those that run or wait */
	uv_work_t first_work;
	int uses; /* of this memory by the loop: turn, first_work */
};

/* --- Life ------------------------------------------------------------------- */

static void unuse(struct jobs *jobs)
{
	if (--jobs->uses == 0)
		free(jobs);
}

static void on_turn_closed(uv_handle_t *turn)
{
	unuse(turn->data);
}

static void do_nothing(uv_work_t *work)
{
	(void)work;
}

static void on_nothing_done(uv_work_t *work, int error)
{
	(void)error;
	unuse(work->data);
}

/* The pool's threads are made with the first work and keep the mask that this thread
 * has then: so signals come to the loop's thread alone, which can block them. */
static void start_threads(struct jobs *jobs)
{
	sigset_t signals, former;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, &former);
	jobs->first_work.data = jobs;
	if (uv_queue_work(jobs->loop, &jobs->first_work, do_nothing, on_nothing_done) == 0)
		jobs->uses++;
	pthread_sigmask(SIG_SETMASK, &former, NULL);
}

static void close_workers(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->worker_count; i++)
		worker_close(&jobs->free_workers[i]);
	free(jobs->free_workers);
}

enum status jobs_new(struct jobs **result, uv_loop_t *loop, struct service *service, size_t workers,
	struct failure *failure)
{
	enum status status = STATUS_OK;
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	*result = NULL;
	if (!jobs || !(jobs->free_workers = calloc(workers, sizeof(struct worker *)))) {
		free(jobs);
		return failure_set(failure, STATUS_NOMEM, "starting the workers: out of memory");
	}
	for (; jobs->worker_count < workers && status == STATUS_OK; jobs->worker_count++)
		status = worker_open(service, &jobs->free_workers[jobs->worker_count], failure);
	if (status != STATUS_OK) {
		close_workers(jobs);
		free(jobs);
		return status;
	}
	jobs->free_count = jobs->worker_count;
	jobs->loop = loop;
	STAILQ_INIT(&jobs->fresh);
	jobs->waiting = lanes_new();
	jobs->quota = quota_new();
	uv_idle_init(loop, &jobs->turn);
	jobs->turn.data = jobs;
	jobs->uses = 1;
	start_threads(jobs);
	*result = jobs;
	return STATUS_OK;
}

void jobs_close(struct jobs **jobs)
{
	if (!*jobs)
		return;
	assert((*jobs)->free_count == (*jobs)->worker_count && (*jobs)->fresh_count == 0);
	close_workers(*jobs);
	lanes_free(&(*jobs)->waiting);
	quota_free(&(*jobs)->quota);
	uv_close((uv_handle_t *)&(*jobs)->turn, on_turn_closed);
	*jobs = NULL;
}

/* --- Work ------------------------------------------------------------------- */

static void lend_worker(struct jobs *jobs, struct job *job)
{
	job->worker = jobs->free_workers[--jobs->free_count];
}

static void take_worker_back(struct jobs *jobs, struct job *job)
{
	jobs->free_workers[jobs->free_count++] = job->worker;
	job->worker = NULL;
}

static void on_job_run(uv_work_t *work)
{
	struct job *job = work->data;

	thread_take_role(THREAD_WORKER);
	job->run(job, job->worker);
}

static void on_job_ran(uv_work_t *work, int error);

static void start(struct jobs *jobs, struct job *job)
{
	lend_worker(jobs, job);
	job->work.data = job;
	/* It fails only when it is given no function. */
	int error = uv_queue_work(jobs->loop, &job->work, on_job_run, on_job_ran);
	assert(error == 0);
	(void)error;
}

static void give_back(struct jobs *jobs, const struct job *job)
{
	if (!job->unshared)
		quota_give(jobs->quota, job->client);
}

static void start_next(struct jobs *jobs)
{
	struct lanes_item *item = lanes_take(jobs->waiting, 0);

	if (item)
		start(jobs, (struct job *)((char *)item - offsetof(struct job, item)));
}

/* The next one starts before this one is looked at, to keep threads busy. */
static void on_job_ran(uv_work_t *work, int error)
{
	struct job *job = work->data;
	struct jobs *jobs = job->jobs;

	assert(error == 0); /* nobody cancels */
	(void)error;
	take_worker_back(jobs, job);
	give_back(jobs, job);
	start_next(jobs);
	job->done(job);
}

static void run_here(struct jobs *jobs, struct job *job)
{
	enum thread_role former = thread_take_role(THREAD_WORKER);

	lend_worker(jobs, job);
	job->run(job, job->worker);
	thread_take_role(former);
	take_worker_back(jobs, job);
	give_back(jobs, job);
	job->done(job);
}

/* When a turn of the loop has brought all that it brings. A brief job that is alone, and
 * no other at work, is done at once: to wake a thread and to be woken by it would take a
 * quarter of its time. As soon as there are several, the pool does them side by side. */
static void on_turn(uv_idle_t *turn)
{
	struct jobs *jobs = turn->data;
	bool alone = jobs->fresh_count == 1 && jobs_running(jobs) == 0;
	struct job *job;

	uv_idle_stop(turn);
	while ((job = STAILQ_FIRST(&jobs->fresh))) {
		STAILQ_REMOVE_HEAD(&jobs->fresh, fresh);
		jobs->fresh_count--;
		if (alone && job->brief) {
			run_here(jobs, job);
			return; /* what its end has brought is of the next turn */
		}
		if (jobs->free_count > 0)
			start(jobs, job);
		else
			lanes_push(jobs->waiting, job->client, &job->item);
	}
}

enum status jobs_submit(struct jobs *jobs, struct job *job, size_t limit)
{
	ASSERT_OWNER();
	if (jobs_running(jobs) + jobs_waiting(jobs) >= limit ||
		(!job->unshared && !quota_take(jobs->quota, job->client, limit)))
		return STATUS_OVERLOAD;
	job->jobs = jobs;
	STAILQ_INSERT_TAIL(&jobs->fresh, job, fresh);
	jobs->fresh_count++;
	uv_idle_start(&jobs->turn, on_turn);
	return STATUS_OK;
}

size_t jobs_workers(const struct jobs *jobs)
{
	return jobs->worker_count;
}

size_t jobs_running(const struct jobs *jobs)
{
	return jobs->worker_count - jobs->free_count;
}

size_t jobs_waiting(const struct jobs *jobs)
{
	return jobs->fresh_count + lanes_waiting(jobs->waiting);
}
