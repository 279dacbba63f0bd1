/* What is refused of HTTP before anybody acts on it: targets and field lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/http/strict.h"
#include "engine/daemon/http/target.h"
#include "tests/unit/unit.h"

/* --- Targets ---------------------------------------------------------------- */

START_TEST(a_target_has_a_path_and_parameters)
{
	static const struct {
		const char *text, *path, *parameters;
	} rows[] = {
		{"/ping", "/ping", ""},
		{"/v1/score?user=bob", "/v1/score", "user=bob;"},
		{"/v1/score?user=bob+x@example.com&label=spam", "/v1/score",
			"user=bob+x@example.com;label=spam;"},
		{"/v1/score?user=bob%2Bx%40example.com", "/v1/score", "user=bob+x@example.com;"},
		{"/a?user=b%20c", "/a", "user=b c;"},
		{"/a?&user&&x=&=y&", "/a", "user=;x=;=y;"},
		{"/a?b=c=d?e", "/a", "b=c=d?e;"},
		{"/a?b=%26%3d", "/a", "b=&=;"},
		{"/a?b=c%00d", "/a",
			"b=c\x01"
			"d;"},
		{"/%70ing", "/ping", ""},
		{"/ping#here?x=y", "/ping", ""},
		{"/a?", "/a", ""},
		{"http://localhost/ping", "/ping", ""},
		{"HTTP://[::1]:80/v1/score?user=b", "/v1/score", "user=b;"},
		{"https://h", "/", ""},
		{"http://h?user=b", "/", "user=b;"},
		{"*", "*", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target target;
		char parameters[200] = "";

		target_parse(&target, rows[i].text);
		ck_assert_msg(!target.refusal, "%s: %s", rows[i].text, target.refusal);
		ck_assert_str_eq(target.path, rows[i].path);
		ck_assert_uint_eq(target.length, strlen(rows[i].text));
		for (size_t k = 0; k < target.count; k++) {
			strcat(parameters, target.parameters[k].name);
			strcat(parameters, "=");
			strcat(parameters, target.parameters[k].value);
			strcat(parameters, ";");
		}
		ck_assert_str_eq(parameters, rows[i].parameters);
		target_free(&target);
	}
}
END_TEST

START_TEST(a_target_that_is_malformed_is_refused)
{
	static const char *const rows[] = {"", "ping", "ftp://h/ping", "http://", "http:///ping",
		"http:/ping", "/a b", "/a\tb", "/a\x7f", "/a%", "/a%4", "/a%zz", "/a%00",
		"/a?%00=b", "/a?b=%", "/a?b=%2"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct target target;

		target_parse(&target, rows[i]);
		ck_assert_msg(target.refusal && target.count == 0 && !*target.path, "%s", rows[i]);
		target_free(&target);
	}
}
END_TEST

START_TEST(a_target_has_so_many_parameters)
{
	for (size_t more = 0; more < 2; more++) {
		size_t count = TARGET_PARAMETERS_MAX + more;
		char *text = malloc(4 * count + 4), *end = text;
		struct target target;

		strcpy(text, "/?");
		end += 2;
		for (size_t i = 0; i < count; i++, end += 4)
			memcpy(end, "a=b&", 4);
		end[-1] = '\0';
		target_parse(&target, text);
		ck_assert_uint_eq(target.count, more ? 0 : count);
		ck_assert(more == (target.refusal != NULL));
		target_free(&target);
		free(text);
	}
}
END_TEST

/* --- Field lines ---------------------------------------------------------------- */

/* As libmicrohttpd leaves them: the first colon of a line is NUL, and so are CR and LF at
 * its end. From memory of its own, so that a sanitizer sees its end. */
static const char *scan(const char *lines, size_t length, size_t *count)
{
	char *left = malloc(length + 1);
	bool in_name = true;
	const char *refusal;

	memcpy(left + 1, lines, length);
	for (size_t i = 1; i <= length; i++) {
		bool ends =
			left[i] == '\n' || (left[i] == '\r' && i < length && left[i + 1] == '\n');

		if (ends || (in_name && left[i] == ':')) {
			in_name = left[i] == '\n';
			left[i] = '\0';
		}
	}
	refusal = strict_scan(left + 1, length, count);
	free(left);
	return refusal;
}

START_TEST(field_lines_that_are_ambiguous_are_refused)
{
	static const struct {
		const char *lines;
		size_t length;
		int count; /* -1 = refused */
	} rows[] = {
#define ROW(lines, count) {lines, sizeof(lines) - 1, count}
		ROW("\r\n", 0),
		ROW("Host: x\r\n\r\n", 1),
		ROW("Host:x\r\nEmpty:\r\nTwo:  \tb\t\r\n\r\n", 3),
		ROW("Colons: a:b:c\r\n\r\n", 1),
		ROW("High: \xc3\xa9\r\n\r\n", 1),
		ROW("", -1),
		ROW("\n", -1),
		ROW("\r\nHost: x\r\n\r\n", -1),
		ROW("Host: x\r\n", -1),
		ROW("Host: x\n\r\n", -1),
		ROW("Host: x\r\n\n", -1),
		ROW("Host: x\n\n", -1),
		ROW("Host: x\r\n Folded: y\r\n\r\n", -1),
		ROW("Host: x\r\n\tfolded\r\n\r\n", -1),
		ROW(" Host: x\r\n\r\n", -1),
		ROW("Host : x\r\n\r\n", -1),
		ROW("Host\t: x\r\n\r\n", -1),
		ROW(": x\r\n\r\n", -1),
		ROW("Ho st: x\r\n\r\n", -1),
		ROW("H\xc3\xb6st: x\r\n\r\n", -1),
		ROW("Host: x\0y\r\n\r\n", -1),
		ROW("Host: x\ry\r\n\r\n", -1),
		ROW("Host: x\r\r\n\r\n", -1),
		ROW("Host: x\x01\r\n\r\n", -1),
		ROW("Host: x\x7f\r\n\r\n", -1),
		ROW("Host\0: x\r\n\r\n", -1),
		ROW("Host: x\0\0y:z\r\n\r\n", -1),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t count;
		const char *refusal = scan(rows[i].lines, rows[i].length, &count);

		ck_assert_msg((rows[i].count < 0) == (refusal != NULL), "row %zu: %s", i,
			refusal ? refusal : "taken");
		if (!refusal)
			ck_assert_int_eq((int)count, rows[i].count);
	}
}
END_TEST

/* What follows the two NUL looks like a line of its own: strict_refusal compares the count
 * with that of libmicrohttpd, which has seen one field. */
START_TEST(a_line_behind_two_nul_is_counted)
{
	size_t count;

	ck_assert_ptr_null(strict_scan("Host\0x\0\0y\0z\0\0\0\0", 15, &count));
	ck_assert_uint_eq(count, 2);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_add_test(tcase, a_target_has_a_path_and_parameters);
	tcase_add_test(tcase, a_target_that_is_malformed_is_refused);
	tcase_add_test(tcase, a_target_has_so_many_parameters);
	tcase_add_test(tcase, field_lines_that_are_ambiguous_are_refused);
	tcase_add_test(tcase, a_line_behind_two_nul_is_counted);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
