/* What every store promises of reports and of walks over them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/fixture.h"

START_TEST(an_empty_store_is_empty)
{
	struct report found;
	struct store_checkpoint checkpoint;
	struct store_stats stats;
	char value[8];
	size_t size = sizeof(value);

	open_driver(_i);
	ck_assert(store_writable(store));
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	ck_assert_int_eq(store_get(reader, "name", value, &size, &failure), STATUS_NOTFOUND);
	ck_assert_str_eq(user_reports("bob", 10), "");
	ck_assert_str_eq(reports_after(0), "");
	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	ck_assert_int_eq(checkpoint.seq, 0);
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.reports, 0);
	ck_assert_int_eq(stats.last_seq, 0);
}
END_TEST

START_TEST(reports_come_back_as_they_were)
{
	struct report one = report("bob", UINT64_MAX, LABEL_SPAM), found;

	open_driver(_i);
	one.global = contribution(-12345678, 987654);
	one.undone = contribution(5, 7);
	one.flags = REPORT_CONSENT;
	one.margin = -3.25;
	one.sender = UINT64_MAX - 1;
	one.list = 77;
	assert_ok(append_reports(store, &one, 1, &failure));
	ck_assert_int_gt(one.seq, 0);
	reopen();
	assert_ok(lookup_report(reader, "bob", UINT64_MAX, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, one.seq);
	ck_assert_int_eq(found.time, one.time);
	ck_assert_int_eq(found.label, LABEL_SPAM);
	ck_assert_uint_eq(found.flags, REPORT_CONSENT);
	ck_assert_double_eq(found.margin, -3.25);
	ck_assert_uint_eq(found.sender, UINT64_MAX - 1);
	ck_assert_uint_eq(found.list, 77);
	ck_assert_mem_eq(&found.global, &one.global, sizeof(found.global));
	ck_assert_mem_eq(&found.undone, &one.undone, sizeof(found.undone));
	ck_assert_str_eq(reports_after(0), "18446744073709551615:2 ");
	ck_assert_uint_eq(seen_tokens, 5);
}
END_TEST

START_TEST(users_are_apart)
{
	const char *odd = "b\xc3\xb6 b'\";--\x01\xff";
	struct report found;

	open_driver(_i);
	append("alice", 1, LABEL_SPAM);
	append(odd, 1, LABEL_HAM);
	append("", 2, LABEL_HAM);
	ck_assert_str_eq(user_reports("alice", 10), "1:2 ");
	ck_assert_str_eq(user_reports(odd, 10), "1:1 ");
	ck_assert_str_eq(user_reports("", 10), "2:1 ");
	ck_assert_str_eq(user_reports("alic", 10), "");
	assert_ok(lookup_report(reader, odd, 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.label, LABEL_HAM);
}
END_TEST

START_TEST(the_newest_report_of_a_message_counts)
{
	struct report found;

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	int64_t flip = append("bob", 1, LABEL_HAM);
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, flip);
	ck_assert_str_eq(user_reports("bob", 10), "2:2 1:1 ");
	append("bob", 2, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 10), "1:1 ");
	append("bob", 2, LABEL_HAM);
	reopen();
	ck_assert_str_eq(user_reports("bob", 10), "1:1 2:1 ");
	ck_assert_str_eq(reports_after(flip), "2:0 2:1 ");
}
END_TEST

START_TEST(a_walk_gives_the_newest_oldest_first)
{
	open_driver(_i);
	for (uint64_t i = 1; i <= 9; i++)
		append(i % 2 ? "bob" : "eve", i, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 3), "5:2 7:2 9:2 ");
	ck_assert_str_eq(user_reports("bob", 1), "9:2 ");
	ck_assert_str_eq(user_reports("bob", 0), "1:2 3:2 5:2 7:2 9:2 "); /* all */
}
END_TEST

START_TEST(a_report_before_another_is_found)
{
	struct report muted = report("bob", 1, LABEL_HAM), found;

	open_driver(_i);
	int64_t first = append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	append("ann", 1, LABEL_HAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	int64_t last = append("bob", 1, LABEL_FORGET);
	assert_ok(lookup_report(reader, "bob", 1, last, &found, &failure));
	ck_assert_int_eq(found.seq, first);
	assert_ok(lookup_report(reader, "bob", 1, last + 1, &found, &failure));
	ck_assert_int_eq(found.seq, last);
	ck_assert_int_eq(lookup_report(reader, "bob", 1, first, &found, &failure), STATUS_NOTFOUND);
}
END_TEST

START_TEST(muted_reports_are_recorded_only)
{
	struct report muted = report("bob", 1, LABEL_SPAM), found;

	open_driver(_i);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(user_reports("bob", 10), "");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	int64_t ham = append("bob", 1, LABEL_HAM);
	assert_ok(append_reports(store, &muted, 1, &failure));
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, ham);
	ck_assert_str_eq(user_reports("bob", 10), "1:1 ");
	ck_assert_str_eq(reports_after(0), "1:2 1:1 1:2 ");
	append("bob", 1, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 10), "");
}
END_TEST

static const char *journal(const char *user, int64_t after, size_t limit)
{
	seen[0] = '\0';
	assert_ok(all_of_user(reader, user, after, limit, on_report, NULL, &failure));
	return seen;
}

static enum status stop_never(void *context, const struct report *one)
{
	(void)context;
	(void)one;
	ck_abort_msg("nobody has no reports");
}

START_TEST(a_journal_tells_everything_of_a_user)
{
	struct report muted = report("bob", 4, LABEL_SPAM);

	open_driver(_i);
	int64_t first = append("bob", 1, LABEL_SPAM);
	append("eve", 2, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("bob", 3, LABEL_FORGET);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(journal("bob", 0, SIZE_MAX), "1:2 1:1 3:0 4:2 ");
	ck_assert_str_eq(journal("bob", first, SIZE_MAX), "1:1 3:0 4:2 ");
	ck_assert_str_eq(journal("bob", first, 2), "1:1 3:0 ");
	ck_assert_str_eq(journal("bob", 0, 1), "1:2 ");
	ck_assert_str_eq(journal("bob", 0, 0), "1:2 1:1 3:0 4:2 "); /* all */
	ck_assert_str_eq(journal("eve", 0, 1), "2:2 ");
	assert_ok(all_of_user(reader, "nobody", 0, SIZE_MAX, stop_never, NULL, &failure));
}
END_TEST

/* Page by page it is the same, whether the next reports are near or far. */
START_TEST(a_journal_comes_in_pages)
{
	static const size_t limits[] = {1, 2, 3, 7};
	static const char *const users[] = {"bob", "eve"}; /* one in twenty, and the others */
	char whole[sizeof(seen)], pages[sizeof(seen)];

	open_driver(_i);
	for (uint64_t i = 1; i <= 600; i++)
		append(users[(i > 200 && i < 300) || next_random(20) > 0], i, LABEL_SPAM);
	for (size_t user = 0; user < 2; user++) {
		strcpy(whole, journal(users[user], 0, SIZE_MAX));
		ck_assert_uint_gt(strlen(whole), 20);
		for (size_t i = 0; i < 4; i++) {
			int64_t after = 0;
			unsigned long long last = 0;

			for (pages[0] = '\0'; *journal(users[user], after, limits[i]);
				after = (int64_t)last) { /* the first report has seq 1 */
				strcat(pages, seen);
				for (const char *at = seen; *at; at = strchr(at, ' ') + 1)
					ck_assert_int_eq(sscanf(at, "%llu:", &last), 1);
			}
			ck_assert_str_eq(pages, whole);
		}
	}
	ck_assert_str_eq(journal("eve", INT64_MAX, 1), "");
	ck_assert_str_eq(journal("eve", INT64_MAX - 1, 100), "");
}
END_TEST

static enum status stop(void *context, const struct report *one)
{
	(void)one;
	++*(int *)context;
	return STATUS_INTERRUPTED;
}

START_TEST(a_walk_can_be_ended)
{
	int calls = 0;

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	ck_assert_int_eq(
		counting_of_user(reader, "bob", 9, stop, &calls, &failure), STATUS_INTERRUPTED);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:2 ");
}
END_TEST

START_TEST(a_bad_report_appends_nothing)
{
	static const uint64_t descending[] = {5, 4}, twice[] = {4, 4};
	char name[STORE_MAX_USER + 2];

	open_driver(_i);
	memset(name, 'u', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int bad = 0; bad < 6; bad++) {
		struct report batch[3] = {report("a", 1, LABEL_SPAM), report("b", 2, LABEL_SPAM),
			report("c", 3, LABEL_SPAM)};
		if (bad == 0)
			batch[1].label = 3;
		if (bad == 1)
			batch[1].margin = NAN;
		if (bad == 2)
			batch[1].user = name;
		if (bad == 3 || bad == 4) {
			batch[1].keys = bad == 3 ? descending : twice;
			batch[1].count = 2;
		}
		if (bad == 5)
			batch[1].global.head_sum = 1e-12; /* not a multiple of the unit */
		ck_assert_int_eq(append_reports(store, batch, 3, &failure), STATUS_INVALID);
		ck_assert_str_eq(reports_after(0), "");
	}
	name[STORE_MAX_USER] = '\0';
	append(name, 1, LABEL_SPAM);
	ck_assert_str_eq(user_reports(name, 1), "1:2 ");
}
END_TEST

static enum status count_tokens(void *context, const struct report *one)
{
	*(size_t *)context += one->count;
	return STATUS_OK;
}

START_TEST(the_largest_report_fits)
{
	static uint64_t keys[STORE_MAX_TOKENS];
	struct report one = report("bob", 1, LABEL_SPAM);
	size_t tokens = 0;

	open_driver(_i);
	for (size_t i = 0; i < STORE_MAX_TOKENS; i++)
		keys[i] = (i + 1) * 268435399;
	one.keys = keys;
	one.count = STORE_MAX_TOKENS;
	assert_ok(append_reports(store, &one, 1, &failure));
	assert_ok(counting_of_user(reader, "bob", 1, count_tokens, &tokens, &failure));
	ck_assert_uint_eq(tokens, STORE_MAX_TOKENS);
	one.count++;
	ck_assert_int_eq(append_reports(store, &one, 1, &failure), STATUS_INVALID);
}
END_TEST

START_TEST(the_reports_of_all_that_count)
{
	struct report muted = report("bob", 3, LABEL_SPAM);

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("bob", 2, LABEL_HAM);
	append("bob", 1, LABEL_HAM);
	append("eve", 2, LABEL_SPAM);
	append("eve", 2, LABEL_FORGET);
	append("", 5, LABEL_HAM);
	append("bob", 3, LABEL_HAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(all_counting(), "1:2 2:1 1:1 5:1 3:1 ");
}
END_TEST

START_TEST(a_selection_has_all_its_parts)
{
	const struct store_selection later = {
		.user = "bob", .counting = true, .after = 3, .limit = 2};
	const struct store_selection some = {.counting = true, .after = 3, .limit = 2};
	const struct store_selection first = {.limit = 3, .headers = true};

	open_driver(_i);
	for (uint64_t i = 0; i < 10; i++)
		append(i % 2 ? "bob" : "eve", i % 8, i == 8 ? LABEL_FORGET : LABEL_SPAM);
	seen[0] = '\0';
	assert_ok(store_reports(reader, &later, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "7:2 1:2 "); /* the newest */
	seen[0] = '\0';
	assert_ok(store_reports(reader, &some, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "3:2 4:2 "); /* the first */
	seen[0] = '\0';
	seen_tokens = 0;
	assert_ok(store_reports(reader, &first, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "0:2 1:2 2:2 ");
	ck_assert_uint_eq(seen_tokens, 0);
}
END_TEST

START_TEST(it_is_known_what_is_old)
{
	int64_t seq = 0, first;
	struct store_stats span;

	open_driver(_i);
	assert_ok(store_read_stats(reader, false, &span, &failure));
	ck_assert_int_eq(span.first_seq + span.last_seq + span.last_time + span.given, 0);
	assert_ok(find_oldest(reader, NULL, 5, &seq, &failure));
	ck_assert_int_eq(seq, 0);
	first = append("bob", 1, LABEL_SPAM); /* report() sets the time to 1000 + message */
	append("eve", 5, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM); /* the clock went back */
	append("bob", 9, LABEL_HAM);
	assert_ok(store_read_stats(reader, false, &span, &failure));
	ck_assert_int_eq(span.first_seq, first);
	ck_assert_int_eq(span.last_seq, first + 3);
	ck_assert_int_eq(span.last_time, 1009);
	assert_ok(find_oldest(reader, NULL, 2, &seq, &failure));
	ck_assert_int_eq(seq, first + 1);
	assert_ok(find_oldest(reader, NULL, 100, &seq, &failure));
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "bob", 1, &seq, &failure));
	ck_assert_int_eq(seq, first);
	assert_ok(find_oldest(reader, "bob", 2, &seq, &failure));
	ck_assert_int_eq(seq, first + 2);
	assert_ok(find_oldest(reader, "bob", 100, &seq, &failure));
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "bob", 0, &seq, &failure)); /* 0 = all */
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "nobody", 1, &seq, &failure));
	ck_assert_int_eq(seq, 0);
}
END_TEST

void add_reports(TCase *every)
{
	for_every_driver(every, an_empty_store_is_empty);
	for_every_driver(every, reports_come_back_as_they_were);
	for_every_driver(every, users_are_apart);
	for_every_driver(every, the_newest_report_of_a_message_counts);
	for_every_driver(every, a_walk_gives_the_newest_oldest_first);
	for_every_driver(every, a_report_before_another_is_found);
	for_every_driver(every, muted_reports_are_recorded_only);
	for_every_driver(every, a_journal_tells_everything_of_a_user);
	for_every_driver(every, a_journal_comes_in_pages);
	for_every_driver(every, a_walk_can_be_ended);
	for_every_driver(every, a_bad_report_appends_nothing);
	for_every_driver(every, the_largest_report_fits);
	for_every_driver(every, the_reports_of_all_that_count);
	for_every_driver(every, a_selection_has_all_its_parts);
	for_every_driver(every, it_is_known_what_is_old);
}
