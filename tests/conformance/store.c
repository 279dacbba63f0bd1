/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What every store promises, run against each driver; and what the SQLite one
 * promises of its file. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "engine/store/store.h"
#include "tests/unit/unit.h"

enum { MEMORY, SQLITE, DRIVERS };

static char folder[64];
static char path[96];
static int driver;
static struct store *store;
static struct store_reader *reader;
static struct failure failure;
static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s: %s", #call, failure.detail)

static enum status open_store(void)
{
	return driver == MEMORY ? store_open_memory(&store, &failure)
				: store_open_sqlite(&store, path, &failure);
}

static void open_all(int which)
{
	driver = which;
	random_state = 7;
	strcpy(folder, "/tmp/hamlet-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/test.sqlite", folder);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}

static void teardown(void)
{
	char command[128];

	store_reader_close(&reader);
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void reopen(void)
{
	if (driver == MEMORY)
		return;
	store_reader_close(&reader);
	store_close(&store);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}

static struct contribution contribution(double sum, double gain)
{
	return (struct contribution){.head_sum = sum * STORE_UNIT, .head_gain = gain * STORE_UNIT,
		.body_sum = 2 * sum * STORE_UNIT, .body_gain = 2 * gain * STORE_UNIT,
		.bias_sum = 3 * sum * STORE_UNIT, .bias_gain = 3 * gain * STORE_UNIT};
}

static const uint64_t KEYS[] = {3, 17, 4711, STORE_BODY_BIT | 5, STORE_BODY_BIT | 99};

static struct report report(const char *user, uint64_t message, enum label label)
{
	return (struct report){.user = user, .time = 1000 + (int64_t)message, .message = message,
		.label = label, .margin = 0.5, .keys = KEYS, .count = 5};
}

static int64_t append(const char *user, uint64_t message, enum label label)
{
	struct report one = report(user, message, label);

	assert_ok(store_append(store, &one, 1, &failure));
	return one.seq;
}

/* What a walk saw, as text: "message:label ". */
static char seen[65536];
static size_t seen_tokens;

static enum status on_report(void *context, const struct report *one)
{
	(void)context;
	sprintf(seen + strlen(seen), "%llu:%d ", (unsigned long long)one->message, one->label);
	seen_tokens += one->count;
	for (size_t i = 0; i < one->count; i++)
		ck_assert_uint_eq(one->keys[i], KEYS[i]);
	return STATUS_OK;
}

static const char *user_reports(const char *user, size_t limit)
{
	seen[0] = '\0';
	assert_ok(store_user_reports(reader, user, limit, on_report, NULL, &failure));
	return seen;
}

static const char *reports_after(int64_t seq)
{
	seen[0] = '\0';
	seen_tokens = 0;
	assert_ok(store_reports_after(reader, seq, on_report, NULL, &failure));
	return seen;
}

START_TEST(an_empty_store_is_empty)
{
	struct report found;
	struct store_checkpoint checkpoint;
	struct store_stats stats;
	char value[8];
	size_t size = sizeof(value);

	open_all(_i);
	ck_assert(store_writable(store));
	ck_assert_int_eq(store_find(store, "bob", 1, &found, &failure), STATUS_NOTFOUND);
	ck_assert_int_eq(store_get(reader, "name", value, &size, &failure), STATUS_NOTFOUND);
	ck_assert_str_eq(user_reports("bob", 10), "");
	ck_assert_str_eq(reports_after(0), "");
	assert_ok(store_read_checkpoint(reader, &checkpoint, &failure));
	ck_assert_int_eq(checkpoint.seq, 0);
	assert_ok(store_read_stats(reader, &stats, &failure));
	ck_assert_int_eq(stats.reports, 0);
	ck_assert_int_eq(stats.last_seq, 0);
}
END_TEST

START_TEST(reports_come_back_as_they_were)
{
	struct report one = report("bob", UINT64_MAX, LABEL_SPAM), found;

	open_all(_i);
	one.global = contribution(-12345678, 987654);
	one.undone = contribution(5, 7);
	one.flags = REPORT_CONSENT;
	one.margin = -3.25;
	assert_ok(store_append(store, &one, 1, &failure));
	ck_assert_int_gt(one.seq, 0);
	reopen();
	assert_ok(store_find(store, "bob", UINT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, one.seq);
	ck_assert_int_eq(found.time, one.time);
	ck_assert_int_eq(found.label, LABEL_SPAM);
	ck_assert_uint_eq(found.flags, REPORT_CONSENT);
	ck_assert_double_eq(found.margin, -3.25);
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

	open_all(_i);
	append("alice", 1, LABEL_SPAM);
	append(odd, 1, LABEL_HAM);
	append("", 2, LABEL_HAM);
	ck_assert_str_eq(user_reports("alice", 10), "1:2 ");
	ck_assert_str_eq(user_reports(odd, 10), "1:1 ");
	ck_assert_str_eq(user_reports("", 10), "2:1 ");
	ck_assert_str_eq(user_reports("alic", 10), "");
	assert_ok(store_find(store, odd, 1, &found, &failure));
	ck_assert_int_eq(found.label, LABEL_HAM);
}
END_TEST

START_TEST(the_newest_report_of_a_message_counts)
{
	struct report found;

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	int64_t flip = append("bob", 1, LABEL_HAM);
	assert_ok(store_find(store, "bob", 1, &found, &failure));
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
	open_all(_i);
	for (uint64_t i = 1; i <= 9; i++)
		append(i % 2 ? "bob" : "eve", i, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 3), "5:2 7:2 9:2 ");
	ck_assert_str_eq(user_reports("bob", 1), "9:2 ");
	ck_assert_str_eq(user_reports("bob", 0), "");
}
END_TEST

START_TEST(muted_reports_are_recorded_only)
{
	struct report muted = report("bob", 1, LABEL_SPAM), found;

	open_all(_i);
	muted.flags = REPORT_MUTED;
	assert_ok(store_append(store, &muted, 1, &failure));
	ck_assert_str_eq(user_reports("bob", 10), "");
	assert_ok(store_find(store, "bob", 1, &found, &failure));
	ck_assert_str_eq(reports_after(0), "1:2 ");
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

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	ck_assert_int_eq(
		store_user_reports(reader, "bob", 9, stop, &calls, &failure), STATUS_INTERRUPTED);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:2 ");
}
END_TEST

START_TEST(a_bad_report_appends_nothing)
{
	static const uint64_t descending[] = {5, 4}, twice[] = {4, 4};
	char name[STORE_MAX_USER + 2];

	open_all(_i);
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
		ck_assert_int_eq(store_append(store, batch, 3, &failure), STATUS_INVALID);
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

	open_all(_i);
	for (size_t i = 0; i < STORE_MAX_TOKENS; i++)
		keys[i] = (i + 1) * 268435399;
	one.keys = keys;
	one.count = STORE_MAX_TOKENS;
	assert_ok(store_append(store, &one, 1, &failure));
	assert_ok(store_user_reports(reader, "bob", 1, count_tokens, &tokens, &failure));
	ck_assert_uint_eq(tokens, STORE_MAX_TOKENS);
	one.count++;
	ck_assert_int_eq(store_append(store, &one, 1, &failure), STATUS_INVALID);
}
END_TEST

static enum status sum_tokens(void *context, const struct store_token *token)
{
	double *sums = context;

	sums[0] += token->sum;
	sums[1] += token->gain;
	sums[2] += 1;
	return STATUS_OK;
}

START_TEST(checkpoints_replace_rows_and_strip_the_dead)
{
	const struct store_token first[] = {{1, 5 * STORE_UNIT, 2 * STORE_UNIT},
		{STORE_BODY_BIT | 2, -STORE_UNIT, STORE_UNIT}};
	const struct store_token second[] = {{1, 0, 0}, {7, 1.5, 8}};
	struct store_checkpoint checkpoint = {.bias_sum = -3 * STORE_UNIT, .bias_gain = 9};
	double sums[3] = {0};

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	checkpoint.seq = append("bob", 2, LABEL_FORGET);
	int64_t later = append("bob", 3, LABEL_HAM);
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 4 * 5);
	assert_ok(store_write_checkpoint(store, first, 2, &checkpoint, &failure));
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 2 * 5); /* the flip and the one after */
	checkpoint.seq = later;
	assert_ok(store_write_checkpoint(store, second, 2, &checkpoint, &failure));
	reopen();
	assert_ok(store_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[0], 1.5 - STORE_UNIT);
	ck_assert_double_eq(sums[1], 8 + STORE_UNIT);
	ck_assert_double_eq(sums[2], 2);
	struct store_checkpoint found;
	assert_ok(store_read_checkpoint(reader, &found, &failure));
	ck_assert_mem_eq(&found, &checkpoint, sizeof(found));
	ck_assert_str_eq(user_reports("bob", 9), "1:1 3:1 ");
}
END_TEST

START_TEST(values_are_kept)
{
	char value[8];
	size_t size = sizeof(value);

	open_all(_i);
	assert_ok(store_put(store, "one", "abc", 3, &failure));
	assert_ok(store_put(store, "two", "", 0, &failure));
	assert_ok(store_put(store, "one", "defg", 4, &failure));
	reopen();
	assert_ok(store_get(reader, "one", value, &size, &failure));
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(value, "defg", 4);
	size = 3;
	ck_assert_int_eq(store_get(reader, "one", value, &size, &failure), STATUS_LIMIT);
	size = sizeof(value);
	assert_ok(store_get(reader, "two", value, &size, &failure));
	ck_assert_uint_eq(size, 0);
}
END_TEST

/* A plain model of the same promises. */
enum { USERS = 4, MESSAGES = 6, STEPS = 600 };
static struct {
	enum label label;
	int64_t seq;
	struct contribution global;
} model[USERS][MESSAGES];

static double total(const struct contribution *c)
{
	return c->head_sum + c->body_sum + c->bias_sum;
}

static enum status replay(void *context, const struct report *one)
{
	*(double *)context += total(&one->global) - total(&one->undone);
	return STATUS_OK;
}

START_TEST(random_presses_equal_a_plain_model)
{
	static const char *const names[USERS] = {"", "a", "b", "long name with blanks"};
	double checkpoint_total = 0, now = 0;
	struct store_checkpoint checkpoint = {0};

	open_all(_i);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < STEPS; step++) {
		uint64_t user = next_random(USERS), message = next_random(MESSAGES);
		struct report one = report(names[user], message, (enum label)next_random(3));
		struct report found;

		enum status status = store_find(store, names[user], message, &found, &failure);
		ck_assert_int_eq(status, model[user][message].seq ? STATUS_OK : STATUS_NOTFOUND);
		if (status == STATUS_OK) {
			ck_assert_int_eq(found.seq, model[user][message].seq);
			ck_assert_int_eq(found.label, model[user][message].label);
		}
		one.undone = model[user][message].global;
		if (one.label != LABEL_FORGET)
			one.global = contribution((double)next_random(1000) - 500, 1);
		assert_ok(store_append(store, &one, 1, &failure));
		now += total(&one.global) - total(&one.undone);
		model[user][message].label = one.label;
		model[user][message].seq = one.seq;
		model[user][message].global = one.global;
		if (next_random(50) == 0) {
			checkpoint.seq = one.seq;
			checkpoint_total = now;
			assert_ok(store_write_checkpoint(store, NULL, 0, &checkpoint, &failure));
		}
		if (next_random(100) == 0)
			reopen();
		double sum = checkpoint_total;
		assert_ok(store_reports_after(reader, checkpoint.seq, replay, &sum, &failure));
		ck_assert_double_eq(sum, now);
	}
}
END_TEST

/* --- SQLite alone ----------------------------------------------------------- */

START_TEST(readers_see_what_is_committed)
{
	open_all(SQLITE);
	struct stat file;
	append("bob", 1, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_int_eq(file.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
	struct store *second;

	open_all(SQLITE);
	ck_assert_int_eq(store_open_sqlite(&second, path, &failure), STATUS_BUSY);
	ck_assert_ptr_null(second);
	char pid[32];
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(failure.detail, pid));
}
END_TEST

static void change_database(const char *sql)
{
	sqlite3 *db;

	store_reader_close(&reader);
	store_close(&store);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(a_newer_database_is_refused)
{
	open_all(SQLITE);
	change_database("PRAGMA user_version = 1000");
	ck_assert_int_eq(open_store(), STATUS_NEWER);
	ck_assert_ptr_nonnull(strstr(failure.detail, "1000"));
}
END_TEST

START_TEST(a_foreign_database_is_refused)
{
	open_all(SQLITE);
	change_database("PRAGMA application_id = 5");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	change_database("PRAGMA application_id = 1212238932; DROP TABLE token");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

static void overwrite(off_t offset, const char *bytes, off_t size)
{
	store_reader_close(&reader);
	store_close(&store);
	int file = open(path, O_WRONLY);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(pwrite(file, bytes, strlen(bytes), offset), (ssize_t)strlen(bytes));
	if (size >= 0)
		ck_assert_int_eq(ftruncate(file, size), 0);
	close(file);
}

START_TEST(rubbish_is_refused)
{
	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	overwrite(0, "this is no database at all", -1);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	ck_assert_ptr_nonnull(strstr(failure.detail, path));
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	overwrite(8192, "x", 8192);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

/* Runs a check without root's powers; they would defeat file modes. */
static int as_nobody(int (*check)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(setuid(65534) == 0 ? check() : 99);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int check_readonly(void)
{
	struct report one = report("bob", 2, LABEL_HAM);

	if (open_store() != STATUS_OK)
		return 1;
	if (store_writable(store) || store_reader_open(store, &reader, &failure) != STATUS_OK)
		return 2;
	if (strcmp(user_reports("bob", 9), "1:2 ") != 0)
		return 3;
	if (store_append(store, &one, 1, &failure) != STATUS_READONLY)
		return 4;
	return store_put(store, "a", "b", 1, &failure) == STATUS_READONLY ? 0 : 5;
}

START_TEST(what_cannot_be_written_can_be_read)
{
	char lock[128];

	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	store_reader_close(&reader);
	store_close(&store);
	snprintf(lock, sizeof(lock), "%s-lock", path);
	ck_assert_int_eq(chmod(path, 0444), 0);
	ck_assert_int_eq(chmod(lock, 0444), 0);
	ck_assert_int_eq(chmod(folder, 0555), 0);
	ck_assert_int_eq(geteuid() == 0 ? as_nobody(check_readonly) : check_readonly(), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(chmod(lock, 0644), 0);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}
END_TEST

/* A small file system of its own; needs the right to mount. */
START_TEST(a_full_disk_refuses_and_recovers)
{
	char ballast[96], data[4096] = {1};

	open_all(SQLITE);
	store_reader_close(&reader);
	store_close(&store);
	if (mount("tmpfs", folder, "tmpfs", 0, "size=4m") != 0)
		return;
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	append("bob", 1, LABEL_SPAM);
	snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
	FILE *file = fopen(ballast, "w");
	while (fwrite(data, sizeof(data), 1, file) == 1 && fflush(file) == 0)
		;
	fclose(file);
	struct report batch[200];
	for (uint64_t i = 0; i < 200; i++)
		batch[i] = report("bob", 100 + i, LABEL_HAM);
	enum status status;
	int rounds = 0;
	do /* the WAL's own room may take a few */
		status = store_append(store, batch, 200, &failure);
	while (status == STATUS_OK && ++rounds < 100);
	ck_assert_int_eq(status, STATUS_FULL);
	unlink(ballast);
	append("bob", 2, LABEL_HAM);
	reopen();
	ck_assert_ptr_nonnull(strstr(user_reports("bob", 1), "2:1 "));
	store_reader_close(&reader);
	store_close(&store);
	ck_assert_int_eq(umount(folder), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("store");
	TCase *all = tcase_create("every driver"), *sqlite = tcase_create("sqlite");

	tcase_add_checked_fixture(all, NULL, teardown);
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, an_empty_store_is_empty, 0, DRIVERS);
	tcase_add_loop_test(all, reports_come_back_as_they_were, 0, DRIVERS);
	tcase_add_loop_test(all, users_are_apart, 0, DRIVERS);
	tcase_add_loop_test(all, the_newest_report_of_a_message_counts, 0, DRIVERS);
	tcase_add_loop_test(all, a_walk_gives_the_newest_oldest_first, 0, DRIVERS);
	tcase_add_loop_test(all, muted_reports_are_recorded_only, 0, DRIVERS);
	tcase_add_loop_test(all, a_walk_can_be_ended, 0, DRIVERS);
	tcase_add_loop_test(all, a_bad_report_appends_nothing, 0, DRIVERS);
	tcase_add_loop_test(all, the_largest_report_fits, 0, DRIVERS);
	tcase_add_loop_test(all, checkpoints_replace_rows_and_strip_the_dead, 0, DRIVERS);
	tcase_add_loop_test(all, values_are_kept, 0, DRIVERS);
	tcase_add_loop_test(all, random_presses_equal_a_plain_model, 0, DRIVERS);
	suite_add_tcase(suite, all);
	tcase_add_checked_fixture(sqlite, NULL, teardown);
	tcase_set_timeout(sqlite, 60);
	tcase_add_test(sqlite, readers_see_what_is_committed);
	tcase_add_test(sqlite, a_second_writer_is_refused);
	tcase_add_test(sqlite, a_newer_database_is_refused);
	tcase_add_test(sqlite, a_foreign_database_is_refused);
	tcase_add_test(sqlite, rubbish_is_refused);
	tcase_add_test(sqlite, a_truncated_database_is_refused);
	tcase_add_test(sqlite, what_cannot_be_written_can_be_read);
	tcase_add_test(sqlite, a_full_disk_refuses_and_recovers);
	suite_add_tcase(suite, sqlite);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
