/* Diagnoses: a message explained step by step.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/task.h"
#include "engine/service/query/query.h"

/* What somebody pressed is between the two of them. */
static void begin_diagnosis(struct task *task)
{
	const char *user = task->user;
	enum status status = STATUS_OK;

	if (*user)
		status = peer_may_report(task->peer, user, &task->server->settings, &task->failure);
	if (status == STATUS_OK)
		status = query_begin(
			task->server->service, &user, 1, true, &task->query, &task->failure);
	if (!task_end_if_failed(task, status))
		task_run(task);
}

static void run_diagnosis(struct job *job, struct worker *worker)
{
	struct task *task = job->data;
	struct past past;

	query_run(task->query, worker, task->message, task->length, &task->failure);
	if (task->failure.code == STATUS_OK)
		query_past(task->query, worker, &past, &task->failure);
	if (task->failure.code == STATUS_OK)
		task->json = render_diagnosis_json(task->query, &past);
}

const struct task_kind task_diagnose = {
	.start = task_identify,
	.begin = begin_diagnosis,
	.run = run_diagnosis,
	.ran = task_end_with_json,
};
