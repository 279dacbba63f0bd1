/* A write of which nobody knows whether it was made: what is there counts, and nothing is
 * acknowledged that may be lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/store/driver.h"
#include "tests/unit/small-mail.h"

/* The store in memory, whose next commit leaves its writer in doubt. */
static const struct store_driver *genuine;
static struct store_driver doubtful;
static bool in_doubt, written;

static enum status commit(
	struct store *into, const struct store_change *change, struct failure *why)
{
	enum status status = STATUS_OK;

	if (!in_doubt || written)
		status = genuine->commit(into, change, why);
	if (in_doubt && status == STATUS_OK)
		status = failure_set(why, STATUS_UNCERTAIN, "the connection was lost");
	in_doubt = false;
	return status;
}

static void setup(void)
{
	settings = service_defaults();
	assert_ok(store_open(&store, "memory:", STORE_WRITE, &failure));
	genuine = store->driver;
	doubtful = *genuine;
	doubtful.commit = commit;
	store->driver = &doubtful;
	open_service();
}

/* A press that is not known to be kept is refused as such. */
static void press_in_doubt(const char *user, unsigned number)
{
	char text[1024];
	size_t length = mail(text, sizeof(text), number);
	const struct press_info info = {.user = user,
		.event = {.kind = EVENT_TOLD, .label = LABEL_SPAM},
		.consent = CONSENT_GRANTED,
		.time = 1000};
	struct press *press;
	struct batch *batch;

	assert_ok(press_new(service, &info, &press, &failure));
	assert_ok(press_run(press, worker, text, length, &failure));
	assert_ok(batch_begin(service, &press, 1, &batch, &failure));
	in_doubt = true;
	ck_assert_int_eq(batch_run(batch, &failure), STATUS_UNCERTAIN);
	batch_end(service, &batch);
	ck_assert_int_eq(press_answer(press)->failure.code, STATUS_UNCERTAIN);
	press_free(&press);
}

START_TEST(what_was_written_counts)
{
	for (unsigned i = 0; i < 10; i++)
		press("ann", i, LABEL_HAM);
	written = true;
	press_in_doubt("bob", 3);
	press("ann", 20, LABEL_HAM);
	ck_assert_int_eq(press("bob", 3, LABEL_SPAM).outcome, OUTCOME_REPEAT);
	assert_exact();
	double before = score(3);
	reopen_service();
	ck_assert_double_eq(score(3), before);
}
END_TEST

START_TEST(what_was_not_written_was_never_there)
{
	for (unsigned i = 0; i < 10; i++)
		press("ann", i, LABEL_HAM);
	double before = score(3);
	written = false;
	press_in_doubt("bob", 3);
	ck_assert_double_eq(score(3), before);
	press("ann", 20, LABEL_HAM);
	ck_assert_int_eq(press("bob", 3, LABEL_SPAM).outcome, OUTCOME_NEW);
	assert_exact();
}
END_TEST

/* A withdrawal looks at what the journal has, so the doubt is settled before. */
START_TEST(a_change_settles_the_doubt_before)
{
	for (unsigned i = 0; i < 10; i++)
		press(i % 2 ? "bob" : "ann", i, LABEL_SPAM);
	written = true;
	press_in_doubt("bob", 11);
	lay_down("bob", ENTRY_CONSENT, "", "declined");
	assert_exact();
}
END_TEST

START_TEST(after_a_change_in_doubt_nothing_is_written_until_a_start)
{
	struct change *change;

	for (unsigned i = 0; i < 10; i++)
		press(i % 2 ? "bob" : "ann", i, LABEL_SPAM);
	written = true;
	assert_ok(change_erase(service, "bob", &change, &failure));
	in_doubt = true;
	ck_assert_int_eq(change_run(change, &failure), STATUS_UNCERTAIN);
	change_end(service, &change);
	score(3);
	assert_ok(change_erase(service, "ann", &change, &failure));
	ck_assert_int_eq(change_run(change, &failure), STATUS_CORRUPT);
	ck_assert_ptr_nonnull(strstr(failure.detail, "start hamletd again"));
	change_end(service, &change);
	reopen_service();
	press("ann", 20, LABEL_HAM);
	ck_assert_int_eq(press("bob", 3, LABEL_SPAM).outcome, OUTCOME_NEW);
	assert_exact();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("doubt");
	TCase *tcase = tcase_create("doubt");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_was_written_counts);
	tcase_add_test(tcase, what_was_not_written_was_never_there);
	tcase_add_test(tcase, a_change_settles_the_doubt_before);
	tcase_add_test(tcase, after_a_change_in_doubt_nothing_is_written_until_a_start);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(make_suite());
}
