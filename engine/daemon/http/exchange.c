/* One HTTP request: what was asked, the task, the answer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/exchange.h"

#include <glib.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/http/http-private.h"
#include "engine/daemon/render/render.h"

/* --- The request --------------------------------------------------------------------- */

const char *exchange_parameter(const struct exchange *exchange, const char *name)
{
	const struct target *target = &exchange->target;

	for (size_t i = 0; i < target->count; i++) {
		if (g_ascii_strcasecmp(target->parameters[i].name, name) == 0)
			return target->parameters[i].value;
	}
	return NULL;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

/* NULL-terminated, or NULL when there is none. */
static char **list_of(GPtrArray *values)
{
	if (values->len == 0) {
		g_ptr_array_unref(values);
		return NULL;
	}
	g_ptr_array_add(values, NULL);
	return (char **)g_ptr_array_free(values, FALSE);
}

char **exchange_parameters(const struct exchange *exchange, const char *name)
{
	const struct target *target = &exchange->target;
	GPtrArray *values = g_ptr_array_new();

	for (size_t i = 0; i < target->count; i++) {
		if (g_ascii_strcasecmp(target->parameters[i].name, name) == 0)
			g_ptr_array_add(values, g_strdup(target->parameters[i].value));
	}
	return list_of(values);
}

struct collection {
	const char *name;
	GPtrArray *values;
};

static enum MHD_Result collect(
	void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct collection *collection = context;
	(void)kind;

	if (value && g_ascii_strcasecmp(key, collection->name) == 0)
		g_ptr_array_add(collection->values, g_strdup(value));
	return MHD_YES;
}

char **exchange_headers(const struct exchange *exchange, const char *name)
{
	struct collection collection = {.name = name, .values = g_ptr_array_new()};

	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, collect, &collection);
	return list_of(collection.values);
}

/* --- Answers --------------------------------------------------------------------- */

void exchange_answer(struct exchange *exchange, unsigned code, const char *type, char *text)
{
	free(exchange->text);
	exchange->answered = true;
	exchange->code = text ? code : MHD_HTTP_INTERNAL_SERVER_ERROR;
	exchange->type = text ? type : "text/plain";
	exchange->text = text;
	exchange->length = text ? strlen(text) : 0;
}

void exchange_answer_json(struct exchange *exchange, char *json)
{
	exchange_answer(exchange, MHD_HTTP_OK, "application/json", json);
}

static unsigned http_code_of(enum status status)
{
	switch (status) {
	case STATUS_INVALID:
	case STATUS_PROTOCOL:
		return MHD_HTTP_BAD_REQUEST;
	case STATUS_LIMIT:
		return MHD_HTTP_CONTENT_TOO_LARGE;
	case STATUS_DENIED:
		return MHD_HTTP_FORBIDDEN;
	case STATUS_NOTFOUND:
		return MHD_HTTP_NOT_FOUND;
	case STATUS_FULL:
		return MHD_HTTP_INSUFFICIENT_STORAGE;
	default:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	}
}

/* RFC 9457, or what rspamd's clients look for. */
void exchange_problem(struct exchange *exchange, unsigned code, const char *detail)
{
	bool rspamd = exchange->route && exchange->route->rspamd;
	json_t *json = rspamd ? json_pack("{s:o}", "error", render_string(detail))
			      : json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title",
					MHD_get_reason_phrase_for(code), "status", (int)code,
					"detail", render_string(detail));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	exchange_answer(
		exchange, code, rspamd ? "application/json" : "application/problem+json", text);
}

void exchange_fail(struct exchange *exchange, const struct failure *failure)
{
	exchange_problem(exchange, http_code_of(failure->code), failure->detail);
}

enum MHD_Result exchange_send(struct exchange *exchange)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		exchange->length, exchange->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->type);
	if (exchange->code == MHD_HTTP_SERVICE_UNAVAILABLE)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	if (exchange->hint.name)
		MHD_add_response_header(response, exchange->hint.name, exchange->hint.value);
	if (exchange->refused || exchange->malformed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (exchange->code == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	client_set_answering(client_of(exchange->connection), exchange->server, exchange->length);
	result = MHD_queue_response(exchange->connection, exchange->code, response);
	MHD_destroy_response(response);
	return result;
}

/* --- Tasks --------------------------------------------------------------------------- */

void exchange_suspend(struct exchange *exchange)
{
	exchange->suspended = true;
	MHD_suspend_connection(exchange->connection);
}

void exchange_resume(struct exchange *exchange)
{
	if (!exchange->suspended)
		return;
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
	listening_wake(exchange->listening);
}

static void on_exchange_task_done(struct task *task)
{
	struct exchange *exchange = task->owner;

	if (task->failure.code != STATUS_OK)
		exchange_fail(exchange, &task->failure);
	else
		exchange->finish(task);
	task_release(task);
	exchange_resume(exchange);
}

bool exchange_set_recipients(struct exchange *exchange, char **names)
{
	struct context *context = &exchange->task.context;
	struct failure failure;

	context->recipients = names;
	context->recipient_count = names ? g_strv_length(names) : 0;
	if (context->recipient_count <= QUERY_MAX_USERS)
		return true;
	failure_set(&failure, STATUS_INVALID, "%zu recipients: 1 to %d can be asked for",
		context->recipient_count, QUERY_MAX_USERS);
	exchange_fail(exchange, &failure);
	return false;
}

void exchange_prepare(struct exchange *exchange, const struct task_kind *kind, const char *user,
	void (*finish)(struct task *task))
{
	struct task *task = &exchange->task;

	exchange->finish = finish;
	task->owner = exchange;
	task->server = exchange->server;
	task->peer = &exchange->peer;
	task->kind = kind;
	task->name = exchange->route->name;
	task->user = user;
	task->message = exchange->body.data ? exchange->body.data : "";
	task->length = exchange->body.length;
	task->done = on_exchange_task_done;
}

void exchange_start(struct exchange *exchange, const struct task_kind *kind, const char *user,
	void (*finish)(struct task *task))
{
	exchange_prepare(exchange, kind, user, finish);
	task_start(&exchange->task);
}
