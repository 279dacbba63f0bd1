/* A service as targets use it: presses, changes and queries, one after another.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "engine/daemon/render/render.h"
#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/upkeep/upkeep.h"
#include "tests/fuzz/require.h"

enum { USE_STEPS_MAX = 2000 }; /* of a change: then it never ends */

/* Takes over the text; what a program reads is JSON without double keys. */
static inline void use_json(char *text)
{
	json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

	REQUIRE(json);
	json_decref(json);
	free(text);
}

static inline void use_failure(enum status status, const struct failure *failure)
{
	REQUIRE(status == STATUS_OK || *failure->detail);
}

static inline void use_press(struct service *service, struct worker *worker,
	const struct press_info *info, const char *message, size_t length)
{
	struct failure failure = {0};
	struct press *press = NULL;
	struct batch *batch = NULL;

	enum status status = press_new(service, info, &press, &failure);
	if (status == STATUS_OK)
		status = press_run(press, worker, message, length, &failure);
	if (status == STATUS_OK)
		status = batch_begin(service, &press, 1, &batch, &failure);
	if (status == STATUS_OK) {
		status = batch_run(batch, &failure);
		batch_end(service, &batch);
		use_json(render_answer_json(press_answer(press)));
	}
	use_failure(status, &failure);
	press_free(&press);
}

/* Runs the change to its end; takes it over. */
static inline void use_change(struct service *service, struct change *change)
{
	struct failure failure = {0};
	enum status status;
	int steps = 0;

	do {
		status = change_run(change, &failure);
		REQUIRE(steps++ < USE_STEPS_MAX);
	} while (status == STATUS_OK && change_goes_on(change));
	use_failure(status, &failure);
	change_end(service, &change);
}

static inline void use_verdict(const struct verdict *verdict)
{
	char *report = render_explanation(verdict);

	REQUIRE(report);
	for (const char *c = report; *c; c++)
		REQUIRE(*c == '\n' || (*c >= 0x20 && *c < 0x7F));
	REQUIRE(strlen(report) < 32000);
	REQUIRE(isfinite(verdict->score) && isfinite(verdict->uncertainty));
	REQUIRE(verdict->probability >= 0 && verdict->probability <= 1);
	free(report);
}

/* What somebody has pressed and laid down is not in it. */
static inline void use_hidden(const struct verdict *verdict)
{
	REQUIRE(verdict->own_shift == 0);
	if (verdict->match.scope == LIST_USER || verdict->match.scope == LIST_DOMAIN)
		REQUIRE(!*verdict->match.name);
	for (size_t i = 0; i < verdict->reason_count; i++)
		REQUIRE(verdict->reasons[i].own == 0);
}

/* Who is nobody has no name, and the first of them is told as it was written. */
static inline void use_names(const struct query *query, const char *const *users, size_t count)
{
	const char *first;
	size_t nobodies = query_nobodies(query, &first), unnamed = 0;

	REQUIRE(query_count(query) == count && nobodies <= count);
	REQUIRE((first != NULL) == (nobodies > 0));
	for (size_t i = 0; i < count; i++)
		unnamed += *users[i] && !*query_user(query, i);
	REQUIRE(unnamed == nobodies);
}

/* Judges for all of the users, and says why and what they pressed before. */
static inline struct query *use_query(struct service *service, struct worker *worker,
	const char *const *users, size_t count, bool hides_own, const char *message, size_t length)
{
	struct failure failure = {0};
	struct query *query;
	struct past past;

	REQUIRE(query_begin(service, users, count, true, &query, &failure) == STATUS_OK);
	if (hides_own)
		query_hide_own(query);
	(void)query_is_warm(query);
	do {
		query_hand_over(service, query);
		query_run(query, worker, message, length, &failure);
	} while (query_goes_on(query));
	use_names(query, users, count);
	REQUIRE(query_joint(query) < count);
	for (size_t i = 0; i < count; i++) {
		use_verdict(query_verdict(query, i));
		if (hides_own)
			use_hidden(query_verdict(query, i));
	}
	use_json(render_query_json(query));
	failure = (struct failure){0};
	enum status status = query_past(query, worker, &past, &failure);
	use_failure(status, &failure);
	if (status == STATUS_OK)
		use_json(render_diagnosis_json(query, &past));
	return query;
}
