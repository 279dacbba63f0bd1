/* What the SQLite driver promises when files are forbidden, its process is killed, or there is no
 * room.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/conformance/fixture.h"

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
	if (append_reports(store, &one, 1, &failure) != STATUS_READONLY)
		return 4;
	return put_value(store, "a", "b", 1, &failure) == STATUS_READONLY ? 0 : 5;
}

START_TEST(what_cannot_be_written_can_be_read)
{
	char lock[128];

	open_sqlite();
	append("bob", 1, LABEL_SPAM);
	close_store();
	snprintf(lock, sizeof(lock), "%s-lock", path);
	ck_assert_int_eq(chmod(path, 0444), 0);
	ck_assert_int_eq(chmod(lock, 0444), 0);
	ck_assert_int_eq(chmod(folder, 0555), 0);
	ck_assert_int_eq(geteuid() == 0 ? as_nobody(check_readonly) : check_readonly(), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(chmod(lock, 0644), 0);
	open_again();
}
END_TEST

static int check_unreadable(void)
{
	return open_store() == STATUS_DENIED ? 0 : 1;
}

START_TEST(what_may_not_be_read_is_denied)
{
	open_sqlite();
	close_store();
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(chmod(folder, 0555), 0);
	ck_assert_int_eq(geteuid() == 0 ? as_nobody(check_unreadable) : check_unreadable(), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
}
END_TEST

static void write_some_rows(int64_t seq)
{
	struct store_token rows[64];
	const struct store_checkpoint checkpoint = {.seq = seq, .bias_gain = STORE_UNIT};

	for (size_t i = 0; i < 64; i++)
		rows[i] = (struct store_token){1 + 5 * i, (double)seq * STORE_UNIT, STORE_UNIT};
	assert_ok(write_checkpoint(store, rows, 64, &checkpoint, &failure));
}

/* Appends until it is killed, and says through the pipe what was acknowledged. */
static void append_for_ever(int pipe_end, uint64_t from)
{
	if (open_store() != STATUS_OK)
		_exit(1);
	for (uint64_t i = from;; i += 3) {
		struct report batch[3];
		for (uint64_t j = 0; j < 3; j++)
			batch[j] = report("bob", i + j, LABEL_SPAM);
		if (append_reports(store, batch, 3, &failure) != STATUS_OK)
			_exit(2);
		if (i % 30 == 0)
			write_some_rows(batch[2].seq);
		if (write(pipe_end, &i, sizeof(i)) != sizeof(i))
			_exit(3);
	}
}

/* All of a batch is there or nothing of it, and what was acknowledged is. */
static void assert_batches(uint64_t acknowledged, uint64_t *count)
{
	struct store_stats stats;

	assert_ok(store_read_stats(reader, true, &stats, &failure));
	*count = (uint64_t)stats.reports;
	ck_assert_uint_eq(*count % 3, 0);
	ck_assert_uint_ge(*count, acknowledged);
	ck_assert_uint_le(*count, acknowledged + 3);
}

START_TEST(killed_at_any_moment_it_opens_again)
{
	uint64_t count = 0;

	open_sqlite();
	for (int round = 0; round < 60; round++) {
		uint64_t acknowledged = count, batch;
		int status, ends[2];

		close_store();
		if (round < 30) { /* while it is being made */
			char command[160];
			snprintf(command, sizeof(command), "rm -f %s*", path);
			ck_assert_int_eq(system(command), 0);
			acknowledged = count = 0;
		}
		ck_assert_int_eq(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0)
			append_for_ever(ends[1], count);
		close(ends[1]);
		usleep((useconds_t)next_random(round < 30 ? 12000 : 40000));
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
		while (read(ends[0], &batch, sizeof(batch)) == sizeof(batch))
			acknowledged = batch + 3;
		close(ends[0]);
		open_again();
		assert_batches(acknowledged, &count);
	}
}
END_TEST

/* A reader of a database whose writer was killed, where nothing can be written:
 * the WAL is read when that is possible, and never left out in silence. */
static int check_killed(void)
{
	if (open_store() != STATUS_OK)
		return failure.detail[0] && store == NULL ? 7 : 8;
	if (store_reader_open(store, &reader, &failure) != STATUS_OK)
		return 2;
	return strcmp(user_reports("bob", 9), "1:2 ") == 0 ? 0 : 3;
}

START_TEST(a_wal_is_never_left_out)
{
	char command[256];

	open_sqlite();
	close_store();
	pid_t child = fork();
	if (child == 0) {
		struct report one = report("bob", 1, LABEL_SPAM);
		if (open_store() == STATUS_OK &&
			append_reports(store, &one, 1, &failure) == STATUS_OK)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	for (int lost = 0; lost < 2; lost++) {
		snprintf(command, sizeof(command), "chmod 444 %s* && chmod 555 %s", path, folder);
		ck_assert_int_eq(system(command), 0);
		ck_assert_int_eq(
			geteuid() == 0 ? as_nobody(check_killed) : check_killed(), lost ? 7 : 0);
		snprintf(command, sizeof(command), "chmod 755 %s && rm -f %s-shm", folder, path);
		ck_assert_int_eq(system(command), 0);
	}
}
END_TEST

/* Where no file system can be mounted: files may not grow. */
static int check_no_room(void)
{
	struct rlimit limit = {300000, RLIM_INFINITY};
	struct report batch[50];
	enum status status;
	int rounds = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (open_store() != STATUS_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	do {
		for (uint64_t i = 0; i < 50; i++)
			batch[i] = report("bob", 1000 * (uint64_t)rounds + i, LABEL_HAM);
		status = append_reports(store, batch, 50, &failure);
	} while (status == STATUS_OK && ++rounds < 1000);
	if (status != STATUS_IO && status != STATUS_FULL)
		return 2;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
		append_reports(store, batch, 50, &failure) != STATUS_OK)
		return 3;
	struct store_stats stats;
	if (store_reader_open(store, &reader, &failure) != STATUS_OK ||
		store_read_stats(reader, true, &stats, &failure) != STATUS_OK)
		return 4;
	return stats.reports == 50 * (rounds + 1) ? 0 : 5;
}

START_TEST(a_failed_write_leaves_nothing_behind)
{
	int status;

	open_sqlite();
	close_store();
	pid_t child = fork();
	if (child == 0)
		_exit(check_no_room());
	waitpid(child, &status, 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* In the child the copy may not grow to its size. */
static int check_no_copy(void)
{
	struct rlimit limit = {100000, RLIM_INFINITY};
	char copy[4096] = "x";

	signal(SIGXFSZ, SIG_IGN);
	if (open_store() != STATUS_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	enum status status = store_keep_copy(store, "copy", copy, sizeof(copy), &failure);
	if (status != STATUS_IO && status != STATUS_FULL)
		return 2;
	return *copy ? 3 : 0;
}

START_TEST(a_copy_that_fails_leaves_nothing)
{
	char copy[128];
	int status;

	open_sqlite();
	append_many(500);
	close_store();
	pid_t child = fork();
	if (child == 0)
		_exit(check_no_copy());
	waitpid(child, &status, 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	snprintf(copy, sizeof(copy), "%s.copy", path);
	ck_assert_int_ne(access(copy, F_OK), 0);
	open_again();
}
END_TEST

/* A small file system of its own; needs the right to mount. */
START_TEST(a_full_disk_refuses_and_recovers)
{
	char ballast[96], data[4096] = {1};

	open_sqlite();
	close_store();
	if (mount("tmpfs", folder, "tmpfs", 0, "size=4m") != 0)
		return;
	open_again();
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
		status = append_reports(store, batch, 200, &failure);
	while (status == STATUS_OK && ++rounds < 100);
	ck_assert_int_eq(status, STATUS_FULL);
	unlink(ballast);
	append("bob", 2, LABEL_HAM);
	reopen();
	ck_assert_ptr_nonnull(strstr(user_reports("bob", 1), "2:1 "));
	close_store();
	ck_assert_int_eq(umount(folder), 0);
}
END_TEST

void add_sqlite_trouble(TCase *sqlite)
{
	tcase_add_test(sqlite, what_cannot_be_written_can_be_read);
	tcase_add_test(sqlite, what_may_not_be_read_is_denied);
	tcase_add_test(sqlite, killed_at_any_moment_it_opens_again);
	tcase_add_test(sqlite, a_wal_is_never_left_out);
	tcase_add_test(sqlite, a_failed_write_leaves_nothing_behind);
	tcase_add_test(sqlite, a_copy_that_fails_leaves_nothing);
	tcase_add_test(sqlite, a_full_disk_refuses_and_recovers);
}
