/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "tests/unit/unit.h"

START_TEST(buffer_grows_to_its_limit_and_no_further)
{
	struct buffer buffer = BUFFER_INIT(1000);

	for (int i = 0; i < 100; i++)
		buffer_append(&buffer, "0123456789", 10);
	ck_assert(!buffer.failed);
	ck_assert_uint_eq(buffer.length, 1000);
	buffer_append(&buffer, "x", 1);
	ck_assert(buffer.failed);
	ck_assert_uint_eq(buffer.length, 1000);
	buffer_consume(&buffer, 500);
	buffer_append(&buffer, "x", 1);
	ck_assert_uint_eq(buffer.length, 500); /* once failed, nothing more */
	buffer_clear(&buffer);
	buffer_append(&buffer, "x", 1);
	ck_assert(!buffer.failed);
	ck_assert_uint_eq(buffer.length, 1);
	buffer_free(&buffer);
	ck_assert_ptr_null(buffer.data);
}
END_TEST

START_TEST(buffer_without_limit_takes_nothing)
{
	struct buffer buffer = {0};

	buffer_append(&buffer, "", 0);
	ck_assert(!buffer.failed);
	buffer_append(&buffer, "x", 1);
	ck_assert(buffer.failed);
	buffer_free(&buffer);
}
END_TEST

START_TEST(buffer_formats_and_consumes)
{
	struct buffer buffer = BUFFER_INIT(4096);

	buffer_printf(&buffer, "%s %d", "answer", 42);
	buffer_append_string(&buffer, "!");
	ck_assert_uint_eq(buffer.length, 10);
	ck_assert_mem_eq(buffer.data, "answer 42!", 10);
	buffer_consume(&buffer, 7);
	ck_assert_mem_eq(buffer.data, "42!", 3);
	buffer_consume(&buffer, 100);
	ck_assert_uint_eq(buffer.length, 0);
	buffer_free(&buffer);
}
END_TEST

START_TEST(failure_carries_code_and_detail)
{
	struct failure failure;
	char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(failure_set(&failure, STATUS_FULL, "writing %s", "x"), STATUS_FULL);
	ck_assert_int_eq(failure.code, STATUS_FULL);
	ck_assert_str_eq(failure.detail, "writing x");
	failure_set(&failure, STATUS_IO, "%s", name);
	ck_assert_uint_eq(strlen(failure.detail), sizeof(failure.detail) - 1);
	ck_assert_int_eq(failure_set(NULL, STATUS_IO, "%s", name), STATUS_IO);
	ck_assert_str_eq(status_text(STATUS_FULL), "disk full");
	ck_assert_str_eq(status_text((enum status)12345), "unknown error");
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("base");
	TCase *tcase = tcase_create("base");

	tcase_add_test(tcase, buffer_grows_to_its_limit_and_no_further);
	tcase_add_test(tcase, buffer_without_limit_takes_nothing);
	tcase_add_test(tcase, buffer_formats_and_consumes);
	tcase_add_test(tcase, failure_carries_code_and_detail);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
