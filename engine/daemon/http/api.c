/* The paths that are served over HTTP, and what each asks of the engine. The native ones are
 * described in data/openapi.json; a test holds the two together.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"

static const char *parameter(const struct exchange *exchange, const char *name)
{
	const char *value = exchange_parameter(exchange, name);

	return value ? value : "";
}

static void refuse_parameter(struct exchange *exchange, const char *detail)
{
	struct failure failure;

	failure_set(&failure, STATUS_INVALID, "%s", detail);
	exchange_fail(exchange, &failure);
}

/* A parameter that is a number from 0 on; one that is not given leaves it alone. False
 * when it is refused. */
static bool read_number(struct exchange *exchange, const char *name, int64_t *number)
{
	const char *value = exchange_parameter(exchange, name);
	char detail[64];
	guint64 read;

	if (!value)
		return true;
	if (g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &read, NULL)) {
		*number = (int64_t)read;
		return true;
	}
	snprintf(detail, sizeof(detail), "%s: a number from 0 on is wanted", name);
	refuse_parameter(exchange, detail);
	return false;
}

/* --- Messages ----------------------------------------------------------------- */

static void render_http_scan(struct task *task)
{
	task->json = render_query_json(task->query);
}

static void finish_json(struct task *task)
{
	struct exchange *exchange = task->owner;

	exchange_answer_json(exchange, task->json);
	task->json = NULL;
}

static void start_http_scan(struct exchange *exchange, bool explain)
{
	struct task *task = &exchange->task;
	char **users = exchange_parameters(exchange, "user");

	task->explain = explain;
	task->shows = true;
	if (users && !users[1])
		g_clear_pointer(&users, g_strfreev);
	if (!exchange_set_recipients(exchange, users))
		return;
	task->render = render_http_scan;
	exchange_start(exchange, &task_scan, parameter(exchange, "user"), finish_json);
}

static void start_score(struct exchange *exchange)
{
	start_http_scan(exchange, false);
}

static void start_why(struct exchange *exchange)
{
	start_http_scan(exchange, true);
}

static void start_diagnose(struct exchange *exchange)
{
	exchange_start(exchange, &task_diagnose, parameter(exchange, "user"), finish_json);
}

static void finish_press(struct task *task)
{
	exchange_answer_json(task->owner, render_answer_json(press_answer(task->press)));
}

static enum status read_context(
	struct exchange *exchange, int64_t selected, struct failure *failure)
{
	struct context *context = &exchange->task.context;
	const char *consent = exchange_parameter(exchange, "consent");
	const struct event_words words = {.kind = exchange_parameter(exchange, "event"),
		.from = exchange_parameter(exchange, "from"),
		.to = exchange_parameter(exchange, "to"),
		.selected = selected > 0 ? selected : 0};
	enum status status = STATUS_OK;

	if (consent)
		status = context_set_consent(context, consent, failure);
	if (status == STATUS_OK && (words.kind || words.from || words.to || selected >= 0))
		status = context_set_event(context, &words, failure);
	return status;
}

static void start_report(struct exchange *exchange)
{
	static const char *const labels[] = {
		[LABEL_FORGET] = "forget", [LABEL_HAM] = "ham", [LABEL_SPAM] = "spam"};
	struct task *task = &exchange->task;
	const char *label = parameter(exchange, "label");
	struct failure failure;
	int64_t selected = -1; /* not given */
	size_t found = 0;

	if (!read_number(exchange, "selected", &selected))
		return;
	if (read_context(exchange, selected, &failure) != STATUS_OK) {
		exchange_fail(exchange, &failure);
		return;
	}
	while (found < G_N_ELEMENTS(labels) && strcmp(label, labels[found]) != 0)
		found++;
	task->label = (enum label)found;
	if (found == G_N_ELEMENTS(labels) && task->context.event.kind == EVENT_MOVE)
		task->label = LABEL_FORGET; /* its folders say what it means */
	else if (found == G_N_ELEMENTS(labels)) {
		refuse_parameter(exchange, "label: spam, ham or forget is wanted");
		return;
	}
	exchange_start(exchange, &task_press, parameter(exchange, "user"), finish_press);
}

static void start_forget(struct exchange *exchange)
{
	exchange->task.label = LABEL_FORGET;
	exchange_start(exchange, &task_press, parameter(exchange, "user"), finish_press);
}

/* --- Calls ----------------------------------------------------------------------- */

/* The parameters as a call, with the entries of a change, which may be NULL. */
static void start_http_call(struct exchange *exchange, const char *name, json_t *entries)
{
	struct task *task = &exchange->task;
	const struct user_naming *naming = &service_settings(exchange->server->service)->naming;
	struct call_request request = {.name = name,
		.scope = exchange_parameter(exchange, "scope"),
		.user = exchange_parameter(exchange, "user"),
		.kind = exchange_parameter(exchange, "kind"),
		.entries = entries};

	if (!read_number(exchange, "after", &request.after)) {
		json_decref(entries);
		return;
	}
	exchange_prepare(exchange, &task_call, parameter(exchange, "user"), finish_json);
	if (call_new(&task->call, &request, naming, &task->failure) == STATUS_OK)
		task_start(task);
	else
		task_end(task);
}

/* A call that has the name of its route. */
static void start_named_call(struct exchange *exchange)
{
	start_http_call(exchange, exchange->route->name, NULL);
}

static void start_entries_change(struct exchange *exchange)
{
	json_error_t error;
	json_t *entries = json_loadb(exchange->body.data ? exchange->body.data : "",
		exchange->body.length < CALL_MAX_BYTES ? exchange->body.length : 0,
		JSON_REJECT_DUPLICATES, &error);

	if (entries)
		start_http_call(exchange, "change", entries);
	else
		refuse_parameter(exchange,
			exchange->body.length < CALL_MAX_BYTES ? error.text : "too many entries");
}

static void start_consent(struct exchange *exchange)
{
	const char *answer = parameter(exchange, "answer");
	bool withdrawn = strcmp(answer, "withdrawn") == 0;

	start_http_call(exchange, "change",
		json_pack("[{s:s, s:s, s:s?}]", "kind", "consent", "name", "", "value",
			withdrawn ? NULL : answer));
}

/* --- The daemon itself --------------------------------------------------------------- */

static void start_http_stats(struct exchange *exchange)
{
	exchange_answer_json(exchange, render_stats(exchange->server));
}

static void start_metrics(struct exchange *exchange)
{
	exchange_answer(exchange, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		render_metrics(exchange->server));
}

static void start_health(struct exchange *exchange)
{
	struct service_stats stats;

	service_read_stats(exchange->server->service, &stats);
	exchange_answer_json(exchange,
		strdup(stats.writable ? "{\"status\":\"ok\"}" : "{\"status\":\"read-only\"}"));
}

const struct route http_routes[] = {
	{"POST", "/v1/score", "score", false, false, true, start_score},
	{"POST", "/v1/why", "why", false, false, true, start_why},
	{"POST", "/v1/diagnose", "diagnose", false, false, true, start_diagnose},
	{"POST", "/v1/report", "report", false, false, true, start_report},
	{"POST", "/v1/forget", "forget", false, false, false, start_forget},
	{"GET", "/v1/entries", "entries", false, false, false, start_named_call},
	{"POST", "/v1/entries", "change", false, false, false, start_entries_change},
	{"POST", "/v1/consent", "consent", false, false, false, start_consent},
	{"GET", "/v1/policy", "policy", false, false, false, start_named_call},
	{"GET", "/v1/export", "export", false, false, false, start_named_call},
	{"POST", "/v1/erase", "erase", false, false, false, start_named_call},
	{"GET", "/v1/stats", "stats", false, false, false, start_http_stats},
	{"GET", "/metrics", "metrics", false, false, false, start_metrics},
	{"GET", "/healthz", "healthz", true, false, false, start_health},
	{"POST", "/checkv2", "checkv2", false, true, true, rspamd_check},
	{"POST", "/learnspam", "learnspam", false, true, true, rspamd_learn_spam},
	{"POST", "/learnham", "learnham", false, true, true, rspamd_learn_ham},
	{"GET", "/ping", "ping", true, true, false, rspamd_ping},
	{"GET", "/stat", "stat", false, true, false, rspamd_stat},
};
const size_t http_routes_count = G_N_ELEMENTS(http_routes);
