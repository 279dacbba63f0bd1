/* Progress of long work on a terminal: done, rate, time left. Quiet elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what; /* "messages" */
	size_t total; /* 0 = unknown */
	size_t done;
	int64_t started; /* microseconds, monotonic */
	int64_t shown;
	bool terminal;
};

void progress_start(struct progress *progress, const char *what, size_t total);
void progress_step(struct progress *progress, size_t done);

/* Ends the line; returns the rate a second. */
double progress_end(struct progress *progress);
