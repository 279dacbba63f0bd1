/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/task.h"

#include <stdlib.h>
#include <time.h>

#include "engine/base/message-kind.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/task-internal.h"

/* Up to here a message is judged in a tenth of a millisecond, and one that was made to
 * cost much in two. */
static const size_t BRIEF_MESSAGE = 32 << 10;

static double elapsed_ms(const struct task *task)
{
	return (double)(uv_hrtime() - task->started) / 1e6;
}

/* --- Endings ------------------------------------------------------------- */

void task_release(struct task *task)
{
	query_end(task->server->service, &task->query);
	press_free(&task->press);
	call_free(&task->call);
	adoption_free(&task->adoption);
	context_free(&task->context);
	free(task->json);
	task->json = NULL;
}

void task_finish(struct task *task)
{
	task->done(task);
}

/* What is invalid the detail quotes, for the client's eyes: it may be a name, or a part
 * of a message that was sent in place of a call. */
void task_fail(struct task *task)
{
	const struct failure *failure = &task->failure;
	bool quotes = failure->code == STATUS_INVALID;

	server_log_refusal(task->server, LOG_WARNING,
		(struct log_field[]){log_text("command", task->name), log_user(task->user),
			log_text("reason", quotes ? status_text(failure->code) : failure->detail),
			peer_log(task->peer), {0}});
	task->done(task);
}

void task_submit(struct task *task, void (*run)(struct job *job, struct worker *worker),
	void (*done)(struct job *job))
{
	struct server *server = task->server;
	enum status status;

	task->job.data = task;
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
	task_fail(task);
}

/* --- Scans --------------------------------------------------------------- */

/* A user's store that cannot be read is no failure: the verdict is everybody's. */
static void on_scan(struct job *job, struct worker *worker)
{
	struct task *task = job->data;

	query_run(task->query, worker, task->message, task->length, &task->failure);
	if (task->render && !query_goes_on(task->query))
		task->render(task);
}

static void log_scan(const struct task *task, const struct verdict *verdict)
{
	log_event(task->server->log, LOG_INFO, "scan",
		(struct log_field[]){log_text("command", task->name), log_user(task->user),
			log_text("verdict", verdict->spam ? "spam" : "ham"),
			log_text("action", action_name(verdict->action)),
			log_real("score", verdict->score), log_hex("identity", verdict->identity),
			log_number("personal", verdict->personal),
			log_number("recipients", (int64_t)query_count(task->query)),
			log_number("tokens", (int64_t)verdict->tokens),
			log_number("bytes", (int64_t)task->length),
			log_real("ms", elapsed_ms(task)), peer_log(task->peer), {0}});
}

/* What may come with every message is told once a second: that is enough. `*second` is when
 * it was told last. */
static bool is_told(const struct server *server, uint64_t *second)
{
	uint64_t now = uv_now(&server->loop) / 1000;
	bool told = *second == now;

	*second = now;
	return told;
}

static void log_unreadable(const struct task *task)
{
	struct server *server = task->server;

	if (is_told(server, &server->unreadable_second))
		return;
	log_event(server->log, LOG_ERROR, "user-unreadable",
		(struct log_field[]){
			log_user(task->user), log_text("reason", task->failure.detail), {0}});
}

static void on_scanned(struct job *job)
{
	struct task *task = job->data;
	struct server *server = task->server;

	if (query_goes_on(task->query)) { /* behind those who wait */
		query_hand_over(server->service, task->query);
		task_submit(task, on_scan, on_scanned);
		return;
	}
	const struct verdict *verdict = query_verdict(task->query, query_joint(task->query));
	if (task->failure.code != STATUS_OK)
		log_unreadable(task);
	task->failure = (struct failure){0};
	log_scan(task, verdict);
	if (verdict->spam)
		server->counters.spam++;
	else
		server->counters.ham++;
	server->counters.personal += verdict->personal;
	task_finish(task);
}

/* Who sends mail chooses the names. */
static void log_nobodies(const struct task *task)
{
	struct server *server = task->server;
	const char *name;
	size_t count = query_nobodies(task->query, &name);

	if (count == 0 || is_told(server, &server->nobody_second))
		return;
	log_event(server->log, LOG_WARNING, "recipient-is-nobody",
		(struct log_field[]){log_text("command", task->name), log_user(name),
			log_number("recipients", (int64_t)count),
			log_text("consequence", "everybody's verdict for them"),
			peer_log(task->peer), {0}});
}

/* Whom the scan is for. */
struct audience {
	const char *const *users;
	size_t count;
};

static struct audience audience_of(const struct task *task)
{
	const struct context *context = &task->context;

	if (context->recipients)
		return (struct audience){
			(const char *const *)context->recipients, context->recipient_count};
	return (struct audience){&task->user, 1};
}

/* What the peer may see of all of them. */
static enum peer_view view_of(const struct task *task, bool *certain)
{
	struct audience audience = audience_of(task);
	enum peer_view least = PEER_SEES_ALL;

	*certain = true;
	for (size_t i = 0; i < audience.count; i++) {
		bool known;
		enum peer_view view =
			peer_view(task->peer, audience.users[i], &task->server->settings, &known);
		least = view < least ? view : least;
		*certain &= known;
	}
	return least;
}

/* A mail server that is not in the socket's group gets everybody's verdict for all its mail:
 * the operator has to see that. Of TCP it is known. */
static void log_stranger(const struct task *task)
{
	struct server *server = task->server;

	server->counters.strangers++;
	if (!task->peer->local || is_told(server, &server->stranger_second))
		return;
	log_event(server->log, LOG_WARNING, "peer-is-stranger",
		(struct log_field[]){log_text("command", task->name), log_user(task->user),
			log_text("consequence", "everybody's verdict in place of the user's"),
			peer_log(task->peer), {0}});
}

static void begin_scan(struct task *task, enum peer_view view)
{
	static const char *const nobody[] = {""};
	struct audience audience = audience_of(task);
	enum status status;

	if (view == PEER_SEES_NOTHING) {
		audience = (struct audience){nobody, 1};
		log_stranger(task);
	}
	status = query_begin(task->server->service, audience.users, audience.count, task->explain,
		&task->query, &task->failure);
	if (status == STATUS_OK) {
		if (view != PEER_SEES_ALL)
			query_hide_own(task->query);
		log_nobodies(task);
		task->job.brief = task->length <= BRIEF_MESSAGE && query_count(task->query) == 1 &&
			query_is_warm(task->query);
		task_submit(task, on_scan, on_scanned);
	} else {
		task_fail(task);
	}
}

static void on_scanner(struct job *job, struct worker *worker)
{
	struct task *task = job->data;
	(void)worker;

	peer_resolve(task->peer);
}

static void on_scanner_known(struct job *job)
{
	struct task *task = job->data;
	bool certain;

	begin_scan(task, view_of(task, &certain));
}

/* The login is looked up only where it matters: most who ask want no more than a verdict,
 * and may have it. */
static void start_scan(struct task *task)
{
	bool certain;
	enum peer_view view = view_of(task, &certain);

	if (certain || (view == PEER_SEES_VERDICT && !task->shows))
		begin_scan(task, view);
	else
		task_submit(task, on_scanner, on_scanner_known);
}

/* --- Reports ------------------------------------------------------------- */

static void log_report(const struct task *task, const struct answer *answer)
{
	static const char *const LABELS[] = {"forget", "ham", "spam"};

	log_event(task->server->log, LOG_INFO, "report",
		(struct log_field[]){log_user(task->user), log_text("label", LABELS[answer->label]),
			log_text("outcome", outcome_name(answer->outcome)),
			log_hex("identity", answer->identity), log_number("seq", answer->seq),
			log_number("global", answer->taught_global),
			log_number("bytes", (int64_t)task->length),
			log_real("ms", elapsed_ms(task)), peer_log(task->peer), {0}});
}

static void on_committed(struct ticket *ticket, const struct failure *failure)
{
	struct task *task = ticket->data;
	const struct answer *answer = press_answer(task->press);

	if (failure) {
		failure_set(&task->failure, failure->code, "report not kept: %s (%.180s)",
			status_text(failure->code), failure->detail);
		task_fail(task);
		return;
	}
	log_report(task, answer);
	task->server->counters.outcomes[answer->outcome]++;
	task_finish(task);
}

static void on_press(struct job *job, struct worker *worker)
{
	struct task *task = job->data;

	peer_resolve(task->peer);
	press_run(task->press, worker, task->message, task->length, &task->failure);
}

/* Rights come first: who has none need not know whether the message was good. */
static void on_pressed(struct job *job)
{
	struct task *task = job->data;
	struct server *server = task->server;
	struct failure failure;
	enum status status = peer_may_report(task->peer, task->user, &server->settings, &failure);

	if (status != STATUS_OK) {
		server->counters.refused.rights++;
		task->failure = failure;
	} else if (task->failure.code == STATUS_OK) {
		task->ticket.data = task;
		task->ticket.press = task->press;
		task->ticket.done = on_committed;
		task->ticket.client = peer_client(task->peer);
		status = writer_submit(server->writer, &task->ticket, &task->failure);
		if (status == STATUS_OK)
			return; /* the task may be gone by now */
		server->counters.refused.reports++;
	}
	task_fail(task);
}

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

static void start_press(struct task *task)
{
	struct press_info info = {.user = task->user,
		.event = task->context.event,
		.consent = task->context.consent,
		.time = time(NULL)};
	enum status status;

	info.event.label = task->label;
	status = check_message(task);
	if (status == STATUS_OK)
		status = press_new(task->server->service, &info, &task->press, &task->failure);
	if (status == STATUS_OK)
		task_submit(task, on_press, on_pressed);
	else
		task_fail(task);
}

void task_start(struct task *task)
{
	task->started = uv_hrtime();
	task->job.brief = false;
	switch (task->kind) {
	case TASK_SCAN:
		start_scan(task);
		break;
	case TASK_PRESS:
		start_press(task);
		break;
	case TASK_DIAGNOSE:
		task_diagnose(task);
		break;
	case TASK_CALL:
		task_call(task);
		break;
	}
}
