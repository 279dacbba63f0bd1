/* A generation takes over while reports come in. Whatever happens: the rows are the
 * sum of what the reports that count add.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "engine/store/store.h"
#include "tests/unit/made-generation.h"
#include "tests/unit/small-mail.h"

static const char *challenger, *former;

static void setup(void)
{
	setup_memory();
	challenger = in_folder("challenger");
	former = in_folder("former");
}

/* --- What happens ------------------------------------------------------------------ */

static const char *const USERS[] = {"ann", "bob", "cid", "dan", "eve"};

static void press_many(void)
{
	for (unsigned i = 0; i < 40; i++)
		press(USERS[i % 5], i, i % 3 ? LABEL_HAM : LABEL_SPAM);
	press("ann", 0, LABEL_HAM); /* flips */
	press("bob", 1, LABEL_FORGET); /* and forgets */
	press("", 100, LABEL_SPAM);
	press_as("own", 101, LABEL_SPAM, CONSENT_DECLINED, 1000);
}

/* --- The generation ----------------------------------------------------------------- */

static void make_generation(void)
{
	assert_ok(write_made_generation(worker_reader(worker), 1000, "eve", challenger, &failure));
}

/* After a failure it is the caller's still. */
static enum status run_adoption(struct change **adoption)
{
	enum status status;

	do {
		status = change_run(*adoption, &failure);
	} while (status == STATUS_OK && change_goes_on(*adoption));
	if (status == STATUS_OK)
		change_end(service, adoption);
	return status;
}

static struct change *begin(const char *path, const char *keep)
{
	struct change *adoption;

	assert_ok(change_adopt(service, path, keep, &adoption, &failure));
	return adoption;
}

static void adopt_file(const char *path)
{
	struct change *adoption = begin(path, former);

	assert_ok(change_prepare(adoption, worker, &failure));
	assert_ok(run_adoption(&adoption));
}

START_TEST(it_is_brought_up_to_the_present)
{
	press_many();
	assert_exact();
	make_generation();
	press("cid", 60, LABEL_SPAM); /* it knows nothing of this one */
	double before = score(4);
	struct change *adoption = begin(challenger, former);
	assert_ok(change_prepare(adoption, worker, &failure));
	ck_assert_uint_eq(service_dirty(service), 0); /* no checkpoint now */
	press("cid", 2, LABEL_SPAM); /* flips of what it knows, */
	press("dan", 3, LABEL_HAM); /* of what it does not, */
	press("cid", 60, LABEL_HAM);
	press("eve", 4, LABEL_FORGET); /* and the end of one */
	press("cid", 61, LABEL_SPAM);
	press("cid", 61, LABEL_HAM); /* and twice, after the fold */
	press("cid", 62, LABEL_SPAM);
	press("cid", 62, LABEL_FORGET);
	press("cid", 62, LABEL_SPAM);
	ck_assert_int_eq(press("ann", 5, LABEL_SPAM).outcome, OUTCOME_FLIP);
	assert_ok(run_adoption(&adoption));
	ck_assert_double_ne(score(4), before);
	double after = score(4);
	press("ann", 6, LABEL_SPAM); /* undone with the new numbers */
	press("bob", 6, LABEL_SPAM);
	assert_exact();
	double present = score(4);
	ck_assert_double_ne(present, after);
	reopen_service();
	ck_assert_double_eq(score(4), present);
	assert_exact();
}
END_TEST

/* The last reports of the journal are none that count: what they superseded or forgot
 * is not in the fold, and is not to be taken from it once more. */
START_TEST(what_counts_no_more_is_taken_out_once)
{
	press_many();
	make_generation();
	press("bob", 6, LABEL_FORGET);
	press("ann", 10, LABEL_HAM);
	press("ann", 10, LABEL_FORGET);
	if (_i)
		assert_ok(service_checkpoint(service, &failure)); /* strips their tokens */
	adopt_file(challenger);
	assert_exact();
	adopt_file(former);
	assert_exact();
	adopt_file(former);
	assert_exact();
}
END_TEST

START_TEST(a_query_on_its_way_keeps_the_old_one)
{
	char text[1024];
	size_t length = mail(text, sizeof(text), 4);
	const char *nobody = "";
	struct query *query;

	press_many();
	make_generation();
	double before = score(4);
	assert_ok(query_begin(service, &nobody, 1, false, &query, &failure));
	adopt_file(challenger);
	assert_ok(query_run(query, worker, text, length, &failure));
	ck_assert_double_eq(query_verdict(query, 0)->margin, before);
	query_end(service, &query);
	ck_assert_double_ne(score(4), before);
}
END_TEST

START_TEST(there_is_a_way_back)
{
	double before[20];

	press_many();
	make_generation();
	for (unsigned i = 0; i < 20; i++)
		before[i] = score(i);
	adopt_file(challenger);
	adopt_file(former);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_double_eq(score(i), before[i]);
	assert_exact();
	adopt_file(former); /* and forth */
	ck_assert_double_ne(score(4), before[4]);
	assert_exact();
}
END_TEST

/* A file that is older than what is in force, as after a crash before the way back was put
 * in its place. */
START_TEST(an_older_one_keeps_what_it_does_not_know)
{
	press_many();
	make_generation();
	for (unsigned i = 40; i < 60; i++)
		press(USERS[i % 5], i, i % 3 ? LABEL_HAM : LABEL_SPAM);
	assert_ok(write_made_generation(worker_reader(worker), 1000, "eve", former, &failure));
	adopt_file(former);
	assert_exact();
	adopt_file(challenger);
	assert_exact();
	press("ann", 45, LABEL_FORGET);
	press("ann", 55, LABEL_SPAM);
	assert_exact();
}
END_TEST

START_TEST(what_is_taken_out_meanwhile_stays_out)
{
	struct change *adoption;

	press_many();
	make_generation();
	adoption = begin(challenger, former);
	assert_ok(change_prepare(adoption, worker, &failure));
	lay_down("ann", ENTRY_CONSENT, "", "declined");
	ck_assert_int_eq(run_adoption(&adoption), STATUS_BUSY);
	assert_ok(change_prepare(adoption, worker, &failure));
	erase("bob");
	ck_assert_int_eq(run_adoption(&adoption), STATUS_BUSY);
	assert_ok(change_prepare(adoption, worker, &failure));
	assert_ok(run_adoption(&adoption));
	assert_exact();
	ck_assert_uint_eq(count_entries("bob"), 0);
	lay_down("cid", ENTRY_CONSENT, "", "declined"); /* and takes out what the generation says */
	assert_exact();
}
END_TEST

START_TEST(one_is_adopted_at_a_time)
{
	struct change *adoption, *other = (struct change *)1;

	press_many();
	make_generation();
	adoption = begin(challenger, former);
	ck_assert_int_eq(change_adopt(service, challenger, former, &other, &failure), STATUS_BUSY);
	ck_assert_ptr_null(other);
	assert_ok(change_prepare(adoption, worker, &failure));
	assert_ok(run_adoption(&adoption));
	adopt_file(former); /* and now there is no other */
	assert_exact();
}
END_TEST

START_TEST(a_service_that_stops_leaves_all_as_it_was)
{
	struct change *adoption;
	double before;

	press_many();
	make_generation();
	before = score(200);
	adoption = begin(challenger, former);
	assert_ok(change_prepare(adoption, worker, &failure));
	service_stop(service);
	ck_assert_int_eq(run_adoption(&adoption), STATUS_INTERRUPTED);
	ck_assert_int_eq(change_prepare(adoption, worker, &failure), STATUS_INTERRUPTED);
	change_end(service, &adoption);
	ck_assert_double_eq(score(200), before);
	assert_exact();
	reopen_service();
	adopt_file(challenger);
	assert_exact();
}
END_TEST

START_TEST(a_reputation_is_a_reporters_own)
{
	press_many();
	make_generation();
	adopt_file(challenger);
	double before = score(200);
	ck_assert(press("eve", 200, LABEL_SPAM).taught_global);
	ck_assert_double_eq(score(200), before); /* always wrong: moves nothing */
	press("ann", 200, LABEL_SPAM);
	double known = score(200) - before;
	press("ann", 200, LABEL_FORGET);
	ck_assert_double_eq(score(200), before);
	press("new", 200, LABEL_SPAM); /* wrong less often than ann by default */
	ck_assert_double_gt(score(200) - before, known);
	ck_assert_double_gt(known, 0);
}
END_TEST

START_TEST(a_damaged_file_changes_nothing)
{
	struct generation generation;
	char *data;
	gsize size;

	press_many();
	make_generation();
	ck_assert(g_file_get_contents(challenger, &data, &size, NULL));
	for (gsize at = 0; at < size; at += 1 + at / 20) {
		struct change *adoption = begin(challenger, NULL);
		data[at] ^= 1;
		ck_assert(g_file_set_contents(challenger, data, (gssize)size, NULL));
		ck_assert_int_eq(
			generation_read(&generation, challenger, &failure), STATUS_CORRUPT);
		generation_free(&generation);
		ck_assert_int_eq(change_prepare(adoption, worker, &failure), STATUS_CORRUPT);
		data[at] ^= 1;
		ck_assert(g_file_set_contents(challenger, data, (gssize)at, NULL));
		ck_assert_int_eq(change_prepare(adoption, worker, &failure), STATUS_CORRUPT);
		change_end(service, &adoption);
	}
	g_unlink(challenger);
	ck_assert_int_eq(generation_read(&generation, challenger, &failure), STATUS_NOTFOUND);
	g_free(data);
	assert_exact();
}
END_TEST

/* Another database has the same numbers for other reports. */
START_TEST(a_foreign_one_changes_nothing)
{
	struct store *other = NULL;
	struct service *its_service;
	struct store_reader *reader;
	struct change *adoption;

	press_many();
	double before = score(4);
	assert_ok(store_open(&other, "memory:", STORE_WRITE, &failure));
	assert_ok(service_open(&its_service, other, &settings, &failure));
	assert_ok(store_reader_open(other, &reader, &failure));
	assert_ok(write_made_generation(reader, 1000, "eve", challenger, &failure));
	store_reader_close(&reader);
	service_close(&its_service);
	store_close(&other);
	adoption = begin(challenger, former);
	ck_assert_int_eq(change_prepare(adoption, worker, &failure), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(failure.detail, "another database"));
	ck_assert(!g_file_test(former, G_FILE_TEST_EXISTS));
	make_generation(); /* of the right one */
	assert_ok(change_prepare(adoption, worker, &failure));
	assert_ok(run_adoption(&adoption));
	ck_assert_double_ne(score(4), before);
	assert_exact();
}
END_TEST

/* As after a backup was put back: a number that it knows is a report about another
 * message now. */
START_TEST(a_number_given_anew_is_a_report_it_does_not_know)
{
	struct generation generation;
	double before[20];

	press_many();
	make_generation();
	for (unsigned i = 0; i < 20; i++)
		before[i] = score(i);
	assert_ok(generation_read(&generation, challenger, &failure));
	ck_assert_uint_gt(generation.count, 20);
	for (size_t i = 0; i < generation.count; i++)
		generation.reports[i].message ^= 1;
	assert_ok(generation_write(&generation, challenger, &failure));
	generation_free(&generation);
	adopt_file(challenger);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_double_eq(score(i), before[i]);
	assert_exact();
}
END_TEST

/* "hamletG1" was the file that named no database. */
START_TEST(one_of_another_version_is_told_apart)
{
	struct generation generation;
	char *data;
	gsize size;

	press_many();
	make_generation();
	ck_assert(g_file_get_contents(challenger, &data, &size, NULL));
	ck_assert_int_eq(memcmp(data, "hamletG2", 8), 0);
	data[7] = '1';
	ck_assert(g_file_set_contents(challenger, data, (gssize)size, NULL));
	ck_assert_int_eq(generation_read(&generation, challenger, &failure), STATUS_CORRUPT);
	ck_assert_ptr_nonnull(strstr(failure.detail, "another version"));
	generation_free(&generation);
	g_free(data);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("adoption");
	TCase *tcase = tcase_create("adoption");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, it_is_brought_up_to_the_present);
	tcase_add_loop_test(tcase, what_counts_no_more_is_taken_out_once, 0, 2);
	tcase_add_test(tcase, a_query_on_its_way_keeps_the_old_one);
	tcase_add_test(tcase, there_is_a_way_back);
	tcase_add_test(tcase, an_older_one_keeps_what_it_does_not_know);
	tcase_add_test(tcase, what_is_taken_out_meanwhile_stays_out);
	tcase_add_test(tcase, one_is_adopted_at_a_time);
	tcase_add_test(tcase, a_service_that_stops_leaves_all_as_it_was);
	tcase_add_test(tcase, a_reputation_is_a_reporters_own);
	tcase_add_test(tcase, a_damaged_file_changes_nothing);
	tcase_add_test(tcase, a_foreign_one_changes_nothing);
	tcase_add_test(tcase, a_number_given_anew_is_a_report_it_does_not_know);
	tcase_add_test(tcase, one_of_another_version_is_told_apart);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
