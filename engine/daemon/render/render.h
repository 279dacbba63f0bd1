/* Verdicts and answers for people (text) and programs (JSON). Any thread, but for the
 * daemon's own counters.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/upkeep/upkeep.h"

struct server;

/* Comma list: HAMLET_SPAM or HAMLET_HAM; HAMLET_BLOCKED or HAMLET_ALLOWED when a
 * list decided; else HAMLET_PERSONAL when the user's own
 * reports took part; HAMLET_UNSURE when the score is nearer to the threshold
 * than one standard deviation. A constant. */
const char *render_symbols(const struct verdict *verdict);

/* The score for people: rounded to a tenth, but never up to a threshold that it
 * does not reach. */
double render_score(const struct verdict *verdict);

/* The action in rspamd's words: "no action", "add header", "reject". */
const char *render_rspamd_action(const struct verdict *verdict);

/* A few lines of printable ASCII, the strongest reasons among them: well below
 * 32,000 bytes, each below 500, so that Exim and spamc take it. To be freed with
 * free; NULL when out of memory. */
char *render_explanation(const struct verdict *verdict);

/* The joint verdict (query_joint) at the top, and with several recipients all of them under
 * "recipients". To be freed with free; NULL when out of memory. */
char *render_query_json(const struct query *query);
char *render_answer_json(const struct answer *answer);
char *render_diagnosis_json(const struct query *query, const struct past *past);

/* JSON is UTF-8; what a client, a mail or a file says need not be. */
json_t *render_string(const char *text);

/* One entry; one row of the journal, tokens as hexadecimal keys. */
json_t *render_entry(const struct store_entry *entry);
json_t *render_journal(const struct report *report);

/* What an expiry took out. */
json_t *render_expired(const struct expired *expired);

/* Adds a policy's members to an object. */
void render_policy(json_t *json, const struct policy_view *view);

/* [loop] The daemon's counters: the answer to STATS, as JSON, and in Prometheus' text format
 * (version 0.0.4). To be freed with free; NULL when out of memory. */
char *render_stats(const struct server *server);
char *render_metrics(const struct server *server);
