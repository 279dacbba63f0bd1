/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/job.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

struct jobs {
	uv_loop_t *loop;
	struct worker **free_workers; /* a stack: the warmest first */
	size_t free_count;
	size_t worker_count;
	struct job *first; /* in line */
	struct job **end;
	size_t waiting;
	uv_work_t first_work;
};

static void do_nothing(uv_work_t *work)
{
	(void)work;
}

static void on_nothing_done(uv_work_t *work, int error)
{
	(void)work;
	(void)error;
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
	uv_queue_work(jobs->loop, &jobs->first_work, do_nothing, on_nothing_done);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
}

enum status jobs_new(struct jobs **result, uv_loop_t *loop, struct service *service, size_t workers,
	struct failure *failure)
{
	enum status status = STATUS_NOMEM;
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	*result = NULL;
	if (!jobs || !(jobs->free_workers = calloc(workers, sizeof(struct worker *)))) {
		failure_set(failure, status, "starting the workers: out of memory");
		goto out;
	}
	jobs->loop = loop;
	jobs->end = &jobs->first;
	for (; jobs->worker_count < workers; jobs->worker_count++) {
		status = worker_open(service, &jobs->free_workers[jobs->worker_count], failure);
		if (status != STATUS_OK)
			goto out;
		jobs->free_count++;
	}
	start_threads(jobs);
	*result = jobs;
	jobs = NULL;
	status = STATUS_OK;
out:
	jobs_free(&jobs);
	return status;
}

void jobs_free(struct jobs **jobs)
{
	if (!*jobs)
		return;
	assert((*jobs)->free_count == (*jobs)->worker_count && !(*jobs)->first);
	for (size_t i = 0; i < (*jobs)->free_count; i++)
		worker_close(&(*jobs)->free_workers[i]);
	free((*jobs)->free_workers);
	free(*jobs);
	*jobs = NULL;
}

static void on_run(uv_work_t *work)
{
	struct job *job = work->data;

	job->run(job, job->worker);
}

static void on_ran(uv_work_t *work, int error);

static void start(struct jobs *jobs, struct job *job)
{
	job->worker = jobs->free_workers[--jobs->free_count];
	job->work.data = job;
	/* It fails only without a work function. */
	int error = uv_queue_work(jobs->loop, &job->work, on_run, on_ran);
	assert(error == 0);
	(void)error;
}

/* The next in line starts before this one is looked at, to keep threads busy. */
static void on_ran(uv_work_t *work, int error)
{
	struct job *job = work->data;
	struct jobs *jobs = job->jobs;
	struct job *next = jobs->first;

	assert(error == 0); /* nobody cancels */
	(void)error;
	jobs->free_workers[jobs->free_count++] = job->worker;
	job->worker = NULL;
	if (next) {
		jobs->first = next->next;
		if (!jobs->first)
			jobs->end = &jobs->first;
		jobs->waiting--;
		start(jobs, next);
	}
	job->done(job);
}

enum status jobs_submit(struct jobs *jobs, struct job *job, size_t limit)
{
	if (jobs_running(jobs) + jobs->waiting >= limit)
		return STATUS_OVERLOAD;
	job->jobs = jobs;
	job->next = NULL;
	if (jobs->free_count > 0) {
		start(jobs, job);
	} else {
		*jobs->end = job;
		jobs->end = &job->next;
		jobs->waiting++;
	}
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
	return jobs->waiting;
}
