/* A user's policy, and how it came to be.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/query/private.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"

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
