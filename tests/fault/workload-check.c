/* What must hold of an engine whatever happened.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/workload.h"

#include <string.h>

#include <sqlite3.h>

#include "tests/unit/store-verbs.h"

/* Messages that are judged after each step. */
static const unsigned JUDGED[] = {1, 4};

static enum status write_line(void *context, const struct report *report)
{
	char *line = ledger_line(report->user, report->message, report->label);

	g_string_append_printf(context, "%s\n", line);
	g_free(line);
	return STATUS_OK;
}

static enum status judge(struct engine *engine, unsigned number, GString *out)
{
	GString *text = workload_mail(number);
	struct query *query;
	struct failure failure;

	if (query_begin(engine->service, WORKLOAD_USERS, WORKLOAD_USER_COUNT, false, &query,
		    &failure) != STATUS_OK)
		g_error("a query cannot begin: %s", failure.detail);
	enum status status = query_run(query, engine->worker, text->str, text->len, NULL);
	for (size_t i = 0; i < query_count(query); i++) {
		const struct verdict *verdict = query_verdict(query, i);
		g_string_append_printf(out, "%s %u: %a %a %a %d\n", query_user(query, i), number,
			verdict->score, verdict->margin, verdict->threshold, verdict->action);
	}
	query_end(engine->service, &query);
	g_string_free(text, TRUE);
	return status;
}

char *engine_verdicts_with(struct engine *engine, enum status *worst)
{
	GString *text = g_string_new(NULL);

	*worst = STATUS_OK;
	for (size_t i = 0; i < G_N_ELEMENTS(JUDGED); i++) {
		enum status status = judge(engine, JUDGED[i], text);
		*worst = status == STATUS_OK ? *worst : status;
	}
	return g_string_free(text, FALSE);
}

char *engine_verdicts(struct engine *engine)
{
	enum status worst;

	return engine_verdicts_with(engine, &worst);
}

char *engine_state(struct engine *engine, struct failure *failure)
{
	GString *text = g_string_new(NULL);
	enum status status =
		walk_after(worker_reader(engine->worker), 0, write_line, text, failure);
	char *verdicts = engine_verdicts(engine);

	g_string_append_printf(text, "\n%s", verdicts);
	g_free(verdicts);
	return g_string_free(text, status != STATUS_OK);
}

struct sums {
	double sum, gain;
};

struct balance {
	GHashTable *tokens; /* struct sums by key */
	struct sums bias;
};

static void put(struct balance *balance, uint64_t key, double sum, double gain)
{
	struct sums *sums = g_hash_table_lookup(balance->tokens, &key);

	if (!sums) {
		sums = g_new0(struct sums, 1);
		g_hash_table_insert(balance->tokens, g_memdup2(&key, sizeof(key)), sums);
	}
	sums->sum += sum;
	sums->gain += gain;
}

static enum status add_report(void *context, const struct report *report)
{
	const struct contribution *global = &report->global;
	struct balance *balance = context;

	for (size_t i = 0; i < report->count; i++) {
		bool body = report->keys[i] & STORE_BODY_BIT;
		put(balance, report->keys[i], body ? global->body_sum : global->head_sum,
			body ? global->body_gain : global->head_gain);
	}
	balance->bias.sum += global->bias_sum;
	balance->bias.gain += global->bias_gain;
	return STATUS_OK;
}

static enum status take_row(void *context, const struct store_token *token)
{
	put(context, token->key, -token->sum, -token->gain);
	return STATUS_OK;
}

/* Adds up what the reports that count say, takes the rows away: nothing may be left. */
static char *check_rows(struct store_reader *reader)
{
	struct balance balance = {
		.tokens = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free)};
	struct store_checkpoint checkpoint = {0};
	struct failure failure = {.detail = "the rows are not what the reports add up to"};
	GHashTableIter iter;
	gpointer value;
	bool exact = counting_reports(reader, add_report, &balance, &failure) == STATUS_OK &&
		walk_tokens(reader, take_row, &balance, &failure) == STATUS_OK &&
		read_checkpoint(reader, &checkpoint, &failure) == STATUS_OK &&
		checkpoint.bias_sum == balance.bias.sum &&
		checkpoint.bias_gain == balance.bias.gain;

	g_hash_table_iter_init(&iter, balance.tokens);
	while (exact && g_hash_table_iter_next(&iter, NULL, &value))
		exact = ((struct sums *)value)->sum == 0 && ((struct sums *)value)->gain == 0;
	g_hash_table_unref(balance.tokens);
	return exact ? NULL : g_strdup(failure.detail);
}

static char *check_file(const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	char *wrong = NULL;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &row, NULL) != SQLITE_OK ||
		sqlite3_step(row) != SQLITE_ROW)
		wrong = g_strdup(sqlite3_errmsg(db));
	else if (strcmp((const char *)sqlite3_column_text(row, 0), "ok") != 0)
		wrong = g_strdup((const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	sqlite3_close(db);
	return wrong;
}

char *engine_check(struct engine *engine)
{
	struct failure failure;
	char *wrong;

	if (service_checkpoint(engine->service, &failure) != STATUS_OK)
		return g_strdup(failure.detail);
	wrong = check_rows(worker_reader(engine->worker));
	return wrong ? wrong : check_file(engine->path);
}
