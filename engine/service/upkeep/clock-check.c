/* Judges a clock by what is known of earlier readings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/clock-check.h"

#include <stdlib.h>

enum {
	DAY = 86400,
	/* Clocks that are not set differ by 500 seconds in a million. */
	SLACK = 600,
	LEAP_LEAST = DAY,
	LEAP_MOST = 30 * DAY,
	/* So long, and so many readings, make a clock believed. */
	PATIENCE = 7 * DAY,
	READINGS = 3,
};

/* Times come from files and from clocks that are wrong: sums of them may not overflow. */
static int64_t bounded(int64_t time)
{
	const int64_t most = INT64_C(1) << 60;

	return time > most ? most : time < -most ? -most : time;
}

static int64_t difference(int64_t later, int64_t earlier)
{
	return bounded(later) - bounded(earlier);
}

int64_t clock_jump(const struct clock_sample *former, const struct clock_sample *now)
{
	int64_t jump = bounded(difference(now->wall, former->wall)) -
		bounded(difference(now->steady, former->steady));

	return llabs(jump) > SLACK ? jump : 0;
}

int64_t clock_leap(int64_t days)
{
	if (days <= 0 || days > LEAP_MOST / DAY * 10)
		return LEAP_MOST;
	int64_t leap = days * DAY / 10;
	return leap > LEAP_LEAST ? leap : LEAP_LEAST;
}

/* False when the readings begin anew with this one. */
static bool note(struct clock_record *record, const struct clock_reading *reading, int64_t leap)
{
	int64_t step = difference(reading->now, record->latest);
	bool follows = record->readings > 0 && reading->jump == 0 && step >= -SLACK && step <= leap;

	if (!follows) {
		record->since = reading->now;
		record->readings = 0;
	}
	record->latest = reading->now;
	record->readings++;
	return follows;
}

static enum clock_doubt compare_clocks(const struct clock_record *record,
	const struct clock_reading *reading, int64_t newest, int64_t leap)
{
	int64_t known = record->believed ? record->believed : newest;

	if (reading->jump != 0)
		return CLOCK_WAS_SET;
	if (difference(reading->now, known) > leap || difference(reading->now, newest) > leap)
		return CLOCK_AHEAD;
	return difference(known, reading->now) > leap ? CLOCK_BEHIND : CLOCK_BELIEVED;
}

enum clock_doubt clock_judge(struct clock_record *record, const struct clock_reading *reading,
	int64_t newest, int64_t leap)
{
	enum clock_doubt doubt = CLOCK_BELIEVED;

	if (newest == 0)
		return CLOCK_BELIEVED;
	bool follows = note(record, reading, leap);
	bool proven = follows && record->readings >= READINGS &&
		difference(record->latest, record->since) >= PATIENCE;
	if (!reading->certain && !proven)
		doubt = compare_clocks(record, reading, newest, leap);
	if (doubt == CLOCK_BELIEVED)
		record->believed = reading->now;
	return doubt;
}

const char *clock_doubt_name(enum clock_doubt doubt)
{
	static const char *const names[] = {
		[CLOCK_BELIEVED] = "believed",
		[CLOCK_WAS_SET] = "was-set",
		[CLOCK_AHEAD] = "ahead",
		[CLOCK_BEHIND] = "behind",
	};

	return names[doubt];
}

const char *clock_doubt_text(enum clock_doubt doubt)
{
	static const char *const texts[] = {
		[CLOCK_BELIEVED] = "",
		[CLOCK_WAS_SET] = "was set while hamletd ran",
		[CLOCK_AHEAD] = "is far beyond the newest report or the last housekeeping",
		[CLOCK_BEHIND] = "is far before the last housekeeping",
	};

	return texts[doubt];
}
