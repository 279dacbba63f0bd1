/* Every page of a database in turn is overwritten. The token rows are made anew; with
 * anything else scoring goes on as far as it can be read, or the start is refused with a
 * reason; no verdict is silently another, and nothing crashes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "tests/fault/workload.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

static const char *path;
static char *sound; /* the file's bytes */
static gsize size;
static char *sound_verdicts;
static GPtrArray *owners; /* of each page: the table's or index's name */

static int on_page(void *context, int columns, char **values, char **names)
{
	guint page = (guint)g_ascii_strtoull(values[1], NULL, 10);
	(void)context;
	(void)columns;
	(void)names;

	if (owners->len < page)
		g_ptr_array_set_size(owners, (gint)page);
	owners->pdata[page - 1] = g_strdup_printf("%s %s", values[0], values[2]);
	return 0;
}

static void read_owners(void)
{
	sqlite3 *db;
	char *error = NULL;

	owners = g_ptr_array_new_with_free_func(g_free);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, "SELECT name, pageno, pagetype FROM dbstat", on_page, NULL,
			      &error) == SQLITE_OK,
		"%s", error);
	sqlite3_close(db);
}

static void setup(void)
{
	GArray *steps = workload_steps(true);
	struct ledger *ledger = ledger_new();
	struct engine engine;
	struct failure failure;

	path = in_folder("hamlet.sqlite");
	assert_ok(engine_open(&engine, path, &failure));
	for (guint i = 0; i < steps->len; i++)
		assert_ok(engine_do(
			&engine, &g_array_index(steps, struct step, i), ledger, folder, &failure));
	sound_verdicts = engine_verdicts(&engine);
	engine_close(&engine);
	ledger_free(ledger);
	g_array_unref(steps);
	ck_assert(g_file_get_contents(path, &sound, &size, NULL));
	read_owners();
}

static void teardown(void)
{
	remove_folder();
	g_free(sound);
	g_free(sound_verdicts);
	g_ptr_array_unref(owners);
}

/* What a page may become. */
enum { ZEROES, ONES, TEXT, SHIFTED, KINDS };

static void damage(unsigned page, unsigned page_size, int kind)
{
	char *bytes = g_memdup2(sound, size), *at = bytes + (page - 1) * page_size;

	for (unsigned i = 0; i < page_size; i++)
		at[i] = kind == ZEROES ? 0
			: kind == ONES ? (char)0xFF
			: kind == TEXT ? "damage "[i % 7]
				       : at[(i + 64) % page_size];
	ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
	g_free(bytes);
}

static unsigned page_size(void)
{
	return (unsigned)(unsigned char)sound[16] << 8 | (unsigned char)sound[17];
}

static const struct step PRESS = {STEP_PRESS, "eve@example.org", 999, 1, LABEL_SPAM};

/* The token rows are gone and all the rest is there. */
static void assert_rebuilt(struct engine *engine, struct ledger *ledger)
{
	struct failure failure = {0};
	bool mended = false;
	char *now = engine_verdicts(engine), *wrong;

	ck_assert_ptr_nonnull(service_damage(engine->service, &mended));
	ck_assert(mended);
	ck_assert_str_eq(now, sound_verdicts);
	g_free(now);
	assert_ok(engine_do(engine, &PRESS, ledger, folder, &failure));
	wrong = engine_check(engine);
	ck_assert_msg(!wrong, "%s", wrong);
	engine_close(engine);
	assert_ok(engine_open(engine, path, &failure));
	ck_assert_ptr_null(service_damage(engine->service, &mended));
}

/* A press is kept, or refused because of the damage. */
static void assert_not_silent(struct engine *engine, struct ledger *ledger)
{
	struct failure failure = {0};
	bool mended = false;
	bool found = service_damage(engine->service, &mended) != NULL;
	enum status judged = STATUS_OK, pressed;
	char *now = engine_verdicts_with(engine, &judged);

	if (!found)
		ck_assert(judged == STATUS_CORRUPT || strcmp(now, sound_verdicts) == 0);
	g_free(now);
	pressed = engine_do(engine, &PRESS, ledger, folder, &failure);
	ck_assert_msg(pressed == STATUS_CORRUPT || (pressed == STATUS_OK && (!found || mended)),
		"%s", failure.detail);
	if (pressed != STATUS_OK)
		ck_assert_ptr_nonnull(strstr(failure.detail, "hamletd(8)"));
}

static void try_page(unsigned page, int kind)
{
	const char *owner = page <= owners->len ? owners->pdata[page - 1] : NULL;
	struct ledger *ledger = ledger_new();
	struct engine engine;
	struct failure failure = {0};
	char *log = g_strconcat(path, "-wal", NULL);

	g_unlink(log);
	g_free(log);
	damage(page, page_size(), kind);
	enum status status = engine_open(&engine, path, &failure);
	bool tokens =
		owner && (strcmp(owner, "token leaf") == 0 || strcmp(owner, "token internal") == 0);
	if (status != STATUS_OK) {
		ck_assert_msg(!tokens, "page %u of %s: %s", page, owner, failure.detail);
		ck_assert_int_eq(status, STATUS_CORRUPT);
		ck_assert_ptr_nonnull(strstr(failure.detail, path));
		ck_assert_ptr_nonnull(strstr(failure.detail, "hamletd(8)"));
	} else if (tokens) {
		assert_rebuilt(&engine, ledger);
	} else {
		assert_not_silent(&engine, ledger);
	}
	engine_close(&engine);
	ledger_free(ledger);
}

START_TEST(every_page)
{
	unsigned pages = (unsigned)(size / page_size());

	for (unsigned page = 1; page <= pages; page++) {
		printf("# %u: %s\n", page,
			page <= owners->len && owners->pdata[page - 1]
				? (char *)owners->pdata[page - 1]
				: "free");
		try_page(page, _i);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("damage");
	TCase *tcase = tcase_create("damage");

	tcase_set_timeout(tcase, 300);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, every_page, 0, KINDS);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
