/* The table of global evidence: growth, its limit, ranges, readers beside the writer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "engine/service/evidence/evidence.h"
#include "tests/unit/unit.h"

static struct table *table;

static void setup(void)
{
	table = table_new(0);
	ck_assert_ptr_nonnull(table);
}

static void teardown(void)
{
	table_free(&table);
	ck_assert_ptr_null(table);
}

static void assert_token(uint64_t key, double sum, double gain)
{
	double found_sum, found_gain;

	table_read(table, &key, 1, &found_sum, &found_gain);
	ck_assert_double_eq(found_sum, sum);
	ck_assert_double_eq(found_gain, gain);
}

/* Keys that fall on the same places again and again. */
static uint64_t key_of(uint64_t i)
{
	return i * 64 + 1;
}

START_TEST(unknown_tokens_read_as_nothing)
{
	assert_token(1, 0, 0);
	assert_token(UINT64_C(1) << 39, 0, 0);
}
END_TEST

START_TEST(evidence_adds_up_and_goes_away)
{
	const uint64_t keys[] = {5, 7, UINT64_C(1) << 39};

	ck_assert_int_eq(table_add(table, keys, 3, 0.5, 0.25), STATUS_OK);
	ck_assert_int_eq(table_add(table, keys, 2, -0.125, 0.25), STATUS_OK);
	assert_token(5, 0.375, 0.5);
	assert_token(UINT64_C(1) << 39, 0.5, 0.25);
	ck_assert_uint_eq(table_count(table), 3);
	ck_assert_int_eq(table_add(table, keys, 3, -0.5, -0.25), STATUS_OK);
	ck_assert_uint_eq(table_count(table), 2);
	assert_token(UINT64_C(1) << 39, 0, 0);
	assert_token(7, -0.125, 0.25);
	ck_assert_int_eq(table_add(table, keys, 3, 0.125, -0.25), STATUS_OK);
	ck_assert_uint_eq(table_count(table), 0);
}
END_TEST

START_TEST(many_tokens_are_kept_while_it_grows)
{
	for (uint64_t i = 0; i < 200000; i++) {
		uint64_t key = key_of(i);
		ck_assert_int_eq(table_add(table, &key, 1, (double)i, 1), STATUS_OK);
	}
	ck_assert_uint_eq(table_count(table), 200000);
	for (uint64_t i = 0; i < 200000; i++)
		assert_token(key_of(i), (double)i, 1);
	assert_token(key_of(200000), 0, 0);
}
END_TEST

START_TEST(dead_tokens_give_their_place_back)
{
	size_t bytes = 0;

	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t key = key_of(i);
		table_add(table, &key, 1, 1, 1);
		table_add(table, &key, 1, -1, -1);
		if (i == 1000)
			bytes = table_bytes(table);
	}
	ck_assert_uint_eq(table_count(table), 0);
	ck_assert_uint_le(table_bytes(table), 8 * bytes);
}
END_TEST

START_TEST(a_full_table_leaves_new_tokens_out)
{
	const uint64_t keys[] = {1, 2, 3, 4};

	table_free(&table);
	table = table_new(2);
	ck_assert_int_eq(table_add(table, keys, 2, 1, 1), STATUS_OK);
	ck_assert_int_eq(table_add(table, keys, 4, 1, 1), STATUS_LIMIT);
	assert_token(1, 2, 2);
	assert_token(3, 0, 0);
	ck_assert_int_eq(table_add(table, keys, 4, -1, -1), STATUS_OK);
	assert_token(4, 0, 0);
}
END_TEST

START_TEST(what_was_kept_is_taken_past_the_limit)
{
	const uint64_t keys[] = {1, 2, 3, 4};

	table_free(&table);
	table = table_new(2);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(table_set(table, keys[i], 1, 1), STATUS_OK);
	ck_assert_uint_eq(table_count(table), 3);
	ck_assert_int_eq(table_add(table, keys, 4, 1, 1), STATUS_LIMIT);
	assert_token(3, 2, 2);
	assert_token(4, 0, 0);
}
END_TEST

static double dirty_sum;
static size_t dirty_gone;

static void on_dirty(void *context, uint64_t key, double sum, double gain)
{
	(void)context;
	(void)key;
	dirty_sum += sum;
	dirty_gone += gain == 0;
}

START_TEST(changes_are_tracked_over_growth)
{
	uint64_t key = 9;

	table_add(table, &key, 1, 4, 1);
	table_track(table);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 0);
	for (uint64_t i = 100; i < 5000; i++) {
		key = key_of(i);
		table_add(table, &key, 1, 1, 1);
	}
	key = key_of(100);
	table_add(table, &key, 1, -1, -1);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 4900);
	table_dirty(table, 0, STORE_RANGES, on_dirty, NULL);
	ck_assert_double_eq(dirty_sum, 4899);
	ck_assert_uint_eq(dirty_gone, 1);
	table_clean(table, 0, STORE_RANGES);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 0);
	assert_token(key_of(101), 1, 1);
	ck_assert_int_eq(table_set(table, 77, 2, 3), STATUS_OK);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 1);
}
END_TEST

START_TEST(ranges_are_cleaned_one_by_one)
{
	const uint64_t keys[] = {5, UINT64_C(3) << 33, STORE_BODY_BIT | 7};

	table_track(table);
	ck_assert_int_eq(table_add(table, keys, 3, 1, 1), STATUS_OK);
	ck_assert_uint_eq(store_range(keys[1]), 3);
	ck_assert_uint_eq(table_dirty_count(table, 0, 3), 1);
	ck_assert_uint_eq(table_dirty_count(table, 3, STORE_RANGES), 2);
	table_clean(table, 0, 4);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 1);
	ck_assert_int_eq(table_add(table, keys, 3, 1, 1), STATUS_OK);
	ck_assert_uint_eq(table_dirty_count(table, 0, 4), 2);
	ck_assert_uint_eq(table_dirty_count(table, 0, STORE_RANGES), 3);
}
END_TEST

enum { READERS = 3, WRITES = 200000 };
static _Atomic bool finished;

/* Every token's sum equals its gain, but for a report half-way through. */
static void *read_all(void *context)
{
	size_t *bad = context;
	uint64_t keys[256];
	double sums[256], gains[256];

	for (uint64_t from = 0; !finished; from = (from + 256) % WRITES) {
		for (size_t i = 0; i < 256; i++)
			keys[i] = key_of(from + i);
		table_read(table, keys, 256, sums, gains);
		for (size_t i = 0; i < 256; i++)
			*bad += gains[i] > 0 && sums[i] != 1;
	}
	return NULL;
}

START_TEST(readers_never_see_a_foreign_token)
{
	pthread_t threads[READERS];
	size_t bad[READERS] = {0};

	for (size_t i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, read_all, &bad[i]);
	for (uint64_t i = 0; i < WRITES; i++) {
		uint64_t key = key_of(i);
		table_add(table, &key, 1, 1, 1);
	}
	finished = true;
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(bad[i], 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, unknown_tokens_read_as_nothing);
	tcase_add_test(tcase, evidence_adds_up_and_goes_away);
	tcase_add_test(tcase, many_tokens_are_kept_while_it_grows);
	tcase_add_test(tcase, dead_tokens_give_their_place_back);
	tcase_add_test(tcase, a_full_table_leaves_new_tokens_out);
	tcase_add_test(tcase, what_was_kept_is_taken_past_the_limit);
	tcase_add_test(tcase, changes_are_tracked_over_growth);
	tcase_add_test(tcase, ranges_are_cleaned_one_by_one);
	tcase_add_test(tcase, readers_never_see_a_foreign_token);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
