/* Scans: a message judged for its recipients.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/server.h"
#include "engine/daemon/task/task.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"

/* Up to here a message is judged in a tenth of a millisecond, and one that was made to
 * cost much in two. */
static const size_t BRIEF_MESSAGE = 32 << 10;

/* --- Who asks, and for whom ---------------------------------------------- */

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
	if (!task->peer->local || !log_limit_passes(&server->stranger_limit, uv_now(&server->loop)))
		return;
	log_event(server->log, LOG_WARNING, "peer-is-stranger",
		(struct log_field[]){log_text("command", task->name), log_user(task->user),
			log_text("consequence", "everybody's verdict in place of the user's"),
			peer_log(task->peer), {0}});
}

/* Who sends mail chooses the names. */
static void log_nobodies(const struct task *task)
{
	struct server *server = task->server;
	const char *name;
	size_t count = query_nobodies(task->query, &name);

	if (count == 0 || !log_limit_passes(&server->nobody_limit, uv_now(&server->loop)))
		return;
	log_event(server->log, LOG_WARNING, "recipient-is-nobody",
		(struct log_field[]){log_text("command", task->name), log_user(name),
			log_number("recipients", (int64_t)count),
			log_text("consequence", "everybody's verdict for them"),
			peer_log(task->peer), {0}});
}

static void begin_with_view(struct task *task, enum peer_view view)
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
	if (status != STATUS_OK) {
		task_end(task);
		return;
	}
	if (view != PEER_SEES_ALL)
		query_hide_own(task->query);
	log_nobodies(task);
	task->job.brief = task->length <= BRIEF_MESSAGE && query_count(task->query) == 1 &&
		query_is_warm(task->query);
	task_run(task);
}

static void begin_scan(struct task *task)
{
	bool certain;

	begin_with_view(task, view_of(task, &certain));
}

/* The login is looked up only where it matters: most who ask want no more than a verdict,
 * and may have it. */
static void start_scan(struct task *task)
{
	bool certain;
	enum peer_view view = view_of(task, &certain);

	if (certain || (view == PEER_SEES_VERDICT && !task->shows))
		begin_with_view(task, view);
	else
		task_identify(task);
}

/* --- The verdict --------------------------------------------------------- */

/* A user's fold that cannot be read is no failure: the verdict is everybody's. */
static void run_scan_job(struct job *job, struct worker *worker)
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
			log_real("ms", task_elapsed_ms(task)), peer_log(task->peer), {0}});
}

static void log_unreadable(const struct task *task)
{
	struct server *server = task->server;

	if (!log_limit_passes(&server->unreadable_limit, uv_now(&server->loop)))
		return;
	log_event(server->log, LOG_ERROR, "user-unreadable",
		(struct log_field[]){
			log_user(task->user), log_text("reason", task->failure.detail), {0}});
}

static void end_scan(struct job *job)
{
	struct task *task = job->data;
	struct server *server = task->server;

	if (query_goes_on(task->query)) { /* behind those who wait */
		query_hand_over(server->service, task->query);
		task_run(task);
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
	task->done(task);
}

const struct task_kind task_scan = {
	.start = start_scan,
	.begin = begin_scan,
	.run = run_scan_job,
	.ran = end_scan,
};
