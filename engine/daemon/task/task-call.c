/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Tasks that are not mail traffic: calls and diagnoses. Who asks is found out
 * in the pool, what that one may do is decided on the loop. */
#include <time.h>

#include <glib.h>

#include "engine/daemon/loop/long-work.h"
#include "engine/daemon/task/housekeeping.h"
#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/task-internal.h"

static void on_resolve(struct job *job, struct worker *worker)
{
	struct task *task = job->data;
	(void)worker;

	peer_resolve(task->peer);
}

static bool refuse(struct task *task, enum status status)
{
	if (status == STATUS_OK)
		return false;
	task->server->counters.refused.rights += status == STATUS_DENIED;
	task_fail(task);
	return true;
}

/* The answer is there, or memory was not enough for it. */
static void finish_json(struct task *task)
{
	if (task->json) {
		task_finish(task);
		return;
	}
	failure_set(&task->failure, STATUS_NOMEM, "out of memory for the answer");
	task_fail(task);
}

/* --- Calls ------------------------------------------------------------------- */

static void on_read(struct job *job, struct worker *worker)
{
	struct task *task = job->data;

	call_read(task->call, worker, task->query, &task->json, &task->failure);
}

static void on_read_done(struct job *job)
{
	struct task *task = job->data;

	if (task->failure.code != STATUS_OK)
		task_fail(task);
	else
		finish_json(task);
}

static void on_changed(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct receipt *receipt = change_receipt(ticket->change);

	if (call_expires(task->call))
		housekeeping_ended(task->server->housekeeping, receipt, failure);
	if (failure) {
		task->failure = *failure;
		task_fail(task);
		return;
	}
	log_event(task->server->log, LOG_INFO, call_name(task->call),
		(struct log_field[]){log_user(call_scope(task->call)),
			log_number("entries", receipt->entries),
			log_number("reports", receipt->reports),
			log_number("global_tokens", (int64_t)receipt->tokens), peer_log(task->peer),
			{0}});
	task->json = call_receipt(
		task->call, receipt, task->time, service_has_authserv_ids(task->server->service));
	finish_json(task);
}

static void start_change(struct task *task)
{
	struct server *server = task->server;
	struct ticket *ticket = &task->ticket;
	struct clock_reading clock = {.now = time(NULL)};
	enum status status;

	if (call_expires(task->call))
		clock = housekeeping_clock(server->housekeeping);
	task->time = clock.now;
	*ticket = (struct ticket){.data = task,
		.done = on_changed,
		.client = peer_client(task->peer),
		.paced = peer_may_administer(task->peer, &server->settings, NULL) != STATUS_OK};
	status = call_change(task->call, server->service, &clock,
		peer_rules_over(task->peer, call_scope(task->call), &server->settings),
		&ticket->change, &task->failure);
	if (refuse(task, status))
		return;
	status = writer_change(server->writer, ticket, &task->failure);
	if (status != STATUS_OK) {
		change_end(server->service, &ticket->change);
		task_fail(task);
	}
}

/* --- Generations ---------------------------------------------------------------- */

/* Erasures and withdrawals come now and then; each costs one more preparation. */
enum { ADOPTION_TRIES = 10 };

static void start_adoption(struct task *task);

static void on_adopted(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct receipt *receipt = change_receipt(ticket->change);

	if (failure) {
		task->adoption = change_take_adoption(ticket->change);
		task->failure = *failure;
		if (failure->code == STATUS_BUSY && ++task->tries < ADOPTION_TRIES)
			start_adoption(task);
		else
			task_fail(task);
		return;
	}
	log_event(task->server->log, LOG_INFO, "adopt",
		(struct log_field[]){log_number("reports", receipt->reports),
			log_number("global_tokens", (int64_t)receipt->tokens),
			log_number("seq", receipt->seq), peer_log(task->peer), {0}});
	task->json = call_receipt(
		task->call, receipt, task->time, service_has_authserv_ids(task->server->service));
	finish_json(task);
}

static void on_prepared(void *data)
{
	struct task *task = data;
	struct server *server = task->server;

	if (task->failure.code != STATUS_OK) {
		task_fail(task);
		return;
	}
	task->time = time(NULL);
	task->ticket = (struct ticket){.data = task,
		.done = on_adopted,
		.client = peer_client(task->peer),
		.change = change_adopt(server->service, &task->adoption)};
	if (writer_change(server->writer, &task->ticket, &task->failure) != STATUS_OK) {
		change_end(server->service, &task->ticket.change);
		task_fail(task);
	}
}

static void on_prepare(void *data)
{
	struct task *task = data;
	struct worker *worker;

	if (worker_open(task->server->service, &worker, &task->failure) == STATUS_OK)
		adoption_prepare(task->adoption, worker, &task->failure);
	worker_close(&worker);
}

static void start_adoption(struct task *task)
{
	struct server *server = task->server;

	task->failure = (struct failure){0};
	if (!task->adoption) {
		char *database = settings_database(&server->settings);
		enum status status = call_adoption(
			task->call, server->service, database, &task->adoption, &task->failure);
		g_free(database);
		if (refuse(task, status))
			return;
	}
	if (long_work_start(&server->loop, on_prepare, on_prepared, task, &task->failure) !=
		STATUS_OK)
		task_fail(task);
}

static void start_read(struct task *task)
{
	const char *scope = call_scope(task->call);
	enum status status = STATUS_OK;

	if (call_queries(task->call))
		status = query_begin(
			task->server->service, &scope, 1, false, &task->query, &task->failure);
	if (!refuse(task, status))
		task_submit(task, on_read, on_read_done);
}

static void on_caller(struct job *job)
{
	struct task *task = job->data;
	const struct settings *settings = &task->server->settings;
	enum status status = call_right(task->call) == CALL_AS_ADMINISTRATOR
		? peer_may_administer(task->peer, settings, &task->failure)
		: peer_may_report(task->peer, call_scope(task->call), settings, &task->failure);

	if (refuse(task, status))
		return;
	if (call_work(task->call) == CALL_CHANGES)
		start_change(task);
	else if (call_work(task->call) == CALL_ADOPTS)
		start_adoption(task);
	else
		start_read(task);
}

void task_call(struct task *task)
{
	enum status status = call_parse(&task->call, task->message, task->length,
		&service_settings(task->server->service)->naming, &task->failure);

	if (!refuse(task, status))
		task_submit(task, on_resolve, on_caller);
}

/* --- Diagnoses ----------------------------------------------------------------- */

static void on_diagnose(struct job *job, struct worker *worker)
{
	struct task *task = job->data;
	struct past past;

	query_run(task->query, worker, task->message, task->length, &task->failure);
	if (task->failure.code == STATUS_OK)
		query_past(task->query, worker, &past, &task->failure);
	if (task->failure.code == STATUS_OK)
		task->json = render_diagnosis_json(task->query, &past);
}

static void on_asker(struct job *job)
{
	struct task *task = job->data;
	const char *user = task->user;
	enum status status = STATUS_OK;

	if (*user) /* what somebody pressed is between the two of them */
		status = peer_may_report(task->peer, user, &task->server->settings, &task->failure);
	if (status == STATUS_OK)
		status = query_begin(
			task->server->service, &user, 1, true, &task->query, &task->failure);
	if (!refuse(task, status))
		task_submit(task, on_diagnose, on_read_done);
}

void task_diagnose(struct task *task)
{
	task_submit(task, on_resolve, on_asker);
}
