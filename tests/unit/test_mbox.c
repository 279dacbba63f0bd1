/* Messages in files that hold many: mbox and MMDF.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/base/mbox.h"
#include "tests/unit/unit.h"

static char seen[4096];

/* The messages in brackets. */
static const char *split(const char *text)
{
	struct mbox mbox = mbox_open(text, strlen(text));
	const char *message;
	size_t length;

	seen[0] = '\0';
	while (mbox_next(&mbox, &message, &length))
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "[%.*s]", (int)length,
			message);
	return seen;
}

START_TEST(separators_have_a_date)
{
	static const struct {
		const char *line;
		bool separator;
	} rows[] = {
		{"From a@example.com Sat Nov 28 01:00:00 2026\n", true},
		{"From a@example.com  Sat Nov  8 1:00:00 2026\r\n", true},
		{"From a@example.com Sat Nov 28 01:00 2026", true},
		{"From - Sat Apr 12 15:59:28 2025\n", true},
		{"From - Sat Apr 12 2025 15:59:28\n", true},
		{"From a b@example.com Sat Nov 28 01:00:00 CET 2026\n", true},
		{"From user at example.com  Sat Nov 28 01:00:00 2026\n", true},
		{"From 123@xxx Sat Nov 28 01:00:00 +0000 2026\n", true},
		{"From a@b Sat, 28 Nov 2026 01:00:00 +0100 (CET)\n", true},
		{"From Sun Li Sat Nov 28 01:00:00 2026\n", true},
		{"From a!b Sat Nov 28 01:00:00 96 remote from there\n", true},
		{"From here on all is cheap.\n", false},
		{"From Mon to Fri we are open from 08:00 to 17:00\n", false},
		{"From a@example.com\n", false},
		{"From a@example.com Sat\n", false},
		{"From a@example.com Sat Nov 28\n", false},
		{"From a@example.com Sat Nov 28 01:00:00\n", false},
		{"From a@example.com Sat Nov 28 01.00.00 2026\n", false},
		{"From a@example.com Sat Nov 28 01:00:00 2026 is too late\n", false},
		{"From: a@example.com Sat Nov 28 01:00:00 2026\n", false},
		{"from a@example.com Sat Nov 28 01:00:00 2026\n", false},
		{">From a@example.com Sat Nov 28 01:00:00 2026\n", false},
		{"From \n", false},
		{"From ", false},
		{"From", false},
		{"", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(mbox_is_separator(rows[i].line,
				      rows[i].line + strlen(rows[i].line)) == rows[i].separator,
			"%s", rows[i].line);
}
END_TEST

#define DATE " Sat Nov 28 01:00:00 2026\n"

START_TEST(messages_begin_after_an_empty_line)
{
	ck_assert_str_eq(split("From a" DATE "S: 1\n\none\n\nFrom b" DATE "S: 2\n\ntwo\n\n"),
		"[S: 1\n\none\n][S: 2\n\ntwo\n]");
	ck_assert_str_eq(split("From a" DATE "S: 1\n\none\nFrom b" DATE "S: 2\n\nFrom here\n"),
		"[S: 1\n\none\nFrom b" DATE "S: 2\n\nFrom here\n]");
	ck_assert_str_eq(split("From a Sat Nov 28 01:00:00 2026\r\nS: 1\r\n\r\none\r\n\r\n"
			       "From b Sat Nov 28 01:00:00 2026\r\nS: 2\r\n\r\n\r\n"),
		"[S: 1\r\n\r\none\r\n][S: 2\r\n\r\n]");
}
END_TEST

START_TEST(files_need_not_be_whole)
{
	ck_assert_str_eq(split(""), "");
	ck_assert_str_eq(split("\n\n"), "");
	ck_assert_str_eq(split("From a" DATE), "");
	ck_assert_str_eq(split("From a"), "");
	ck_assert_str_eq(split("From a" DATE "From b" DATE "\nFrom c" DATE "S: 1"), "[S: 1]");
	ck_assert_str_eq(split("\n\nFrom a\nS: 1\n\none"), "[S: 1\n\none]");
	ck_assert_str_eq(split("S: 1\n\none\n\nFrom b" DATE "S: 2\n"), "[S: 1\n\none\n][S: 2\n]");
}
END_TEST

#define MMDF "\1\1\1\1\n"

START_TEST(mmdf_has_separators_on_both_sides)
{
	ck_assert_str_eq(
		split(MMDF "S: 1\n\none\n" MMDF MMDF "S: 2\n\n>From b\n\nFrom b" DATE MMDF),
		"[S: 1\n\none\n][S: 2\n\n>From b\n\nFrom b" DATE "]");
	ck_assert_str_eq(split("\n" MMDF "S: 1\n\1\1\1\1\r\nS: 2"), "[S: 1\n][S: 2]");
	ck_assert_str_eq(split(MMDF "S: 1\n\n" MMDF MMDF "\1\1\1\1"), "[S: 1\n\n]");
	ck_assert_str_eq(split(MMDF "S: 1\n" MMDF "\1\1\1\1\r"), "[S: 1\n]");
	ck_assert_str_eq(split(MMDF), "");
}
END_TEST

/* What begins in the middle of a message. */
START_TEST(the_rest_of_a_message_is_passed_over)
{
	static const char rest[] = "From here on\n\nFrom b" DATE "S: 1\n";
	static const char mmdf[] = "From b" DATE "\n" MMDF MMDF "S: 1\n" MMDF;
	struct mbox mbox = mbox_open(rest, strlen(rest));

	mbox_skip(&mbox);
	ck_assert_str_eq(mbox.at, "From b" DATE "S: 1\n");
	mbox_skip(&mbox);
	ck_assert_str_eq(mbox.at, "From b" DATE "S: 1\n");
	mbox = mbox_open(mmdf, strlen(mmdf));
	mbox.mmdf = true;
	mbox_skip(&mbox);
	ck_assert_str_eq(mbox.at, MMDF MMDF "S: 1\n" MMDF);
	mbox = mbox_open("cut", 3);
	mbox_skip(&mbox);
	ck_assert_ptr_eq(mbox.at, mbox.end);
}
END_TEST

START_TEST(an_mbox_file_begins_with_from)
{
	static const struct {
		const char *text;
		bool mbox;
	} rows[] = {{"From a\nS: 1\n", true}, {"\r\n\nFrom a" DATE, true},
		{"S: 1\n\nFrom a" DATE, false}, {">From a" DATE, false}, {"From", false},
		{"", false}, {"\n", false}, {MMDF "S: 1\n" MMDF, true}, {"\1\1\1\1", true},
		{"\1\1\1\1x\n", false}, {"\1\1\1\n", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(mbox_is_mbox(rows[i].text, strlen(rows[i].text)) == rows[i].mbox,
			"%s", rows[i].text);
}
END_TEST

START_TEST(quoting_is_taken_off)
{
	static const char quoted[] = ">From a\n>From b\n >From c\n>>From d\n> From e\n>Fromage\n>";
	struct buffer out = BUFFER_INIT(sizeof(quoted));

	ck_assert(mbox_is_quoted(quoted, strlen(quoted)));
	mbox_unquote(quoted, strlen(quoted), &out);
	buffer_append(&out, "", 1);
	ck_assert_str_eq(out.data, "From a\nFrom b\n >From c\n>From d\n> From e\n>Fromage\n>");
	ck_assert(!mbox_is_quoted("From a\n> From b\n>", 17));
	buffer_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mbox");
	TCase *tcase = tcase_create("mbox");

	tcase_add_test(tcase, separators_have_a_date);
	tcase_add_test(tcase, messages_begin_after_an_empty_line);
	tcase_add_test(tcase, files_need_not_be_whole);
	tcase_add_test(tcase, the_rest_of_a_message_is_passed_over);
	tcase_add_test(tcase, mmdf_has_separators_on_both_sides);
	tcase_add_test(tcase, an_mbox_file_begins_with_from);
	tcase_add_test(tcase, quoting_is_taken_off);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
