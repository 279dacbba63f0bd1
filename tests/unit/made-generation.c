/* Writes a generation with made-up numbers to a file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/made-generation.h"

#include <string.h>

#include <glib.h>

#include "engine/service/upkeep/upkeep.h"
#include "tests/unit/store-verbs.h"

struct made_generation {
	const char *guesser; /* whose label error is 0.5; everybody else's is 0.25 */
	GArray *reports; /* struct generation_report */
};

static enum status make_report(void *context, const struct report *report)
{
	struct made_generation *made = context;
	double unit = STORE_UNIT * (double)(1 + report->seq % 7);
	double side = report->label == LABEL_SPAM ? 3 : -3;
	struct generation_report taken = {
		.taught = {.seq = report->seq,
			.margin = 1,
			.global = {side * unit, unit, 2 * side * unit, 5 * unit, side, 1}},
		.message = report->message,
		.error = strcmp(report->user, made->guesser) == 0 ? 0.5 : 0.25};

	if (report->seq % 4 != 0)
		g_array_append_val(made->reports, taken);
	return STATUS_OK;
}

enum status write_made_generation(struct store_reader *reader, int64_t seq, const char *guesser,
	const char *path, struct failure *failure)
{
	struct made_generation made = {.guesser = guesser,
		.reports = g_array_new(FALSE, FALSE, sizeof(struct generation_report))};
	enum status status = counting_reports(reader, make_report, &made, failure);
	struct generation generation = {.seq = seq,
		.time = 77,
		.reports = (struct generation_report *)made.reports->data,
		.count = made.reports->len};

	if (status == STATUS_OK)
		status = generation_identify(&generation, reader, failure);
	if (status == STATUS_OK)
		status = generation_write(&generation, path, failure);
	g_array_unref(made.reports);
	return status;
}
