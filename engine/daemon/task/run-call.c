/* Calls are carried out: by the pool, by the writer, or beside both.
 * SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include <glib.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/long-work.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/housekeeping.h"
#include "engine/daemon/task/task.h"

/* --- Readings ------------------------------------------------------------- */

void call_start_reading(struct task *task)
{
	const char *scope = call_scope(task->call);
	enum status status = STATUS_OK;

	if (call_kind(task->call)->queries)
		status = query_begin(
			task->server->service, &scope, 1, false, &task->query, &task->failure);
	if (!task_end_if_failed(task, status))
		task_run(task);
}

static void run_reading(struct job *job, struct worker *worker)
{
	struct task *task = job->data;

	call_read(task->call, worker, task->query, &task->json, &task->failure);
}

/* --- Changes -------------------------------------------------------------- */

static void end_with_receipt(struct task *task, const struct receipt *receipt)
{
	task->json = call_receipt(
		task->call, receipt, task->time, service_has_authserv_ids(task->server->service));
	task_end_with_json(&task->job);
}

static void on_changed(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct receipt *receipt = change_receipt(ticket->change);

	if (failure) {
		task->failure = *failure;
		task_end(task);
		return;
	}
	log_event(task->server->log, LOG_INFO, call_kind(task->call)->name,
		(struct log_field[]){log_user(call_scope(task->call)),
			log_number("entries", receipt->entries),
			log_number("reports", receipt->reports),
			log_number("global_tokens", (int64_t)receipt->tokens), peer_log(task->peer),
			{0}});
	end_with_receipt(task, receipt);
}

static void on_expired(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;

	housekeeping_ended(task->server->housekeeping, change_receipt(ticket->change), failure);
	on_changed(ticket, failure);
}

/* The ticket's change waits for the writer. */
static void submit_change(struct task *task)
{
	struct server *server = task->server;

	if (writer_change(server->writer, &task->ticket, &task->failure) != STATUS_OK) {
		change_end(server->service, &task->ticket.change);
		task_end(task);
	}
}

static void submit_new_change(struct task *task, struct clock_reading clock,
	void (*done)(struct ticket *ticket, const struct failure *failure))
{
	const struct settings *settings = &task->server->settings;
	bool rules = peer_rules_over(task->peer, call_scope(task->call), settings);
	const struct call_terms terms = {.service = task->server->service,
		.clock = clock,
		.authority = rules ? AS_ADMINISTRATOR : AS_USER};
	struct ticket *ticket = &task->ticket;

	task->time = clock.now;
	*ticket = (struct ticket){.data = task,
		.done = done,
		.client = peer_client(task->peer),
		.paced = peer_may_administer(task->peer, settings, NULL) != STATUS_OK};
	if (!task_end_if_failed(task,
		    call_kind(task->call)
			    ->change(task->call, &terms, &ticket->change, &task->failure)))
		submit_change(task);
}

void call_start_change(struct task *task)
{
	submit_new_change(task, (struct clock_reading){.now = time(NULL)}, on_changed);
}

/* The housekeeping counts it, whoever wants it. */
void call_start_expiry(struct task *task)
{
	submit_new_change(task, housekeeping_clock(task->server->housekeeping), on_expired);
}

/* --- Generations ---------------------------------------------------------- */

/* Erasures and withdrawals come now and then; each costs one more preparation. */
enum { ADOPTION_TRIES = 10 };

static void on_adopted(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct receipt *receipt = change_receipt(ticket->change);

	if (failure) {
		task->failure = *failure;
		if (failure->code == STATUS_BUSY && ++task->tries < ADOPTION_TRIES)
			call_start_adoption(task);
		else
			task_end(task);
		return;
	}
	log_event(task->server->log, LOG_INFO, "adopt",
		(struct log_field[]){log_number("reports", receipt->reports),
			log_number("global_tokens", (int64_t)receipt->tokens),
			log_number("seq", receipt->seq), peer_log(task->peer), {0}});
	end_with_receipt(task, receipt);
}

static void on_prepared(void *data)
{
	struct task *task = data;

	if (task->failure.code != STATUS_OK) {
		task_end(task);
		return;
	}
	task->time = time(NULL);
	task->ticket = (struct ticket){.data = task,
		.done = on_adopted,
		.client = peer_client(task->peer),
		.change = task->adoption,
		.again = &task->adoption};
	task->adoption = NULL;
	submit_change(task);
}

static void on_prepare(void *data)
{
	struct task *task = data;
	struct worker *worker;

	thread_take_role(THREAD_WORKER);
	if (worker_open(task->server->service, &worker, &task->failure) == STATUS_OK)
		change_prepare(task->adoption, worker, &task->failure);
	worker_close(&worker);
}

void call_start_adoption(struct task *task)
{
	struct server *server = task->server;
	enum status status = STATUS_OK;

	task->failure = (struct failure){0};
	if (!task->adoption) {
		char *database = settings_database(&server->settings);
		status = call_adoption(
			task->call, server->service, database, &task->adoption, &task->failure);
		g_free(database);
	}
	if (status == STATUS_OK)
		status = long_work_start(
			&server->loop, on_prepare, on_prepared, task, &task->failure);
	task_end_if_failed(task, status);
}

/* --- Rights --------------------------------------------------------------- */

static void begin_call(struct task *task)
{
	const struct settings *settings = &task->server->settings;
	enum status status = call_right(task->call) == CALL_AS_ADMINISTRATOR
		? peer_may_administer(task->peer, settings, &task->failure)
		: peer_may_report(task->peer, call_scope(task->call), settings, &task->failure);

	if (!task_end_if_failed(task, status))
		call_kind(task->call)->start(task);
}

const struct task_kind task_call = {
	.start = task_identify,
	.begin = begin_call,
	.run = run_reading,
	.ran = task_end_with_json,
};
