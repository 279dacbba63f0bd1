/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The paths that are served over HTTP, and what each asks of the engine. The
 * native ones are described in data/openapi.json; a test holds the two together. */
#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/render/metrics.h"
#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/daemon/render/stats.h"

static const char *parameter(const struct exchange *exchange, const char *name)
{
	const char *value = exchange_parameter(exchange, name);

	return value ? value : "";
}

static void refuse(struct exchange *exchange, const char *detail)
{
	struct failure failure;

	failure_set(&failure, STATUS_INVALID, "%s", detail);
	exchange_fail(exchange, &failure);
}

/* A parameter that is a number from 0 on; one that is not given leaves it alone. False
 * when it is refused. */
static bool read_number(struct exchange *exchange, const char *name, json_t **number)
{
	const char *value = exchange_parameter(exchange, name);
	char detail[64];
	guint64 read;

	if (!value)
		return true;
	if (g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &read, NULL)) {
		*number = json_integer((json_int_t)read);
		return true;
	}
	snprintf(detail, sizeof(detail), "%s: a number from 0 on is wanted", name);
	refuse(exchange, detail);
	return false;
}

/* --- Messages ----------------------------------------------------------------- */

static void render_scan(struct task *task)
{
	task->json = render_query_json(task->query);
}

static void finish_json(struct task *task)
{
	struct exchange *exchange = task->owner;

	exchange_answer_json(exchange, task->json);
	task->json = NULL;
}

static void start_scan(struct exchange *exchange, bool explain)
{
	struct task *task = &exchange->task;
	char **users = exchange_parameters(exchange, "user");

	task->explain = explain;
	task->shows = true;
	if (users && !users[1])
		g_clear_pointer(&users, g_strfreev);
	if (!exchange_set_recipients(exchange, users))
		return;
	exchange_start(exchange, TASK_SCAN, parameter(exchange, "user"), render_scan, finish_json);
}

static void start_score(struct exchange *exchange)
{
	start_scan(exchange, false);
}

static void start_why(struct exchange *exchange)
{
	start_scan(exchange, true);
}

static void start_diagnose(struct exchange *exchange)
{
	exchange_start(exchange, TASK_DIAGNOSE, parameter(exchange, "user"), NULL, finish_json);
}

static void finish_press(struct task *task)
{
	exchange_answer_json(task->owner, render_answer_json(press_answer(task->press)));
}

/* The event and the answer to the question of consent, in the words of context.h. Takes
 * over `selected`, which may be NULL. */
static enum status read_context(
	struct exchange *exchange, json_t *selected, struct failure *failure)
{
	static const char *const event_members[][2] = {
		{"event", "kind"}, {"from", "from"}, {"to", "to"}};
	json_t *context = json_object(), *event = json_object();
	const char *consent = exchange_parameter(exchange, "consent");

	for (size_t i = 0; i < G_N_ELEMENTS(event_members); i++) {
		const char *value = exchange_parameter(exchange, event_members[i][0]);
		if (value)
			json_object_set_new(event, event_members[i][1], render_string(value));
	}
	if (selected)
		json_object_set_new(event, "selected", selected);
	if (json_object_size(event) > 0)
		json_object_set(context, "event", event);
	if (consent)
		json_object_set_new(context, "consent", render_string(consent));
	char *text = json_dumps(context, JSON_COMPACT);
	enum status status = context_parse(&exchange->task.context, text ? text : "", failure);
	free(text);
	json_decref(event);
	json_decref(context);
	return status;
}

static void start_report(struct exchange *exchange)
{
	static const char *const labels[] = {
		[LABEL_FORGET] = "forget", [LABEL_HAM] = "ham", [LABEL_SPAM] = "spam"};
	struct task *task = &exchange->task;
	const char *label = parameter(exchange, "label");
	struct failure failure;
	json_t *selected = NULL;
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
		refuse(exchange, "label: spam, ham or forget is wanted");
		return;
	}
	exchange_start(exchange, TASK_PRESS, parameter(exchange, "user"), NULL, finish_press);
}

static void start_forget(struct exchange *exchange)
{
	exchange->task.label = LABEL_FORGET;
	exchange_start(exchange, TASK_PRESS, parameter(exchange, "user"), NULL, finish_press);
}

/* --- Calls ----------------------------------------------------------------------- */

/* The parameters (and for a change the body) as the call that call.h knows. */
static void start_call(struct exchange *exchange, const char *name, json_t *entries)
{
	const char *scope = exchange_parameter(exchange, "scope");
	const char *user = exchange_parameter(exchange, "user");
	const char *kind = exchange_parameter(exchange, "kind");
	json_t *call = json_pack("{s:s}", "call", name), *after = NULL;
	char *text;

	if (!read_number(exchange, "after", &after)) {
		json_decref(entries);
		json_decref(call);
		return;
	}
	if (scope)
		json_object_set_new(call, "scope", render_string(scope));
	if (user)
		json_object_set_new(call, "user", render_string(user));
	if (kind)
		json_object_set_new(call, "kind", render_string(kind));
	if (after)
		json_object_set_new(call, "after", after);
	if (entries)
		json_object_set_new(call, "entries", entries);
	text = json_dumps(call, JSON_COMPACT);
	json_decref(call);
	buffer_clear(&exchange->body);
	buffer_append_string(&exchange->body, text ? text : "");
	free(text);
	exchange_start(exchange, TASK_CALL, user ? user : "", NULL, finish_json);
}

static void start_entries(struct exchange *exchange)
{
	start_call(exchange, "entries", NULL);
}

static void start_change(struct exchange *exchange)
{
	json_error_t error;
	json_t *entries = json_loadb(exchange->body.data ? exchange->body.data : "",
		exchange->body.length < CALL_MAX_BYTES ? exchange->body.length : 0,
		JSON_REJECT_DUPLICATES, &error);

	if (entries)
		start_call(exchange, "change", entries);
	else
		refuse(exchange,
			exchange->body.length < CALL_MAX_BYTES ? error.text : "too many entries");
}

static void start_consent(struct exchange *exchange)
{
	const char *answer = parameter(exchange, "answer");
	bool withdrawn = strcmp(answer, "withdrawn") == 0;

	start_call(exchange, "change",
		json_pack("[{s:s, s:s, s:s?}]", "kind", "consent", "name", "", "value",
			withdrawn ? NULL : answer));
}

static void start_policy(struct exchange *exchange)
{
	start_call(exchange, "policy", NULL);
}

static void start_export(struct exchange *exchange)
{
	start_call(exchange, "export", NULL);
}

static void start_erase(struct exchange *exchange)
{
	start_call(exchange, "erase", NULL);
}

/* --- The daemon itself --------------------------------------------------------------- */

static void start_stats(struct exchange *exchange)
{
	exchange_answer_json(exchange, stats_render(exchange->server));
}

static void start_metrics(struct exchange *exchange)
{
	exchange_answer(exchange, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		metrics_render(exchange->server));
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
	{"GET", "/v1/entries", "entries", false, false, false, start_entries},
	{"POST", "/v1/entries", "change", false, false, false, start_change},
	{"POST", "/v1/consent", "consent", false, false, false, start_consent},
	{"GET", "/v1/policy", "policy", false, false, false, start_policy},
	{"GET", "/v1/export", "export", false, false, false, start_export},
	{"POST", "/v1/erase", "erase", false, false, false, start_erase},
	{"GET", "/v1/stats", "stats", false, false, false, start_stats},
	{"GET", "/metrics", "metrics", false, false, false, start_metrics},
	{"GET", "/healthz", "healthz", true, false, false, start_health},
	{"POST", "/checkv2", "checkv2", false, true, true, rspamd_check},
	{"POST", "/learnspam", "learnspam", false, true, true, rspamd_learn_spam},
	{"POST", "/learnham", "learnham", false, true, true, rspamd_learn_ham},
	{"GET", "/ping", "ping", true, true, false, rspamd_ping},
	{"GET", "/stat", "stat", false, true, false, rspamd_stat},
};
const size_t http_routes_count = G_N_ELEMENTS(http_routes);
