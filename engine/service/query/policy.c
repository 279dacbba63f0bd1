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

static void on_fold(void *context, const struct report *report, const struct user_fold *fold)
{
	const struct policy_walk *walk = context;
	struct policy_view *view = walk->view;

	if (view->move_count == POLICY_MOVES)
		memmove(view->moves, view->moves + 1,
			sizeof(view->moves[0]) * (size_t)--view->move_count);
	view->moves[view->move_count++] = (struct threshold_move){.time = report->time,
		.label = report->label,
		.shift = query_shift(walk->params, fold)};
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
	struct user_fold *fold = NULL;

	*view = (struct policy_view){.limit = params->scale * params->user_bias_limit,
		.junk_min = bounds->junk_min,
		.junk_max = bounds->junk_max};
	enum status status = query_fold_domain(query, recipient, worker, failure);
	struct user_basis basis = query_basis(query, recipient);
	basis.watch = on_fold;
	basis.context = &walk;
	if (status == STATUS_OK)
		status = user_fold_make(&fold, worker->reader, &basis, failure);
	if (status != STATUS_OK)
		return status;
	view->policy = fold->policy;
	view->shift = query_shift(params, fold);
	view->threshold = view->policy.junk + view->shift;
	view->changed = preferences_policy(fold->preferences)->time;
	view->consent = preferences_consent(fold->preferences, &view->consent_time);
	user_fold_unref(&fold);
	return STATUS_OK;
}
