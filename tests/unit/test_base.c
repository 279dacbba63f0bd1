/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/domain.h"
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

/* --- Domains -------------------------------------------------------------- */

START_TEST(domain_has_one_form_however_it_is_written)
{
	static const struct {
		const char *written, *form;
	} rows[] = {
		{"Example.ORG", "example.org"},
		{"example.org.", "example.org"},
		{"B\xc3\xbc""cher.Example", "xn--bcher-kva.example"},
		{"b\xc3\x9c""cher.example", "xn--bcher-kva.example"},
		{"bu\xcc\x88""cher.example", "xn--bcher-kva.example"},
		{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
		{"b\xc3\xbc""cher\xe3\x80\x82""example", "xn--bcher-kva.example"},
		{"_dmarc.example.org", "_dmarc.example.org"},
		{"[192.0.2.1]", "[192.0.2.1]"},
		{"", ""},
		{".", ""},
		{"a b.example", ""},
		{"a\nb.example", ""},
		{"\xff.example", ""},
	};
	char form[DOMAIN_MAX + 1];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = domain_canonical(rows[i].written, strlen(rows[i].written), form);

		ck_assert_msg(strcmp(form, rows[i].form) == 0, "%s: %s, not %s", rows[i].written,
			form, rows[i].form);
		ck_assert(good == (*form != '\0'));
	}
}
END_TEST

START_TEST(domain_too_long_for_dns_has_no_form)
{
	char name[2 * DOMAIN_MAX], form[DOMAIN_MAX + 1];

	memset(name, 'a', sizeof(name));
	ck_assert(domain_canonical(name, DOMAIN_MAX, form));
	ck_assert_uint_eq(strlen(form), DOMAIN_MAX);
	ck_assert(!domain_canonical(name, DOMAIN_MAX + 1, form));
	ck_assert_str_eq(form, "");
	ck_assert(!domain_canonical("a\0b", 3, form));
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
	tcase_add_test(tcase, domain_has_one_form_however_it_is_written);
	tcase_add_test(tcase, domain_too_long_for_dns_has_no_form);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
