/* A power cut at every moment at which something goes to the disk: what is there
 * afterwards is what was acknowledged, and perhaps what was being written, whole.
 *
 * HAMLET_SEED repeats a run; HAMLET_CUTS = how many power cuts there are.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <glib/gstdio.h>

#include "tests/fault/vfs.h"
#include "tests/fault/workload.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#ifdef __SANITIZE_ADDRESS__
enum { CUTS = 150 };
#else
enum { CUTS = 1100 };
#endif

/* A cut, waiting until it is known whether what was at work was acknowledged. */
struct waiting {
	struct vfs_image *image;
	unsigned number;
};

static struct {
	const char *live, *cut; /* folders, and the databases in them */
	const char *live_path, *cut_path;
	uint64_t seed;
	unsigned calls; /* that change the disk, so far */
	unsigned every, each; /* of so many calls one is chosen, for so many cuts */
	GArray *images; /* struct waiting, of this step */
	unsigned cuts, wrong;
	char first_wrong[1024];
} run;

static void setup(void)
{
	const char *seed = g_getenv("HAMLET_SEED");

	memset(&run, 0, sizeof(run));
	run.seed = seed ? g_ascii_strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	printf("# seed %" G_GUINT64_FORMAT "\n", run.seed);
	run.live = in_folder("live");
	run.cut = in_folder("cut");
	run.live_path = in_folder("live/hamlet.sqlite");
	run.cut_path = in_folder("cut/hamlet.sqlite");
	ck_assert_int_eq(g_mkdir(run.live, 0700) | g_mkdir(run.cut, 0700), 0);
	run.images = g_array_new(FALSE, FALSE, sizeof(struct waiting));
	vfs_install();
}

static void teardown(void)
{
	vfs_remove();
	g_array_unref(run.images);
	remove_folder();
}

static void on_call(void *context, enum vfs_call call)
{
	struct waiting waiting = {.number = run.calls++};
	(void)context;
	(void)call;

	for (unsigned i = 0; i < run.each && waiting.number % run.every == 0; i++) {
		waiting.image = vfs_cut(run.live, run.seed++);
		g_array_append_val(run.images, waiting);
	}
}

/* --- After the cut -------------------------------------------------------------------- */

/* NULL = the database holds what was acknowledged and nothing else. */
static char *check_reopened(const char *before, const char *after)
{
	const struct step press = {STEP_PRESS, "eve@example.org", 999, 1, LABEL_SPAM};
	struct ledger *ledger = ledger_new();
	struct failure failure = {.detail = "what was acknowledged is not what is there"};
	struct engine engine;
	char *wrong = NULL, *state;

	if (engine_open(&engine, run.cut_path, &failure) != STATUS_OK) {
		ledger_free(ledger);
		return g_strdup(failure.detail);
	}
	state = engine_state(&engine, &failure);
	if (!state || (strcmp(state, before) != 0 && strcmp(state, after) != 0))
		wrong = g_strdup(failure.detail);
	if (!wrong)
		wrong = engine_check(&engine);
	if (!wrong && engine_do(&engine, &press, ledger, folder, &failure) != STATUS_OK)
		wrong = g_strdup(failure.detail);
	engine_close(&engine);
	g_free(state);
	ledger_free(ledger);
	return wrong;
}

static void check_images(const char *before, const char *after)
{
	for (guint i = 0; i < run.images->len; i++) {
		struct waiting *waiting = &g_array_index(run.images, struct waiting, i);
		vfs_mount(&waiting->image, run.cut);
		char *wrong = check_reopened(before, after);
		if (wrong && run.wrong++ == 0)
			snprintf(run.first_wrong, sizeof(run.first_wrong),
				"power cut before call %u: %s", waiting->number, wrong);
		run.cuts++;
		g_free(wrong);
	}
	g_array_set_size(run.images, 0);
}

/* --- The run ----------------------------------------------------------------------------- */

static char *state_of(struct engine *engine, const struct ledger *ledger)
{
	struct failure failure;
	char *state = engine_state(engine, &failure), *acknowledged = ledger_text(ledger);

	ck_assert_msg(state != NULL, "%s", failure.detail);
	ck_assert_msg(g_str_has_prefix(state, acknowledged), "the ledger says\n%s\nbut %s",
		acknowledged, state);
	ck_assert_int_eq(state[strlen(acknowledged)], '\n');
	g_free(acknowledged);
	return state;
}

/* Opening a new database is the first step. */
static enum status make_step(struct engine *engine, const struct step *step, struct ledger *ledger,
	struct failure *failure)
{
	enum status status;

	vfs_watch(VFS_CHANGES, on_call, NULL);
	status = step ? engine_do(engine, step, ledger, folder, failure)
		      : engine_open(engine, run.live_path, failure);
	vfs_watch(0, NULL, NULL);
	return status;
}

static void make_steps(void)
{
	GArray *steps = workload_steps(true);
	struct ledger *ledger = ledger_new();
	struct engine engine;
	struct failure failure;
	char *before = NULL;

	for (guint i = 0; i <= steps->len; i++) {
		const struct step *step = i ? &g_array_index(steps, struct step, i - 1) : NULL;
		enum status status = make_step(&engine, step, ledger, &failure);
		ck_assert_msg(status == STATUS_OK, "step %u: %s", i, failure.detail);
		char *after = state_of(&engine, ledger);
		check_images(before ? before : after, after);
		g_free(before);
		before = after;
	}
	g_free(before);
	engine_close(&engine);
	ledger_free(ledger);
	g_array_unref(steps);
}

/* Spreads the cuts over all calls of the workload, which are counted first. */
static void cut_often(unsigned cuts)
{
	struct vfs_image *nothing = vfs_cut(run.live, 0);

	run.every = 1;
	make_steps();
	vfs_mount(&nothing, run.live);
	printf("# %u calls change the disk\n", run.calls);
	run.every = MAX(1, run.calls / cuts);
	run.each = (cuts * run.every + run.calls - 1) / run.calls;
	run.calls = 0;
	make_steps();
	printf("# %u power cuts, %u of them with a loss\n", run.cuts, run.wrong);
}

static unsigned wanted_cuts(void)
{
	const char *cuts = g_getenv("HAMLET_CUTS");

	return cuts ? (unsigned)MAX(1, g_ascii_strtoull(cuts, NULL, 10)) : CUTS;
}

START_TEST(a_power_cut_loses_nothing_that_was_acknowledged)
{
	cut_often(wanted_cuts());
	ck_assert_uint_ge(run.cuts, wanted_cuts());
	ck_assert_msg(run.wrong == 0, "%u wrong; %s", run.wrong, run.first_wrong);
}
END_TEST

START_TEST(a_disk_that_lies_loses_and_this_test_notices)
{
	vfs_lie(true);
	cut_often(100);
	ck_assert_uint_gt(run.wrong, run.cuts / 4);
}
END_TEST

/* An erased user is in no file any more once it was acknowledged, not in what a power
 * cut brings back either. */
START_TEST(what_was_erased_stays_gone)
{
	static const char user[] = "bob@example.org";
	const struct step press = {STEP_PRESS, user, 1, 8, LABEL_SPAM};
	const struct step erase = {.kind = STEP_ERASE, .user = user};
	struct ledger *ledger = ledger_new();
	struct engine engine;
	struct failure failure;

	assert_ok(engine_open(&engine, run.live_path, &failure));
	assert_ok(engine_do(&engine, &press, ledger, folder, &failure));
	struct vfs_image *image = vfs_cut(run.live, 0);
	ck_assert(vfs_image_has(image, user));
	vfs_image_free(&image);
	assert_ok(engine_do(&engine, &erase, ledger, folder, &failure));
	for (unsigned i = 0; i < 40; i++) {
		image = vfs_cut(run.live, run.seed + i);
		ck_assert(!vfs_image_has(image, user));
		vfs_image_free(&image);
	}
	engine_close(&engine);
	ledger_free(ledger);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("powercut");
	TCase *tcase = tcase_create("powercut");

	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_power_cut_loses_nothing_that_was_acknowledged);
	tcase_add_test(tcase, a_disk_that_lies_loses_and_this_test_notices);
	tcase_add_test(tcase, what_was_erased_stays_gone);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
