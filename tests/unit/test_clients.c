/* What keeps clients from each other's places: shares, turns, least rates.
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/admission.h"
#include "engine/daemon/loop/lanes.h"
#include "engine/daemon/loop/pace.h"
#include "engine/daemon/loop/quota.h"
#include "engine/daemon/server.h"
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

START_TEST(who_finds_no_place_takes_none)
{
	static struct server server = {.room = 100, .settings.max_connections = 2};
	const struct peer peer = {.local = true, .uid = 0};
	struct admission admission;

	admission_open(&admission, &server, 1, true);
	ck_assert_int_eq(admission_enter(&admission, &peer), ADMITTED);
	ck_assert_int_eq(admission_enter(&admission, &peer), ADMITTED);
	ck_assert_int_eq(admission_enter(&admission, &peer), TURNED_AWAY);
	ck_assert_int_eq(admission_enter(&admission, &peer), DROPPED);
	admission_leave(&admission, &peer, DROPPED);
	admission_leave(&admission, &peer, TURNED_AWAY);
	ck_assert_int_eq(admission_enter(&admission, &peer), TURNED_AWAY);
	admission_leave(&admission, &peer, ADMITTED);
	ck_assert_int_eq(admission_enter(&admission, &peer), ADMITTED);
	ck_assert_uint_eq(admission.count, 3);
	ck_assert_uint_eq(server.connections, 3);
	ck_assert_uint_eq(server.counters.connections, 6);
	ck_assert_uint_eq(server.counters.refused.connections, 3);
	admission_close(&admission);
}
END_TEST

START_TEST(what_requests_hold_is_booked_once)
{
	static struct server server = {.settings.max_buffered_bytes = 10};
	size_t one = 0, other = 0;

	admission_hold(&server, &one, 4);
	admission_hold(&server, &other, 5);
	admission_hold(&server, &one, 5);
	ck_assert(admission_has_memory(&server, 0));
	ck_assert(!admission_has_memory(&server, 1));
	ck_assert_uint_eq(server.counters.refused.memory, 1);
	admission_hold(&server, &other, 0);
	ck_assert_uint_eq(server.held_bytes, 5);
}
END_TEST

START_TEST(what_comes_often_is_told_once_a_second)
{
	struct log_limit limit = {0};

	ck_assert(log_limit_passes(&limit, 1000));
	ck_assert(!log_limit_passes(&limit, 1999));
	ck_assert(log_limit_passes(&limit, 2000));
}
END_TEST

START_TEST(a_thread_without_a_part_may_do_all)
{
	enum thread_role before = thread_take_role(THREAD_ANY);

	ASSERT_OWNER();
	ASSERT_WRITER();
	ck_assert_int_eq(thread_take_role(THREAD_WORKER), THREAD_ANY);
	ASSERT_WORKER();
	ck_assert_int_eq(thread_take_role(before), THREAD_WORKER);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tests = tcase_create("clients");

	tcase_add_test(tests, one_client_leaves_a_quarter);
	tcase_add_test(tests, lanes_have_their_turns);
	tcase_add_test(tests, a_pace_is_kept_in_the_mean);
	tcase_add_test(tests, who_finds_no_place_takes_none);
	tcase_add_test(tests, what_requests_hold_is_booked_once);
	tcase_add_test(tests, what_comes_often_is_told_once_a_second);
	tcase_add_test(tests, a_thread_without_a_part_may_do_all);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return unit_main(make_suite());
}
