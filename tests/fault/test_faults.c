/* A disk that is full, breaks or turns read-only, at every single call of a workload:
 * the report is refused with the right status and leaves no trace, verdicts are
 * given all the while, and when the disk is well again so is the engine, without
 * being opened anew.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "tests/fault/vfs.h"
#include "tests/fault/workload.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

/* Every call of the workload has its turn; under a sanitizer every few. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 9 };
#else
enum { STRIDE = 1 };
#endif

/* What goes wrong, and what the engine is to say then. */
static const struct {
	const char *name;
	struct vfs_fault fault;
	enum status status;
} FAULTS[] = {
	{"full", {.calls = VFS_WRITE, .code = SQLITE_FULL}, STATUS_FULL},
	{"quota", {.calls = VFS_WRITE, .code = SQLITE_IOERR_WRITE, .system_error = EDQUOT},
		STATUS_FULL},
	{"write error", {.calls = VFS_WRITE, .code = SQLITE_IOERR_WRITE, .system_error = EIO},
		STATUS_IO},
	{"sync error", {.calls = VFS_SYNC, .code = SQLITE_IOERR_FSYNC, .system_error = EIO},
		STATUS_IO},
	{"full at sync", {.calls = VFS_SYNC, .code = SQLITE_IOERR_FSYNC, .system_error = ENOSPC},
		STATUS_FULL},
	{"read-only", {.calls = VFS_WRITE, .code = SQLITE_IOERR_WRITE, .system_error = EROFS},
		STATUS_READONLY},
	{"read-only file", {.calls = VFS_WRITE, .code = SQLITE_READONLY}, STATUS_READONLY},
	{"truncate error",
		{.calls = VFS_TRUNCATE, .code = SQLITE_IOERR_TRUNCATE, .system_error = EIO},
		STATUS_IO},
	{"open error", {.calls = VFS_OPEN, .code = SQLITE_CANTOPEN, .system_error = EMFILE},
		STATUS_IO},
	{"read error", {.calls = VFS_READ, .code = SQLITE_IOERR_READ, .system_error = EIO},
		STATUS_IO},
};

static const char *path;
static struct engine engine;
static struct ledger *ledger;
static struct failure failure;

static void setup(void)
{
	path = in_folder("hamlet.sqlite");
	ledger = ledger_new();
	vfs_install();
}

static void teardown(void)
{
	engine_close(&engine);
	vfs_remove();
	ledger_free(ledger);
	remove_folder();
}

static void heal(void)
{
	vfs_set_fault(&(struct vfs_fault){0});
}

static char *state(void)
{
	char *text = engine_state(&engine, &failure);

	ck_assert_msg(text != NULL, "%s", failure.detail);
	return text;
}

/* The report after the fault: one that nobody has made before. Now and then they are
 * all taken out, for reading them takes time. */
static void assert_works(void)
{
	static unsigned number = 10000;
	const struct step press = {STEP_PRESS, "zoe", number++, 1, LABEL_SPAM};
	const struct step erase = {.kind = STEP_ERASE, .user = "zoe"};

	enum status status = engine_do(&engine, &press, ledger, folder, &failure);
	if (status == STATUS_OK && number % 50 == 0)
		status = engine_do(&engine, &erase, ledger, folder, &failure);
	ck_assert_msg(status == STATUS_OK, "after the fault: %s", failure.detail);
	ck_assert(store_writable(engine.store));
}

static void assert_exact(void)
{
	char *wrong = engine_check(&engine);

	ck_assert_msg(!wrong, "%s", wrong);
}

/* Nothing of a refused step is there. An erasure is refused, too, when the files could
 * not be rewritten, and an expiry when no room could be given back: then all of it but
 * that is done. */
static bool is_done(const struct step *step, const char *before)
{
	char *now = state();
	bool done = (step->kind == STEP_ERASE && !strstr(now, "\nbob@example.org 0")) ||
		(step->kind == STEP_EXPIRE && strcmp(now, before) != 0);

	g_free(now);
	return done;
}

/* Tries the step with the fault at its n-th call. Verdicts are given meanwhile: the same
 * ones, but everybody's where a user's reports cannot be read. True: it was made. */
static bool try_step(const struct step *step, int which, bool lasting, unsigned number)
{
	struct vfs_fault fault = FAULTS[which].fault;
	char *before = state(), *verdicts = engine_verdicts(&engine), *during = NULL, *after;

	fault.number = number;
	fault.lasting = lasting;
	vfs_set_fault(&fault);
	enum status status = engine_do(&engine, step, ledger, folder, &failure);
	if (status != STATUS_OK) {
		ck_assert_msg(status == FAULTS[which].status, "%s: %s: %s", FAULTS[which].name,
			status_text(status), failure.detail);
		ck_assert_uint_gt(vfs_fault_count(), 0);
		if (engine.store && (fault.calls & VFS_CHANGES))
			ck_assert(!store_writable(engine.store));
	}
	if (engine.service)
		during = engine_verdicts(&engine);
	heal();
	if (!engine.service)
		assert_ok(engine_open(&engine, path, &failure));
	if (status != STATUS_OK && !is_done(step, before)) {
		after = state();
		ck_assert_msg(strcmp(after, before) == 0, "%s leaves a trace", FAULTS[which].name);
		g_free(after);
		if (during && !(fault.calls & VFS_READ))
			ck_assert_msg(strcmp(during, verdicts) == 0, "other verdicts meanwhile");
	}
	g_free(during);
	g_free(before);
	g_free(verdicts);
	return status == STATUS_OK;
}

static void try_workload(int which, bool lasting)
{
	GArray *steps = workload_steps(false);
	unsigned refused = 0;

	assert_ok(engine_open(&engine, path, &failure));
	for (guint i = 0; i < steps->len; i++) {
		const struct step *step = &g_array_index(steps, struct step, i);
		for (unsigned number = 1; !try_step(step, which, lasting, number);
			number += STRIDE) {
			refused++;
			assert_works();
		}
	}
	assert_exact();
	printf("# %s: %u refused\n", FAULTS[which].name, refused);
	g_array_unref(steps);
}

START_TEST(a_fault_that_passes)
{
	try_workload(_i, false);
}
END_TEST

START_TEST(a_fault_that_lasts)
{
	try_workload(_i, true);
}
END_TEST

/* More reports than the cache of a reader holds: what was taken out of global cannot be
 * read again to be put back. */
START_TEST(an_erasure_in_the_midst_of_which_nothing_can_be_read)
{
	enum { REPORTS = 320 };
	const struct step erase = {.kind = STEP_ERASE, .user = "zoe"};
	unsigned refused = 0;

	assert_ok(engine_open(&engine, path, &failure));
	for (unsigned i = 0; i < REPORTS; i += 8) {
		const struct step press = {STEP_PRESS, "zoe", LARGE + i, 8, LABEL_SPAM};
		assert_ok(engine_do(&engine, &press, ledger, folder, &failure));
	}
	for (unsigned number = 3; number < REPORTS; number += REPORTS / 8) {
		vfs_set_fault(&(struct vfs_fault){.calls = VFS_READ,
			.number = number,
			.lasting = true,
			.code = SQLITE_IOERR_READ,
			.system_error = EIO});
		refused += engine_do(&engine, &erase, ledger, folder, &failure) == STATUS_IO;
		heal();
		assert_exact();
	}
	ck_assert_uint_gt(refused, 4);
}
END_TEST

struct during {
	unsigned syncs;
	char *verdicts;
};

static void on_sync(void *context, enum vfs_call call)
{
	struct during *during = context;
	char *now = engine_verdicts(&engine);
	(void)call;

	during->syncs++;
	ck_assert_msg(strcmp(now, during->verdicts) == 0, "other verdicts while a disk syncs");
	g_free(now);
}

/* However long a sync takes: here a query comes and is answered in the midst of it. */
START_TEST(a_query_waits_for_no_sync)
{
	const struct step press = {STEP_PRESS, "dan", 1, 1, LABEL_SPAM};
	struct during during = {0};

	assert_ok(engine_open(&engine, path, &failure));
	assert_works();
	during.verdicts = engine_verdicts(&engine);
	vfs_watch(VFS_SYNC, on_sync, &during);
	assert_ok(engine_do(&engine, &press, ledger, folder, &failure));
	vfs_watch(0, NULL, NULL);
	ck_assert_uint_gt(during.syncs, 0);
	char *after = engine_verdicts(&engine);
	ck_assert_str_ne(after, during.verdicts);
	g_free(after);
	g_free(during.verdicts);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("faults");
	TCase *tcase = tcase_create("faults");

	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_fault_that_passes, 0, G_N_ELEMENTS(FAULTS));
	tcase_add_loop_test(tcase, a_fault_that_lasts, 0, G_N_ELEMENTS(FAULTS));
	tcase_add_test(tcase, an_erasure_in_the_midst_of_which_nothing_can_be_read);
	tcase_add_test(tcase, a_query_waits_for_no_sync);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
