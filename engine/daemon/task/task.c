/* What all kinds of tasks have in common: who asks, the pool, the end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/task.h"

#include <stdlib.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/server.h"
#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/upkeep/upkeep.h"

double task_elapsed_ms(const struct task *task)
{
	return (double)(uv_hrtime() - task->started) / 1e6;
}

/* --- The end ------------------------------------------------------------- */

void task_release(struct task *task)
{
	query_end(task->server->service, &task->query);
	press_free(&task->press);
	call_free(&task->call);
	change_end(task->server->service, &task->adoption);
	context_free(&task->context);
	free(task->json);
	task->json = NULL;
}

/* What is invalid the detail quotes, for the client's eyes: it may be a name, or a part
 * of a message that was sent in place of a call. */
static void log_task_failure(const struct task *task)
{
	const struct failure *failure = &task->failure;
	bool quotes = failure->code == STATUS_INVALID;

	server_log_refusal(task->server, LOG_WARNING,
		(struct log_field[]){log_text("command", task->name), log_user(task->user),
			log_text("reason", quotes ? status_text(failure->code) : failure->detail),
			peer_log(task->peer), {0}});
}

void task_end(struct task *task)
{
	ASSERT_OWNER();
	if (task->failure.code != STATUS_OK)
		log_task_failure(task);
	task->done(task);
}

bool task_end_if_failed(struct task *task, enum status status)
{
	if (status == STATUS_OK)
		return false;
	task->server->counters.refused.rights += status == STATUS_DENIED;
	task_end(task);
	return true;
}

void task_end_with_json(struct job *job)
{
	struct task *task = job->data;

	if (task->failure.code == STATUS_OK && !task->json)
		failure_set(&task->failure, STATUS_NOMEM, "out of memory for the answer");
	task_end(task);
}

/* --- The pool ------------------------------------------------------------ */

static void submit(struct task *task, void (*run)(struct job *job, struct worker *worker),
	void (*done)(struct job *job))
{
	struct server *server = task->server;
	enum status status;

	task->job.run = run;
	task->job.done = done;
	task->job.client = peer_client(task->peer);
	task->job.unshared = task->unshared;
	status = jobs_submit(server->jobs, &task->job, server->settings.max_jobs);
	if (status == STATUS_OK)
		return;
	server->counters.refused.jobs++;
	failure_set(&task->failure, status,
		"too busy: %zu messages are being worked on, or too many of this client",
		jobs_running(server->jobs) + jobs_waiting(server->jobs));
	task_end(task);
}

static void on_identify(struct job *job, struct worker *worker)
{
	struct task *task = job->data;
	(void)worker;

	peer_resolve(task->peer);
}

static void on_identified(struct job *job)
{
	struct task *task = job->data;

	task->kind->begin(task);
}

void task_identify(struct task *task)
{
	submit(task, on_identify, on_identified);
}

void task_run(struct task *task)
{
	submit(task, task->kind->run, task->kind->ran);
}
