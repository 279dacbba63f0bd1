/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/spamd/request.h"

#include <stdlib.h>
#include <string.h>

#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/render/stats.h"

/* What a reply may have beyond the message: a report, a verdict, headers. */
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

/* --- Endings ------------------------------------------------------------- */

static void end(struct request *request)
{
	task_release(&request->task);
	request->done(request);
}

static void fail(struct request *request)
{
	const struct failure *failure = &request->task.failure;

	request->server->counters.commands[request->spamd->command].failed++;
	buffer_clear(&request->reply);
	spamd_reply_error(&request->reply, code_of(failure->code), failure->detail);
	end(request);
}

static void finish(struct request *request)
{
	if (request->reply.failed) { /* memory was not enough for it */
		buffer_free(&request->reply);
		failure_set(&request->task.failure, STATUS_NOMEM, "out of memory for the reply");
		fail(request);
		return;
	}
	request->server->counters.commands[request->spamd->command].done++;
	end(request);
}

/* A part of an export, or a long list, is larger than what else is answered; it is in
 * memory already. */
static void reply_json(struct request *request, const char *json)
{
	if (json)
		request->reply.limit += strlen(json);
	if (json)
		spamd_reply_json(&request->reply, json);
	else
		request->reply.failed = true;
	finish(request);
}

/* --- Tasks --------------------------------------------------------------- */

/* What is only tagged stays where it is: for a mail server that is another thing than
 * rspamd's "add header", which files it into Junk. */
static const char *rspamc_action(const struct verdict *verdict)
{
	return verdict->action == ACTION_TAG ? action_name(ACTION_TAG)
					     : render_rspamd_action(verdict);
}

static void render_scan(struct task *task)
{
	struct request *request = task->owner;
	const struct spamd_request *spamd = request->spamd;
	const struct verdict *verdict = query_verdict(task->query, query_joint(task->query));
	char *json = spamd->json ? render_query_json(task->query) : NULL;
	char *report = task->explain && !json ? render_report(verdict) : NULL;
	struct spamd_verdict shown = {
		.spam = verdict->spam,
		.score = verdict->score,
		.threshold = verdict->threshold,
		.reject = verdict->policy.reject,
		.action = rspamc_action(verdict),
		.symbols = render_symbols(verdict),
		.report = report,
		.json = json,
	};

	spamd_reply_verdict(&request->reply, spamd, &shown);
	free(report);
	free(json);
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

static void on_task(struct task *task)
{
	struct request *request = task->owner;

	if (task->failure.code != STATUS_OK) {
		fail(request);
		return;
	}
	switch (task->kind) {
	case TASK_SCAN: /* rendered */
		finish(request);
		break;
	case TASK_PRESS:
		reply_answer(request, press_answer(task->press));
		finish(request);
		break;
	case TASK_DIAGNOSE:
	case TASK_CALL:
		reply_json(request, task->json);
		break;
	}
}

static void start_task(struct request *request, enum task_kind kind)
{
	static const enum label LABELS[] = {
		[SPAMD_TELL_NOTHING] = LABEL_FORGET,
		[SPAMD_TELL_SPAM] = LABEL_SPAM,
		[SPAMD_TELL_HAM] = LABEL_HAM,
		[SPAMD_TELL_FORGET] = LABEL_FORGET,
	};
	const struct spamd_request *spamd = request->spamd;
	struct task *task = &request->task;

	task->kind = kind;
	task->label = LABELS[spamd->tell];
	task->explain = spamd->command == SPAMD_REPORT || spamd->command == SPAMD_REPORT_IFSPAM;
	task->shows = task->explain || spamd->json;
	task->render = render_scan;
	task->done = on_task;
	task_start(task);
}

static void start_tell(struct request *request)
{
	const struct spamd_request *spamd = request->spamd;

	/* A move says what it means by its folders. */
	if (spamd->tell != SPAMD_TELL_NOTHING || request->task.context.event.kind == EVENT_MOVE) {
		start_task(request, TASK_PRESS);
		return;
	}
	spamd_reply_told(&request->reply, spamd, &(struct spamd_told){0});
	finish(request);
}

static void start_stats(struct request *request)
{
	request->task.json = stats_render(request->server);
	reply_json(request, request->task.json);
}

void request_start(struct request *request)
{
	const struct spamd_request *spamd = request->spamd;

	request->task = (struct task){.owner = request,
		.server = request->server,
		.peer = request->peer,
		.name = counters_command(spamd->command),
		.user = spamd->user,
		.message = spamd->message,
		.length = spamd->length};
	request->reply = BUFFER_INIT(spamd->length + REPLY_EXTRA);
	if (context_parse(&request->task.context, spamd->context, &request->task.failure) !=
		STATUS_OK) {
		fail(request);
		return;
	}
	if (!request->task.context.recipients && spamd->recipient_count > 0)
		context_add_recipients(&request->task.context, spamd->recipients,
			spamd->recipient_count, spamd->recipients_lost);
	switch (spamd->command) {
	case SPAMD_CHECK:
	case SPAMD_SYMBOLS:
	case SPAMD_REPORT:
	case SPAMD_REPORT_IFSPAM:
	case SPAMD_PROCESS:
	case SPAMD_HEADERS:
		start_task(request, TASK_SCAN);
		break;
	case SPAMD_TELL:
		start_tell(request);
		break;
	case SPAMD_STATS:
		start_stats(request);
		break;
	case SPAMD_DIAGNOSE:
		start_task(request, TASK_DIAGNOSE);
		break;
	case SPAMD_CALL:
		start_task(request, TASK_CALL);
		break;
	case SPAMD_PING:
		spamd_reply_pong(&request->reply);
		finish(request);
		break;
	case SPAMD_SKIP:
		finish(request);
		break;
	}
}
