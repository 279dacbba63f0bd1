/* Files of mail: large ones, those that change while they are read, those of other kinds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/base/mail-file.h"
#include "tests/unit/unit.h"

#define FROM "From a@b.example Sat Nov 28 01:00:00 2026\n"
enum { MIB = 1 << 20 };

static char path[64];
static struct mail_file file;
static struct failure failure;

static void setup(void)
{
	strcpy(path, "/tmp/hamlet-mail-file-XXXXXX");
	int descriptor = mkstemp(path);
	ck_assert_int_ge(descriptor, 0);
	close(descriptor);
}

static void teardown(void)
{
	mail_file_close(&file);
	ck_assert_int_eq(unlink(path), 0);
}

static FILE *change(const char *how)
{
	FILE *out = fopen(path, how);

	ck_assert_ptr_nonnull(out);
	return out;
}

static enum status open_with(const char *text)
{
	FILE *out = change("w");

	fputs(text, out);
	ck_assert_int_eq(fclose(out), 0);
	return mail_file_open(&file, path, &failure);
}

/* A message whose text is a hole of the file; its end is what counts. */
static void add_large(FILE *out, char name, long hole)
{
	fprintf(out, FROM "Subject: %c\n\n", name);
	ck_assert_int_eq(fseek(out, hole, SEEK_CUR), 0);
	fprintf(out, "\nend of %c\n\n", name);
}

/* First letter of the subject and MiB of each message, as the walk gives them. */
static const char *walk(struct mail_cursor *cursor)
{
	static char seen[256];
	struct mail_place place;
	const char *message;
	size_t length;

	seen[0] = '\0';
	while (mail_file_next(&file, cursor, &place)) {
		ck_assert_int_eq(mail_file_message(&file, &place, &message, &length), STATUS_OK);
		ck_assert_int_eq(memcmp(message, "Subject: ", 9), 0);
		ck_assert_int_eq(message[length - 2], message[9]);
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%c%zu ", message[9],
			length / MIB);
	}
	return seen;
}

START_TEST(an_mbox_file_has_any_size)
{
	FILE *out = change("w");
	struct mail_cursor cursor;
	struct mail_place last;
	const char *message;
	size_t length;

	add_large(out, 'a', 1);
	add_large(out, 'b', 100 * MIB);
	add_large(out, 'c', 200 * MIB);
	add_large(out, 'd', 300 * MIB);
	add_large(out, 'e', 1);
	last = (struct mail_place){.offset = (uint64_t)ftell(out) + strlen(FROM), .mbox = true};
	add_large(out, 'f', 50 * MIB);
	last.length = (size_t)ftell(out) - (size_t)last.offset - 1;
	ck_assert_int_eq(fclose(out), 0);

	assert_ok(mail_file_open(&file, path, &failure));
	ck_assert_uint_le(file.length, MAIL_FILE_MAX);
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert_str_eq(walk(&cursor), "a0 b100 c200 e0 f50 ");
	ck_assert_uint_eq(cursor.left_out, 1);
	ck_assert_int_eq(cursor.status, STATUS_OK);

	/* A place is found from anywhere. */
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert(mail_file_next(&file, &cursor, &(struct mail_place){0}));
	ck_assert_int_eq(mail_file_message(&file, &last, &message, &length), STATUS_OK);
	ck_assert_int_eq(memcmp(message, "Subject: f", 10), 0);
	last.length += 2;
	ck_assert_int_eq(mail_file_message(&file, &last, &message, &length), STATUS_INVALID);
}
END_TEST

START_TEST(other_files_have_a_limit)
{
	FILE *out = change("w");
	struct mail_cursor cursor;

	fputs("Subject: x\n\n", out);
	ck_assert_int_eq(fseek(out, MAIL_FILE_MAX, SEEK_CUR), 0);
	fputs("end", out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(mail_file_open(&file, path, &failure), STATUS_LIMIT);
	mail_file_close(&file);

	/* What begins like an mbox file and is to be one message. */
	out = change("r+");
	fputs(FROM, out);
	ck_assert_int_eq(fclose(out), 0);
	assert_ok(mail_file_open(&file, path, &failure));
	cursor = mail_file_begin(&file, MAIL_SINGLE);
	ck_assert_str_eq(walk(&cursor), "");
	ck_assert_uint_eq(cursor.left_out, 1);
}
END_TEST

START_TEST(a_file_may_be_cut_short)
{
	struct mail_cursor cursor;
	FILE *out;

	ck_assert_int_eq(
		open_with(FROM "Subject: a\n\nend of a\n\n" FROM "Subject: b\n\nend of b\n"),
		STATUS_OK);
	ck_assert_int_eq(truncate(path, 0), 0);
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert_str_eq(walk(&cursor), "a0 b0 ");
	mail_file_close(&file);

	/* A large one ends where it was cut. */
	out = change("w");
	add_large(out, 'a', 200 * MIB);
	add_large(out, 'b', 200 * MIB);
	ck_assert_int_eq(fclose(out), 0);
	assert_ok(mail_file_open(&file, path, &failure));
	ck_assert_int_eq(truncate(path, MIB), 0);
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert_str_eq(walk(&cursor), "a200 ");
	ck_assert_int_eq(cursor.status, STATUS_OK);
}
END_TEST

START_TEST(what_is_compressed_is_unpacked)
{
	gzFile out = gzopen(path, "wb");
	struct mail_cursor cursor;

	ck_assert_int_gt(gzputs(out, FROM "Subject: a\n\nend of a\n\n"), 0);
	ck_assert_int_gt(gzputs(out, FROM "Subject: b\n\nend of b\n"), 0);
	ck_assert_int_eq(gzclose(out), Z_OK);
	assert_ok(mail_file_open(&file, path, &failure));
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert_str_eq(walk(&cursor), "a0 b0 ");
	mail_file_close(&file);

	static const char zeros[MIB];
	out = gzopen(path, "wb1");
	for (int i = 0; i <= MAIL_FILE_MAX / MIB; i++)
		ck_assert_int_eq(gzwrite(out, zeros, MIB), MIB);
	ck_assert_int_eq(gzclose(out), Z_OK);
	ck_assert_int_eq(mail_file_open(&file, path, &failure), STATUS_LIMIT);
}
END_TEST

START_TEST(mmdf_is_read_and_other_folders_are_told)
{
	static const char *const rows[][2] = {{"*mbx*\r\n5e7f\r\n", "mailutil"},
		{"BABYL OPTIONS:\n", "Emacs"}, {"2 M1e C5f3a\n\1\2N", "doveadm-sync"}};
	struct mail_cursor cursor;

	ck_assert_int_eq(open_with("\1\1\1\1\nSubject: a\n\nend of a\n\1\1\1\1\n"
				   "\1\1\1\1\nSubject: b\n\n>From c\nend of b\n\1\1\1\1\n"),
		STATUS_OK);
	cursor = mail_file_begin(&file, MAIL_DETECT);
	ck_assert_str_eq(walk(&cursor), "a0 b0 ");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mail_file_close(&file);
		ck_assert_int_eq(open_with(rows[i][0]), STATUS_INVALID);
		ck_assert_ptr_nonnull(strstr(failure.detail, rows[i][1]));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mail-file");
	TCase *tcase = tcase_create("mail-file");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, an_mbox_file_has_any_size);
	tcase_add_test(tcase, other_files_have_a_limit);
	tcase_add_test(tcase, a_file_may_be_cut_short);
	tcase_add_test(tcase, what_is_compressed_is_unpacked);
	tcase_add_test(tcase, mmdf_is_read_and_other_folders_are_told);
	suite_add_tcase(suite, tcase);
	return unit_main(suite);
}
