/* What the daemon counts for STATS. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "engine/service/report/report.h"

enum { COUNTER_COMMANDS = 12, COUNTER_OUTCOMES = OUTCOME_TRUSTED + 1 };

struct counters {
	uint64_t connections; /* accepted */
	uint64_t spamd_open; /* connections of SPAMD now */
	struct {
		const char *name; /* "CHECK"; filled in by the front; NULL = none */
		uint64_t done;
		uint64_t failed;
	} commands[COUNTER_COMMANDS]; /* of SPAMD */
	uint64_t spam; /* verdicts */
	uint64_t ham;
	uint64_t personal; /* of both */
	uint64_t strangers; /* likewise: everybody's, since the peer may not have the user's */
	uint64_t outcomes[COUNTER_OUTCOMES]; /* of reports */
	struct {
		uint64_t connections; /* max-connections */
		uint64_t jobs; /* max-jobs */
		uint64_t memory; /* max-buffered-bytes */
		uint64_t reports; /* the writer is behind */
		uint64_t rights; /* may not report */
		uint64_t malformed; /* no valid request, or too large a message */
		uint64_t timeouts;
	} refused;
};
