/* What the SQLite driver promises of its file: who may use it, its room, its version, damage.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/conformance/fixture.h"

START_TEST(readers_see_what_is_committed)
{
	open_sqlite();
	struct stat file;
	append("bob", 1, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_int_eq(file.st_mode & 0777, 0600);
}
END_TEST

static enum status append_meanwhile(void *context, const struct report *one)
{
	(void)one;
	append("bob", (uint64_t)++ * (int *)context + 100, LABEL_HAM);
	return STATUS_OK;
}

START_TEST(a_walk_sees_one_moment_and_holds_nobody_up)
{
	int calls = 0;

	open_sqlite();
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	assert_ok(walk_after(reader, 0, append_meanwhile, &calls, &failure));
	ck_assert_int_eq(calls, 2);
	assert_ok(counting_of_user(reader, "bob", 9, append_meanwhile, &calls, &failure));
	ck_assert_int_eq(calls, 6);
	ck_assert_str_eq(user_reports("bob", 2), "105:1 106:1 ");
}
END_TEST

START_TEST(a_reader_beside_the_writer_writes_nothing)
{
	struct store *beside = NULL;
	struct store_reader *other = NULL;
	struct report one = report("bob", 2, LABEL_HAM);

	open_sqlite();
	ck_assert_int_eq(store_open(&beside, "/nowhere/x", STORE_READ, &failure), STATUS_NOTFOUND);
	ck_assert_ptr_null(beside);
	append("bob", 1, LABEL_SPAM);
	assert_ok(store_open(&beside, path, STORE_READ, &failure));
	assert_ok(store_reader_open(beside, &other, &failure));
	ck_assert(!store_writable(beside));
	ck_assert_int_eq(append_reports(beside, &one, 1, &failure), STATUS_READONLY);
	append("bob", 2, LABEL_HAM);
	seen[0] = '\0';
	assert_ok(counting_reports(other, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "1:2 2:1 ");
	store_reader_close(&other);
	store_close(&beside);
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
	struct store *second;

	open_sqlite();
	ck_assert_int_eq(store_open(&second, path, STORE_WRITE, &failure), STATUS_BUSY);
	ck_assert_ptr_null(second);
	char pid[32];
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(failure.detail, pid));
	char link[112]; /* another name is no way around */
	snprintf(link, sizeof(link), "%s/link", folder);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(store_open(&second, link, STORE_WRITE, &failure), STATUS_BUSY);
}
END_TEST

static void change_database(const char *sql)
{
	sqlite3 *db;

	close_store();
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* --- Room ----------------------------------------------------------------------- */

static off_t file_size(void)
{
	struct stat file;

	ck_assert_int_eq(stat(path, &file), 0);
	return file.st_size;
}

START_TEST(room_is_given_back)
{
	struct store_tidied tidied = {.more = true};
	struct store_stats size;
	int64_t seq, total = 0;

	open_sqlite();
	seq = append_many(20000);
	remove_old("bob", seq - 10, 19990);
	assert_ok(store_read_stats(reader, false, &size, &failure));
	ck_assert_int_gt(size.free, 1 << 20);
	assert_ok(store_tidy(store, TIDY_BRIEF, NULL, &failure)); /* moves the log */
	off_t before = file_size();
	while (tidied.more) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		ck_assert_int_le(tidied.bytes, (4 << 20) + 16384);
		total += tidied.bytes;
	}
	assert_ok(store_tidy(store, TIDY_ALL, NULL, &failure)); /* the log, too */
	ck_assert_int_gt(total, 1 << 20);
	ck_assert_int_le(file_size(), before - total);
	assert_ok(store_read_stats(reader, false, &size, &failure));
	ck_assert_int_eq(size.bytes, file_size());
	reopen();
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), seq + 1);
}
END_TEST

START_TEST(room_of_an_older_database_is_given_back)
{
	struct store_tidied tidied = {.more = true};
	int64_t seq, returned = 0;

	open_sqlite();
	change_database("PRAGMA auto_vacuum = NONE; VACUUM");
	open_again();
	seq = append_many(2000);
	remove_old("bob", seq, 2000);
	while (tidied.more) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		returned += tidied.bytes;
	}
	ck_assert_int_gt(returned, 0);
	reopen();
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), seq + 1);
}
END_TEST

/* --- Versions, other programs, damage --------------------------------------------- */

static int64_t number_in(const char *file, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *row;

	ck_assert_int_eq(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return number;
}

static const char TO_VERSION_2[] = "DROP TABLE retrained; DROP TABLE token_next; "
				   "DROP TABLE retrained_next; PRAGMA user_version = 2;";

START_TEST(a_migration_keeps_a_copy_of_what_was_before)
{
	char copy[128];
	struct stat file;

	open_sqlite();
	append("bob", 1, LABEL_SPAM);
	ck_assert_int_eq(store_migration(store)->to, 0);
	change_database(TO_VERSION_2);
	open_again();
	const struct store_migration *migration = store_migration(store);
	ck_assert_int_eq(migration->from, 2);
	ck_assert_int_eq(migration->to, 3);
	snprintf(copy, sizeof(copy), "%s.before-3", path);
	ck_assert_str_eq(migration->copy, copy);
	ck_assert_str_eq(migration->reason, "");
	ck_assert_int_eq(stat(copy, &file), 0);
	ck_assert_int_eq(file.st_mode & 0777, 0600);
	ck_assert_int_eq(number_in(copy, "PRAGMA user_version"), 2);
	ck_assert_int_eq(number_in(copy, "SELECT count(*) FROM journal"), 1);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	reopen();
	ck_assert_int_eq(store_migration(store)->to, 0);
	append("bob", 2, LABEL_SPAM);
	change_database(TO_VERSION_2); /* as if the first one had been interrupted */
	open_again();
	ck_assert_int_eq(number_in(copy, "SELECT count(*) FROM journal"), 1);
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
	open_sqlite();
	change_database("PRAGMA user_version = 1000");
	ck_assert_int_eq(open_store(), STATUS_NEWER);
	ck_assert_ptr_nonnull(strstr(failure.detail, "1000"));
}
END_TEST

START_TEST(a_foreign_database_is_refused)
{
	open_sqlite();
	change_database("PRAGMA application_id = 5");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	change_database("PRAGMA application_id = 1212238932; DROP TABLE token");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

START_TEST(we_do_not_move_in_with_another_program)
{
	open_sqlite();
	change_database("SELECT 1");
	ck_assert_int_eq(unlink(path), 0);
	change_database("CREATE TABLE mails (subject)");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	ck_assert_int_eq(unlink(path), 0);
	change_database("PRAGMA application_id = 5");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

static enum status nothing(void *context, const struct report *one)
{
	(void)context;
	(void)one;
	return STATUS_OK;
}

static enum status no_token(void *context, const struct store_token *token)
{
	(void)context;
	(void)token;
	return STATUS_OK;
}

/* What we never write must not get past the store, where arrays are indexed by
 * labels and tables by keys. */
START_TEST(damaged_rows_are_refused)
{
	static const char *const damage[] = {"label = 3", "label = -1", "tokens = x'01'",
		"tokens = x'01000200'", "tokens = x'0100010000'", "user = 77", "margin = 9e999",
		"head_gain = -1", "bias_sum = 9223372036854775807"};
	struct store_checkpoint checkpoint;
	struct report found;
	char sql[128], text[256] = "";

	open_sqlite();
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		int64_t seq = append("bob", 1, LABEL_SPAM);
		snprintf(sql, sizeof(sql), "UPDATE journal SET %s WHERE seq = %lld", damage[i],
			(long long)seq);
		change_database(sql);
		open_again();
		ck_assert_int_eq(
			walk_after(reader, seq - 1, nothing, NULL, &failure), STATUS_CORRUPT);
		if (strstr(damage[i], "label"))
			ck_assert_int_eq(
				lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure),
				STATUS_CORRUPT);
	}
	change_database("INSERT INTO token VALUES (0, 1, 1)");
	open_again();
	ck_assert_int_eq(walk_tokens(reader, no_token, NULL, &failure), STATUS_CORRUPT);
	change_database("INSERT INTO user (name) VALUES (x'7a007a')");
	open_again();
	ck_assert_int_eq(store_users(reader, "", 100, on_user, text, &failure), STATUS_CORRUPT);
	ck_assert_int_eq(store_tidy(store, TIDY_SOME, NULL, &failure), STATUS_CORRUPT);
	change_database("INSERT INTO meta VALUES ('checkpoint', x'0102')");
	open_again();
	ck_assert_int_eq(read_checkpoint(reader, &checkpoint, &failure), STATUS_CORRUPT);
}
END_TEST

static void overwrite(off_t offset, const char *bytes, off_t size)
{
	close_store();
	int file = open(path, O_WRONLY);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(pwrite(file, bytes, strlen(bytes), offset), (ssize_t)strlen(bytes));
	if (size >= 0)
		ck_assert_int_eq(ftruncate(file, size), 0);
	close(file);
}

START_TEST(rubbish_is_refused)
{
	open_sqlite();
	append("bob", 1, LABEL_SPAM);
	overwrite(0, "this is no database at all", -1);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	ck_assert_ptr_nonnull(strstr(failure.detail, path));
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	open_sqlite();
	append("bob", 1, LABEL_SPAM);
	overwrite(8192, "x", 8192);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

void add_sqlite(TCase *sqlite)
{
	tcase_add_test(sqlite, readers_see_what_is_committed);
	tcase_add_test(sqlite, a_walk_sees_one_moment_and_holds_nobody_up);
	tcase_add_test(sqlite, a_reader_beside_the_writer_writes_nothing);
	tcase_add_test(sqlite, a_second_writer_is_refused);
	tcase_add_test(sqlite, room_is_given_back);
	tcase_add_test(sqlite, room_of_an_older_database_is_given_back);
	tcase_add_test(sqlite, a_migration_keeps_a_copy_of_what_was_before);
	tcase_add_test(sqlite, a_newer_database_is_refused);
	tcase_add_test(sqlite, a_foreign_database_is_refused);
	tcase_add_test(sqlite, we_do_not_move_in_with_another_program);
	tcase_add_test(sqlite, damaged_rows_are_refused);
	tcase_add_test(sqlite, rubbish_is_refused);
	tcase_add_test(sqlite, a_truncated_database_is_refused);
}
