/* Counts work instead of time: what a program does for its input, the same on every
 * machine, however busy, and under sanitizers. The objects that are measured are compiled
 * with -fsanitize-coverage=trace-pc and -fno-builtin, and linked with COUNT_WORK
 * (tests/unit/local.mk), so that work.c sees the branches that they take and the bytes
 * that they have looked at for them; memory is counted for the libraries, too.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct work {
	uint64_t blocks; /* basic blocks of our code that were entered */
	uint64_t scanned; /* bytes that string functions looked at or moved for it */
	uint64_t allocations;
	uint64_t allocated; /* bytes */
};

/* From here on. One thread only. */
void work_begin(void);
struct work work_end(void);

/* One figure for all of it: an allocation is as much as fifty blocks, and sixteen bytes
 * are as much as one. */
double work_units(const struct work *work);
