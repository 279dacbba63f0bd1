/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What else can be asked of a user: the past with a message, the policy and how it
 * came to be. */
#include "engine/service/query.h"

#include <string.h>

/* --- The past ------------------------------------------------------------------- */

struct past_walk {
	const struct query *query;
	struct past *past;
};

static void count_press(struct past_counts *counts, const struct report *report)
{
	counts->spam += report->label == LABEL_SPAM;
	counts->ham += report->label == LABEL_HAM;
	counts->last = report->time;
}

static enum status on_past(void *context, const struct report *report)
{
	const struct past_walk *walk = context;
	const struct query *query = walk->query;

	if (report->message == query->recipients[0].verdict.identity)
		walk->past->message = (struct past_press){.known = true,
			.time = report->time,
			.label = report->label,
			.muted = (report->flags & REPORT_MUTED) != 0};
	if (query->sender && report->sender == query->sender)
		count_press(&walk->past->sender, report);
	if (query->list && report->list == query->list)
		count_press(&walk->past->list, report);
	return STATUS_OK;
}

enum status query_past(
	struct query *query, struct worker *worker, struct past *past, struct failure *failure)
{
	const struct store_selection all = {.user = query->recipients[0].user, .headers = true};
	struct past_walk walk = {.query = query, .past = past};

	*past = (struct past){0};
	if (!*query->recipients[0].user) /* the site's own reports may be very many */
		return STATUS_OK;
	return store_reports(worker->reader, &all, on_past, &walk, failure);
}

/* --- Policy ----------------------------------------------------------------------- */

struct policy_walk {
	const struct model_params *params;
	struct policy_view *view;
};

static void on_fold(void *context, const struct report *report, const struct user_store *store)
{
	const struct policy_walk *walk = context;
	struct policy_view *view = walk->view;

	if (view->move_count == POLICY_MOVES)
		memmove(view->moves, view->moves + 1,
			sizeof(view->moves[0]) * (size_t)--view->move_count);
	view->moves[view->move_count++] = (struct threshold_move){.time = report->time,
		.label = report->label,
		.shift = query_shift(walk->params, store)};
	view->spam += report->label == LABEL_SPAM;
	view->ham += report->label == LABEL_HAM;
}

enum status query_policy(struct query *query, struct worker *worker, struct policy_view *view,
	struct failure *failure)
{
	struct recipient *recipient = &query->recipients[0];
	const struct policy_bounds *bounds = &query->rules.bounds;
	const struct model_params *params = &query->rules.params;
	struct policy_walk walk = {.params = params, .view = view};
	struct user_store *store = NULL;

	*view = (struct policy_view){.limit = params->scale * params->user_bias_limit,
		.junk_min = bounds->junk_min,
		.junk_max = bounds->junk_max};
	enum status status = query_fold_domain(query, recipient, worker, failure);
	struct user_basis basis = query_basis(query, recipient);
	basis.watch = on_fold;
	basis.context = &walk;
	if (status == STATUS_OK)
		status = user_store_fold(&store, worker->reader, &basis, failure);
	if (status != STATUS_OK)
		return status;
	view->policy = store->policy;
	view->shift = query_shift(params, store);
	view->threshold = view->policy.junk + view->shift;
	view->changed = preferences_policy(store->preferences)->time;
	view->consent = preferences_consent(store->preferences, &view->consent_time);
	user_store_unref(&store);
	return STATUS_OK;
}
