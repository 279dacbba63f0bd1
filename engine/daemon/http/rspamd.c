/* The paths of rspamd's workers, for clients that know those: rspamc, Apache James,
 * Haraka. Whose mail it is: Deliver-To, else each Rcpt, else User, in this order.
 * The sentences of a report are rspamd's own, since clients compare them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"
#include "engine/protocol/forged-fields.h"

/* To be freed with g_strfreev; NULL = nobody in particular. */
static char **identities(const struct exchange *exchange)
{
	static const char *const names[] = {"Deliver-To", "Rcpt", "User"};
	char **found = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names) && !found; i++)
		found = exchange_headers(exchange, names[i]);
	return found;
}

/* --- Scans ------------------------------------------------------------------------ */

static json_t *symbols_of(const struct verdict *verdict)
{
	char probability[32];
	char **names = g_strsplit(render_symbols(verdict), ",", -1);
	json_t *symbols = json_object();

	snprintf(probability, sizeof(probability), "%.2f%%", 100 * verdict->probability);
	for (size_t i = 0; names[i]; i++) { /* the first one carries the score */
		double score = i == 0 ? verdict->score : 0;
		json_object_set_new(symbols, names[i],
			json_pack("{s:s, s:f, s:f, s:[s]}", "name", names[i], "score", score,
				"metric_score", score, "options", probability));
	}
	g_strfreev(names);
	return symbols;
}

/* Names of forged fields that a client is asked to take away; no honest program writes as
 * many. */
static const size_t FORGED_MOST = 1000;

struct removal {
	json_t *names;
	bool too_many;
};

/* 0 = each field of that name. What is no UTF-8 is no name of a field, nor one of JSON. */
static void add_forged(void *context, const char *name, size_t length)
{
	struct removal *removal = context;
	char *key;

	if (json_object_size(removal->names) >= FORGED_MOST) {
		removal->too_many = true;
		return;
	}
	key = g_strndup(name, length);
	json_object_set_new(removal->names, key, json_integer(0));
	g_free(key);
}

/* What a mail server is to do to the header: take away what was forged, mark Junk. */
static json_t *header_changes(json_t *removed, const struct verdict *verdict)
{
	json_t *changes = json_object();

	if (verdict->action == ACTION_JUNK)
		json_object_set_new(changes, "add_headers",
			json_pack("{s:{s:s, s:i}}", "X-Spam", "value", "Yes", "order", 0));
	if (json_object_size(removed) > 0)
		json_object_set(changes, "remove_headers", removed);
	return changes;
}

/* As the milter does where more was forged than can be taken away. */
static void put_off(json_t *json)
{
	json_object_set_new(json, "action", json_string("soft reject"));
	json_object_set_new(json, "messages",
		json_pack("{s:s}", "smtp_message", "Too many X-Spam and X-Hamlet header fields"));
}

static void render_check(struct task *task)
{
	const struct verdict *verdict = query_verdict(task->query, query_joint(task->query));
	struct removal removal = {.names = json_object()};
	json_t *json = json_pack("{s:b, s:f, s:f, s:s, s:{s:f, s:f}, s:o}", "is_skipped", 0,
		"score", verdict->score, "required_score", verdict->threshold, "action",
		render_rspamd_action(verdict), "thresholds", "reject", verdict->policy.reject,
		"add header", verdict->policy.junk, "symbols", symbols_of(verdict));

	if (json && *verdict->reply)
		json_object_set_new(json, "messages",
			json_pack("{s:s}", "smtp_message", verdict->reply + strlen("554 5.7.1 ")));
	forged_fields_each(task->message, task->length, add_forged, &removal);
	json_t *changes = header_changes(removal.names, verdict);
	if (json_object_size(changes) > 0)
		json_object_set(json, "milter", changes);
	if (removal.too_many && verdict->action != ACTION_REJECT)
		put_off(json);
	json_decref(changes);
	json_decref(removal.names);
	task->json = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
	json_decref(json);
}

static void finish_check(struct task *task)
{
	exchange_answer_json(task->owner, task->json);
	task->json = NULL;
}

void rspamd_check(struct exchange *exchange)
{
	exchange->task.render = render_check;
	if (exchange_set_recipients(exchange, identities(exchange)))
		exchange_start(exchange, &task_scan, "", finish_check);
}

/* --- Reports ------------------------------------------------------------------------ */

static void answer_error(struct exchange *exchange, unsigned code, const char *text)
{
	json_t *json = json_pack("{s:s}", "error", text);

	exchange_answer(
		exchange, code, "application/json", json ? json_dumps(json, JSON_COMPACT) : NULL);
	json_decref(json);
}

static void finish_learn(struct task *task)
{
	const struct answer *answer = press_answer(task->press);
	struct exchange *exchange = task->owner;
	char text[128];

	if (answer->outcome == OUTCOME_REPEAT && !answer->taught_global) {
		snprintf(text, sizeof(text), "<%016llx> has been already learned as %s, ignore it",
			(unsigned long long)answer->identity,
			task->label == LABEL_SPAM ? "spam" : "ham");
		answer_error(exchange, MHD_HTTP_ALREADY_REPORTED, text);
	} else if (answer->outcome == OUTCOME_TRUSTED) {
		answer_error(exchange, MHD_HTTP_ALREADY_REPORTED,
			"the sender is trusted: recorded, nothing learned");
	} else {
		exchange_answer_json(exchange, strdup("{\"success\":true}"));
	}
}

static void learn(struct exchange *exchange, enum label label)
{
	struct context *context = &exchange->task.context;

	/* The first one is the user; kept with the task. */
	context->recipients = identities(exchange);
	exchange->task.label = label;
	exchange_start(exchange, &task_press, context->recipients ? context->recipients[0] : "",
		finish_learn);
}

void rspamd_learn_spam(struct exchange *exchange)
{
	learn(exchange, LABEL_SPAM);
}

void rspamd_learn_ham(struct exchange *exchange)
{
	learn(exchange, LABEL_HAM);
}

/* --- The rest ------------------------------------------------------------------------- */

void rspamd_ping(struct exchange *exchange)
{
	exchange_answer(exchange, MHD_HTTP_OK, "text/plain", strdup("pong\r\n"));
}

void rspamd_stat(struct exchange *exchange)
{
	const struct counters *counters = &exchange->server->counters;
	struct service_stats stats;
	json_t *json;

	service_read_stats(exchange->server->service, &stats);
	json = json_pack("{s:s, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:[{s:s, s:s, s:I, s:I, s:I}]}",
		"version", PACKAGE_VERSION, "uptime",
		(json_int_t)((uv_hrtime() - exchange->server->started) / 1000000000), "read_only",
		!stats.writable, "scanned", (json_int_t)(counters->spam + counters->ham), "learned",
		(json_int_t)stats.last_seq, "spam_count", (json_int_t)counters->spam, "ham_count",
		(json_int_t)counters->ham, "total_learns", (json_int_t)stats.last_seq, "statfiles",
		"symbol", "HAMLET", "type", "sqlite3", "revision", (json_int_t)stats.last_seq,
		"used", (json_int_t)stats.global_tokens, "size", (json_int_t)stats.global_bytes);
	exchange_answer_json(exchange, json ? json_dumps(json, JSON_COMPACT) : NULL);
	json_decref(json);
}
