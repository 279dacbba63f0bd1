/* Whether a wall clock is believed when what it says would destroy something: reports past
 * their time. Clocks go wrong (an empty battery, a snapshot of a machine, a server that
 * tells nonsense), and what was taken out is lost for good. So the clock has to agree with
 * what is known beside it: when it was believed last, when the newest report came, and a
 * clock that nobody sets. A clock that goes on without a jump for a week is believed
 * whatever it says, since it may be the former ones that were wrong. Pure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Both clocks at one moment, in seconds; the steady one since any moment. */
struct clock_sample {
	int64_t wall;
	int64_t steady;
};

/* By how many seconds the wall clock was set between the two; what two clocks differ by
 * within a week is 0. */
int64_t clock_jump(const struct clock_sample *former, const struct clock_sample *now);

/* What somebody who wants something destroyed knows of the time. */
struct clock_reading {
	int64_t now; /* of the wall clock, seconds since 1970 */
	int64_t jump; /* by how much it was set since the last reading, as far as is known */
	bool certain; /* an operator says that it is right */
};

/* What is kept from one reading to the next; zeroes = nothing yet. */
struct clock_record {
	int64_t believed; /* the time that was believed last; 0 = none */
	/* Readings that followed each other without a jump: how many, the first and the
	 * last. */
	int64_t readings, since, latest;
};

enum clock_doubt {
	CLOCK_BELIEVED,
	CLOCK_WAS_SET, /* while the program ran */
	CLOCK_AHEAD, /* far beyond what is known */
	CLOCK_BEHIND, /* far before the time that was believed last */
};

/* How far a clock may be from what is known, where reports are kept for `days` (0 = without
 * end): a tenth of that, a day at least and a month at most. A machine may be off as long. */
int64_t clock_leap(int64_t days);

/* Judges a reading and notes it in the record. `newest` = the time of the newest report;
 * 0 = there is none: then nothing can be lost, and nothing is noted. */
enum clock_doubt clock_judge(struct clock_record *record, const struct clock_reading *reading,
	int64_t newest, int64_t leap);

/* "believed", "was-set", "ahead", "behind": for programs. */
const char *clock_doubt_name(enum clock_doubt doubt);

/* What is wrong, in words that follow "the clock"; "" when nothing is. */
const char *clock_doubt_text(enum clock_doubt doubt);
