/* What a user pressed before about a message, its author and its list.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/query/private.h"
#include "engine/service/query/query.h"

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
