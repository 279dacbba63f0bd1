/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/request.h"

#include <stdlib.h>
#include <time.h>

#include "engine/daemon/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/stats.h"

/* What a reply may have beyond the message: a report, JSON, headers. */
static const size_t REPLY_EXTRA = (size_t)1 << 20;

static enum spamd_code code_of(enum status status)
{
	switch (status) {
	case STATUS_DENIED:
		return SPAMD_NOPERM;
	case STATUS_INVALID:
	case STATUS_LIMIT:
		return SPAMD_DATAERR;
	case STATUS_IO:
	case STATUS_READONLY:
	case STATUS_CORRUPT:
		return SPAMD_IOERR;
	default:
		return SPAMD_TEMPFAIL;
	}
}

static double elapsed_ms(const struct request *request)
{
	return (double)(uv_hrtime() - request->started) / 1e6;
}

/* --- Endings ------------------------------------------------------------- */

static void end(struct request *request)
{
	query_end(request->server->service, &request->query);
	press_free(&request->press);
	call_free(&request->call);
	context_free(&request->context);
	free(request->json);
	request->json = NULL;
	request->done(request);
}

void request_fail(struct request *request)
{
	const struct failure *failure = &request->failure;

	request->server->counters.commands[request->spamd->command].failed++;
	server_log_refusal(request->server, LOG_WARNING,
		(struct log_field[]){log_text("command", counters_command(request->spamd->command)),
			log_user(request->spamd->user), log_text("reason", failure->detail),
			peer_log(request->peer), {0}});
	buffer_clear(&request->reply);
	spamd_reply_error(&request->reply, code_of(failure->code), failure->detail);
	end(request);
}

void request_finish(struct request *request)
{
	if (request->reply.failed) { /* memory was not enough for it */
		buffer_free(&request->reply);
		failure_set(&request->failure, STATUS_NOMEM, "out of memory for the reply");
		request_fail(request);
		return;
	}
	request->server->counters.commands[request->spamd->command].done++;
	end(request);
}

void request_reply_json(struct request *request)
{
	if (request->json)
		spamd_reply_json(&request->reply, request->json);
	else
		request->reply.failed = true;
	request_finish(request);
}

void request_submit(struct request *request, void (*run)(struct job *job, struct worker *worker),
	void (*done)(struct job *job))
{
	struct server *server = request->server;
	enum status status;

	request->job.data = request;
	request->job.run = run;
	request->job.done = done;
	status = jobs_submit(server->jobs, &request->job, server->settings.max_jobs);
	if (status == STATUS_OK)
		return;
	server->counters.refused.jobs++;
	failure_set(&request->failure, status, "too busy: %zu messages are being worked on",
		jobs_running(server->jobs) + jobs_waiting(server->jobs));
	request_fail(request);
}

/* --- Scans --------------------------------------------------------------- */

static void on_scan(struct job *job, struct worker *worker)
{
	struct request *request = job->data;
	const struct spamd_request *spamd = request->spamd;

	query_run(request->query, worker, spamd->message, spamd->length, &request->failure);

	size_t mildest = query_mildest(request->query);
	const struct verdict *verdict = query_verdict(request->query, mildest);
	char *json = spamd->json ? render_query_json(request->query) : NULL;
	char *report = verdict->reasons && !json ? render_report(verdict) : NULL;
	struct spamd_verdict shown = {
		.spam = verdict->spam,
		.score = verdict->score,
		.threshold = verdict->threshold,
		.symbols = render_symbols(verdict),
		.report = report,
		.json = json,
	};
	spamd_reply_verdict(&request->reply, spamd, &shown);
	free(report);
	free(json);
}

static void log_scan(const struct request *request, const struct verdict *verdict)
{
	log_event(request->server->log, LOG_INFO, "scan",
		(struct log_field[]){log_text("command", counters_command(request->spamd->command)),
			log_user(request->spamd->user),
			log_text("verdict", verdict->spam ? "spam" : "ham"),
			log_text("action", action_name(verdict->action)),
			log_real("score", verdict->score), log_hex("identity", verdict->identity),
			log_number("personal", verdict->personal),
			log_number("recipients", (int64_t)query_count(request->query)),
			log_number("tokens", (int64_t)verdict->tokens),
			log_number("bytes", (int64_t)request->spamd->length),
			log_real("ms", elapsed_ms(request)), peer_log(request->peer), {0}});
}

static void on_scanned(struct job *job)
{
	struct request *request = job->data;
	struct server *server = request->server;
	const struct verdict *verdict =
		query_verdict(request->query, query_mildest(request->query));

	if (request->failure.code != STATUS_OK)
		log_event(server->log, LOG_ERROR, "user-unreadable",
			(struct log_field[]){log_user(request->spamd->user),
				log_text("reason", request->failure.detail), {0}});
	log_scan(request, verdict);
	if (verdict->spam)
		server->counters.spam++;
	else
		server->counters.ham++;
	server->counters.personal += verdict->personal;
	request_finish(request);
}

static void start_scan(struct request *request)
{
	enum spamd_command command = request->spamd->command;
	bool explain = command == SPAMD_REPORT || command == SPAMD_REPORT_IFSPAM;
	const struct context *context = &request->context;
	const char *const *users = context->recipients
		? (const char *const *)context->recipients
		: &request->spamd->user;
	enum status status = query_begin(request->server->service, users,
		context->recipients ? context->recipient_count : 1, explain, &request->query,
		&request->failure);

	if (status == STATUS_OK)
		request_submit(request, on_scan, on_scanned);
	else
		request_fail(request);
}

/* --- Reports ------------------------------------------------------------- */

static void log_report(const struct request *request, const struct answer *answer)
{
	static const char *const LABELS[] = {"forget", "ham", "spam"};

	log_event(request->server->log, LOG_INFO, "report",
		(struct log_field[]){log_user(request->spamd->user),
			log_text("label", LABELS[answer->label]),
			log_text("outcome", outcome_name(answer->outcome)),
			log_hex("identity", answer->identity), log_number("seq", answer->seq),
			log_number("global", answer->taught_global),
			log_number("bytes", (int64_t)request->spamd->length),
			log_real("ms", elapsed_ms(request)), peer_log(request->peer), {0}});
}

static void reply_answer(struct request *request, const struct answer *answer)
{
	char *json = request->spamd->json ? render_answer_json(answer) : NULL;
	struct spamd_told told = {
		.set = answer->outcome == OUTCOME_NEW || answer->outcome == OUTCOME_FLIP,
		.removed = answer->outcome == OUTCOME_FORGOTTEN,
		.json = json,
	};

	spamd_reply_told(&request->reply, request->spamd, &told);
	free(json);
}

static void on_committed(struct ticket *ticket, const struct failure *failure)
{
	struct request *request = ticket->data;
	const struct answer *answer = press_answer(request->press);

	if (failure) {
		failure_set(&request->failure, failure->code, "report not kept: %s (%.180s)",
			status_text(failure->code), failure->detail);
		request_fail(request);
		return;
	}
	log_report(request, answer);
	request->server->counters.outcomes[answer->outcome]++;
	reply_answer(request, answer);
	request_finish(request);
}

static void on_press(struct job *job, struct worker *worker)
{
	struct request *request = job->data;

	peer_resolve(request->peer);
	press_run(request->press, worker, request->spamd->message, request->spamd->length,
		&request->failure);
}

/* Rights come first: who has none need not know whether the message was good. */
static void on_pressed(struct job *job)
{
	struct request *request = job->data;
	struct server *server = request->server;
	struct failure failure;
	enum status status =
		peer_may_report(request->peer, request->spamd->user, &server->settings, &failure);

	if (status != STATUS_OK) {
		server->counters.refused.rights++;
		request->failure = failure;
	} else if (request->failure.code == STATUS_OK) {
		request->ticket.data = request;
		request->ticket.press = request->press;
		request->ticket.done = on_committed;
		status = writer_submit(server->writer, &request->ticket, &request->failure);
		if (status == STATUS_OK)
			return; /* the request may be gone by now */
		server->counters.refused.reports++;
	}
	request_fail(request);
}

static void start_tell(struct request *request)
{
	static const enum label LABELS[] = {
		[SPAMD_TELL_NOTHING] = LABEL_FORGET,
		[SPAMD_TELL_SPAM] = LABEL_SPAM,
		[SPAMD_TELL_HAM] = LABEL_HAM,
		[SPAMD_TELL_FORGET] = LABEL_FORGET,
	};
	const struct spamd_request *spamd = request->spamd;
	struct press_info info = {.user = spamd->user,
		.event = request->context.event,
		.consent = request->context.consent,
		.time = time(NULL)};

	/* A move says what it means by its folders. */
	if (spamd->tell == SPAMD_TELL_NOTHING && info.event.kind != EVENT_MOVE) {
		spamd_reply_told(&request->reply, spamd, &(struct spamd_told){0});
		request_finish(request);
		return;
	}
	info.event.label = LABELS[spamd->tell];
	enum status status =
		press_new(request->server->service, &info, &request->press, &request->failure);
	if (status == STATUS_OK)
		request_submit(request, on_press, on_pressed);
	else
		request_fail(request);
}

/* --- The rest ------------------------------------------------------------ */

static void start_stats(struct request *request)
{
	request->json = stats_render(request->server);
	request_reply_json(request);
}

void request_start(struct request *request)
{
	request->started = uv_hrtime();
	request->failure = (struct failure){0};
	request->reply = BUFFER_INIT(request->spamd->length + REPLY_EXTRA);
	if (context_parse(&request->context, request->spamd->context, &request->failure) !=
		STATUS_OK) {
		request_fail(request);
		return;
	}
	switch (request->spamd->command) {
	case SPAMD_CHECK:
	case SPAMD_SYMBOLS:
	case SPAMD_REPORT:
	case SPAMD_REPORT_IFSPAM:
	case SPAMD_PROCESS:
	case SPAMD_HEADERS:
		start_scan(request);
		break;
	case SPAMD_TELL:
		start_tell(request);
		break;
	case SPAMD_STATS:
		start_stats(request);
		break;
	case SPAMD_DIAGNOSE:
		request_diagnose(request);
		break;
	case SPAMD_CALL:
		request_call(request);
		break;
	case SPAMD_PING:
		spamd_reply_pong(&request->reply);
		request_finish(request);
		break;
	case SPAMD_SKIP:
		request_finish(request);
		break;
	}
}
