/* What is past its time goes, with all that it taught and nothing else.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/small-mail.h"
#include "tests/unit/store-verbs.h"

enum { DAY = 86400, NOW = 1000 * DAY };

/* What is past its time at NOW; what clocks are believed has tests of its own. */
static const struct clock_reading certain = {.now = NOW, .certain = true};

static void configure(struct retention retention)
{
	settings.retention = retention;
	assert_ok(service_configure(service, &settings, &failure));
}

static void keep_all(void)
{
	configure((struct retention){0});
}

static void press_on(const char *user, unsigned number, enum label label, int64_t day)
{
	press_as(user, number, label, CONSENT_GRANTED, day * DAY);
}

static struct expired finish(struct change *change)
{
	struct receipt receipt = run_change(change);
	struct expired expired = receipt.expired;

	ck_assert_int_eq(receipt.reports,
		expired.by_age + expired.by_count + expired.by_idleness + expired.by_budget);
	return expired;
}

static struct expired expire(struct retention retention)
{
	configure(retention);
	return finish(change_expire(service, &certain));
}

static const struct expired *expired_by(const struct change *change)
{
	return &change_receipt(change)->expired;
}

static struct store_stats stats_of_store(void)
{
	struct store_stats stats;

	assert_ok(store_read_stats(worker_reader(worker), true, &stats, &failure));
	return stats;
}

static int64_t size_of_store(void)
{
	struct store_stats stats;

	assert_ok(store_read_stats(worker_reader(worker), false, &stats, &failure));
	return stats.bytes;
}

START_TEST(nothing_goes_without_a_limit)
{
	press_on("ann", 1, LABEL_SPAM, 1);
	struct expired expired = expire((struct retention){0});
	ck_assert_int_eq(expired.by_age + expired.by_count + expired.by_idleness +
			expired.by_budget + expired.users,
		0);
	ck_assert_int_eq(stats_of_store().reports, 1);
}
END_TEST

START_TEST(reports_go_with_their_age)
{
	for (unsigned i = 0; i < 600; i++)
		press_on("ann", 100 + i, i % 3 ? LABEL_SPAM : LABEL_HAM, 1 + i);
	for (unsigned i = 0; i < 10; i++)
		press_on("bob", 20 + i, i % 2 ? LABEL_SPAM : LABEL_HAM, 990);
	struct expired expired = expire((struct retention){.days = 100});
	ck_assert_int_eq(expired.by_age, 600);
	ck_assert_int_eq(expired.users, 1);
	ck_assert_int_eq(stats_of_store().reports, 10);
	assert_exact();
}
END_TEST

START_TEST(all_evidence_gone_leaves_no_token)
{
	for (unsigned i = 0; i < 40; i++)
		press_on("ann", i, i % 3 ? LABEL_SPAM : LABEL_HAM, 1);
	assert_ok(service_checkpoint(service, &failure));
	ck_assert_int_gt(stats_of_store().tokens, 50);
	ck_assert_double_ne(score(3), 0);
	expire((struct retention){.days = 100});
	ck_assert_int_eq(stats_of_store().reports, 0);
	ck_assert_int_eq(stats_of_store().tokens, 0);
	ck_assert_int_eq(stats_of_store().users, 0);
	ck_assert_double_eq(score(3), 0);
	reopen_service();
	ck_assert_double_eq(score(3), 0);
}
END_TEST

START_TEST(what_was_superseded_never_counts_again)
{
	press_on("ann", 1, LABEL_SPAM, 10);
	press_on("ann", 1, LABEL_HAM, 950);
	press_on("ann", 2, LABEL_SPAM, 940); /* the clock went back after this one: */
	press_on("ann", 2, LABEL_FORGET, 20); /* old by its time, and newer */
	press_on("ann", 3, LABEL_SPAM, 960);
	double before = judge("ann", 2).margin;
	struct expired expired = expire((struct retention){.days = 100});
	ck_assert_int_eq(expired.by_age, 1);
	ck_assert_double_eq(judge("ann", 2).margin, before);
	ck_assert_int_eq(stats_of_store().reports, 4);
	/* A press in the light of what is left: a flip of the report that is there. */
	ck_assert_int_eq(press("ann", 1, LABEL_SPAM).outcome, OUTCOME_FLIP);
	for (unsigned i = 0; i < 30; i++)
		press_on("bob", i, LABEL_HAM, 970);
	assert_exact();
}
END_TEST

START_TEST(each_user_keeps_the_newest)
{
	for (unsigned i = 0; i < 30; i++) {
		press_on("ann", i, i % 3 ? LABEL_SPAM : LABEL_HAM, i);
		press_on("", i, i % 3 ? LABEL_SPAM : LABEL_HAM, i);
	}
	press_on("bob", 1, LABEL_SPAM, 5);
	press_on("ann", 29, LABEL_FORGET, 40);
	judge("ann", 3); /* into the cache */
	struct expired expired = expire((struct retention){.reports = 10});
	ck_assert_int_eq(expired.by_count, 21);
	ck_assert_int_eq(expired.users, 0);
	ck_assert_int_eq(stats_of_store().reports, 41);
	assert_exact();
	double cached = judge("ann", 3).margin;
	reopen_service();
	ck_assert_double_eq(judge("ann", 3).margin, cached);
}
END_TEST

/* The administrator sees it at work and lays down that all are kept. */
START_TEST(new_settings_are_for_the_next_one)
{
	for (unsigned i = 0; i < 40; i++)
		press_on(i % 2 ? "ann" : "bob", i, LABEL_SPAM, 990);
	configure((struct retention){.reports = 5});
	struct change *change = change_expire(service, &certain);
	do
		assert_ok(change_run(change, &failure));
	while (expired_by(change)->by_count == 0);
	configure((struct retention){0});
	ck_assert_int_eq(finish(change).by_count, 30);
	ck_assert_int_eq(stats_of_store().reports, 10);
	assert_exact();
}
END_TEST

/* Others' reports come between: no step takes more than some. */
START_TEST(a_user_s_surplus_goes_in_pieces)
{
	for (unsigned i = 0; i < 900; i++)
		press_on("ann", i, i % 2 ? LABEL_SPAM : LABEL_HAM, 990);
	press_on("bob", 1, LABEL_SPAM, 990);
	configure((struct retention){.reports = 50});
	struct change *change = change_expire(service, &certain);
	int64_t before = 0, largest = 0;
	do {
		assert_ok(change_run(change, &failure));
		largest = MAX(largest, expired_by(change)->by_count - before);
		before = expired_by(change)->by_count;
		assert_exact();
	} while (change_goes_on(change));
	ck_assert_int_eq(finish(change).by_count, 850);
	ck_assert_int_eq(largest, 200);
	ck_assert_int_eq(stats_of_store().reports, 51);
}
END_TEST

START_TEST(who_returns_meanwhile_is_not_idle)
{
	for (unsigned i = 0; i < 300; i++)
		press_on("ann", i, LABEL_SPAM, 500);
	press_on("bob", 1, LABEL_SPAM, 500);
	press_on("cid", 1, LABEL_SPAM, 500);
	configure((struct retention){.idle_days = 365});
	struct change *change = change_expire(service, &certain);
	do
		assert_ok(change_run(change, &failure));
	while (expired_by(change)->by_idleness == 0);
	ck_assert_int_lt(expired_by(change)->by_idleness, 300);
	press_on("ann", 1, LABEL_HAM, 1000);
	press_on("cid", 2, LABEL_HAM, 1000);
	int64_t gone = expired_by(change)->by_idleness;
	struct expired expired = finish(change);
	ck_assert_int_eq(expired.by_idleness, gone + 1);
	ck_assert_int_eq(expired.users, 1);
	ck_assert_int_eq(stats_of_store().reports, 300 - gone + 1 + 2);
	assert_exact();
}
END_TEST

/* More than one step looks at. */
START_TEST(all_of_many_users_are_looked_at)
{
	enum { USERS = 40, EACH = 150 };
	char name[16];

	for (unsigned i = 0; i < USERS * EACH; i++) {
		snprintf(name, sizeof(name), "user%u", i % USERS);
		press_on(name, i / USERS, i % 3 ? LABEL_SPAM : LABEL_HAM, 990);
	}
	press_on("zoe", 1, LABEL_SPAM, 990);
	press_on("zoe", 2, LABEL_SPAM, 990);
	ck_assert_int_eq(expire((struct retention){.reports = EACH}).by_count, 0);
	press_on("user0", EACH, LABEL_SPAM, 990);
	press_on("user9", EACH, LABEL_SPAM, 990);
	ck_assert_int_eq(expire((struct retention){.reports = EACH}).by_count, 2);
	ck_assert_int_eq(stats_of_store().reports, USERS * EACH + 2);
	assert_exact();
}
END_TEST

START_TEST(many_users_are_forgotten)
{
	enum { USERS = 2500 };
	char name[16];

	for (unsigned i = 0; i < USERS; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		press_on(name, i, LABEL_SPAM, 1);
	}
	press_on("zoe", 1, LABEL_SPAM, 990);
	struct expired expired = expire((struct retention){.days = 100});
	ck_assert_int_eq(expired.by_age, USERS);
	ck_assert_int_eq(expired.users, USERS);
	ck_assert_int_eq(stats_of_store().users, 1);
}
END_TEST

START_TEST(idle_users_leave_what_they_laid_down)
{
	press_on("ann", 1, LABEL_SPAM, 500);
	press_on("ann", 2, LABEL_SPAM, 600);
	press_on("bob", 1, LABEL_SPAM, 1);
	press_on("bob", 2, LABEL_SPAM, 900);
	lay_down("ann", ENTRY_LIST, "a@example.org", "allow");
	struct expired expired = expire((struct retention){.idle_days = 365});
	ck_assert_int_eq(expired.by_idleness, 2);
	ck_assert_int_eq(expired.users, 1);
	ck_assert_int_eq(stats_of_store().reports, 2);
	struct policy_view view = policy("ann");
	ck_assert_int_eq(view.consent, CONSENT_YES);
	ck_assert_uint_eq(view.spam, 0);
}
END_TEST

START_TEST(a_full_table_makes_room)
{
	for (unsigned i = 0; i < 2000; i++)
		press_on("", 1000 + 50 * i + i % 50, LABEL_SPAM, 1);
	size_t tokens = (size_t)stats_of_store().tokens;
	assert_ok(service_checkpoint(service, &failure));
	tokens = (size_t)stats_of_store().tokens;
	settings.global_tokens = tokens;
	struct expired expired = expire((struct retention){0});
	ck_assert_int_gt(expired.by_budget, 0);
	ck_assert_int_gt(stats_of_store().reports, 0);
	struct service_stats stats;
	service_read_stats(service, &stats);
	ck_assert(!stats.over_budget);
	assert_exact();
}
END_TEST

/* Nothing of what is kept is lost, and the next housekeeping makes room. */
START_TEST(a_lowered_limit_lets_it_start)
{
	for (unsigned i = 0; i < 500; i++)
		press_on("", 1000 + 50 * i + i % 50, LABEL_SPAM, 1);
	assert_ok(service_checkpoint(service, &failure));
	size_t tokens = (size_t)stats_of_store().tokens;
	close_service();
	settings.global_tokens = tokens / 2;
	open_service();
	struct service_stats stats;
	service_read_stats(service, &stats);
	ck_assert_uint_eq(stats.global_tokens, tokens);
	assert_exact();
	struct expired expired = expire((struct retention){0});
	ck_assert_int_gt(expired.by_budget, 0);
	service_read_stats(service, &stats);
	ck_assert_uint_le(stats.global_tokens, settings.global_tokens);
	ck_assert_uint_gt(stats.global_tokens, settings.global_tokens * 3 / 4); /* not more */
	assert_exact();
}
END_TEST

enum { BATCH = 500 };

/* Of the site, each about another message. */
static void press_batch(unsigned from)
{
	const struct press_info info = {
		.user = "", .event = {.kind = EVENT_TOLD, .label = LABEL_SPAM}, .time = 999 * DAY};
	struct press *presses[BATCH];
	struct batch *batch;

	for (unsigned i = 0; i < BATCH; i++) {
		char text[1024];
		size_t length = mail(text, sizeof(text), (from + i) * 51);
		assert_ok(press_new(service, &info, &presses[i], &failure));
		assert_ok(press_run(presses[i], worker, text, length, &failure));
	}
	assert_ok(batch_begin(service, presses, BATCH, &batch, &failure));
	assert_ok(batch_run(batch, &failure));
	batch_end(service, &batch);
	for (unsigned i = 0; i < BATCH; i++)
		press_free(&presses[i]);
}

START_TEST(a_budget_is_kept_under_inflow)
{
	const int64_t budget = 6 << 20;
	int64_t largest = 0, gone = 0;
	struct service_stats stats;

	settings.retention.bytes = budget;
	assert_ok(service_configure(service, &settings, &failure));
	for (unsigned i = 0; i < 40000; i += BATCH) {
		press_batch(i);
		assert_ok(service_checkpoint(service, &failure));
		service_read_stats(service, &stats);
		if (stats.over_budget) {
			struct expired expired = expire(settings.retention);
			gone += expired.by_budget;
			service_read_stats(service, &stats);
			ck_assert(!stats.over_budget);
		}
		largest = MAX(largest, size_of_store());
	}
	ck_assert_int_gt(gone, 10000);
	ck_assert_int_lt(largest, budget + budget / 8);
	ck_assert_int_eq(stats_of_store().reports, 40000 - gone);
	assert_exact();
}
END_TEST

START_TEST(it_waits_for_an_adoption_and_stops_when_told)
{
	struct change *adoption;
	struct service_stats stats;

	assert_ok(change_adopt(service, "/nowhere", NULL, &adoption, &failure));
	press_on("ann", 1, LABEL_SPAM, 1);
	ck_assert(expire((struct retention){.days = 100}).postponed);
	ck_assert_int_eq(stats_of_store().reports, 1);
	service_read_stats(service, &stats);
	ck_assert_int_eq(stats.expired_at, 0);
	change_end(service, &adoption);
	struct change *change = change_expire(service, &certain);
	service_stop(service);
	assert_ok(change_run(change, &failure));
	ck_assert(!change_goes_on(change));
	ck_assert(change_receipt(change)->expired.postponed);
	change_end(service, &change);
	reopen_service();
	ck_assert_int_eq(expire((struct retention){.days = 100}).by_age, 1);
	reopen_service(); /* it is known after a restart */
	service_read_stats(service, &stats);
	ck_assert_int_eq(stats.expired_at, NOW);
}
END_TEST

static struct expired expire_at(int64_t day, struct retention retention)
{
	configure(retention);
	return finish(change_expire(service, &(struct clock_reading){.now = day * DAY}));
}

START_TEST(what_a_wrong_clock_says_does_not_go)
{
	const struct retention retention = {.days = 100, .idle_days = 50, .reports = 25};
	struct service_stats stats;

	for (unsigned i = 0; i < 30; i++)
		press_on("ann", i, LABEL_SPAM, 990);
	press_on("bob", 1, LABEL_SPAM, 990);
	struct expired expired = expire_at(995, retention);
	ck_assert_int_eq(expired.doubt, CLOCK_BELIEVED);
	ck_assert_int_eq(expired.by_count, 5);
	for (unsigned i = 0; i < 5; i++)
		press_on("ann", 100 + i, LABEL_SPAM, 990);
	expired = expire_at(995 + 1000, retention);
	ck_assert_int_eq(expired.doubt, CLOCK_AHEAD);
	ck_assert_int_eq(expired.by_age + expired.by_idleness, 0);
	ck_assert_int_eq(expired.by_count, 5); /* no clock is asked for that */
	ck_assert_int_eq(stats_of_store().reports, 26);
	reopen_service();
	service_read_stats(service, &stats);
	ck_assert_int_eq(stats.expired_at, 995 * DAY);
	press_on("ann", 400, LABEL_SPAM, 995 + 1000);
	ck_assert_int_eq(expire_at(995 + 1000, retention).doubt, CLOCK_AHEAD);
	ck_assert_int_eq(expire_at(996, retention).doubt, CLOCK_BELIEVED);
	ck_assert_int_eq(stats_of_store().reports, 26);
	press_on("ann", 401, LABEL_SPAM, 996);
	/* The operator's word. */
	configure(retention);
	ck_assert_int_eq(
		finish(change_expire(service,
			       &(struct clock_reading){.now = 3000 * DAY, .certain = true}))
			.by_age,
		27);
}
END_TEST

START_TEST(a_damaged_record_of_the_clock_is_none)
{
	char larger[96] = "";

	strcpy(larger, folder);
	press_on("ann", 1, LABEL_SPAM, 990);
	assert_ok(put_value(store, "clock", "x", 1, &failure));
	ck_assert_int_eq(expire_at(995, (struct retention){.days = 100}).doubt, CLOCK_BELIEVED);
	assert_ok(put_value(store, "clock", larger, sizeof(larger), &failure));
	ck_assert_int_eq(expire_at(5000, (struct retention){.days = 100}).doubt, CLOCK_AHEAD);
}
END_TEST

START_TEST(one_run_takes_a_part)
{
	const struct retention retention = {.days = 100, .most = 20};

	for (unsigned i = 0; i < 1000; i++)
		press_on(i % 2 ? "ann" : "bob", 2000 + i, LABEL_SPAM, 800);
	for (unsigned i = 0; i < 30; i++)
		press_on("cid", i, LABEL_SPAM, 980);
	struct expired expired = expire_at(985, retention);
	ck_assert(expired.capped);
	ck_assert_int_eq(expired.by_age, 200);
	ck_assert_int_eq(expire_at(985, retention).by_age, 160);
	int64_t gone = 360, last = 0;
	while ((expired = expire_at(985, retention)).capped)
		gone += last = expired.by_age;
	ck_assert_int_eq(gone + expired.by_age, 1000);
	ck_assert_int_eq(last, 100); /* of few a hundred at once */
	ck_assert_int_eq(stats_of_store().reports, 30);
	assert_exact();
}
END_TEST

START_TEST(one_run_takes_a_part_of_the_idle)
{
	const struct retention retention = {.idle_days = 100, .most = 10};

	for (unsigned i = 0; i < 900; i++)
		press_on(i % 3 == 0          ? "ann"
				: i % 3 == 1 ? "bob"
					     : "cid",
			2000 + i, LABEL_SPAM, 800);
	for (unsigned i = 0; i < 30; i++)
		press_on("dan", i, LABEL_SPAM, 980);
	struct expired expired = expire_at(985, retention);
	ck_assert(expired.capped);
	ck_assert_int_eq(expired.by_idleness, 100);
	int64_t gone = 100;
	while ((expired = expire_at(985, retention)).by_idleness > 0)
		gone += expired.by_idleness;
	ck_assert(!expired.capped);
	ck_assert_int_eq(gone, 900);
	ck_assert_int_eq(stats_of_store().users, 1);
	assert_exact();
}
END_TEST

/* Else all that came later would be kept until that day. */
START_TEST(reports_of_a_clock_that_was_ahead_keep_nothing)
{
	for (unsigned i = 0; i < 250; i++)
		press_on("ann", 2000 + i, LABEL_SPAM, 4000);
	for (unsigned i = 0; i < 5; i++)
		press_on("bob", i, LABEL_SPAM, 800);
	press_on("ann", 1, LABEL_SPAM, 4000);
	for (unsigned i = 0; i < 30; i++)
		press_on("bob", 100 + i, LABEL_SPAM, 985);
	ck_assert_int_eq(expire_at(990, (struct retention){.days = 100}).by_age, 255);
	ck_assert_int_eq(stats_of_store().reports, 31);
	assert_exact();
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, nothing_goes_without_a_limit);
	tcase_add_test(tcase, reports_go_with_their_age);
	tcase_add_test(tcase, all_evidence_gone_leaves_no_token);
	tcase_add_test(tcase, what_was_superseded_never_counts_again);
	tcase_add_test(tcase, each_user_keeps_the_newest);
	tcase_add_test(tcase, new_settings_are_for_the_next_one);
	tcase_add_test(tcase, a_user_s_surplus_goes_in_pieces);
	tcase_add_test(tcase, who_returns_meanwhile_is_not_idle);
	tcase_add_test(tcase, all_of_many_users_are_looked_at);
	tcase_add_test(tcase, many_users_are_forgotten);
	tcase_add_test(tcase, idle_users_leave_what_they_laid_down);
	tcase_add_test(tcase, a_full_table_makes_room);
	tcase_add_test(tcase, a_lowered_limit_lets_it_start);
	tcase_add_test(tcase, it_waits_for_an_adoption_and_stops_when_told);
	tcase_add_test(tcase, what_a_wrong_clock_says_does_not_go);
	tcase_add_test(tcase, a_damaged_record_of_the_clock_is_none);
	tcase_add_test(tcase, one_run_takes_a_part);
	tcase_add_test(tcase, one_run_takes_a_part_of_the_idle);
	tcase_add_test(tcase, reports_of_a_clock_that_was_ahead_keep_nothing);
}

static Suite *suite(void)
{
	Suite *suite = suite_create("expiry");
	TCase *memory = tcase_create("memory"), *file = tcase_create("sqlite");

	tcase_add_checked_fixture(memory, setup_memory, teardown);
	tcase_add_checked_fixture(memory, keep_all, NULL);
	add_tests(memory);
	suite_add_tcase(suite, memory);
	tcase_add_checked_fixture(file, setup_file, teardown);
	tcase_add_checked_fixture(file, keep_all, NULL);
	add_tests(file);
	tcase_add_test(file, a_budget_is_kept_under_inflow);
	suite_add_tcase(suite, file);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
