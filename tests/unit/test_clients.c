/* What keeps clients from each other's places: shares, turns, least rates.
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "engine/daemon/lanes.h"
#include "engine/daemon/pace.h"
#include "engine/daemon/quota.h"
#include "tests/unit/unit.h"

/* Nobody's: neither root nor who runs the tests. */
static lanes_client somebody(void)
{
	return (lanes_client)geteuid() + 1000;
}

START_TEST(one_client_leaves_a_quarter)
{
	struct quota *quota = quota_new();

	for (int i = 0; i < 3; i++)
		ck_assert(quota_take(quota, somebody(), 4));
	ck_assert(!quota_take(quota, somebody(), 4));
	ck_assert(quota_take(quota, somebody() + 1, 4));
	ck_assert(quota_take(quota, CLIENT_TCP, 4));
	quota_give(quota, somebody());
	ck_assert(quota_take(quota, somebody(), 4));
	ck_assert(!quota_take(quota, somebody(), 4));
	for (int i = 0; i < 5; i++)
		ck_assert(quota_take(quota, 0, 4)); /* root has none */
	quota_free(&quota);
	ck_assert_ptr_null(quota);
}
END_TEST

START_TEST(lanes_have_their_turns)
{
	struct lanes *lanes = lanes_new();
	struct lanes_item many[3], one;

	for (int i = 0; i < 3; i++)
		lanes_push(lanes, 1000, &many[i]);
	lanes_push(lanes, CLIENT_TCP, &one);
	ck_assert_uint_eq(lanes_waiting_of(lanes, 1000), 3);
	ck_assert_ptr_eq(lanes_take(lanes, 0), &many[0]);
	ck_assert_ptr_eq(lanes_take(lanes, 0), &one);
	ck_assert_ptr_eq(lanes_take(lanes, 0), &many[1]);
	lanes_hold(lanes, 1000, 5);
	ck_assert_ptr_null(lanes_take(lanes, 4));
	ck_assert_uint_eq(lanes_ready(lanes), 5);
	ck_assert_ptr_eq(lanes_take(lanes, 5), &many[2]);
	ck_assert_uint_eq(lanes_waiting(lanes), 0);
	ck_assert_uint_eq(lanes_ready(lanes), UINT64_MAX);
	lanes_free(&lanes);
}
END_TEST

START_TEST(a_pace_is_kept_in_the_mean)
{
	struct pace pace;

	pace_begin(&pace, 1000);
	ck_assert_uint_eq(pace_left(&pace, 1000, 60000), 60000);
	ck_assert_uint_eq(pace_left(&pace, 61000, 60000), 0);
	pace.bytes = 10 * PACE_BYTES_PER_SECOND;
	ck_assert_uint_eq(pace_left(&pace, 61000, 60000), 10000);
	ck_assert_uint_eq(pace_left(&pace, 71000, 60000), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tests = tcase_create("clients");

	tcase_add_test(tests, one_client_leaves_a_quarter);
	tcase_add_test(tests, lanes_have_their_turns);
	tcase_add_test(tests, a_pace_is_kept_in_the_mean);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return unit_main(make_suite());
}
