/* What every store promises of changes: each is whole; reports are taken out; users become one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/conformance/fixture.h"

START_TEST(a_change_is_written_whole_or_not_at_all)
{
	struct report one = report("bob", 1, LABEL_SPAM);
	const struct store_entry entry = {"bob", 1, "", "yes", 6};
	const struct store_value value = {.name = "mark", .bytes = "x", .size = 1};
	const struct store_token token = {7, STORE_UNIT, STORE_UNIT};
	struct store_checkpoint checkpoint = {.seq = 9}; /* there is no report 9 */
	const struct store_rows rows = {.tokens = &token, .count = 1, .checkpoint = &checkpoint};
	const struct store_change change = {.reports = &one,
		.report_count = 1,
		.entries = &entry,
		.entry_count = 1,
		.values = &value,
		.value_count = 1,
		.rows = &rows};
	double sums[3] = {0};
	char mark[2];
	size_t size = sizeof(mark);

	open_driver(_i);
	ck_assert_int_eq(store_commit(store, &change, &failure), STATUS_INVALID);
	reopen();
	ck_assert_str_eq(reports_after(0), "");
	ck_assert_str_eq(entries("bob"), "");
	ck_assert_int_eq(store_get(reader, "mark", mark, &size, &failure), STATUS_NOTFOUND);
	size = sizeof(mark);
	checkpoint.seq = 0;
	assert_ok(store_commit(store, &change, &failure));
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 ");
	ck_assert_str_eq(entries("bob"), "bob/1/=yes@6 ");
	assert_ok(store_get(reader, "mark", mark, &size, &failure));
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[2], 1);
}
END_TEST

static enum status sum_globals(void *context, const struct report *one)
{
	double *sum = context;

	sum[0] += one->global.head_gain - one->undone.head_gain;
	sum[1] += (one->flags & REPORT_CONSENT) != 0;
	return STATUS_OK;
}

static bool shares(const char *user)
{
	bool result = true;

	assert_ok(store_shares(reader, user, &result, &failure));
	return result;
}

START_TEST(what_a_user_shared_can_be_withdrawn)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	const struct store_entry no = {"bob", 1, "", "declined", 9};
	struct store_removal removal = {.user = "bob"};
	struct store_checkpoint checkpoint = {.bias_gain = 1};
	double sum[2] = {0}, tokens[3] = {0};

	open_driver(_i);
	append_shared("bob", 1);
	append_shared("eve", 1);
	append("bob", 2, LABEL_HAM);
	checkpoint.seq = append_shared("bob", 3);
	append("cid", 3, LABEL_HAM);
	ck_assert(shares("bob") && shares("eve"));
	ck_assert(!shares("cid") && !shares("nobody") && !shares(""));
	assert_ok(remove_with(store, &removal, &no, rows, 1, &checkpoint, &failure));
	ck_assert_int_eq(removal.reports, 2);
	reopen();
	ck_assert(!shares("bob") && shares("eve"));
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 3:2 ");
	assert_ok(walk_after(reader, 0, sum_globals, sum, &failure));
	ck_assert_double_eq(sum[0], 5 * STORE_UNIT);
	ck_assert_double_eq(sum[1], 1);
	assert_ok(walk_tokens(reader, sum_tokens, tokens, &failure));
	ck_assert_double_eq(tokens[2], 1);
	ck_assert_str_eq(entries("bob"), "bob/1/=declined@9 ");
}
END_TEST

START_TEST(an_erased_user_was_never_there)
{
	const struct store_entry laid[] = {{"bob", 1, "", "yes", 6}, {"bob", 2, "x", "y", 6},
		{"bobby", 1, "", "yes", 6}, {"", 1, "", "yes", 6}};
	struct store_removal removal = {.kind = REMOVE_USER, .user = "bob"};
	struct store_checkpoint checkpoint = {0};
	struct store_stats stats;
	struct report found;

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	checkpoint.seq = append("bob", 2, LABEL_HAM);
	assert_ok(put_entries(store, laid, 4, &failure));
	assert_ok(remove_with(store, &removal, NULL, NULL, 0, &checkpoint, &failure));
	assert_ok(store_tidy(store, TIDY_ALL, NULL, &failure));
	ck_assert_int_eq(removal.reports, 3);
	ck_assert_int_eq(removal.entries, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 ");
	ck_assert_str_eq(entries("bob"), "");
	ck_assert_str_eq(entries("bobby"), "bobby/1/=yes@6 ");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 2, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.users, 1);
	ck_assert_int_eq(stats.reports, 1);
	/* Numbers are not given twice, and a checkpoint may name one that is gone. */
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	ck_assert_int_eq(append("bob", 2, LABEL_SPAM), checkpoint.seq + 1);
	ck_assert_str_eq(user_reports("bob", 9), "2:2 ");
}
END_TEST

START_TEST(old_reports_go_by_number)
{
	struct store_stats stats;
	struct report found;

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	int64_t third = append("bob", 2, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("eve", 2, LABEL_SPAM);
	append("bob", 2, LABEL_FORGET);
	remove_old("bob", third, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 1:1 2:2 2:0 ");
	/* What superseded a report that is gone still counts, or still says "forget". */
	ck_assert_str_eq(user_reports("bob", 9), "1:1 ");
	remove_old(NULL, third + 1, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "2:2 2:0 ");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), third + 4);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.reports, 3);
}
END_TEST

/* --- Two users become one ------------------------------------------------------- */

static struct store_merge merge(const char *from, const char *to, bool withdraw)
{
	struct store_merge done = {.from = from, .to = to, .withdraw = withdraw};

	assert_ok(merge_users(store, &done, NULL, 0, &failure));
	reopen();
	return done;
}

static struct store_checkpoint checkpoint_now(void)
{
	struct store_checkpoint checkpoint;

	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	return checkpoint;
}

START_TEST(a_user_gets_another_name)
{
	const struct store_entry both[] = {{"Bob", 1, "", NULL, 0}, {"bob", 1, "", "yes", 6}};
	struct store_merge renaming = {.from = "Bob", .to = "bob"};
	struct report found;

	open_driver(_i);
	append("Bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("Bob", 2, LABEL_HAM);
	assert_ok(put_entries(store, both, 2, &failure));
	assert_ok(merge_users(store, &renaming, both, 2, &failure));
	ck_assert(!renaming.refold);
	reopen();
	ck_assert_str_eq(users_after("", 100), "bob:2@1002 eve:1@1001 ");
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 ");
	ck_assert_str_eq(user_reports("Bob", 9), "");
	ck_assert_str_eq(entries("bob"), "bob/1/=yes@6 ");
	assert_ok(lookup_report(reader, "bob", 2, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, 3);
	merge("nobody", "bob", false);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 ");
}
END_TEST

START_TEST(two_users_become_one)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	struct store_checkpoint checkpoint = {.seq = 3, .bias_gain = 1};

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("Bob", 2, LABEL_HAM);
	append("bob", 3, LABEL_SPAM);
	assert_ok(write_checkpoint(store, rows, 1, &checkpoint, &failure));
	struct store_merge done = merge("Bob", "bob", false);
	ck_assert_int_eq(done.reports, 1);
	ck_assert(!done.refold);
	ck_assert_int_eq(checkpoint_now().seq, 3);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 3:2 ");
	ck_assert_str_eq(users_after("", 100), "bob:3@1003 ");
}
END_TEST

START_TEST(of_what_both_told_the_newest_counts)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	struct store_checkpoint checkpoint = {.seq = 4, .bias_gain = 1};
	struct report found, muted = report("Bob", 1, LABEL_SPAM);
	double tokens[3] = {0};

	open_driver(_i);
	append("Bob", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("Bob", 2, LABEL_HAM);
	append("bob", 3, LABEL_SPAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	assert_ok(write_checkpoint(store, rows, 1, &checkpoint, &failure));
	struct store_merge done = merge("Bob", "bob", false);
	ck_assert_int_eq(done.reports, 3);
	ck_assert(done.refold);
	ck_assert_str_eq(user_reports("bob", 9), "1:1 2:1 3:2 ");
	ck_assert_str_eq(all_counting(), "1:1 2:1 3:2 ");
	ck_assert_str_eq(reports_after(0), "1:2 1:1 2:1 3:2 1:2 ");
	ck_assert_uint_eq(seen_tokens, 4 * 5); /* the superseded one has none */
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, 2);
	assert_ok(lookup_report(reader, "bob", 1, 2, &found, &failure));
	ck_assert_int_eq(found.seq, 1);
	ck_assert_int_eq(checkpoint_now().seq, 0);
	ck_assert_double_eq(checkpoint_now().bias_gain, 0);
	assert_ok(walk_tokens(reader, sum_tokens, tokens, &failure));
	ck_assert_double_eq(tokens[2], 0);
	append("bob", 1, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 9), "2:1 3:2 ");
}
END_TEST

START_TEST(who_becomes_one_may_withdraw)
{
	struct store_checkpoint checkpoint = {.seq = 2, .bias_gain = 1};
	double sum[2] = {0};

	open_driver(_i);
	append_shared("bob", 1);
	append_shared("Bob", 2);
	append_shared("eve", 3);
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	ck_assert(merge("Bob", "bob", true).refold);
	ck_assert(!shares("bob") && shares("eve"));
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:2 ");
	assert_ok(walk_after(reader, 0, sum_globals, sum, &failure));
	ck_assert_double_eq(sum[0], 5 * STORE_UNIT);
	ck_assert_int_eq(checkpoint_now().seq, 0);
}
END_TEST

START_TEST(a_bad_merge_changes_nothing)
{
	const struct store_entry bad = {"bob", 0, "", "yes", 6};
	char name[STORE_MAX_USER + 2];
	struct store_merge merges[] = {{.from = "bob", .to = "bob"}, {.from = "", .to = "bob"},
		{.from = "bob", .to = ""}, {.from = name, .to = "bob"},
		{.from = "bob", .to = name}};
	struct store_merge good = {.from = "bob", .to = "eve"};

	open_driver(_i);
	memset(name, 'u', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	append("bob", 1, LABEL_SPAM);
	for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++)
		ck_assert_int_eq(merge_users(store, &merges[i], NULL, 0, &failure), STATUS_INVALID);
	ck_assert_int_eq(merge_users(store, &good, &bad, 1, &failure), STATUS_INVALID);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
}
END_TEST

void add_changes(TCase *every)
{
	for_every_driver(every, a_change_is_written_whole_or_not_at_all);
	for_every_driver(every, what_a_user_shared_can_be_withdrawn);
	for_every_driver(every, an_erased_user_was_never_there);
	for_every_driver(every, old_reports_go_by_number);
	for_every_driver(every, a_user_gets_another_name);
	for_every_driver(every, two_users_become_one);
	for_every_driver(every, of_what_both_told_the_newest_counts);
	for_every_driver(every, who_becomes_one_may_withdraw);
	for_every_driver(every, a_bad_merge_changes_nothing);
}
