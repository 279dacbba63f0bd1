/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/call.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <jansson.h>

#include "engine/daemon/render/render.h"
#include "engine/service/entries.h"
#include "engine/service/generation.h"
#include "engine/service/network.h"

enum { MAX_ENTRIES = 10000 };

/* One part of an export. A report may have 4,096 tokens, of 14 bytes each. */
enum { EXPORT_REPORTS = 500, EXPORT_TOKENS = 100000 };

struct call {
	const struct call_kind *kind;
	json_t *json;
	char scope[STORE_MAX_USER + 1];
	const char *only; /* kind of entries; NULL = all */
	const char *generation; /* to be adopted */
	json_int_t after;
	json_t *entries; /* a list */
	int believe_clock; /* an operator says that it is right */
};

/* --- Reading ---------------------------------------------------------------- */

static enum status give_entries(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure);
static enum status give_policy(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure);
static enum status give_export(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure);

static const struct call_kind {
	const char *name;
	enum call_right right; /* for a user; for other scopes it takes an administrator */
	enum call_work work;
	enum status (*read)(struct call *call, struct worker *worker, struct query *query,
		json_t *answer, struct failure *failure);
	bool queries;
} KINDS[] = {
	{"entries", CALL_AS_USER, CALL_READS, give_entries, false},
	{"change", CALL_AS_USER, CALL_CHANGES, NULL, false},
	{"policy", CALL_AS_USER, CALL_READS, give_policy, true},
	{"export", CALL_AS_USER, CALL_READS, give_export, false},
	{"erase", CALL_AS_ADMINISTRATOR, CALL_CHANGES, NULL, false},
	{"expire", CALL_AS_ADMINISTRATOR, CALL_CHANGES, NULL, false},
	{"adopt", CALL_AS_ADMINISTRATOR, CALL_ADOPTS, NULL, false},
};

static enum status find_kind(struct call *call, const char *name, struct failure *failure)
{
	for (size_t i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		if (strcmp(name, KINDS[i].name) == 0)
			call->kind = &KINDS[i];
	}
	return call->kind ? STATUS_OK
			  : failure_set(failure, STATUS_INVALID, "no such call: %.40s", name);
}

static enum status check_generation(const struct call *call, struct failure *failure)
{
	if (*call->scope)
		return failure_set(failure, STATUS_INVALID, "adopt: generations are the site's");
	if (!call->generation ||
		(strcmp(call->generation, "challenger") != 0 &&
			strcmp(call->generation, "previous") != 0))
		return failure_set(failure, STATUS_INVALID,
			"adopt: which generation, challenger or previous?");
	return STATUS_OK;
}

static enum status read_scope(struct call *call, const struct user_naming *naming, const char *text,
	struct failure *failure)
{
	if (!text)
		return failure_set(
			failure, STATUS_INVALID, "%s: whose? Name a user", call->kind->name);
	if (!user_scope(naming, text, call->scope))
		return failure_set(
			failure, STATUS_INVALID, "%s: %s", call->kind->name, USER_NAME_REFUSED);
	if (call->kind->queries && *call->scope == '@')
		return failure_set(failure, STATUS_INVALID, "%s: of a user, not of a domain",
			call->kind->name);
	return STATUS_OK;
}

static enum status read_call(
	struct call *call, const struct user_naming *naming, struct failure *failure)
{
	const char *name = "", *scope = NULL, *user = NULL;
	json_error_t error;
	enum status status;

	if (json_unpack_ex(call->json, &error, 0, "{s:s, s?s, s?s, s?s, s?I, s?o, s?s, s?b !}",
		    "call", &name, "scope", &scope, "user", &user, "kind", &call->only, "after",
		    &call->after, "entries", &call->entries, "generation", &call->generation,
		    "believe_clock", &call->believe_clock) != 0)
		return failure_set(failure, STATUS_INVALID, "call: %.150s", error.text);
	status = find_kind(call, name, failure);
	if (status == STATUS_OK)
		status = read_scope(call, naming, scope ? scope : user, failure);
	if (status != STATUS_OK)
		return status;
	if (call->only && !entry_kind_named(call->only))
		return failure_set(
			failure, STATUS_INVALID, "%s: no such kind: %.40s", name, call->only);
	if (call->kind->work == CALL_ADOPTS)
		return check_generation(call, failure);
	if (strcmp(name, "change") == 0 &&
		(!json_is_array(call->entries) || json_array_size(call->entries) > MAX_ENTRIES))
		return failure_set(failure, STATUS_INVALID,
			"change: a list of at most %d entries is wanted", MAX_ENTRIES);
	return STATUS_OK;
}

enum status call_parse(struct call **result, const char *text, size_t length,
	const struct user_naming *naming, struct failure *failure)
{
	struct call *call = NULL;
	json_error_t error;
	enum status status;

	*result = NULL;
	if (length > CALL_MAX_BYTES)
		return failure_set(
			failure, STATUS_LIMIT, "call: more than %d bytes", CALL_MAX_BYTES);
	call = g_new0(struct call, 1);
	call->json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	status = call->json ? read_call(call, naming, failure)
			    : failure_set(failure, STATUS_INVALID, "call: %.150s", error.text);
	if (status == STATUS_OK)
		*result = call;
	else
		call_free(&call);
	return status;
}

void call_free(struct call **call)
{
	if (!*call)
		return;
	json_decref((*call)->json);
	g_free(*call);
	*call = NULL;
}

const char *call_name(const struct call *call)
{
	return call->kind->name;
}

const char *call_scope(const struct call *call)
{
	return call->scope;
}

enum call_right call_right(const struct call *call)
{
	bool user = *call->scope && *call->scope != '@';

	return user ? call->kind->right : CALL_AS_ADMINISTRATOR;
}

enum call_work call_work(const struct call *call)
{
	return call->kind->work;
}

bool call_queries(const struct call *call)
{
	return call->kind->queries;
}

/* --- Answers ----------------------------------------------------------------- */

static enum status add_entry(void *context, const struct store_entry *entry)
{
	json_t *list = context;

	json_array_append_new(list, render_entry(entry));
	return STATUS_OK;
}

static enum status give_entries(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure)
{
	json_t *list = json_array();
	(void)query;

	json_object_set_new(answer, "entries", list);
	return store_entries(worker_reader(worker), call->scope,
		call->only ? (int)entry_kind_named(call->only) : 0, add_entry, list, failure);
}

static enum status give_policy(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure)
{
	struct policy_view view;
	enum status status = query_policy(query, worker, &view, failure);
	(void)call;

	if (status == STATUS_OK)
		render_policy(answer, &view);
	return status;
}

struct export
{
	json_t *list;
	size_t tokens; /* of all in the list */
	int64_t last;
};

static enum status add_report(void *context, const struct report *report)
{
	struct export *export = context;

	if (json_array_size(export->list) == EXPORT_REPORTS || export->tokens > EXPORT_TOKENS)
		return STATUS_INTERRUPTED; /* the rest with the next call */
	export->tokens += report->count;
	json_array_append_new(export->list, render_journal(report));
	export->last = report->seq;
	return STATUS_OK;
}

/* The first part has the entries; "next" says with which number to go on. */
static enum status give_export(struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure)
{
	struct export export = {.list = json_array()};
	enum status status = STATUS_OK;

	if (call->after == 0)
		status = give_entries(call, worker, query, answer, failure);
	json_object_set_new(answer, "reports", export.list);
	if (status != STATUS_OK)
		return status;
	status = store_journal(worker_reader(worker), call->scope, call->after, EXPORT_REPORTS + 1,
		add_report, &export, failure);
	if (status == STATUS_INTERRUPTED) {
		json_object_set_new(answer, "next", json_integer(export.last));
		status = STATUS_OK;
	}
	return status;
}

enum status call_read(struct call *call, struct worker *worker, struct query *query, char **answer,
	struct failure *failure)
{
	json_t *json = json_object();
	enum status status;

	json_object_set_new(json, "scope", render_string(call->scope));
	status = call->kind->read(call, worker, query, json, failure);
	*answer = status == STATUS_OK ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15))
				      : NULL;
	json_decref(json);
	return status;
}

/* --- Changes ------------------------------------------------------------------ */

static enum status take_entry(const struct call *call, json_t *json, int64_t time,
	struct store_entry *entry, struct failure *failure)
{
	const char *kind = "";
	json_t *value = NULL;
	json_error_t error;

	*entry = (struct store_entry){.scope = call->scope, .name = "", .time = time};
	if (json_unpack_ex(json, &error, 0, "{s:s, s?s, s:o !}", "kind", &kind, "name",
		    &entry->name, "value", &value) != 0)
		return failure_set(failure, STATUS_INVALID, "entry: %.150s", error.text);
	entry->kind = (int)entry_kind_named(kind);
	entry->value = json_string_value(value);
	if (!entry->value && !json_is_null(value))
		return failure_set(failure, STATUS_INVALID, "entry: a value is a string or null");
	return STATUS_OK;
}

static enum status change_list(const struct call *call, struct service *service, int64_t time,
	enum authority authority, struct change **change, struct failure *failure)
{
	size_t count = json_array_size(call->entries);
	struct store_entry *entries = g_new0(struct store_entry, count + 1);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = take_entry(
			call, json_array_get(call->entries, i), time, &entries[i], failure);
	if (status == STATUS_OK)
		status = change_entries(service, entries, count, authority, change, failure);
	g_free(entries);
	return status;
}

enum status call_change(const struct call *call, struct service *service,
	const struct clock_reading *clock, bool by_administrator, struct change **change,
	struct failure *failure)
{
	struct clock_reading reading = *clock;

	if (strcmp(call->kind->name, "erase") == 0)
		return change_erase(service, call->scope, change, failure);
	if (call_expires(call)) {
		reading.certain = call->believe_clock;
		*change = change_expire(service, &reading);
		return STATUS_OK;
	}
	return change_list(call, service, clock->now, by_administrator ? AS_ADMINISTRATOR : AS_USER,
		change, failure);
}

bool call_expires(const struct call *call)
{
	return strcmp(call->kind->name, "expire") == 0;
}

enum status call_adoption(const struct call *call, struct service *service, const char *database,
	struct adoption **adoption, struct failure *failure)
{
	char *path = generation_path(database, call->generation);
	char *keep = generation_path(database, "previous");
	enum status status = adoption_new(service, path, keep, adoption, failure);

	g_free(path);
	g_free(keep);
	return status;
}

/* What the entries laid down have in common. */
struct remarks {
	bool forgeable; /* something allows an author */
	const char *pattern; /* the first name with a * ... */
	char meaning[STORE_MAX_NAME + 1]; /* ... and what it was taken for */
	size_t patterns;
};

static void remark(struct remarks *remarks, const struct store_entry *entry)
{
	char name[STORE_MAX_NAME + 1];
	struct network network;

	if (!entry->value || (entry->kind != ENTRY_LIST && entry->kind != ENTRY_TRUST) ||
		entries_check(entry, name, NULL) != STATUS_OK)
		return;
	if (*entry->name == '*' && remarks->patterns++ == 0) {
		remarks->pattern = entry->name;
		strcpy(remarks->meaning, name);
	}
	if (strcmp(entry->value, "allow") == 0 && !network_parse(&network, name))
		remarks->forgeable = true;
}

static json_t *warnings_of(const struct call *call, int64_t time, bool provable)
{
	struct remarks remarks = {0};
	struct store_entry entry;
	json_t *json, *list = json_array();
	size_t i;

	json_array_foreach(call->entries, i, json)
	{
		if (take_entry(call, json, time, &entry, NULL) == STATUS_OK)
			remark(&remarks, &entry);
	}
	if (remarks.patterns > 0) {
		char *text =
			g_strdup_printf("%.80s is taken as %.80s: the domain and all below it%s",
				remarks.pattern, remarks.meaning,
				remarks.patterns > 1 ? "; so are the others with a *" : "");
		json_array_append_new(list, render_string(text));
		g_free(text);
	}
	if (remarks.forgeable && !provable)
		json_array_append_new(list,
			json_string(
				"anybody can write an allowed address as the author: only with "
				"authserv-ids in hamlet.conf does an author have to be proven"));
	return list;
}

char *call_receipt(
	const struct call *call, const struct receipt *receipt, int64_t time, bool provable)
{
	json_t *json = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "call",
		call->kind->name, "scope", render_string(call->scope), "time", (json_int_t)time,
		"entries", (json_int_t)receipt->entries, "reports", (json_int_t)receipt->reports,
		"global_tokens", (json_int_t)receipt->tokens, "journal", (json_int_t)receipt->seq,
		"compacted", receipt->compacted);

	if (call->entries)
		json_object_set_new(json, "warnings", warnings_of(call, time, provable));
	if (call_expires(call))
		json_object_set_new(json, "expired", render_expired(&receipt->expired));
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}
