/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the daemon counts for STATS. Loop thread only. */
#pragma once

#include <stdint.h>

#include "engine/protocol/spamd.h"
#include "engine/service/report/report.h"

enum { COUNTER_COMMANDS = SPAMD_CALL + 1, COUNTER_OUTCOMES = OUTCOME_TRUSTED + 1 };

struct counters {
	uint64_t connections; /* accepted */
	struct {
		uint64_t done;
		uint64_t failed;
	} commands[COUNTER_COMMANDS];
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

/* "CHECK" and so on. */
const char *counters_command(enum spamd_command command);
