/* Statistics of an evaluation: intervals, folds, delays, gray mail, users.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/folder.h"
#include "tests/unit/unit.h"
#include "trainer/evaluate/against.h"
#include "trainer/measure/bootstrap.h"
#include "trainer/evaluate/by-user.h"
#include "trainer/evaluate/evaluate.h"
#include "trainer/evaluate/gray.h"
#include "trainer/measure/random.h"
#include "trainer/evaluate/results-file.h"
#include "trainer/evaluate/schedule.h"

static struct failure failure;

static struct result result_of(double score, bool spam)
{
	return (struct result){
		.score = score, .probability = score, .spam = spam, .called_spam = score >= 0.5};
}

/* --- Draws ------------------------------------------------------------------------------ */

START_TEST(draws_are_splitmix64)
{
	uint64_t state = 0;

	ck_assert(random_next(&state) == UINT64_C(0xe220a8397b1dcdaf));
	ck_assert(random_next(&state) == UINT64_C(0x6e789e6aa1b965f4));
	for (int i = 0; i < 1000; i++) {
		double share = random_share(&state);
		ck_assert(share >= 0 && share < 1);
		ck_assert_uint_lt(random_below(&state, 7), 7);
	}
}
END_TEST

/* --- Intervals -------------------------------------------------------------------------- */

static void resample(const struct result *results, size_t count, const size_t *clusters,
	size_t cluster_count, struct interval intervals[METRICS])
{
	const struct bootstrap bootstrap = {
		.resamples = 400, .seed = 1, .clusters = clusters, .cluster_count = cluster_count};

	assert_ok(bootstrap_intervals(&bootstrap, results, count, intervals, &failure));
}

/* `wrong` of `count` results of a class are on the other side. */
static void fill(struct result *results, size_t count, size_t wrong, bool spam)
{
	for (size_t i = 0; i < count; i++)
		results[i] = result_of((i < wrong) != spam ? 0.9 : 0.1, spam);
}

START_TEST(interval_of_a_rate_is_the_binomial_one)
{
	struct interval intervals[METRICS];
	struct result results[1400];

	/* 100 of 1000 ham: 10 +- 1.96 * sqrt(10 * 90 / 1000) percent = 8.1 to 11.9; 200 of 400
	 * spam: 50 +- 4.9. */
	fill(results, 1000, 100, false);
	fill(results + 1000, 400, 200, true);
	resample(results, 1400, NULL, 0, intervals);
	ck_assert_double_eq_tol(intervals[METRIC_HAM_LOST].low, 8.14, 0.5);
	ck_assert_double_eq_tol(intervals[METRIC_HAM_LOST].high, 11.86, 0.5);
	ck_assert_double_eq_tol(intervals[METRIC_SPAM_MISSED].low, 45.1, 1.2);
	ck_assert_double_eq_tol(intervals[METRIC_SPAM_MISSED].high, 54.9, 1.2);
}
END_TEST

START_TEST(interval_covers_the_truth_as_often_as_it_says)
{
	uint64_t random = 7;
	int covered_rate = 0, covered_area = 0;

	/* Scores uniform in [0, 1) for ham, [0.2, 1.2) for spam: ham is above spam in
	 * 0.8 * 0.8 / 2 = 32 % of the pairs, and above 0.5 in 50 %. */
	for (int i = 0; i < 200; i++) {
		struct interval intervals[METRICS];
		struct result results[300];
		for (int j = 0; j < 300; j++)
			results[j] = result_of(
				random_share(&random) + (j % 3 == 0 ? 0.2 : 0), j % 3 == 0);
		resample(results, 300, NULL, 0, intervals);
		covered_area +=
			intervals[METRIC_ROCA].low <= 32 && intervals[METRIC_ROCA].high >= 32;
		covered_rate += intervals[METRIC_HAM_LOST].low <= 50 &&
			intervals[METRIC_HAM_LOST].high >= 50;
	}
	ck_assert_int_ge(covered_rate, 180);
	ck_assert_int_ge(covered_area, 180);
	ck_assert_int_le(covered_rate, 199);
	ck_assert_int_le(covered_area, 199);
}
END_TEST

START_TEST(area_of_orders_that_no_resample_changes)
{
	struct interval intervals[METRICS];
	struct result results[40];
	const double spam_scores[] = {0.9, 0.5, 0.1};
	const double areas[] = {0, 50, 100};

	for (int order = 0; order < 3; order++) {
		for (int i = 0; i < 40; i++)
			results[i] = result_of(i % 2 ? spam_scores[order] : 0.5, i % 2);
		resample(results, 40, NULL, 0, intervals);
		ck_assert_double_eq_tol(intervals[METRIC_ROCA].low, areas[order], 1e-9);
		ck_assert_double_eq_tol(intervals[METRIC_ROCA].high, areas[order], 1e-9);
	}
}
END_TEST

START_TEST(what_a_resample_does_not_have_is_not_counted)
{
	struct interval intervals[METRICS];
	/* Half of the resamples have one class alone. */
	const struct result two[] = {result_of(0.1, true), result_of(0.9, false)};

	resample(two, 2, NULL, 0, intervals);
	ck_assert_double_eq(intervals[METRIC_ROCA].low, 100);
	ck_assert_double_eq(intervals[METRIC_HAM_LOST].low, 100);
	resample(two, 1, NULL, 0, intervals);
	ck_assert_double_nan(intervals[METRIC_ROCA].low);
	ck_assert_double_nan(intervals[METRIC_HAM_LOST].high);
	ck_assert_double_eq(intervals[METRIC_SPAM_MISSED].high, 100);
	resample(two, 0, NULL, 0, intervals);
	ck_assert_double_nan(intervals[METRIC_LOG_LOSS].low);
}
END_TEST

START_TEST(messages_that_are_alike_make_intervals_wide)
{
	struct interval alone[METRICS], together[METRICS];
	struct result results[1000];
	size_t clusters[1000];

	/* 100 users, all 10 messages of every tenth one are lost: sqrt(10) times as wide. */
	for (size_t i = 0; i < 1000; i++) {
		clusters[i] = i / 10;
		results[i] = result_of(clusters[i] % 10 == 0 ? 0.9 : 0.1, false);
	}
	resample(results, 1000, NULL, 0, alone);
	resample(results, 1000, clusters, 100, together);
	double width = alone[METRIC_HAM_LOST].high - alone[METRIC_HAM_LOST].low;
	double wide = together[METRIC_HAM_LOST].high - together[METRIC_HAM_LOST].low;
	ck_assert_double_gt(wide, 2.7 * width);
	ck_assert_double_lt(wide, 3.7 * width);
}
END_TEST

START_TEST(the_seed_says_which_resamples)
{
	struct bootstrap bootstrap = {.resamples = 50, .seed = 3};
	struct interval first[METRICS], again[METRICS], other[METRICS];
	struct result results[200];

	for (int i = 0; i < 200; i++)
		results[i] = result_of((i * 37 % 200) / 200.0, i % 2);
	ck_assert_int_eq(bootstrap_intervals(&bootstrap, results, 200, first, &failure), 0);
	ck_assert_int_eq(bootstrap_intervals(&bootstrap, results, 200, again, &failure), 0);
	bootstrap.seed = 4;
	ck_assert_int_eq(bootstrap_intervals(&bootstrap, results, 200, other, &failure), 0);
	ck_assert_mem_eq(first, again, sizeof(first));
	ck_assert_mem_ne(first, other, sizeof(first));
}
END_TEST

START_TEST(differences_are_paired)
{
	const struct bootstrap bootstrap = {.resamples = 200, .seed = 1};
	struct interval differences[METRICS];
	struct result first[300], second[300];

	/* The second is less sure in every message, by the same factor. */
	for (int i = 0; i < 300; i++) {
		first[i] = result_of(i % 3 ? 0.1 : 0.9, i % 3 == 0);
		second[i] = result_of(i % 3 ? 0.2 : 0.8, i % 3 == 0);
	}
	ck_assert_int_eq(
		bootstrap_differences(&bootstrap, first, second, 300, differences, &failure), 0);
	ck_assert_double_eq_tol(differences[METRIC_LOG_LOSS].low, log(0.9 / 0.8), 1e-9);
	ck_assert_double_eq_tol(differences[METRIC_LOG_LOSS].high, log(0.9 / 0.8), 1e-9);
	ck_assert_double_eq(differences[METRIC_HAM_LOST].high, 0);
	ck_assert_double_eq(differences[METRIC_ROCA].low, 0);
}
END_TEST

/* --- One against another ----------------------------------------------------------------- */

static struct against judge(const struct result *first, const struct result *second, size_t count)
{
	static const char *const names[2] = {"old", "new"};
	const struct bootstrap bootstrap = {.resamples = 200, .seed = 1};
	struct against against;

	ck_assert_int_eq(
		against_judge(&against, names, first, second, count, &bootstrap, &failure), 0);
	return against;
}

START_TEST(the_better_one_is_named)
{
	struct result good[400], bad[400], other[400];

	fill(good, 200, 2, false);
	fill(good + 200, 200, 2, true);
	fill(bad, 200, 40, false);
	fill(bad + 200, 200, 40, true);
	fill(other, 200, 0, false);
	fill(other + 200, 200, 40, true);
	struct against same = judge(good, good, 400), worse = judge(good, bad, 400);
	struct against better = judge(bad, good, 400), mixed = judge(good, other, 400);
	ck_assert_int_eq(same.winner, WINNER_NONE);
	ck_assert_str_eq(same.sentence, "old and new cannot be told apart on these 400 messages");
	ck_assert_int_eq(worse.winner, WINNER_FIRST);
	ck_assert_ptr_nonnull(strstr(worse.sentence, "old is better than new: "));
	ck_assert_ptr_nonnull(strstr(worse.sentence, "ham lost, spam missed"));
	ck_assert_int_eq(better.winner, WINNER_SECOND);
	ck_assert_ptr_nonnull(strstr(better.sentence, "new is better than old: "));
	ck_assert_double_eq(better.first[METRIC_HAM_LOST], 20);
	ck_assert_double_eq(better.second[METRIC_HAM_LOST], 1);
	ck_assert_int_eq(mixed.winner, WINNER_FIRST); /* two of 200 less lost may be chance */
	against_free(&same);
	against_free(&worse);
	against_free(&better);
	against_free(&mixed);
	fill(good, 200, 30, false);
	mixed = judge(good, other, 400);
	ck_assert_int_eq(mixed.winner, WINNER_EACH);
	ck_assert_ptr_nonnull(strstr(mixed.sentence, "neither is better in all: "));
	against_free(&mixed);
}
END_TEST

/* --- Schedules --------------------------------------------------------------------------- */

enum { ENTRIES = 12 };

static struct corpus_index index_of(struct corpus_entry entries[ENTRIES])
{
	for (int i = 0; i < ENTRIES; i++)
		entries[i] = (struct corpus_entry){.spam = i % 2, .user = (char *)""};
	return (struct corpus_index){.entries = entries, .count = ENTRIES};
}

/* "s0 l0 s1 L1 r": scored, learned as ham and as spam, retrained. */
static char *spell(GArray *steps)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < steps->len; i++) {
		const struct step *step = &g_array_index(steps, struct step, i);
		char letter = step->kind == STEP_SCORE ? 's'
			: step->kind == STEP_RETRAIN   ? 'r'
			: step->spam                   ? 'L'
						       : 'l';
		g_string_append_printf(text, "%s%c", i ? " " : "", letter);
		if (step->kind != STEP_RETRAIN)
			g_string_append_printf(text, "%zu", step->entry);
	}
	g_array_unref(steps);
	return g_string_free(text, FALSE);
}

static void check_steps(GArray *steps, const char *expected)
{
	char *text = spell(steps);

	ck_assert_str_eq(text, expected);
	g_free(text);
}

START_TEST(steps_are_in_order)
{
	struct corpus_entry entries[ENTRIES];
	struct corpus_index index = index_of(entries);

	index.count = 4;
	GArray *lessons = schedule_lessons(&index, 100, 0, 1);
	check_steps(schedule_online(&index, lessons, 0), "s0 l0 s1 L1 s2 l2 s3 L3");
	check_steps(schedule_online(&index, lessons, 2), "s0 s1 s2 l0 s3 L1");
	check_steps(schedule_online(&index, lessons, 4), "s0 s1 s2 s3");
	check_steps(schedule_held_out(&index, lessons, 1, false), "l0 L1 l2 s3");
	check_steps(schedule_held_out(&index, lessons, 2, true), "l0 L1 r s2 s3");
	check_steps(schedule_scores(&index), "s0 s1 s2 s3");
	const size_t folds[] = {0, 1, 0, 1};
	check_steps(schedule_fold(&index, lessons, folds, 1, true), "l0 l2 r s1 s3");
	g_array_unref(lessons);
}
END_TEST

START_TEST(a_label_comes_after_so_many_messages)
{
	struct corpus_entry entries[ENTRIES];
	struct corpus_index index = index_of(entries);
	size_t delay = (size_t)_i, scored = 0, taught = 0;
	GArray *lessons = schedule_lessons(&index, 100, 0, 1);
	GArray *steps = schedule_online(&index, lessons, delay);

	for (guint i = 0; i < steps->len; i++) {
		const struct step *step = &g_array_index(steps, struct step, i);
		if (step->kind == STEP_SCORE) {
			ck_assert_uint_eq(step->entry, scored++);
		} else {
			ck_assert_uint_eq(step->entry, taught++);
			ck_assert_uint_eq(scored, step->entry + 1 + delay);
		}
	}
	ck_assert_uint_eq(scored, ENTRIES);
	ck_assert_uint_eq(taught, delay < ENTRIES ? ENTRIES - delay : 0);
	g_array_unref(steps);
	g_array_unref(lessons);
}
END_TEST

START_TEST(an_index_may_say_when_labels_come)
{
	struct corpus_entry entries[ENTRIES];
	struct corpus_index index = index_of(entries);

	index.count = 4;
	entries[0].use = entries[1].use = CORPUS_SCORED;
	entries[2].use = CORPUS_LEARNED;
	GArray *lessons = schedule_lessons(&index, 100, 0, 1);
	check_steps(schedule_online(&index, lessons, 0), "s0 s1 l2 s3 L3");
	check_steps(schedule_scores(&index), "s0 s1 s3");
	g_array_unref(lessons);
}
END_TEST

START_TEST(wrong_labels_are_the_same_however_many_are_learned)
{
	struct corpus_entry entries[ENTRIES];
	struct corpus_index index = index_of(entries);
	GArray *all = schedule_lessons(&index, 100, 40, 5);
	GArray *some = schedule_lessons(&index, 50, 40, 5);
	size_t learned = 0, wrong = 0;

	for (guint i = 0; i < ENTRIES; i++) {
		const struct lesson *lesson = &g_array_index(all, struct lesson, i);
		ck_assert(lesson->learned);
		ck_assert(lesson->spam == g_array_index(some, struct lesson, i).spam);
		wrong += lesson->spam != entries[i].spam;
		learned += g_array_index(some, struct lesson, i).learned;
	}
	ck_assert(wrong > 0 && wrong < ENTRIES);
	ck_assert(learned > 0 && learned < ENTRIES);
	g_array_unref(all);
	g_array_unref(some);
}
END_TEST

/* --- Folds -------------------------------------------------------------------------------- */

static void check_fold(const struct corpus_index *index, const size_t *fold_of, size_t fold,
	size_t scored[ENTRIES])
{
	GArray *lessons = schedule_lessons(index, 100, 0, 1);
	GArray *steps = schedule_fold(index, lessons, fold_of, fold, false);

	ck_assert_uint_eq(steps->len, ENTRIES); /* each is either learned or scored */
	for (guint i = 0; i < steps->len; i++) {
		const struct step *step = &g_array_index(steps, struct step, i);
		ck_assert((step->kind == STEP_SCORE) == (fold_of[step->entry] == fold));
		scored[step->entry] += step->kind == STEP_SCORE;
	}
	g_array_unref(steps);
	g_array_unref(lessons);
}

/* The loop's index is the number of folds. */
START_TEST(folds_hold_each_message_once)
{
	struct corpus_entry entries[ENTRIES];
	struct corpus_index index = index_of(entries);
	/* As many groups as there may be folds; the largest has five. */
	const size_t groups[ENTRIES] = {0, 1, 0, 2, 3, 0, 4, 5, 0, 6, 0, 1};
	size_t fold_of[ENTRIES], scored[ENTRIES] = {0}, sizes[7] = {0}, folds = (size_t)_i;
	size_t largest = 0, smallest = ENTRIES;

	schedule_assign_folds(groups, ENTRIES, 7, folds, 9, fold_of);
	for (size_t i = 0; i < ENTRIES; i++) {
		ck_assert_uint_lt(fold_of[i], folds);
		sizes[fold_of[i]]++;
		for (size_t j = 0; j < i; j++)
			ck_assert(groups[i] != groups[j] || fold_of[i] == fold_of[j]);
	}
	for (size_t fold = 0; fold < folds; fold++) {
		largest = MAX(largest, sizes[fold]);
		smallest = MIN(smallest, sizes[fold]);
		check_fold(&index, fold_of, fold, scored);
	}
	ck_assert_uint_ge(smallest, 1);
	ck_assert_uint_le(largest - smallest, 5);
	for (size_t i = 0; i < ENTRIES; i++)
		ck_assert_uint_eq(scored[i], 1);
}
END_TEST

START_TEST(the_seed_says_which_folds)
{
	size_t groups[100], first[100], again[100], other[100], sizes[10] = {0};

	for (size_t i = 0; i < 100; i++)
		groups[i] = i;
	schedule_assign_folds(groups, 100, 100, 10, 1, first);
	schedule_assign_folds(groups, 100, 100, 10, 1, again);
	schedule_assign_folds(groups, 100, 100, 10, 2, other);
	ck_assert_mem_eq(first, again, sizeof(first));
	ck_assert_mem_ne(first, other, sizeof(first));
	for (size_t i = 0; i < 100; i++)
		sizes[first[i]]++;
	for (size_t fold = 0; fold < 10; fold++)
		ck_assert_uint_eq(sizes[fold], 10);
}
END_TEST

static void write_message(const struct corpus_entry *entry, int number)
{
	char *text = g_strdup_printf("Subject: %s %d\nMessage-ID: <%d@x.example>\n\n%s\n",
		entry->spam ? "cheap pills" : "our meeting", number, number,
		entry->spam ? "buy now and save" : "see you at noon");

	ck_assert(g_file_set_contents(entry->path, text, -1, NULL));
	g_free(text);
}

START_TEST(messages_that_are_the_same_are_in_one_fold)
{
	enum { FILES = 30 };
	struct corpus_entry entries[FILES];
	const struct corpus_index index = {.entries = entries, .count = FILES};
	struct evaluate_options options = {
		.labelled = 100, .folds = 3, .quiet = true, .settings = service_defaults()};
	struct evaluation evaluation;

	make_folder();
	for (int i = 0; i < FILES; i++) {
		entries[i] = (struct corpus_entry){.spam = i % 2,
			.user = (char *)(i < FILES / 2 ? "alice" : "bob"),
			.path = g_strdup_printf("%s/%d", folder, i)};
		write_message(&entries[i], i % (FILES / 2) / 2 * 2 + i % 2);
	}
	assert_ok(evaluate_run(&evaluation, &index, &options, &failure));
	ck_assert_uint_eq(evaluation.count, FILES);
	ck_assert(evaluation.messages[1].identity == evaluation.messages[15].identity);
	for (size_t i = 0; i < FILES; i++) {
		ck_assert_uint_eq(evaluation.messages[i].entry, i);
		ck_assert_uint_lt(evaluation.messages[i].fold, 3);
		for (size_t j = 0; j < i; j++)
			ck_assert(evaluation.messages[i].identity !=
					evaluation.messages[j].identity ||
				evaluation.messages[i].fold == evaluation.messages[j].fold);
	}
	evaluate_free(&evaluation);
	options.folds_by_user = true;
	ck_assert_int_eq(evaluate_run(&evaluation, &index, &options, &failure), STATUS_INVALID);
	options.folds = 2;
	assert_ok(evaluate_run(&evaluation, &index, &options, &failure));
	for (size_t i = 0; i < FILES; i++)
		ck_assert((evaluation.messages[i].fold == evaluation.messages[0].fold) ==
			(i < FILES / 2));
	evaluate_free(&evaluation);
	for (int i = 0; i < FILES; i++)
		g_free(entries[i].path);
	remove_folder();
}
END_TEST

/* --- Gray mail ---------------------------------------------------------------------------- */

START_TEST(gray_mail_and_the_best_single_opinion)
{
	struct gray gray;
	struct opinion opinions[] = {
		/* 7: three spam, one ham; called spam for all but user 3. */
		{7, 1, true, true},
		{7, 2, true, true},
		{7, 3, true, false},
		{7, 4, false, true},
		/* 8: one each, and everybody gets what he said. */
		{8, 1, true, true},
		{8, 2, false, false},
		/* Not gray: one user who changed his mind, one opinion, all of one mind. */
		{9, 5, true, true},
		{9, 5, false, true},
		{10, 1, true, false},
		{11, 1, false, false},
		{11, 2, false, false},
	};

	gray_measure(&gray, opinions, G_N_ELEMENTS(opinions));
	ck_assert_uint_eq(gray.messages, 2);
	ck_assert_uint_eq(gray.opinions, 6);
	ck_assert_uint_eq(gray.spam, 4);
	ck_assert_uint_eq(gray.ham_lost, 1);
	ck_assert_uint_eq(gray.spam_missed, 1);
	ck_assert_uint_eq(gray.minority, 2);
	ck_assert_uint_eq(gray.other_opinions, 5);
	ck_assert_uint_eq(gray.other_wrong, 2);
	gray_measure(&gray, opinions, 0);
	ck_assert_uint_eq(gray.messages + gray.opinions + gray.other_opinions, 0);
}
END_TEST

/* --- Users ---------------------------------------------------------------------------------- */

START_TEST(users_are_listed_and_summarised)
{
	enum { USERS = BY_USER_LISTED + 10, RESULTS = 3 * USERS + 5 };
	static struct result results[RESULTS];
	static size_t of[RESULTS];
	const struct user_numbers users = {.of = of, .count = USERS};
	struct by_user by_user;
	size_t at = 0;

	/* User 1 to 6 lose all three ham, the others none; user 9 has two messages more, nobody
	 * three spam. */
	for (size_t i = 0; i < USERS * 3; i++, at++) {
		of[at] = i % USERS + 1;
		results[at] = result_of(of[at] <= 6 ? 0.9 : 0.1, false);
	}
	for (size_t i = 0; i < 5; i++, at++) {
		of[at] = i < 2 ? 9 : 0;
		results[at] = result_of(0.9, true);
	}
	by_user_measure(&by_user, &users, results, at);
	ck_assert_uint_eq(by_user.listed_count, BY_USER_LISTED);
	ck_assert_uint_eq(by_user.listed[0].user, 9);
	ck_assert_uint_eq(by_user.listed[0].messages, 5);
	ck_assert_uint_eq(by_user.listed[0].spam, 2);
	ck_assert_double_eq(by_user.listed[0].values[METRIC_ROCA], 0);
	ck_assert_uint_eq(by_user.listed[1].user, 1);
	ck_assert_double_eq(by_user.listed[1].values[METRIC_HAM_LOST], 100);
	ck_assert_double_nan(by_user.listed[1].values[METRIC_SPAM_MISSED]);
	ck_assert_uint_eq(by_user.rest_count, 10);
	ck_assert_uint_eq(by_user.rest.messages, 30);
	ck_assert_double_eq(by_user.rest.values[METRIC_HAM_LOST], 0);
	ck_assert_uint_eq(by_user.nobody, 3);
	ck_assert_double_eq_tol(by_user.mean[METRIC_HAM_LOST], 10, 1e-9);
	ck_assert_double_eq_tol(by_user.worst[METRIC_HAM_LOST], 100, 1e-9);
	ck_assert_double_eq(by_user.mean[METRIC_SPAM_MISSED], 0);
}
END_TEST

START_TEST(users_are_numbered_and_cluster_when_they_are_many)
{
	struct corpus_entry entries[24];
	struct scored messages[24];
	char names[24][8];
	const struct corpus_index index = {.entries = entries, .count = 24};
	struct evaluation evaluation = {.messages = messages, .count = 24};
	struct user_numbers users;
	size_t cluster_count;

	for (size_t i = 0; i < 24; i++) {
		snprintf(names[i], sizeof(names[i]), "u%zu", i % 11);
		entries[i] = (struct corpus_entry){.user = i < 22 ? names[i] : (char *)""};
		messages[i] = (struct scored){.entry = i};
	}
	user_numbers_make(&users, &evaluation, &index);
	ck_assert_uint_eq(users.count, 11);
	ck_assert_uint_eq(users.of[3], users.of[14]);
	ck_assert_str_eq(users.names[users.of[3]], "u3");
	ck_assert_uint_eq(users.of[22], 0);
	size_t *clusters = user_numbers_clusters(&users, 24, &cluster_count);
	ck_assert_uint_eq(cluster_count, 13); /* nobody's two stand alone */
	ck_assert(clusters[3] == clusters[14] && clusters[22] != clusters[23]);
	ck_assert(clusters[22] < 13 && clusters[23] < 13);
	g_free(clusters);
	user_numbers_free(&users);
	evaluation.count = 9; /* of as many users: too few */
	user_numbers_make(&users, &evaluation, &index);
	ck_assert_ptr_null(user_numbers_clusters(&users, 9, &cluster_count));
	user_numbers_free(&users);
}
END_TEST

/* --- Results -------------------------------------------------------------------------------- */

START_TEST(results_are_lines_of_the_toolkit)
{
	struct corpus_entry entries[] = {
		{.path = (char *)"data/inmail.1", .user = (char *)""},
		{.path = (char *)"data/inmail.2", .spam = true, .user = (char *)"bob\tsmith"},
	};
	const struct corpus_index index = {.entries = entries, .count = 2};
	struct result results[] = {result_of(-2.5, false), result_of(0.25, true)};
	struct scored messages[] = {{.entry = 0}, {.entry = 1}};
	const struct evaluation evaluation = {.results = results, .messages = messages, .count = 2};
	char path[] = "/tmp/hamlet-results-XXXXXX", *text;

	close(mkstemp(path));
	assert_ok(results_write(path, &evaluation, &index, &failure));
	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert_str_eq(text,
		"file=data/inmail.1 judge=ham class=ham score=-2.500000 user= genre= runid=hamlet\n"
		"file=data/inmail.2 judge=spam class=ham score=0.250000 user=bob_smith genre= "
		"runid=hamlet\n");
	ck_assert_int_eq(
		results_write("/no/such/folder/x", &evaluation, &index, &failure), STATUS_IO);
	unlink(path);
	g_free(text);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("evaluate");
	TCase *tcase = tcase_create("evaluate");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, draws_are_splitmix64);
	tcase_add_test(tcase, interval_of_a_rate_is_the_binomial_one);
	tcase_add_test(tcase, interval_covers_the_truth_as_often_as_it_says);
	tcase_add_test(tcase, area_of_orders_that_no_resample_changes);
	tcase_add_test(tcase, what_a_resample_does_not_have_is_not_counted);
	tcase_add_test(tcase, messages_that_are_alike_make_intervals_wide);
	tcase_add_test(tcase, the_seed_says_which_resamples);
	tcase_add_test(tcase, differences_are_paired);
	tcase_add_test(tcase, the_better_one_is_named);
	tcase_add_test(tcase, steps_are_in_order);
	tcase_add_loop_test(tcase, a_label_comes_after_so_many_messages, 0, ENTRIES + 2);
	tcase_add_test(tcase, an_index_may_say_when_labels_come);
	tcase_add_test(tcase, wrong_labels_are_the_same_however_many_are_learned);
	tcase_add_loop_test(tcase, folds_hold_each_message_once, 2, 8);
	tcase_add_test(tcase, the_seed_says_which_folds);
	tcase_add_test(tcase, messages_that_are_the_same_are_in_one_fold);
	tcase_add_test(tcase, gray_mail_and_the_best_single_opinion);
	tcase_add_test(tcase, users_are_listed_and_summarised);
	tcase_add_test(tcase, users_are_numbered_and_cluster_when_they_are_many);
	tcase_add_test(tcase, results_are_lines_of_the_toolkit);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
