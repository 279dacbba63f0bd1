/* Measures, corpora, and the replay.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/client/mail-walk.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"
#include "trainer/corpus.h"
#include "trainer/evaluate/evaluate.h"
#include "trainer/import.h"
#include "trainer/measure/metrics.h"

static struct failure failure;
static GString *left_out; /* by a walk */

static void setup(void)
{
	make_folder();
	left_out = g_string_new(NULL);
}

static void teardown(void)
{
	remove_folder();
	g_string_free(left_out, TRUE);
}

/* Writes a file below the folder, making what is above it. */
static void write_file(const char *name, const char *text)
{
	char *path = g_build_filename(folder, name, NULL);
	char *parent = g_path_get_dirname(path);

	ck_assert_int_eq(g_mkdir_with_parents(parent, 0700), 0);
	ck_assert(g_file_set_contents(path, text, -1, NULL));
	g_free(parent);
	g_free(path);
}

/* --- Measures --------------------------------------------------------------- */

#define RESULT(s, is_spam)                                                                         \
	{                                                                                          \
		.score = (s), .spam = (is_spam), .probability = (s), .called_spam = (s) >= 0.5     \
	}

START_TEST(roc_area_of_known_orders)
{
	const struct result perfect[] = {RESULT(0.9, true), RESULT(0.8, true), RESULT(0.1, false)};
	const struct result reversed[] = {RESULT(0.1, true), RESULT(0.9, false)};
	const struct result tied[] = {RESULT(0.5, true), RESULT(0.5, false)};
	/* One of the four pairs of ham and spam is the wrong way round. */
	const struct result one_wrong[] = {
		RESULT(0.9, true), RESULT(0.6, false), RESULT(0.5, true), RESULT(0.1, false)};

	ck_assert_double_eq_tol(metrics_one_minus_roca(perfect, 3), 0, 1e-12);
	ck_assert_double_eq_tol(metrics_one_minus_roca(reversed, 2), 100, 1e-12);
	ck_assert_double_eq_tol(metrics_one_minus_roca(tied, 2), 50, 1e-12);
	ck_assert_double_eq_tol(metrics_one_minus_roca(one_wrong, 4), 25, 1e-12);
	ck_assert_double_eq(metrics_one_minus_roca(perfect, 2), 0); /* no ham */
	ck_assert_double_eq(metrics_one_minus_roca(perfect, 0), 0);
}
END_TEST

START_TEST(spam_missed_at_a_ham_loss)
{
	struct result results[1100];

	/* 1000 ham at 0.000 to 0.999, 100 spam of which half are above all but two. */
	for (int i = 0; i < 1000; i++)
		results[i] = (struct result)RESULT(i / 1000.0, false);
	for (int i = 0; i < 100; i++)
		results[1000 + i] = (struct result)RESULT(i < 50 ? 0.9985 : 0.5005, true);
	ck_assert_double_eq_tol(metrics_spam_missed_at(results, 1100, 0.1), 50, 1e-9);
	ck_assert_double_eq_tol(metrics_spam_missed_at(results, 1100, 0.05), 100, 1e-9);
	ck_assert_double_eq_tol(metrics_spam_missed_at(results, 1100, 60), 0, 1e-9);
}
END_TEST

START_TEST(rates_and_calibration)
{
	struct result results[100];

	for (int i = 0; i < 100; i++)
		results[i] = (struct result){
			.probability = 0.8, .score = 1, .spam = i < 60, .called_spam = i < 70};
	ck_assert_double_eq_tol(metrics_calibration_error(results, 100), 0.2, 1e-12);
	ck_assert_double_eq_tol(metrics_ham_lost(results, 100), 25, 1e-12);
	ck_assert_double_eq_tol(metrics_spam_missed(results, 100), 0, 1e-12);
	ck_assert_uint_eq(metrics_spam(results, 100), 60);
	ck_assert_double_eq(metrics_calibration_error(results, 0), 0);
}
END_TEST

/* --- Corpora ----------------------------------------------------------------- */

static char seen[4096];
static size_t skips;

static enum status on_message(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	(void)context;
	(void)path;
	(void)place;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "[%.*s]", (int)length, message);
	return STATUS_OK;
}

static void on_skipped(void *context, const char *why)
{
	(void)context;
	ck_assert_ptr_nonnull(strstr(why, folder));
	skips++;
}

static void on_left_out(void *context, const char *path)
{
	(void)context;
	g_string_append_printf(left_out, "[%s]", path + strlen(folder) + 1);
}

static const char *walk(void)
{
	static const struct mail_visitor visitor = {
		.message = on_message, .skipped = on_skipped, .left_out = on_left_out};

	seen[0] = '\0';
	skips = 0;
	g_string_truncate(left_out, 0);
	assert_ok(mail_walk(folder, &visitor, &failure));
	return seen;
}

static void link_to(const char *target, const char *name)
{
	char *path = g_build_filename(folder, name, NULL);

	ck_assert_int_eq(symlink(target, path), 0);
	g_free(path);
}

START_TEST(folders_are_walked_in_order)
{
	write_file("b/2", "two");
	write_file("a/cur/1", "one");
	write_file("a/tmp/0", "not delivered yet");
	write_file("a/.hidden", "no mail");
	write_file("empty", "");
	ck_assert_str_eq(walk(), "[one][two]");
	ck_assert_uint_eq(skips, 0);
}
END_TEST

START_TEST(of_a_maildir_only_its_mail_is_read)
{
	static const char *const files[] = {"dovecot-uidlist", "dovecot.index.log", "maildirfolder",
		"subscriptions", "tmp/0", ".Junk/cur/1", "Archive/cur/1", "cur/.nfs1"};

	write_file("cur/1:2,S", "one");
	write_file("new/2", "two");
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		write_file(files[i], "no mail of this folder");
	ck_assert_str_eq(walk(), "[one][two]");
	ck_assert_ptr_nonnull(strstr(left_out->str, "[.Junk]"));
	ck_assert_ptr_nonnull(strstr(left_out->str, "[Archive]"));
	ck_assert_uint_eq(left_out->len, strlen("[.Junk][Archive]"));
	ck_assert_uint_eq(skips, 0);
}
END_TEST

START_TEST(what_is_no_mail_is_skipped)
{
	char *pipe = g_build_filename(folder, "a/pipe", NULL);

	write_file("a/1", "one");
	write_file("z", "two");
	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	link_to("..", "a/up");
	link_to("/dev/zero", "a/zero");
	link_to("nowhere", "a/dangling");
	ck_assert_str_eq(walk(), "[one][two]");
	ck_assert_uint_eq(skips, 4);
	g_free(pipe);
}
END_TEST

START_TEST(folders_behind_links_are_read_once)
{
	write_file("b/real/1", "one");
	link_to("b/real", "a");
	link_to("b", "c");
	ck_assert_str_eq(walk(), "[one]");
	ck_assert_uint_eq(skips, 2);
}
END_TEST

START_TEST(a_named_path_has_to_be_mail)
{
	const struct mail_visitor visitor = {.message = on_message};
	char *pipe = g_build_filename(folder, "pipe", NULL);
	const char *const names[] = {pipe, "/dev/zero"};

	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		struct mail_file file;

		ck_assert_int_eq(mail_walk_check(names[i], &failure), STATUS_INVALID);
		ck_assert_int_eq(mail_walk(names[i], &visitor, &failure), STATUS_INVALID);
		ck_assert_ptr_nonnull(strstr(failure.detail, names[i]));
		ck_assert_int_eq(mail_file_open(&file, names[i], &failure), STATUS_INVALID);
		mail_file_close(&file);
	}
	ck_assert_int_eq(mail_walk("/no/such/path", &visitor, &failure), STATUS_IO);
	ck_assert_str_eq(failure.detail, "reading /no/such/path: No such file or directory");
	g_free(pipe);
}
END_TEST

START_TEST(a_walk_is_stopped)
{
	volatile sig_atomic_t stop = 1;
	const struct mail_visitor visitor = {.message = on_message, .stop = &stop};

	write_file("1", "one");
	seen[0] = '\0';
	ck_assert_int_eq(mail_walk(folder, &visitor, &failure), STATUS_INTERRUPTED);
	ck_assert_str_eq(seen, "");
}
END_TEST

START_TEST(mbox_files_are_split)
{
	write_file("a",
		"From a Mon Nov 23 10:00:00 2026\nSubject: 1\n\n\nFrom here on\n>From x\n\n"
		"From b Tue Nov 24 10:00:00 2026\nSubject: 2\n\nend\n");
	write_file("b.mbox", "\nSubject: 3\n\n\nFrom c Wed Nov 25 10:00:00 2026\nSubject: 4\n");
	ck_assert_str_eq(walk(),
		"[Subject: 1\n\n\nFrom here on\nFrom x\n][Subject: 2\n\nend\n]"
		"[Subject: 3\n\n][Subject: 4\n]");
}
END_TEST

START_TEST(indexes_of_the_trec_spam_track_are_read)
{
	static const struct {
		bool spam;
		enum corpus_use use;
	} lines[] = {{true, CORPUS_BOTH}, {false, CORPUS_BOTH}, {true, CORPUS_SCORED},
		{false, CORPUS_SCORED}, {true, CORPUS_LEARNED}, {false, CORPUS_LEARNED}};
	struct corpus_index index;
	char *path = g_build_filename(folder, "full/index", NULL);
	char *first = g_build_filename(folder, "full/../data/inmail.1", NULL);

	write_file("full/index",
		"spam ../data/inmail.1\nham ../data/inmail.2\n"
		"Spam ../data/inmail.3\nHam ../data/inmail.4\n"
		"SPAM ../data/inmail.3\nHAM ../data/inmail.4\n");
	assert_ok(corpus_read_index(&index, path, &failure));
	ck_assert_uint_eq(index.count, G_N_ELEMENTS(lines));
	ck_assert_str_eq(index.entries[0].path, first);
	for (size_t i = 0; i < index.count; i++) {
		ck_assert(index.entries[i].spam == lines[i].spam);
		ck_assert_int_eq(index.entries[i].use, lines[i].use);
	}
	corpus_free_index(&index);
	g_free(first);
	g_free(path);
}
END_TEST

START_TEST(indexes_are_read_and_checked)
{
	struct corpus_index index;
	char *path = g_build_filename(folder, "index", NULL);
	char *first = g_build_filename(folder, "x/1", NULL);

	write_file("index", "# comment\nspam x/1\n\nham /abs/2 bob smith\n");
	assert_ok(corpus_read_index(&index, path, &failure));
	ck_assert_uint_eq(index.count, 2);
	ck_assert(index.entries[0].spam && !index.entries[1].spam);
	ck_assert_str_eq(index.entries[0].path, first);
	ck_assert_str_eq(index.entries[0].user, "");
	ck_assert_str_eq(index.entries[1].path, "/abs/2");
	ck_assert_str_eq(index.entries[1].user, "bob smith");
	corpus_free_index(&index);
	write_file("index", "spam x/1\nsmap x/2\n");
	ck_assert_int_eq(corpus_read_index(&index, path, &failure), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(failure.detail, "line 2"));
	ck_assert_int_eq(corpus_read_index(&index, "/no/such/index", &failure), STATUS_IO);
	g_free(first);
	g_free(path);
}
END_TEST

/* --- Replay and import -------------------------------------------------------- */

static void write_messages(void)
{
	char name[32], text[256];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%s/%d", i % 2 ? "spam" : "ham", i);
		snprintf(text, sizeof(text), "Subject: %s %d\nMessage-ID: <%d@x.example>\n\n%s\n",
			i % 2 ? "cheap pills" : "our meeting", i, i,
			i % 2 ? "buy now and save" : "see you at noon");
		write_file(name, text);
	}
}

static struct evaluation replay(const struct corpus_index *index, double wrong, uint64_t seed)
{
	struct evaluation evaluation;
	struct evaluate_options options = {.wrong_labels = wrong,
		.labelled = 100,
		.seed = seed,
		.settings = service_defaults()};

	assert_ok(evaluate_run(&evaluation, index, &options, &failure));
	return evaluation;
}

START_TEST(replay_scores_before_it_learns)
{
	struct corpus_entry entries[40] = {0};
	struct corpus_index index = {.entries = entries, .count = 40};

	write_messages();
	for (int i = 0; i < 40; i++) {
		entries[i].spam = i % 2;
		entries[i].user = (char *)"";
		entries[i].path = g_strdup_printf("%s/%s/%d", folder, i % 2 ? "spam" : "ham", i);
	}
	struct evaluation first = replay(&index, 0, 1), again = replay(&index, 0, 2);
	ck_assert_double_eq(first.results[0].probability, 0.5);
	ck_assert_double_eq_tol(metrics_one_minus_roca(first.results + 20, 20), 0, 1e-12);
	for (size_t i = 0; i < 40; i++)
		ck_assert_double_eq(first.results[i].score, again.results[i].score);
	struct evaluation wrong = replay(&index, 100, 1);
	ck_assert_double_gt(metrics_one_minus_roca(wrong.results + 20, 20), 90);
	evaluate_free(&first);
	evaluate_free(&again);
	evaluate_free(&wrong);
	for (int i = 0; i < 40; i++)
		g_free(entries[i].path);
}
END_TEST

static volatile sig_atomic_t stop;

static int stop_on_open(sqlite3 *connection, char **error, const void *routines)
{
	(void)connection;
	(void)error;
	(void)routines;
	stop = 1;
	return SQLITE_OK;
}

START_TEST(import_stops_resumes_and_learns_once)
{
	struct store *store;
	struct import_counts counts;
	struct service_settings settings = service_defaults();

	write_messages();
	char *spam = g_build_filename(folder, "spam", NULL),
	     *ham = g_build_filename(folder, "ham", NULL);
	const struct import_source sources[] = {{true, spam}, {false, ham}};
	char *database = g_build_filename(folder, "database", NULL);
	assert_ok(store_open(&store, database, STORE_WRITE, &failure));
	stop = 1;
	ck_assert_int_eq(import_run(store, &settings, sources, 2, "", &stop, &counts, &failure),
		STATUS_INTERRUPTED);
	ck_assert_uint_eq(counts.learned, 0);
	/* After the walk, when the service opens its reader. */
	stop = 0;
	sqlite3_auto_extension((void (*)(void))stop_on_open);
	ck_assert_int_eq(import_run(store, &settings, sources, 2, "", &stop, &counts, &failure),
		STATUS_INTERRUPTED);
	sqlite3_reset_auto_extension();
	ck_assert_uint_ge(counts.learned, 1);
	ck_assert_uint_lt(counts.learned, 40);
	size_t before = counts.learned;
	stop = 0;
	assert_ok(import_run(store, &settings, sources, 2, "", &stop, &counts, &failure));
	ck_assert_uint_eq(counts.learned, 40 - before);
	ck_assert_uint_eq(counts.known, before);
	assert_ok(import_run(store, &settings, sources, 2, "", &stop, &counts, &failure));
	ck_assert_uint_eq(counts.known, 40);
	store_close(&store);
	g_free(database);
	g_free(spam);
	g_free(ham);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("trainer");
	TCase *tcase = tcase_create("trainer");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, roc_area_of_known_orders);
	tcase_add_test(tcase, spam_missed_at_a_ham_loss);
	tcase_add_test(tcase, rates_and_calibration);
	tcase_add_test(tcase, folders_are_walked_in_order);
	tcase_add_test(tcase, of_a_maildir_only_its_mail_is_read);
	tcase_add_test(tcase, what_is_no_mail_is_skipped);
	tcase_add_test(tcase, folders_behind_links_are_read_once);
	tcase_add_test(tcase, a_named_path_has_to_be_mail);
	tcase_add_test(tcase, a_walk_is_stopped);
	tcase_add_test(tcase, mbox_files_are_split);
	tcase_add_test(tcase, indexes_of_the_trec_spam_track_are_read);
	tcase_add_test(tcase, indexes_are_read_and_checked);
	tcase_add_test(tcase, replay_scores_before_it_learns);
	tcase_add_test(tcase, import_stops_resumes_and_learns_once);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
