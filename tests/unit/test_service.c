/* The use cases, over the store in memory: a press moves its user's verdict at
 * once, nobody else's; undo is exact; the journal alone rebuilds everything.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/service/query/private.h" /* what a query holds is nobody else's business */
#include "tests/unit/fixture.h"
#include "tests/unit/store-verbs.h"

static uint64_t random_state;
static const char *const user_bob = "bob";

static void setup(void)
{
	random_state = 3;
	setup_memory();
}

static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

/* A message of some words that all share, and some of its own. */
static const char *message(unsigned number)
{
	static char text[1024];
	size_t used = (size_t)sprintf(text,
		"From: sender%u@example.com\nSubject: message %u\nMessage-ID: <%u@example.com>\n\n"
		"common words in every message",
		number % 5, number, number);

	for (unsigned i = 0; i < 30; i++)
		used += (size_t)sprintf(text + used, " word%u", (number * 31 + i * 7) % 200);
	return text;
}

static struct answer press_with(
	const char *user, unsigned number, enum label label, enum consent consent)
{
	const char *text = message(number);
	const struct press_info info = {
		.user = user, .event = {.label = label}, .consent = consent, .time = 1000};

	return press_text(&info, text, strlen(text));
}

static enum outcome press(const char *user, unsigned number, enum label label)
{
	return press_with(user, number, label, CONSENT_DEFAULT).outcome;
}

static struct verdict score(const char *user, unsigned number)
{
	const char *text = message(number);

	return judge_text(user, text, strlen(text));
}

/* Teaches global the odd messages as spam. */
static void teach_global(void)
{
	for (unsigned i = 0; i < 60; i++)
		press("", i, i % 2 ? LABEL_SPAM : LABEL_HAM);
}

START_TEST(nothing_known_is_not_spam)
{
	struct verdict verdict = score("bob", 1);

	ck_assert(!verdict.spam);
	ck_assert(!verdict.personal);
	ck_assert_double_eq(verdict.probability, 0.5);
	ck_assert_uint_gt(verdict.tokens, 30);
	ck_assert_uint_eq(verdict.known, 0);
}
END_TEST

START_TEST(a_press_flips_its_user_at_once_and_nobody_else)
{
	teach_global();
	for (unsigned i = 0; i < 20; i++) {
		char user[32];
		sprintf(user, "alice%u", i);
		struct verdict alice = score(user, i), bob = score("bob", i);
		ck_assert_double_eq(alice.score, bob.score);
		ck_assert_int_eq(press(user, i, alice.spam ? LABEL_HAM : LABEL_SPAM), OUTCOME_NEW);
		ck_assert(score(user, i).spam != alice.spam);
		ck_assert(score(user, i).personal);
		ck_assert_double_eq(score("bob", i).score, bob.score);
		ck_assert_double_eq(score("", i).score, bob.score);
	}
}
END_TEST

START_TEST(score_and_verdict_agree)
{
	teach_global();
	for (unsigned i = 0; i < 100; i++) {
		struct verdict verdict = score("", i);
		ck_assert(verdict.spam == (verdict.score >= verdict.threshold));
		ck_assert(verdict.spam == (verdict.probability >= settings.junk_probability));
		ck_assert_double_eq(verdict.threshold, 5);
	}
}
END_TEST

START_TEST(outcomes_of_a_sequence)
{
	ck_assert_int_eq(press("bob", 1, LABEL_FORGET), OUTCOME_UNKNOWN);
	ck_assert_int_eq(press("bob", 1, LABEL_SPAM), OUTCOME_NEW);
	double once = score("bob", 1).score;
	ck_assert_int_eq(press("bob", 1, LABEL_SPAM), OUTCOME_REPEAT);
	ck_assert_double_eq(score("bob", 1).score, once);
	ck_assert_int_eq(press("bob", 1, LABEL_HAM), OUTCOME_FLIP);
	ck_assert(!score("bob", 1).spam);
	ck_assert_int_eq(press("eve", 1, LABEL_HAM), OUTCOME_NEW);
	ck_assert_int_eq(press("bob", 1, LABEL_FORGET), OUTCOME_FORGOTTEN);
	ck_assert_int_eq(press("bob", 1, LABEL_FORGET), OUTCOME_UNKNOWN);
	ck_assert_double_eq(score("bob", 1).score, score("", 1).score);
	ck_assert_int_eq(press("bob", 1, LABEL_HAM), OUTCOME_NEW);
}
END_TEST

START_TEST(consent_decides_what_global_learns)
{
	double before = score("", 1).log_odds;
	struct answer answer = press_with("bob", 1, LABEL_SPAM, CONSENT_DEFAULT);

	ck_assert(!answer.taught_global && answer.ask_consent);
	answer = press_with("eve", 1, LABEL_SPAM, CONSENT_DECLINED);
	ck_assert(!answer.taught_global && answer.ask_consent);
	ck_assert_double_eq(score("", 1).log_odds, before);
	answer = press_with("ann", 1, LABEL_SPAM, CONSENT_GRANTED);
	ck_assert(answer.taught_global && !answer.ask_consent);
	ck_assert_double_gt(score("", 1).log_odds, before);
	answer = press_with("", 2, LABEL_SPAM, CONSENT_DECLINED);
	ck_assert(answer.taught_global);
	settings.default_consent = true;
	assert_ok(service_configure(service, &settings, &failure));
	ck_assert(press_with("bob", 3, LABEL_SPAM, CONSENT_DEFAULT).taught_global);
}
END_TEST

/* What every message scores for a user, as one number that any change moves. */
static void score_all(const char *user, double scores[40])
{
	for (unsigned i = 0; i < 40; i++)
		scores[i] = score(user, i).log_odds;
}

START_TEST(global_undo_is_exact)
{
	double before[40], after[40];

	teach_global();
	score_all("", before);
	for (unsigned i = 0; i < 30; i++)
		press_with("ann", i, i % 3 ? LABEL_SPAM : LABEL_HAM, CONSENT_GRANTED);
	for (unsigned i = 0; i < 30; i += 2)
		press_with("ann", i, i % 3 ? LABEL_HAM : LABEL_SPAM, CONSENT_GRANTED);
	for (unsigned i = 0; i < 30; i++)
		ck_assert_int_eq(press("ann", (i * 7) % 30, LABEL_FORGET), OUTCOME_FORGOTTEN);
	score_all("", after);
	ck_assert_mem_eq(before, after, sizeof(before));
	score_all("ann", after);
	ck_assert_mem_eq(before, after, sizeof(before));
}
END_TEST

/* Must show 5 of the foundation: any sequence equals its final labels alone. */
START_TEST(random_presses_equal_their_final_labels)
{
	enum { MESSAGES = 12, STEPS = 80 };
	double after[40], expected[40];

	teach_global();
	for (int round = 0; round < 20; round++) {
		enum label labels[MESSAGES] = {0};
		int last[MESSAGES] = {0};
		char user[32], other[32];

		sprintf(user, "user%d", round);
		sprintf(other, "other%d", round);
		for (int step = 1; step <= STEPS; step++) {
			unsigned which = (unsigned)next_random(MESSAGES);
			enum label label = (enum label)next_random(3);
			enum outcome outcome = press(user, which, label);
			if (outcome != OUTCOME_REPEAT && outcome != OUTCOME_UNKNOWN)
				last[which] = step;
			labels[which] = label;
			if (next_random(20) == 0)
				reopen_service();
		}
		for (int step = 1; step <= STEPS; step++) {
			for (unsigned i = 0; i < MESSAGES; i++) {
				if (last[i] == step && labels[i] != LABEL_FORGET)
					press(other, i, labels[i]);
			}
		}
		score_all(user, after);
		score_all(other, expected);
		ck_assert_mem_eq(after, expected, sizeof(after));
	}
}
END_TEST

START_TEST(a_restart_changes_no_score)
{
	double before[40], after[40];

	teach_global();
	press("bob", 1, LABEL_SPAM);
	press_with("ann", 2, LABEL_SPAM, CONSENT_GRANTED);
	score_all("bob", before);
	reopen_service(); /* from the journal alone */
	score_all("bob", after);
	ck_assert_mem_eq(before, after, sizeof(before));
	assert_ok(service_checkpoint(service, &failure));
	ck_assert_uint_eq(service_dirty(service), 0);
	press_with("ann", 2, LABEL_HAM, CONSENT_GRANTED);
	score_all("bob", before);
	reopen_service(); /* from rows and the journal after them */
	score_all("bob", after);
	ck_assert_mem_eq(before, after, sizeof(before));
}
END_TEST

static void write_piece(unsigned number)
{
	assert_ok(service_checkpoint_some(service, 5, &failure));
	press_with(
		"ann", 10 + number % 20, number % 3 ? LABEL_FORGET : LABEL_SPAM, CONSENT_GRANTED);
}

static void assert_reopens_alike(void)
{
	double before[40], after[40];

	score_all("bob", before);
	reopen_service();
	score_all("bob", after);
	ck_assert_mem_eq(before, after, sizeof(before));
}

/* Reports come between the pieces of a checkpoint, and it begins anew after a restart: the
 * rows, each range with the reports that it includes, and the journal give the same. */
START_TEST(a_restart_within_a_checkpoint_changes_no_score)
{
	unsigned pieces = 0;

	teach_global();
	assert_ok(service_checkpoint(service, &failure));
	for (unsigned i = 0; i < 20; i++)
		press_with("ann", 10 + i, i % 2 ? LABEL_SPAM : LABEL_HAM, CONSENT_GRANTED);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i <= round; i++)
			write_piece(pieces++);
		ck_assert(service_checkpoint_goes_on(service));
		assert_reopens_alike();
		ck_assert(!service_checkpoint_goes_on(service));
	}
	do {
		write_piece(pieces++);
	} while (service_checkpoint_goes_on(service));
	assert_reopens_alike();
}
END_TEST

START_TEST(a_batch_counts_each_press_in_order)
{
	static const enum label labels[] = {
		LABEL_SPAM, LABEL_SPAM, LABEL_HAM, LABEL_FORGET, LABEL_FORGET, LABEL_SPAM};
	static const enum outcome expected[] = {OUTCOME_NEW, OUTCOME_REPEAT, OUTCOME_FLIP,
		OUTCOME_FORGOTTEN, OUTCOME_UNKNOWN, OUTCOME_NEW};
	struct press *presses[6];
	struct batch *batch;
	const char *text = message(1);
	double once;

	press_with("eve", 1, LABEL_SPAM, CONSENT_GRANTED);
	once = score("", 1).log_odds;
	press_with("eve", 1, LABEL_FORGET, CONSENT_GRANTED);
	for (size_t i = 0; i < 6; i++) {
		const struct press_info info = {.user = "bob",
			.event = {.label = labels[i]},
			.consent = CONSENT_GRANTED,
			.time = 1};
		assert_ok(press_new(service, &info, &presses[i], &failure));
		assert_ok(press_run(presses[i], worker, text, strlen(text), &failure));
	}
	assert_ok(batch_begin(service, presses, 6, &batch, &failure));
	assert_ok(batch_run(batch, &failure));
	batch_end(service, &batch);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_int_eq(press_answer(presses[i])->outcome, expected[i]);
		press_free(&presses[i]);
	}
	ck_assert_double_eq(score("", 1).log_odds, once);
}
END_TEST

START_TEST(a_query_that_began_before_a_press_leaves_nothing_stale)
{
	struct query *query;
	const char *text = message(1);

	press("bob", 2, LABEL_SPAM);
	assert_ok(query_begin(service, &user_bob, 1, false, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	press("bob", 1, LABEL_SPAM);
	query_end(service, &query);
	ck_assert(score("bob", 1).spam);
}
END_TEST

START_TEST(only_the_newest_reports_of_a_user_count)
{
	settings.user_reports = 3;
	assert_ok(service_configure(service, &settings, &failure));
	for (unsigned i = 0; i < 10; i++)
		press("bob", i, LABEL_SPAM);
	for (unsigned i = 7; i < 10; i++)
		press("eve", i, LABEL_SPAM);
	ck_assert_double_eq(score("bob", 1).log_odds, score("eve", 1).log_odds);
}
END_TEST

START_TEST(the_cache_keeps_its_budget)
{
	struct service_stats stats;
	char user[16];

	settings.user_cache_bytes = 100000;
	assert_ok(service_configure(service, &settings, &failure));
	for (unsigned i = 0; i < 200; i++) {
		sprintf(user, "user%u", i);
		press(user, i, LABEL_SPAM);
		ck_assert(score(user, i).spam);
	}
	service_read_stats(service, &stats);
	ck_assert_uint_le(stats.cached_bytes, settings.user_cache_bytes);
	ck_assert_uint_gt(stats.cached_users, 3);
	ck_assert(score("user0", 0).spam);
}
END_TEST

enum { CROWD = 40, CROWD_REPORTS = 12 };

/* Users with reports of their own, two of a domain with a list after two without. */
static const char *member(unsigned number)
{
	static char user[CROWD][48];

	if (number % 4 < 2)
		sprintf(user[number], "user%u", number);
	else
		sprintf(user[number], "user%u@d%u.example", number, number % 4);
	return user[number];
}

static const char **make_crowd(void)
{
	static const char *users[CROWD];

	for (unsigned i = 0; i < CROWD; i++) {
		users[i] = member(i);
		for (unsigned k = 0; k < CROWD_REPORTS; k++)
			press(users[i], i * CROWD_REPORTS + k, k % 2 ? LABEL_HAM : LABEL_SPAM);
	}
	const struct store_entry entry = {.scope = "@d2.example",
		.kind = ENTRY_LIST,
		.name = "sender1@example.com",
		.value = "block",
		.time = 1000};
	assert_ok(put_entries(store, &entry, 1, &failure));
	return users;
}

/* Bytes of the stores that a query has folded and not handed over. */
static size_t held_by(const struct query *query)
{
	size_t bytes = 0;

	for (size_t i = 0; i < query->count; i++) {
		const struct recipient *recipient = &query->recipients[i];
		bytes += recipient->fold ? user_fold_bytes(recipient->fold) : 0;
		bytes += recipient->domain_fold ? user_fold_bytes(recipient->domain_fold) : 0;
	}
	return bytes;
}

static void assert_equal(const struct verdict *one, const struct verdict *other)
{
	ck_assert_double_eq(one->score, other->score);
	ck_assert_double_eq(one->log_odds, other->log_odds);
	ck_assert_double_eq(one->threshold, other->threshold);
	ck_assert_double_eq(one->own_shift, other->own_shift);
	ck_assert_int_eq(one->action, other->action);
	ck_assert_int_eq(one->personal, other->personal);
	ck_assert_int_eq(one->match.scope, other->match.scope);
	ck_assert_uint_eq(one->known, other->known);
}

/* With no room at all, with room for some, and with room for all. */
START_TEST(a_query_holds_a_share_of_the_cache_and_judges_all_the_same)
{
	static const size_t caches[] = {0, 4000000, 1000000000};
	const char **users = make_crowd(), *text = message(1);
	struct service_stats stats;
	struct query *query;
	size_t listed = 0;

	settings.user_cache_bytes = caches[_i];
	assert_ok(service_configure(service, &settings, &failure));
	reopen_service();
	assert_ok(query_begin(service, users, CROWD, true, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	ck_assert(!query_goes_on(query));
	size_t first = user_fold_bytes(query->recipients[0].fold);
	size_t held = held_by(query), room = caches[_i] / 4;
	ck_assert_uint_gt(query_verdict(query, 0)->reason_count, 0);
	ck_assert_uint_le(held, room > first ? room : first);
	ck_assert_uint_eq(held, query->held);
	if (_i == 1)
		ck_assert_uint_gt(held, room / 4); /* that room is made use of */
	for (unsigned i = 0; i < CROWD; i++) {
		struct verdict alone = score(users[i], 1);
		assert_equal(query_verdict(query, i), &alone);
		ck_assert(alone.personal);
		listed += alone.match.scope == LIST_DOMAIN;
	}
	ck_assert_uint_eq(listed, CROWD / 4);
	query_end(service, &query);
	service_read_stats(service, &stats);
	ck_assert_uint_le(stats.cached_bytes, caches[_i]);
}
END_TEST

/* What others have in the cache stays when a message to many comes. */
START_TEST(a_message_to_many_leaves_the_cache_to_others)
{
	const char **users = make_crowd(), *ann = "ann", *text;
	struct service_stats before, after;
	struct query *query;

	press(ann, 1, LABEL_SPAM);
	score(ann, 1);
	service_read_stats(service, &before);
	settings.user_cache_bytes = before.cached_bytes * 10;
	assert_ok(service_configure(service, &settings, &failure));
	score(ann, 1);
	text = message(1);
	assert_ok(query_begin(service, users, CROWD, false, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	query_end(service, &query);
	assert_ok(query_begin(service, &ann, 1, false, &query, &failure));
	ck_assert(query_is_warm(query));
	query_end(service, &query);
	service_read_stats(service, &after);
	ck_assert_uint_le(after.cached_bytes, settings.user_cache_bytes);
}
END_TEST

/* Recipients with much to read are judged in several goes, between which the query
 * holds nothing; the verdicts are those of single queries. */
START_TEST(a_query_that_reads_much_goes_on)
{
	enum { REPORTS = 300, MANY = 20 };
	static char names[MANY][16];
	const char *users[MANY], *text;
	struct verdict verdicts[MANY];
	struct query *query;
	size_t goes = 0, judged = 0;

	for (unsigned i = 0; i < MANY; i++) {
		sprintf(names[i], "user%u", i);
		users[i] = names[i];
		for (unsigned k = 0; k < REPORTS; k++)
			press(users[i], k, (k + i) % 3 ? LABEL_HAM : LABEL_SPAM);
	}
	reopen_service();
	text = message(1);
	assert_ok(query_begin(service, users, MANY, true, &query, &failure));
	do {
		assert_ok(query_run(query, worker, text, strlen(text), &failure));
		ck_assert_uint_gt(query->judged, judged);
		ck_assert_uint_le(query->judged - judged, 2000 / REPORTS + 1);
		judged = query->judged;
		query_hand_over(service, query);
		ck_assert_uint_eq(held_by(query), 0);
		goes++;
	} while (query_goes_on(query));
	ck_assert_uint_eq(goes, 3);
	double sum = query_verdict(query, 0)->bias;
	for (size_t i = 0; i < query_verdict(query, 0)->reason_count; i++)
		sum += query_verdict(query, 0)->reasons[i].everybody +
			query_verdict(query, 0)->reasons[i].own;
	ck_assert_double_eq_tol(sum, query_verdict(query, 0)->margin, 1e-9);
	for (unsigned i = 0; i < MANY; i++)
		verdicts[i] = *query_verdict(query, i);
	query_end(service, &query);
	for (unsigned i = 0; i < MANY; i++) {
		struct verdict alone = score(users[i], 1);
		assert_equal(&verdicts[i], &alone);
	}
}
END_TEST

START_TEST(reasons_add_up_to_the_margin)
{
	struct query *query;
	const char *text = message(1);

	teach_global();
	press("bob", 1, LABEL_HAM);
	assert_ok(query_begin(service, &user_bob, 1, true, &query, &failure));
	assert_ok(query_run(query, worker, text, strlen(text), &failure));
	const struct verdict *verdict = query_verdict(query, 0);
	double sum = verdict->bias, last = INFINITY;
	bool subject = false;
	for (size_t i = 0; i < verdict->reason_count; i++) {
		const struct reason *reason = &verdict->reasons[i];
		sum += reason->everybody + reason->own;
		ck_assert_double_le(fabs(reason->everybody + reason->own), last);
		last = fabs(reason->everybody + reason->own);
		subject |= strcmp(reason->field, "subject") == 0 &&
			strcmp(reason->text, "message") == 0;
	}
	ck_assert_double_eq_tol(sum, verdict->margin, 1e-9);
	ck_assert(subject);
	query_end(service, &query);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
	char name[STORE_MAX_USER + 2];
	struct query *query;
	struct press *one;

	memset(name, 'u', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(query_begin(service, NULL, 0, false, &query, &failure), STATUS_INVALID);
	ck_assert_ptr_null(query);
	const struct press_info bad = {.user = name}, domain = {.user = "@example.org"},
				control = {.user = "bo\x01b"},
				good = {.user = "bob", .event = {.label = LABEL_SPAM}};
	ck_assert_int_eq(press_new(service, &bad, &one, &failure), STATUS_INVALID);
	ck_assert_int_eq(press_new(service, &domain, &one, &failure), STATUS_INVALID);
	ck_assert_int_eq(press_new(service, &control, &one, &failure), STATUS_INVALID);
	ck_assert_ptr_null(one);
	assert_ok(press_new(service, &good, &one, &failure));
	ck_assert_int_eq(press_run(one, worker, "", 0, &failure), STATUS_INVALID);
	press_free(&one);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("service");
	TCase *tcase = tcase_create("service");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, nothing_known_is_not_spam);
	tcase_add_test(tcase, a_press_flips_its_user_at_once_and_nobody_else);
	tcase_add_test(tcase, score_and_verdict_agree);
	tcase_add_test(tcase, outcomes_of_a_sequence);
	tcase_add_test(tcase, consent_decides_what_global_learns);
	tcase_add_test(tcase, global_undo_is_exact);
	tcase_add_test(tcase, random_presses_equal_their_final_labels);
	tcase_add_test(tcase, a_restart_changes_no_score);
	tcase_add_test(tcase, a_restart_within_a_checkpoint_changes_no_score);
	tcase_add_test(tcase, a_batch_counts_each_press_in_order);
	tcase_add_test(tcase, a_query_that_began_before_a_press_leaves_nothing_stale);
	tcase_add_test(tcase, only_the_newest_reports_of_a_user_count);
	tcase_add_test(tcase, the_cache_keeps_its_budget);
	tcase_add_loop_test(
		tcase, a_query_holds_a_share_of_the_cache_and_judges_all_the_same, 0, 3);
	tcase_add_test(tcase, a_message_to_many_leaves_the_cache_to_others);
	tcase_add_test(tcase, a_query_that_reads_much_goes_on);
	tcase_add_test(tcase, reasons_add_up_to_the_margin);
	tcase_add_test(tcase, bad_arguments_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
