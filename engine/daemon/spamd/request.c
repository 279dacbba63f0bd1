/* A complete SPAMD request becomes a task, and what became of that a reply.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/spamd/client.h"

/* What a reply may have beyond the message: a report, a verdict, headers. */
static const size_t REPLY_EXTRA = (size_t)1 << 20;

static enum spamd_code spamd_code_of(enum status status)
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

/* --- The end ------------------------------------------------------------- */

/* Sends the reply, or the task's failure in its place. */
static void finish_request(struct spamd_client *client)
{
	struct task *task = &client->task;
	struct counters *counters = &task->server->counters;
	enum spamd_command command = client->request->command;

	if (task->failure.code == STATUS_OK && client->reply.failed) {
		buffer_free(&client->reply);
		failure_set(&task->failure, STATUS_NOMEM, "out of memory for the reply");
	}
	if (task->failure.code == STATUS_OK) {
		counters->commands[command].done++;
	} else {
		counters->commands[command].failed++;
		buffer_clear(&client->reply);
		spamd_reply_error(
			&client->reply, spamd_code_of(task->failure.code), task->failure.detail);
	}
	task_release(task);
	spamd_session_free(&client->session);
	connection_leave(&client->connection, &client->reply);
}

/* --- Scans --------------------------------------------------------------- */

/* What is only tagged stays where it is: for a mail server that is another thing than
 * rspamd's "add header", which files it into Junk. */
static const char *rspamc_action(const struct verdict *verdict)
{
	return verdict->action == ACTION_TAG ? action_name(ACTION_TAG)
					     : render_rspamd_action(verdict);
}

/* In the pool. */
static void render_spamd_scan(struct task *task)
{
	struct spamd_client *client = task->owner;
	const struct spamd_request *request = client->request;
	const struct verdict *verdict = query_verdict(task->query, query_joint(task->query));
	char *json = request->json ? render_query_json(task->query) : NULL;
	char *report = task->explain && !json ? render_explanation(verdict) : NULL;
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

	spamd_reply_verdict(&client->reply, request, &shown);
	free(report);
	free(json);
}

/* --- Presses ------------------------------------------------------------- */

static void reply_answer(struct spamd_client *client)
{
	const struct answer *answer = press_answer(client->task.press);
	char *json = client->request->json ? render_answer_json(answer) : NULL;
	struct spamd_told told = {
		.set = answer->outcome == OUTCOME_NEW || answer->outcome == OUTCOME_FLIP,
		.removed = answer->outcome == OUTCOME_FORGOTTEN,
		.json = json,
	};

	spamd_reply_told(&client->reply, client->request, &told);
	free(json);
}

static void start_tell(struct spamd_client *client)
{
	static const enum label LABELS[] = {
		[SPAMD_TELL_NOTHING] = LABEL_FORGET,
		[SPAMD_TELL_SPAM] = LABEL_SPAM,
		[SPAMD_TELL_HAM] = LABEL_HAM,
		[SPAMD_TELL_FORGET] = LABEL_FORGET,
	};
	const struct spamd_request *request = client->request;
	struct task *task = &client->task;

	/* A move says what it means by its folders. */
	if (request->tell == SPAMD_TELL_NOTHING && task->context.event.kind != EVENT_MOVE) {
		spamd_reply_told(&client->reply, request, &(struct spamd_told){0});
		finish_request(client);
		return;
	}
	task->label = LABELS[request->tell];
	task_start(task);
}

/* --- What answers JSON --------------------------------------------------- */

/* A part of an export, or a long list, is larger than what else is answered; it is in
 * memory already. */
static void reply_json(struct spamd_client *client)
{
	const char *json = client->task.json;

	if (!json) {
		client->reply.failed = true;
		return;
	}
	client->reply.limit += strlen(json);
	spamd_reply_json(&client->reply, json);
}

static void start_spamd_call(struct spamd_client *client)
{
	struct task *task = &client->task;
	const struct user_naming *naming = &service_settings(task->server->service)->naming;

	if (call_parse(&task->call, task->message, task->length, naming, &task->failure) ==
		STATUS_OK)
		task_start(task);
	else
		task_end(task);
}

static void start_spamd_stats(struct spamd_client *client)
{
	client->task.json = render_stats(client->task.server);
	reply_json(client);
	finish_request(client);
}

/* --- The rest ------------------------------------------------------------ */

static void start_ping(struct spamd_client *client)
{
	spamd_reply_pong(&client->reply);
	finish_request(client);
}

/* --- Commands ------------------------------------------------------------ */

static const struct command {
	const char *name;
	const struct task_kind *kind; /* NULL = it is answered at once */
	bool explain; /* a scan that tells why */
	void (*start)(struct spamd_client *client); /* NULL = the task is started as it is */
	void (*reply)(struct spamd_client *client); /* what the task gave; NULL = rendered */
} COMMANDS[] = {
	[SPAMD_CHECK] = {"CHECK", &task_scan, false, NULL, NULL},
	[SPAMD_SYMBOLS] = {"SYMBOLS", &task_scan, false, NULL, NULL},
	[SPAMD_REPORT] = {"REPORT", &task_scan, true, NULL, NULL},
	[SPAMD_REPORT_IFSPAM] = {"REPORT_IFSPAM", &task_scan, true, NULL, NULL},
	[SPAMD_PROCESS] = {"PROCESS", &task_scan, false, NULL, NULL},
	[SPAMD_HEADERS] = {"HEADERS", &task_scan, false, NULL, NULL},
	[SPAMD_TELL] = {"TELL", &task_press, false, start_tell, reply_answer},
	[SPAMD_PING] = {"PING", NULL, false, start_ping, NULL},
	[SPAMD_SKIP] = {"SKIP", NULL, false, finish_request, NULL},
	[SPAMD_STATS] = {"STATS", NULL, false, start_spamd_stats, NULL},
	[SPAMD_DIAGNOSE] = {"DIAGNOSE", &task_diagnose, false, NULL, reply_json},
	[SPAMD_CALL] = {"CALL", &task_call, false, start_spamd_call, reply_json},
};
static_assert(sizeof(COMMANDS) / sizeof(COMMANDS[0]) == COUNTER_COMMANDS, "each is counted");

void spamd_name_commands(struct counters *counters)
{
	for (size_t i = 0; i < COUNTER_COMMANDS; i++)
		counters->commands[i].name = COMMANDS[i].name;
}

static void on_spamd_task_done(struct task *task)
{
	struct spamd_client *client = task->owner;
	const struct command *command = &COMMANDS[client->request->command];

	if (task->failure.code == STATUS_OK && command->reply)
		command->reply(client);
	finish_request(client);
}

void spamd_start_request(struct spamd_client *client)
{
	const struct spamd_request *request = spamd_session_request(client->session);
	const struct command *command = &COMMANDS[request->command];
	struct task *task = &client->task;

	client->request = request;
	client->reply = BUFFER_INIT(request->length + REPLY_EXTRA);
	*task = (struct task){.owner = client,
		.server = client->connection.server,
		.peer = &client->connection.peer,
		.kind = command->kind,
		.name = command->name,
		.user = request->user,
		.explain = command->explain,
		.shows = command->explain || request->json,
		.message = request->message,
		.length = request->length,
		.render = render_spamd_scan,
		.done = on_spamd_task_done};
	if (context_parse(&task->context, request->context, &task->failure) != STATUS_OK) {
		finish_request(client);
		return;
	}
	if (!task->context.recipients && request->recipient_count > 0)
		context_add_recipients(&task->context, request->recipients,
			request->recipient_count, request->recipients_lost);
	if (command->start)
		command->start(client);
	else
		task_start(task);
}
