/* A report's keys, packed: they come back as they were, and damage is seen or harmless.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/store/pack.h"
#include "tests/unit/unit.h"

enum { MOST = 4096 };

static uint64_t keys[MOST], read_keys[MOST];
static unsigned char packed[32 + 10 * MOST];
static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

/* Distinct ascending keys of so many bits; returns how many. */
static size_t make_keys(size_t count, unsigned bits)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		keys[i] = next_random() >> (64 - bits);
	qsort(keys, count, sizeof(*keys), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || keys[i] != keys[kept - 1])
			keys[kept++] = keys[i];
	}
	return kept;
}

static void assert_round_trip(size_t count)
{
	size_t size = pack_keys(keys, count, packed), read;

	ck_assert_uint_le(size, pack_bound(count));
	ck_assert_int_eq(pack_read(packed, size, read_keys, MOST, &read), STATUS_OK);
	ck_assert_uint_eq(read, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(read_keys[i], keys[i]);
}

START_TEST(round_trips)
{
	static const size_t counts[] = {0, 1, 2, 3, 100, 350, 4096};
	static const unsigned widths[] = {1, 8, 13, 40, 48, 62};

	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < 6; j++)
			assert_round_trip(make_keys(counts[i], widths[j]));
	}
}
END_TEST

START_TEST(uneven_keys_round_trip)
{
	for (size_t i = 0; i < MOST; i++)
		keys[i] = i < MOST / 2 ? i : (UINT64_C(1) << 39) + i * i;
	assert_round_trip(MOST);
	keys[0] = (UINT64_C(1) << 62) + 5;
	assert_round_trip(1);
}
END_TEST

START_TEST(reports_are_small)
{
	size_t count = make_keys(350, 40);

	ck_assert_uint_lt(pack_keys(keys, count, packed) * 8, count * 35);
}
END_TEST

START_TEST(damage_is_seen_or_harmless)
{
	size_t count = make_keys(300, 40), size = pack_keys(keys, count, packed), read;

	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(pack_read(packed, cut, read_keys, MOST, &read), STATUS_CORRUPT);
	packed[size] = 0;
	ck_assert_int_eq(pack_read(packed, size + 1, read_keys, MOST, &read), STATUS_CORRUPT);
	ck_assert_int_eq(pack_read(packed, size, read_keys, count - 1, &read), STATUS_CORRUPT);
	for (unsigned bit = 1; bit < 8; bit++) { /* the last byte's rest */
		size_t one = pack_keys((const uint64_t[]){(UINT64_C(1) << 32) - 1}, 1, packed);
		packed[one - 1] ^= (unsigned char)(1 << bit);
		ck_assert_int_eq(pack_read(packed, one, read_keys, MOST, &read), STATUS_CORRUPT);
	}
	for (size_t round = 0; round < 2000; round++) {
		pack_keys(keys, count, packed);
		packed[next_random() % size] ^= (unsigned char)(1 << next_random() % 8);
		if (pack_read(packed, size, read_keys, MOST, &read) == STATUS_OK) {
			for (size_t i = 1; i < read; i++)
				ck_assert_uint_gt(read_keys[i], read_keys[i - 1]);
		}
	}
}
END_TEST

/* Differences of 2^63 - 1, 2^63 - 2 and the first again: past 2^64 the third
 * key would come round to a small one. */
START_TEST(keys_do_not_overflow)
{
	size_t size, read, bit = 32;

	memset(packed, 0, sizeof(packed));
	packed[0] = 1;
	packed[1] = 57;
	packed[2] = 3;
	for (int i = 0; i < 3; i++) { /* 63 ones, a zero, 57 low bits */
		for (int j = 0; j < 121; j++, bit++) {
			if (j != 63 && !(i == 1 && j == 64))
				packed[bit / 8] |= (unsigned char)(1 << bit % 8);
		}
	}
	size = (bit + 7) / 8;
	ck_assert_int_eq(pack_read(packed, size, read_keys, MOST, &read), STATUS_CORRUPT);
	keys[0] = INT64_MAX;
	assert_round_trip(1);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("pack");
	TCase *tcase = tcase_create("pack");

	tcase_add_test(tcase, round_trips);
	tcase_add_test(tcase, uneven_keys_round_trip);
	tcase_add_test(tcase, reports_are_small);
	tcase_add_test(tcase, damage_is_seen_or_harmless);
	tcase_add_test(tcase, keys_do_not_overflow);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
