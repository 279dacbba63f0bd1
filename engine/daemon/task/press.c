/* Presses: a report, from the button to the disk.
 * SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "engine/base/message-kind.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/task.h"
#include "engine/service/report/report.h"

/* What is no message teaches nothing. Who took one for a message before may have it
 * forgotten. */
static enum status check_message(struct task *task)
{
	bool moved = task->context.event.kind == EVENT_MOVE;
	enum message_kind kind = message_kind_of(task->message, task->length);

	if (kind == MESSAGE_MAIL || (task->label == LABEL_FORGET && !moved))
		return STATUS_OK;
	return failure_set(&task->failure, STATUS_INVALID,
		"report not kept: what was sent is %s and no message", message_kind_text(kind));
}

static enum status take_press(struct task *task)
{
	struct press_info info = {.user = task->user,
		.event = task->context.event,
		.consent = task->context.consent,
		.time = time(NULL)};
	enum status status = check_message(task);

	info.event.label = task->label;
	if (status == STATUS_OK)
		status = press_new(task->server->service, &info, &task->press, &task->failure);
	return status;
}

/* Who may not report costs no more than finding that out: the message is not looked into. */
static void begin_press(struct task *task)
{
	enum status status =
		peer_may_report(task->peer, task->user, &task->server->settings, &task->failure);

	if (!task_end_if_failed(task, status))
		task_run(task);
}

/* A login can only add to what the peer may. */
static void start_press(struct task *task)
{
	const struct settings *settings = &task->server->settings;

	if (take_press(task) != STATUS_OK)
		task_end(task);
	else if (peer_is_resolved(task->peer) ||
		peer_may_report(task->peer, task->user, settings, NULL) == STATUS_OK)
		begin_press(task);
	else
		task_identify(task);
}

static void run_press_job(struct job *job, struct worker *worker)
{
	struct task *task = job->data;

	press_run(task->press, worker, task->message, task->length, &task->failure);
}

static void log_report(const struct task *task, const struct answer *answer)
{
	static const char *const LABELS[] = {"forget", "ham", "spam"};

	log_event(task->server->log, LOG_INFO, "report",
		(struct log_field[]){log_user(task->user), log_text("label", LABELS[answer->label]),
			log_text("outcome", outcome_name(answer->outcome)),
			log_hex("identity", answer->identity), log_number("seq", answer->seq),
			log_number("global", answer->taught_global),
			log_number("bytes", (int64_t)task->length),
			log_real("ms", task_elapsed_ms(task)), peer_log(task->peer), {0}});
}

static void on_committed(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct answer *answer = press_answer(task->press);

	if (failure) {
		failure_set(&task->failure, failure->code, "report not kept: %s (%.180s)",
			status_text(failure->code), failure->detail);
	} else {
		log_report(task, answer);
		task->server->counters.outcomes[answer->outcome]++;
	}
	task_end(task);
}

static void submit_press(struct job *job)
{
	struct task *task = job->data;
	struct server *server = task->server;

	if (task->failure.code == STATUS_OK) {
		task->ticket.data = task;
		task->ticket.press = task->press;
		task->ticket.done = on_committed;
		task->ticket.client = peer_client(task->peer);
		if (writer_submit(server->writer, &task->ticket, &task->failure) == STATUS_OK)
			return; /* the task may be gone by now */
		server->counters.refused.reports++;
	}
	task_end(task);
}

const struct task_kind task_press = {
	.start = start_press,
	.begin = begin_press,
	.run = run_press_job,
	.ran = submit_press,
};
