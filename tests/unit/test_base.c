/* What all layers stand on: buffers, failures, domains, compression, kinds of messages.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "engine/base/buffer.h"
#include "engine/base/compression.h"
#include "engine/base/domain.h"
#include "engine/base/message-kind.h"
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
		{"B\xc3\xbc"
		 "cher.Example",
			"xn--bcher-kva.example"},
		{"b\xc3\x9c"
		 "cher.example",
			"xn--bcher-kva.example"},
		{"bu\xcc\x88"
		 "cher.example",
			"xn--bcher-kva.example"},
		{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
		{"b\xc3\xbc"
		 "cher\xe3\x80\x82"
		 "example",
			"xn--bcher-kva.example"},
		{"_dmarc.example.org", "_dmarc.example.org"},
		{"[192.0.2.1]", "[192.0.2.1]"},
		{"", ""},
		{".", ""},
		{"a b.example", ""},
		{"a\nb.example", ""},
		{"\xff.example", ""},
		{"evil.example\xef\xbc\xa0"
		 "corp.example",
			""}, /* a full-width "@" */
		{"evil.example\xef\xb9\xab"
		 "corp.example",
			""}, /* a small one */
		{"evil.example\xef\xbc\x8c"
		 "corp.example",
			""}, /* a full-width comma */
		{"a\xef\xbc\x88"
		 "b\xef\xbc\x89.example",
			""},
		{"_x.b\xc3\xbc"
		 "cher.example",
			"_x.xn--bcher-kva.example"},
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

/* --- Compressed data ------------------------------------------------------- */

enum { LARGE = 300000 };

/* Letters that are no pattern, so that what is compressed keeps some length. */
static void make_text(char *text, size_t length)
{
	uint32_t state = 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		text[i] = (char)('a' + (state >> 28));
	}
}

static void compress_text(
	enum compression compression, const char *text, size_t length, struct buffer *out)
{
	size_t bound = ZSTD_compressBound(length) + compressBound(length) + 1000;
	char *room = buffer_reserve(out, bound);
	z_stream zlib = {.next_in = (unsigned char *)text,
		.avail_in = (uInt)length,
		.next_out = (unsigned char *)room,
		.avail_out = (uInt)bound};

	if (compression == COMPRESSION_ZSTD) {
		ZSTD_CCtx *zstd = ZSTD_createCCtx();

		ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
		out->length += ZSTD_compress2(zstd, room, bound, text, length);
		ZSTD_freeCCtx(zstd);
		return;
	}
	ck_assert_int_eq(deflateInit2(&zlib, 6, Z_DEFLATED,
				 MAX_WBITS + (compression == COMPRESSION_GZIP ? 16 : 0), 8,
				 Z_DEFAULT_STRATEGY),
		Z_OK);
	ck_assert_int_eq(deflate(&zlib, Z_FINISH), Z_STREAM_END);
	out->length += bound - zlib.avail_out;
	deflateEnd(&zlib);
}

static const enum compression UNPACKED[] = {COMPRESSION_GZIP, COMPRESSION_ZLIB, COMPRESSION_ZSTD};
enum { KINDS = sizeof(UNPACKED) / sizeof(UNPACKED[0]) };

START_TEST(compressed_data_becomes_what_it_was)
{
	static const size_t lengths[] = {0, 1, 65536, LARGE};
	char *text = malloc(LARGE);

	make_text(text, LARGE);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buffer packed = BUFFER_INIT(8 * LARGE), out = BUFFER_INIT(LARGE);
		struct failure failure;

		compress_text(UNPACKED[_i], text, lengths[i], &packed);
		assert_ok(decompress(UNPACKED[_i], packed.data, packed.length, &out, &failure));
		ck_assert_uint_eq(out.length, lengths[i]);
		ck_assert(memcmp(lengths[i] ? out.data : "", text, lengths[i]) == 0);
		buffer_free(&packed);
		buffer_free(&out);
	}
	free(text);
}
END_TEST

START_TEST(what_was_cut_or_continued_is_no_compressed_data)
{
	struct buffer packed = BUFFER_INIT(1 << 20), out = BUFFER_INIT(1 << 20);
	struct failure failure;
	char text[1000];

	make_text(text, sizeof(text));
	compress_text(UNPACKED[_i], text, sizeof(text), &packed);
	for (size_t length = 0; length < packed.length; length++) {
		buffer_clear(&out);
		ck_assert_int_eq(decompress(UNPACKED[_i], packed.data, length, &out, &failure),
			STATUS_INVALID);
	}
	buffer_append(&packed, "x", 1);
	buffer_clear(&out);
	ck_assert_int_eq(decompress(UNPACKED[_i], packed.data, packed.length, &out, &failure),
		STATUS_INVALID);
	packed.data[packed.length / 2] ^= 0x55;
	buffer_clear(&out);
	ck_assert_int_eq(decompress(UNPACKED[_i], packed.data, packed.length - 1, &out, &failure),
		STATUS_INVALID);
	buffer_free(&packed);
	buffer_free(&out);
}
END_TEST

START_TEST(members_follow_one_another_but_in_zlib)
{
	struct buffer packed = BUFFER_INIT(1 << 20), out = BUFFER_INIT(1 << 20);
	struct failure failure;
	bool several = UNPACKED[_i] != COMPRESSION_ZLIB;

	compress_text(UNPACKED[_i], "From: ", 6, &packed);
	compress_text(UNPACKED[_i], "a@b", 3, &packed);
	ck_assert_int_eq(decompress(UNPACKED[_i], packed.data, packed.length, &out, &failure),
		several ? STATUS_OK : STATUS_INVALID);
	if (several)
		ck_assert_mem_eq(out.data, "From: a@b", 9);
	buffer_free(&packed);
	buffer_free(&out);
}
END_TEST

START_TEST(a_bomb_ends_at_the_limit)
{
	size_t length = 1 << 20, limit = 1 << 16;
	char *zeros = calloc(1, length);
	struct buffer packed = BUFFER_INIT(8 << 20), out = BUFFER_INIT(limit);
	struct failure failure;

	compress_text(UNPACKED[_i], zeros, length, &packed);
	ck_assert_int_eq(
		decompress(UNPACKED[_i], packed.data, packed.length, &out, &failure), STATUS_LIMIT);
	ck_assert_uint_le(out.capacity, limit);
	out.limit = length;
	buffer_clear(&out);
	/* The limit itself is none too much. */
	assert_ok(decompress(UNPACKED[_i], packed.data, packed.length, &out, &failure));
	buffer_free(&packed);
	buffer_free(&out);
	free(zeros);
}
END_TEST

/* A frame whose header asks for 2^WINDOW_LOG bytes, with one block of one byte. */
START_TEST(a_window_is_bounded)
{
	for (int log = 22; log <= 31; log++) {
		char frame[] = "\x28\xb5\x2f\xfd\x00\x00\x09\x00\x00x";
		struct buffer out = BUFFER_INIT(1 << 20);
		struct failure failure;

		frame[5] = (char)((log - 10) << 3);
		ck_assert_int_eq(decompress(COMPRESSION_ZSTD, frame, 10, &out, &failure),
			log <= 23 ? STATUS_OK : STATUS_INVALID);
		buffer_free(&out);
	}
}
END_TEST

START_TEST(codings_have_names)
{
	struct buffer out = BUFFER_INIT(10);

	ck_assert_int_eq(compression_named("GZip"), COMPRESSION_GZIP);
	ck_assert_int_eq(compression_named("x-gzip"), COMPRESSION_GZIP);
	ck_assert_int_eq(compression_named("deflate"), COMPRESSION_ZLIB);
	ck_assert_int_eq(compression_named("zstd"), COMPRESSION_ZSTD);
	ck_assert_int_eq(compression_named("identity"), COMPRESSION_NONE);
	ck_assert_int_eq(compression_named("br"), COMPRESSION_OTHER);
	ck_assert_int_eq(compression_named("gzip, zstd"), COMPRESSION_OTHER);
	ck_assert_int_eq(compression_of_bytes("BZh91AY&SY", 10), COMPRESSION_OTHER);
	ck_assert_int_eq(compression_of_bytes("BZh9 is a text", 14), COMPRESSION_NONE);
	ck_assert_int_eq(decompress(COMPRESSION_OTHER, "x", 1, &out, NULL), STATUS_INVALID);
	ck_assert_int_eq(decompress(COMPRESSION_NONE, "x", 1, &out, NULL), STATUS_INVALID);
}
END_TEST

/* --- What is no message ------------------------------------------------------ */

static const struct {
	const char *bytes;
	size_t length;
	enum message_kind kind;
} GIVEN[] = {
#define ROW(bytes, kind)                                                                           \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, MESSAGE_##kind                                           \
	}
	ROW("", EMPTY),
	ROW(" \r\n\t\n", EMPTY),
	ROW("From: a@b\n\nhi", MAIL),
	ROW("Subject: only", MAIL),
	ROW("From a@b Mon Jan  1\nSubject: x\n\n", MAIL),
	ROW(">From a@b Mon Jan  1\nSubject: x\n\n", MAIL),
	ROW("\nno header at all", MAIL),
	ROW("a text without any field", MAIL),
	ROW("x\0y: is a field to some", BINARY),
	ROW("Subject: a NUL\0 here\n\n", MAIL),
	ROW("Subject : a NUL\0 here\n\n", MAIL),
	ROW("[list] a text in brackets", MAIL),
	ROW("[list] and [more]", MAIL),
	ROW("{a text in braces}", MAIL),
	ROW("{\"quoted\" is said}", MAIL),
	ROW("--\nA signature: first\n", MAIL),
	ROW("--b\nContent-Type: text/plain\n\nhi\n--b--\n", MAIL),
	ROW("--b\nContent-Type: text/plain\n\nContent-Disposition: form-data\n", MAIL),
	ROW("a=b", MAIL),
	ROW("a=b&c is a formula", MAIL),
	ROW("aGVsbG8gd29ybGQ=", MAIL),
	ROW("3 Virtues and 1 vice", MAIL),
	ROW("1 2 3 4", MAIL),
	ROW("1 2", MAIL),
	ROW("7 Sins", MAIL),
	ROW("BZh9", MAIL),
	ROW("PK is a name", MAIL),
	ROW("<html><body>hi", MAIL),
	ROW("\xef\xbb\xbfSubject: x\n\n", MAIL),
	ROW("\x1f\x8b\x08\0\0\0\0\0", COMPRESSED),
	ROW("\x28\xb5\x2f\xfd x", COMPRESSED),
	ROW("\xfd"
	    "7zXZ\0\0",
		COMPRESSED),
	ROW("BZh91AY&SY\1", COMPRESSED),
	ROW("PK\3\4\24", ARCHIVE),
	ROW("SQLite format 3\0\20", DATABASE),
	ROW("%PDF-1.4\n", DOCUMENT),
	ROW("3 V1234567 N42 Gabcdef\n1 :x\n", INDEX),
	ROW("1 1234567 42\n", INDEX),
	ROW("V\t2\n\nSent\n", INDEX),
	ROW("1000S,10C\n12 1\n", INDEX),
	ROW("--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nFrom: a\r\n--x--", FORM),
	ROW("--x\nContent-Type: message/rfc822\ncontent-disposition:FORM-DATA\n\n", FORM),
	ROW("message=From%3A+a%40b%0A%0Ahi", FORM),
	ROW("user=bob&label=spam", FORM),
	ROW("{}", JSON),
	ROW(" {\n \"message\": \"From: a\"}\n", JSON),
	ROW("{\"message\":\"cut sho", JSON),
	ROW("[\"From: a@b\", 1]\n", JSON),
	ROW("[]", JSON),
	ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", BINARY),
	ROW("\x7f"
	    "ELF\2\1\1\0",
		BINARY),
	ROW("\7\3x\0\x88\0\0\0", BINARY), /* dovecot.index */
	ROW("\2\16\21 x\200\377\30", BINARY),
	ROW("a text with a \2 and \3, \6 and \7: not many in so many other characters, 100 at "
	    "least, as a text with mistakes has",
		MAIL),
	ROW("\f\t\033$B\033(B\033$B\033(B\r\n", MAIL),
	ROW("Subject: \2\3\4\5\6\7\n\n", MAIL),
	ROW("\1\1\1\1\nSubject: x\n\n\1\1\1\1\n", MAIL),
	ROW("\1\1\1\1\1\1", BINARY),
	ROW("*mbx*\r\n5e7f0000000000\r\n", MBX),
	ROW("*mbx* is a format", MAIL),
	ROW("BABYL OPTIONS: -*- rmail -*-\nVersion: 5\n", BABYL),
	ROW("2 M1e C5f3a9c10\n\1\2N  00000000000002A5\n", DBOX),
	ROW("2 M1e C5f3a9c10\nis no mail", MAIL),
	ROW("// <!-- <mdb:mork:z v=\"1.4\"/> -->\n", INDEX),
#undef ROW
};

/* From memory of its own, so that a sanitizer sees its end. */
START_TEST(what_is_no_message_is_known)
{
	for (size_t i = 0; i < sizeof(GIVEN) / sizeof(GIVEN[0]); i++) {
		char *bytes = malloc(GIVEN[i].length + 1);

		memcpy(bytes + 1, GIVEN[i].bytes, GIVEN[i].length);
		enum message_kind kind = message_kind_of(bytes + 1, GIVEN[i].length);
		ck_assert_msg(kind == GIVEN[i].kind, "row %zu, %.40s: %s, not %s", i,
			GIVEN[i].bytes, message_kind_text(kind), message_kind_text(GIVEN[i].kind));
		free(bytes);
	}
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
	tcase_add_loop_test(tcase, compressed_data_becomes_what_it_was, 0, KINDS);
	tcase_add_loop_test(tcase, what_was_cut_or_continued_is_no_compressed_data, 0, KINDS);
	tcase_add_loop_test(tcase, members_follow_one_another_but_in_zlib, 0, KINDS);
	tcase_add_loop_test(tcase, a_bomb_ends_at_the_limit, 0, KINDS);
	tcase_add_test(tcase, a_window_is_bounded);
	tcase_add_test(tcase, codings_have_names);
	tcase_add_test(tcase, what_is_no_message_is_known);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
