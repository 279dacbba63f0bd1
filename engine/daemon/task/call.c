/* The table of calls: what each must say, what it reads and changes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/call.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/daemon/render/render.h"
#include "engine/origin/origin.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"

enum { MAX_ENTRIES = 10000 };

/* One part of an export. A report may have 4,096 tokens, of 14 bytes each. */
enum { EXPORT_REPORTS = 500, EXPORT_TOKENS = 100000 };

struct call {
	const struct call_kind *kind;
	struct call_request request;
	char scope[STORE_MAX_USER + 1];
	json_t *json; /* that has the texts of the request; NULL = somebody else has them */
};

/* --- Readings ------------------------------------------------------------- */

static enum status add_entry(void *context, const struct store_entry *entry)
{
	json_t *list = context;

	json_array_append_new(list, render_entry(entry));
	return STATUS_OK;
}

static enum status give_entries(const struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure)
{
	json_t *list = json_array();
	(void)query;

	json_object_set_new(answer, "entries", list);
	return store_entries(worker_reader(worker), call->scope,
		call->request.kind ? (int)entry_kind_named(call->request.kind) : 0, add_entry, list,
		failure);
}

static enum status give_policy(const struct call *call, struct worker *worker, struct query *query,
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
static enum status give_export(const struct call *call, struct worker *worker, struct query *query,
	json_t *answer, struct failure *failure)
{
	struct export export = {.list = json_array()};
	enum status status = STATUS_OK;

	if (call->request.after == 0)
		status = give_entries(call, worker, query, answer, failure);
	json_object_set_new(answer, "reports", export.list);
	if (status != STATUS_OK)
		return status;
	const struct store_selection next = {
		.user = call->scope, .after = call->request.after, .limit = EXPORT_REPORTS + 1};
	status = store_reports(worker_reader(worker), &next, add_report, &export, failure);
	if (status == STATUS_INTERRUPTED) {
		json_object_set_new(answer, "next", json_integer(export.last));
		status = STATUS_OK;
	}
	return status;
}

/* --- Changes -------------------------------------------------------------- */

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

static enum status change_list(const struct call *call, const struct call_terms *terms,
	struct change **change, struct failure *failure)
{
	size_t count = json_array_size(call->request.entries);
	struct store_entry *entries = g_new0(struct store_entry, count + 1);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = take_entry(call, json_array_get(call->request.entries, i),
			terms->clock.now, &entries[i], failure);
	if (status == STATUS_OK)
		status = change_entries(
			terms->service, entries, count, terms->authority, change, failure);
	g_free(entries);
	return status;
}

static enum status check_list(const struct call *call, struct failure *failure)
{
	if (json_is_array(call->request.entries) &&
		json_array_size(call->request.entries) <= MAX_ENTRIES)
		return STATUS_OK;
	return failure_set(failure, STATUS_INVALID,
		"change: a list of at most %d entries is wanted", MAX_ENTRIES);
}

static enum status make_erasure(const struct call *call, const struct call_terms *terms,
	struct change **change, struct failure *failure)
{
	return change_erase(terms->service, call->scope, change, failure);
}

static enum status make_expiry(const struct call *call, const struct call_terms *terms,
	struct change **change, struct failure *failure)
{
	struct clock_reading clock = terms->clock;
	(void)failure;

	clock.certain = call->request.believe_clock;
	*change = change_expire(terms->service, &clock);
	return STATUS_OK;
}

static void add_expired(
	const struct call *call, const struct receipt *receipt, bool provable, json_t *json)
{
	(void)call;
	(void)provable;
	json_object_set_new(json, "expired", render_expired(&receipt->expired));
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

static json_t *warnings_of(const struct call *call, bool provable)
{
	struct remarks remarks = {0};
	struct store_entry entry;
	json_t *json, *list = json_array();
	size_t i;

	json_array_foreach(call->request.entries, i, json)
	{
		if (take_entry(call, json, 0, &entry, NULL) == STATUS_OK)
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

static void add_warnings(
	const struct call *call, const struct receipt *receipt, bool provable, json_t *json)
{
	(void)receipt;
	json_object_set_new(json, "warnings", warnings_of(call, provable));
}

/* --- Generations ---------------------------------------------------------- */

static enum status check_generation(const struct call *call, struct failure *failure)
{
	if (*call->scope)
		return failure_set(failure, STATUS_INVALID, "adopt: generations are the site's");
	if (!call->request.generation ||
		(strcmp(call->request.generation, "challenger") != 0 &&
			strcmp(call->request.generation, "previous") != 0))
		return failure_set(failure, STATUS_INVALID,
			"adopt: which generation, challenger or previous?");
	return STATUS_OK;
}

enum status call_adoption(const struct call *call, struct service *service, const char *database,
	struct change **change, struct failure *failure)
{
	char *path = generation_path(database, call->request.generation);
	char *keep = generation_path(database, "previous");
	enum status status = change_adopt(service, path, keep, change, failure);

	g_free(path);
	g_free(keep);
	return status;
}

/* --- The table ------------------------------------------------------------ */

static const struct call_kind KINDS[] = {
	{.name = "entries", .start = call_start_reading, .read = give_entries},
	{.name = "change",
		.check = check_list,
		.start = call_start_change,
		.change = change_list,
		.receipt = add_warnings},
	{.name = "policy", .queries = true, .start = call_start_reading, .read = give_policy},
	{.name = "export", .start = call_start_reading, .read = give_export},
	{.name = "erase",
		.right = CALL_AS_ADMINISTRATOR,
		.start = call_start_change,
		.change = make_erasure},
	{.name = "expire",
		.right = CALL_AS_ADMINISTRATOR,
		.start = call_start_expiry,
		.change = make_expiry,
		.receipt = add_expired},
	{.name = "adopt",
		.right = CALL_AS_ADMINISTRATOR,
		.check = check_generation,
		.start = call_start_adoption},
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

const struct call_kind *call_kind(const struct call *call)
{
	return call->kind;
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

/* --- From words to a call ------------------------------------------------- */

/* A scope need not be UTF-8: what is not is replaced, as it is wherever it is shown. */
static enum status read_scope(struct call *call, const struct user_naming *naming, const char *text,
	struct failure *failure)
{
	const char *name = call->kind->name;

	if (!text)
		return failure_set(failure, STATUS_INVALID, "%s: whose? Name a user", name);
	char *valid = g_utf8_make_valid(text, -1);
	bool meant = user_scope(naming, valid, call->scope);
	g_free(valid);
	if (!meant)
		return failure_set(failure, STATUS_INVALID, "%s: %s", name, USER_NAME_REFUSED);
	if (call->kind->queries && *call->scope == '@')
		return failure_set(failure, STATUS_INVALID, "%s: of a user, not of a domain", name);
	return STATUS_OK;
}

static enum status find_meaning(
	struct call *call, const struct user_naming *naming, struct failure *failure)
{
	const struct call_request *request = &call->request;
	const char *scope = request->scope ? request->scope : request->user;
	enum status status = find_kind(call, request->name, failure);

	if (status == STATUS_OK)
		status = read_scope(call, naming, scope, failure);
	if (status != STATUS_OK)
		return status;
	if (request->kind && !entry_kind_named(request->kind))
		return failure_set(failure, STATUS_INVALID, "%s: no such kind: %.40s",
			request->name, request->kind);
	return call->kind->check ? call->kind->check(call, failure) : STATUS_OK;
}

enum status call_new(struct call **result, const struct call_request *request,
	const struct user_naming *naming, struct failure *failure)
{
	struct call *call = g_new0(struct call, 1);
	enum status status;

	call->request = *request;
	status = find_meaning(call, naming, failure);
	if (status != STATUS_OK)
		call_free(&call);
	*result = call;
	return status;
}

/* The texts are those of `json`. */
static enum status read_json(
	struct call **call, json_t *json, const struct user_naming *naming, struct failure *failure)
{
	struct call_request request = {.name = ""};
	json_int_t after = 0;
	json_error_t error;
	int believe_clock = 0;

	if (json_unpack_ex(json, &error, 0, "{s:s, s?s, s?s, s?s, s?I, s?O, s?s, s?b !}", "call",
		    &request.name, "scope", &request.scope, "user", &request.user, "kind",
		    &request.kind, "after", &after, "entries", &request.entries, "generation",
		    &request.generation, "believe_clock", &believe_clock) != 0) {
		json_decref(request.entries);
		return failure_set(failure, STATUS_INVALID, "call: %.150s", error.text);
	}
	request.after = after;
	request.believe_clock = believe_clock;
	return call_new(call, &request, naming, failure);
}

enum status call_parse(struct call **call, const char *text, size_t length,
	const struct user_naming *naming, struct failure *failure)
{
	json_error_t error;
	json_t *json;
	enum status status;

	*call = NULL;
	if (length > CALL_MAX_BYTES)
		return failure_set(
			failure, STATUS_LIMIT, "call: more than %d bytes", CALL_MAX_BYTES);
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return failure_set(failure, STATUS_INVALID, "call: %.150s", error.text);
	status = read_json(call, json, naming, failure);
	if (status == STATUS_OK)
		(*call)->json = json;
	else
		json_decref(json);
	return status;
}

void call_free(struct call **call)
{
	if (!*call)
		return;
	json_decref((*call)->request.entries);
	json_decref((*call)->json);
	g_free(*call);
	*call = NULL;
}

/* --- Answers -------------------------------------------------------------- */

enum status call_read(const struct call *call, struct worker *worker, struct query *query,
	char **answer, struct failure *failure)
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

char *call_receipt(
	const struct call *call, const struct receipt *receipt, int64_t time, bool provable)
{
	json_t *json = json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:b}", "call",
		call->kind->name, "scope", render_string(call->scope), "time", (json_int_t)time,
		"entries", (json_int_t)receipt->entries, "reports", (json_int_t)receipt->reports,
		"global_tokens", (json_int_t)receipt->tokens, "journal", (json_int_t)receipt->seq,
		"compacted", receipt->compacted);

	if (json && call->kind->receipt)
		call->kind->receipt(call, receipt, provable, json);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	return text;
}
