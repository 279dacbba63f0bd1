/* Clocks that go wrong are not believed, and those that are right after all are.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "engine/service/upkeep/upkeep.h"
#include "tests/unit/unit.h"

enum { HOUR = 3600, DAY = 24 * HOUR, YEAR = 365 * DAY, START = 20000 * DAY };

static struct clock_record record;
static int64_t newest; /* report */

static void setup(void)
{
	record = (struct clock_record){0};
	newest = START;
}

static enum clock_doubt judge(int64_t now)
{
	return clock_judge(&record, &(struct clock_reading){.now = now}, newest, 30 * DAY);
}

static enum clock_doubt judge_set(int64_t now, int64_t jump)
{
	return clock_judge(
		&record, &(struct clock_reading){.now = now, .jump = jump}, newest, 30 * DAY);
}

/* Readings every hour; the last doubt. */
static enum clock_doubt pass(int64_t from, int64_t until)
{
	enum clock_doubt doubt = CLOCK_BELIEVED;

	for (int64_t now = from; now <= until; now += HOUR)
		doubt = judge(now);
	return doubt;
}

START_TEST(two_clocks_drift_and_are_set)
{
	const struct clock_sample first = {.wall = START, .steady = 70};
	const struct {
		int64_t wall, steady, jump;
	} rows[] = {
		{START, 70, 0},
		{START + 3600, 3670, 0},
		{START + 7 * DAY + 300, 70 + 7 * DAY, 0},
		{START + 3600 + 601, 3670, 601},
		{START - 601, 70, -601},
		{START + 3 * (int64_t)YEAR, 71, 3 * (int64_t)YEAR - 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct clock_sample now = {.wall = rows[i].wall, .steady = rows[i].steady};
		ck_assert_int_eq(clock_jump(&first, &now), rows[i].jump);
	}
	ck_assert_int_gt(clock_jump(&first, &(struct clock_sample){INT64_MAX, INT64_MIN}), 0);
	ck_assert_int_lt(clock_jump(&first, &(struct clock_sample){INT64_MIN, INT64_MAX}), 0);
}
END_TEST

START_TEST(a_leap_is_a_tenth_of_what_is_kept)
{
	ck_assert_int_eq(clock_leap(0), 30 * DAY);
	ck_assert_int_eq(clock_leap(1), DAY);
	ck_assert_int_eq(clock_leap(100), 10 * DAY);
	ck_assert_int_eq(clock_leap(730), 30 * DAY);
	ck_assert_int_eq(clock_leap(INT64_MAX), 30 * DAY);
}
END_TEST

START_TEST(a_machine_that_runs_is_believed)
{
	ck_assert_int_eq(judge(START + HOUR), CLOCK_BELIEVED);
	ck_assert_int_eq(record.believed, START + HOUR);
	for (int64_t day = 1; day < 400; day++) {
		newest = START + day * DAY;
		ck_assert_int_eq(pass(newest, newest + DAY), CLOCK_BELIEVED);
	}
	ck_assert_int_eq(judge(newest + 29 * DAY), CLOCK_BELIEVED); /* it was off */
}
END_TEST

START_TEST(nothing_to_lose_says_nothing)
{
	newest = 0;
	ck_assert_int_eq(judge(START + 3 * (int64_t)YEAR), CLOCK_BELIEVED);
	ck_assert_int_eq(record.believed, 0);
	newest = START;
	ck_assert_int_eq(judge(START + 3 * (int64_t)YEAR), CLOCK_AHEAD);
	ck_assert_int_eq(judge(START + HOUR), CLOCK_BELIEVED);
}
END_TEST

START_TEST(years_ahead_is_not_believed)
{
	judge(START);
	ck_assert_int_eq(judge(START + 3 * (int64_t)YEAR), CLOCK_AHEAD);
	newest = START + 3 * (int64_t)YEAR; /* a press under the wrong clock proves nothing */
	ck_assert_int_eq(judge(START + 3 * (int64_t)YEAR + HOUR), CLOCK_AHEAD);
	ck_assert_int_eq(judge(START + HOUR), CLOCK_BELIEVED);
	ck_assert_int_eq(record.believed, START + HOUR);
	newest = START + HOUR;
	ck_assert_int_eq(judge(START + 3 * (int64_t)YEAR), CLOCK_AHEAD);
}
END_TEST

START_TEST(a_clock_that_was_set_waits)
{
	judge(START);
	ck_assert_int_eq(judge_set(START + DAY, DAY), CLOCK_WAS_SET);
	ck_assert_int_eq(record.believed, START);
	ck_assert_int_eq(judge(START + DAY + HOUR), CLOCK_BELIEVED);
	ck_assert_int_eq(judge_set(START + 2 * (int64_t)YEAR, 2 * (int64_t)YEAR), CLOCK_WAS_SET);
	ck_assert_int_eq(judge(START + 2 * (int64_t)YEAR + HOUR), CLOCK_AHEAD);
}
END_TEST

START_TEST(a_week_without_a_jump_is_believed)
{
	const int64_t later = START + 2 * (int64_t)YEAR; /* it was off for so long */

	judge(START);
	ck_assert_int_eq(pass(later, later + 7 * DAY - HOUR), CLOCK_AHEAD);
	ck_assert_int_eq(judge(later + 7 * DAY), CLOCK_BELIEVED);
	ck_assert_int_eq(record.believed, later + 7 * DAY);
	/* Then nobody reports for years, and it runs on. */
	ck_assert_int_eq(pass(later + 7 * DAY, later + YEAR), CLOCK_BELIEVED);
}
END_TEST

START_TEST(a_jump_begins_the_week_anew)
{
	const int64_t later = START + 2 * (int64_t)YEAR;

	judge(START);
	pass(later, later + 6 * DAY);
	ck_assert_int_eq(judge_set(later + 6 * DAY + 2 * HOUR, HOUR), CLOCK_WAS_SET);
	ck_assert_int_eq(pass(later + 6 * DAY + 2 * HOUR, later + 12 * DAY), CLOCK_AHEAD);
	ck_assert_int_eq(judge(later + 2 * (int64_t)YEAR), CLOCK_AHEAD);
	ck_assert_int_eq(judge(later + 2 * (int64_t)YEAR + 8 * DAY), CLOCK_AHEAD);
	ck_assert_int_eq(judge(later + 2 * (int64_t)YEAR + 9 * DAY), CLOCK_BELIEVED);
}
END_TEST

START_TEST(a_clock_far_behind_waits_too)
{
	judge(START);
	ck_assert_int_eq(judge(0), CLOCK_BEHIND);
	ck_assert_int_eq(judge(HOUR), CLOCK_BEHIND);
	ck_assert_int_eq(record.believed, START);
	ck_assert_int_eq(judge(START + HOUR), CLOCK_BELIEVED);
	ck_assert_int_eq(judge(START + HOUR - 29 * DAY), CLOCK_BELIEVED);
}
END_TEST

/* The first start was with a wrong clock; it is right now, and goes wrong again. */
START_TEST(what_was_believed_wrongly_helps_no_wrong_clock)
{
	const int64_t wrong = START + 3 * (int64_t)YEAR;

	newest = wrong;
	ck_assert_int_eq(judge(wrong), CLOCK_BELIEVED);
	newest = START;
	ck_assert_int_eq(judge(START), CLOCK_BEHIND);
	ck_assert_int_eq(judge(wrong + HOUR), CLOCK_AHEAD);
}
END_TEST

START_TEST(an_operator_is_believed)
{
	const struct clock_reading reading = {
		.now = START + 3 * (int64_t)YEAR, .jump = 3 * (int64_t)YEAR, .certain = true};

	judge(START);
	ck_assert_int_eq(clock_judge(&record, &reading, newest, DAY), CLOCK_BELIEVED);
	ck_assert_int_eq(record.believed, reading.now);
	newest = reading.now;
	ck_assert_int_eq(judge(reading.now + HOUR), CLOCK_BELIEVED);
}
END_TEST

START_TEST(no_number_is_too_large)
{
	const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, START, INT64_MAX};
	enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };

	for (size_t i = 0; i < COUNT * COUNT * COUNT * COUNT; i++) {
		record = (struct clock_record){.believed = numbers[i % COUNT],
			.readings = 1,
			.since = numbers[i / COUNT % COUNT],
			.latest = numbers[i / COUNT / COUNT % COUNT]};
		newest = numbers[i / COUNT / COUNT / COUNT];
		enum clock_doubt doubt = judge_set(numbers[(i + 3) % COUNT], numbers[i % COUNT]);
		ck_assert_int_eq(*clock_doubt_text(doubt) == '\0', doubt == CLOCK_BELIEVED);
		ck_assert(*clock_doubt_name(doubt));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, two_clocks_drift_and_are_set);
	tcase_add_test(tcase, a_leap_is_a_tenth_of_what_is_kept);
	tcase_add_test(tcase, a_machine_that_runs_is_believed);
	tcase_add_test(tcase, nothing_to_lose_says_nothing);
	tcase_add_test(tcase, years_ahead_is_not_believed);
	tcase_add_test(tcase, a_clock_that_was_set_waits);
	tcase_add_test(tcase, a_week_without_a_jump_is_believed);
	tcase_add_test(tcase, a_jump_begins_the_week_anew);
	tcase_add_test(tcase, a_clock_far_behind_waits_too);
	tcase_add_test(tcase, what_was_believed_wrongly_helps_no_wrong_clock);
	tcase_add_test(tcase, an_operator_is_believed);
	tcase_add_test(tcase, no_number_is_too_large);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
