/* Which of two databases scores the same messages better. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "trainer/measure/bootstrap.h"
#include "trainer/measure/metrics.h"

enum winner {
	WINNER_NONE, /* they cannot be told apart */
	WINNER_FIRST,
	WINNER_SECOND,
	WINNER_EACH, /* each is better at something */
};

struct against {
	double first[METRICS], second[METRICS];
	struct interval differences[METRICS]; /* of second - first; below 0 the second is
						* better */
	enum winner winner;
	char *sentence; /* that says so */
};

/* One is better at a measure when the whole interval is on its side. The names are for the
 * sentence. STATUS_NOMEM. */
enum status against_judge(struct against *against, const char *const names[2],
	const struct result *first, const struct result *second, size_t count,
	const struct bootstrap *bootstrap, struct failure *failure);
void against_free(struct against *against);
