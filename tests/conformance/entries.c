/* What every store promises of entries, values and the names of users.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/conformance/fixture.h"

START_TEST(entries_are_kept_by_scope)
{
	const struct store_entry first[] = {{"bob", 2, "b", "block", 5}, {"bob", 1, "", "yes", 6},
		{"", 2, "b", "allow", 7}, {"bob", 2, "a'\xff", "", 8}, {"bob", 2, "B", "x", 9}};
	const struct store_entry second[] = {
		{"bob", 2, "b", "allow", 10}, {"bob", 1, "", NULL, 0}, {"eve", 1, "", NULL, 0}};

	open_driver(_i);
	ck_assert_str_eq(entries("bob"), "");
	assert_ok(put_entries(store, first, 5, &failure));
	ck_assert_str_eq(
		entries("bob"), "bob/1/=yes@6 bob/2/B=x@9 bob/2/a'\xff=@8 bob/2/b=block@5 ");
	assert_ok(put_entries(store, second, 3, &failure));
	reopen();
	ck_assert_str_eq(entries("bob"), "bob/2/B=x@9 bob/2/a'\xff=@8 bob/2/b=allow@10 ");
	ck_assert_str_eq(entries(""), "/2/b=allow@7 ");
	ck_assert_str_eq(entries("bo"), "");
	assert_ok(store_entries(reader, "bob", 1, on_entry, NULL, &failure));
	ck_assert_str_eq(seen, "");
}
END_TEST

START_TEST(a_bad_entry_changes_nothing)
{
	char name[STORE_MAX_NAME + 2], value[STORE_MAX_VALUE + 2];
	struct store_entry pair[] = {{"bob", 1, "good", "1", 1}, {"bob", 1, name, "1", 1}};

	open_driver(_i);
	memset(name, 'n', sizeof(name) - 1);
	memset(value, 'v', sizeof(value) - 1);
	name[sizeof(name) - 1] = value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(put_entries(store, pair, 2, &failure), STATUS_INVALID);
	name[STORE_MAX_NAME] = '\0';
	pair[1].value = value;
	ck_assert_int_eq(put_entries(store, pair, 2, &failure), STATUS_INVALID);
	ck_assert_str_eq(entries("bob"), "");
	value[STORE_MAX_VALUE] = '\0';
	assert_ok(put_entries(store, pair, 2, &failure));
	ck_assert_uint_gt(strlen(entries("bob")), STORE_MAX_NAME + STORE_MAX_VALUE);
}
END_TEST

START_TEST(scopes_are_walked_by_name)
{
	const struct store_entry some[] = {{"", 1, "", "x", 1}, {"@b.example", 2, "a", "x", 1},
		{"@b.example", 2, "b", "x", 1}, {"a", 1, "", "x", 1}, {"\xff", 1, "", "x", 1}};
	static const char *const scopes[] = {"@b.example", "a", "\xff", ""};
	char scope[STORE_MAX_USER + 1] = "";

	open_driver(_i);
	assert_ok(store_next_scope(reader, scope, &failure));
	ck_assert_str_eq(scope, "");
	assert_ok(put_entries(store, some, 5, &failure));
	for (size_t i = 0; i < 4; i++) {
		assert_ok(store_next_scope(reader, scope, &failure));
		ck_assert_str_eq(scope, scopes[i]);
	}
}
END_TEST

START_TEST(values_are_kept)
{
	char value[8];
	size_t size = sizeof(value);

	open_driver(_i);
	assert_ok(put_value(store, "one", "abc", 3, &failure));
	assert_ok(put_value(store, "two", "", 0, &failure));
	assert_ok(put_value(store, "one", "defg", 4, &failure));
	reopen();
	assert_ok(store_get(reader, "one", value, &size, &failure));
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(value, "defg", 4);
	size = 3;
	ck_assert_int_eq(store_get(reader, "one", value, &size, &failure), STATUS_LIMIT);
	ck_assert_uint_eq(size, 4);
	assert_ok(put_value(store, "two", NULL, 0, &failure));
	size = sizeof(value);
	assert_ok(store_get(reader, "two", value, &size, &failure));
	ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(users_are_walked_by_name)
{
	char text[256] = "";

	open_driver(_i);
	ck_assert_str_eq(users_after("", 100), "");
	append("\xff", 3, LABEL_SPAM);
	append("bob", 1, LABEL_SPAM);
	append("", 1, LABEL_SPAM);
	append("bob", 2, LABEL_HAM);
	append("bobby", 5, LABEL_HAM);
	append("ann", 4, LABEL_FORGET);
	ck_assert_str_eq(users_after("", 100), "ann:1@1004 bob:2@1002 bobby:1@1005 \xff:1@1003 ");
	ck_assert_str_eq(users_after("", 2), "ann:1@1004 bob:2@1002 ");
	ck_assert_str_eq(users_after("ann", 2), "bob:2@1002 ");
	ck_assert_str_eq(users_after("b", 3), "bob:2@1002 bobby:1@1005 ");
	ck_assert_str_eq(users_after("bob", SIZE_MAX), "bobby:1@1005 \xff:1@1003 ");
	ck_assert_str_eq(users_after("\xff", 100), "");
	remove_old("bob", INT64_MAX, 2);
	ck_assert_str_eq(users_after("", 2), "ann:1@1004 bob:0@0 ");
	append("a-stop", 1, LABEL_SPAM);
	ck_assert_int_eq(store_users(reader, "", 100, on_user, text, &failure), STATUS_INTERRUPTED);
	ck_assert_str_eq(text, "a-stop:1@1001 ");
}
END_TEST

/* All that tidying up finds; how many names were forgotten. */
static int64_t forget_users(void)
{
	struct store_tidied tidied = {.more = true};
	int64_t count = 0;

	for (int i = 0; i < 100 && tidied.more; i++) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		count += tidied.users;
	}
	ck_assert(!tidied.more);
	return count;
}

START_TEST(users_without_reports_are_forgotten)
{
	const char *const names[] = {"dan", "bob", "", "cid", "ann", "eve"};
	struct store_stats stats;

	open_driver(_i);
	ck_assert_int_eq(forget_users(), 0);
	for (size_t i = 0; i < 6; i++)
		append(names[i], i, LABEL_SPAM);
	ck_assert_int_eq(forget_users(), 0);
	remove_old(NULL, 4, 4);
	reopen();
	ck_assert_int_eq(forget_users(), 3); /* bob, cid, dan, and not ann who has one */
	ck_assert_int_eq(forget_users(), 0);
	ck_assert_str_eq(users_after("", 100), "ann:1@1004 eve:1@1005 ");
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.users, 3); /* the site is not forgotten */
	append("", 1, LABEL_SPAM);
	append("bob", 7, LABEL_HAM);
	reopen();
	ck_assert_str_eq(user_reports("", 9), "1:2 ");
	ck_assert_str_eq(user_reports("bob", 9), "7:1 ");
}
END_TEST

void add_entries(TCase *every)
{
	for_every_driver(every, entries_are_kept_by_scope);
	for_every_driver(every, a_bad_entry_changes_nothing);
	for_every_driver(every, scopes_are_walked_by_name);
	for_every_driver(every, values_are_kept);
	for_every_driver(every, users_are_walked_by_name);
	for_every_driver(every, users_without_reports_are_forgotten);
}
