/* Many entries at once, withdrawals and erasures: nobody waits for more than a step, and
 * no scope grows without bounds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/made-generation.h"
#include "tests/unit/small-mail.h"
#include "tests/unit/store-verbs.h"

/* --- Doing --------------------------------------------------------------------------- */

static struct change *begin(const struct store_entry *entries, size_t count)
{
	struct change *change;

	assert_ok(change_entries(service, entries, count, AS_USER, &change, &failure));
	return change;
}

/* All steps; *steps = how many they were. */
static enum status finish(struct change *change, unsigned *steps, struct receipt *receipt)
{
	enum status status;

	*steps = 0;
	do {
		status = change_run(change, &failure);
		++*steps;
	} while (status == STATUS_OK && change_goes_on(change));
	*receipt = *change_receipt(change);
	change_end(service, &change);
	return status;
}

static enum status lay_all_down(const struct store_entry *entries, size_t count)
{
	struct receipt receipt;
	unsigned steps;

	return finish(begin(entries, count), &steps, &receipt);
}

static enum status note_value(void *context, const struct store_entry *entry)
{
	strcpy(context, entry->value);
	return STATUS_OK;
}

static const char *consent_of(const char *user)
{
	static char value[STORE_MAX_VALUE + 1];

	*value = '\0';
	assert_ok(store_entries(
		worker_reader(worker), user, ENTRY_CONSENT, note_value, value, &failure));
	return value;
}

/* Rows that are left over, as after an adoption. */
static void stage_rows(size_t count)
{
	struct store_token *tokens = g_new0(struct store_token, count);
	struct store_piece piece = {.tokens = tokens, .token_count = count};

	for (size_t i = 0; i < count; i++)
		tokens[i] = (struct store_token){.key = i + 1, .sum = 1, .gain = 1};
	assert_ok(bring_piece(store, &piece, &failure));
	g_free(tokens);
}

/* --- One call ------------------------------------------------------------------------ */

START_TEST(the_last_word_on_each_line_counts)
{
	static struct store_entry entries[10000];
	struct receipt receipt;
	unsigned steps;

	press("bob", 1, LABEL_SPAM);
	for (size_t i = 0; i < 10000; i++)
		entries[i] = (struct store_entry){"bob", ENTRY_CONSENT, "", "declined", 5};
	entries[5000].value = NULL;
	entries[9997] = (struct store_entry){"bob", ENTRY_LIST, "a@example.org", "block", 5};
	entries[9998] = (struct store_entry){"bob", ENTRY_CONSENT, "", "granted", 5};
	entries[9999] = (struct store_entry){"bob", ENTRY_LIST, "A@EXAMPLE.org", NULL, 5};
	assert_ok(finish(begin(entries, 10000), &steps, &receipt));
	ck_assert_uint_eq(steps, 1);
	ck_assert_int_eq(receipt.entries, 2);
	ck_assert_int_eq(receipt.reports, 0); /* granted all the same */
	ck_assert_str_eq(consent_of("bob"), "granted");
	ck_assert_uint_eq(count_entries("bob"), 1);
	entries[9998].value = "declined";
	assert_ok(finish(begin(entries, 10000), &steps, &receipt));
	ck_assert_uint_eq(steps, 1);
	ck_assert_int_eq(receipt.entries, 2);
	ck_assert_int_eq(receipt.reports, 1);
	ck_assert_str_eq(consent_of("bob"), "declined");
}
END_TEST

START_TEST(who_has_shared_nothing_costs_nothing)
{
	static const struct store_entry entries[] = {{"own", ENTRY_CONSENT, "", "declined", 5},
		{"bob", ENTRY_CONSENT, "", NULL, 5}, {"nobody", ENTRY_CONSENT, "", "declined", 5}};
	struct receipt receipt;
	unsigned steps;

	for (unsigned i = 0; i < 20; i++)
		press("ann", i, LABEL_SPAM);
	press_as("own", 1, LABEL_HAM, CONSENT_DECLINED, 1000);
	press("bob", 2, LABEL_HAM);
	assert_ok(lay_all_down(&entries[1], 1));
	press("ann", 21, LABEL_SPAM);
	size_t dirty = service_dirty(service);
	ck_assert_uint_gt(dirty, 0);
	for (int i = 0; i < 3; i++) { /* bob has nothing shared any more */
		assert_ok(finish(begin(&entries[i], 1), &steps, &receipt));
		ck_assert_uint_eq(steps, 1);
		ck_assert_int_eq(receipt.reports, 0);
		ck_assert_uint_eq(service_dirty(service), dirty); /* no checkpoint */
	}
	ck_assert_str_eq(consent_of("own"), "declined");
	assert_exact();
}
END_TEST

START_TEST(each_user_is_taken_out_in_a_step)
{
	static const struct store_entry entries[] = {{"ann", ENTRY_CONSENT, "", "declined", 5},
		{"bob", ENTRY_CONSENT, "", "declined", 5},
		{"cid", ENTRY_CONSENT, "", "declined", 5},
		{"own", ENTRY_CONSENT, "", "declined", 5},
		{"ann", ENTRY_LIST, "example.org", "block", 5}};
	struct receipt receipt;
	unsigned steps;

	for (unsigned i = 0; i < 40; i++)
		press(i % 4 == 0             ? "ann"
				: i % 4 == 1 ? "bob"
				: i % 4 == 2 ? "cid"
					     : "dan",
			i, LABEL_SPAM);
	struct change *change = begin(entries, 5);
	assert_ok(change_run(change, &failure));
	ck_assert(change_goes_on(change));
	ck_assert_uint_eq(count_entries("ann") + count_entries("own"), 3); /* all but consents */
	press("bob", 50, LABEL_SPAM); /* batches come between */
	if (_i) {
		service_stop(service);
		ck_assert_int_eq(finish(change, &steps, &receipt), STATUS_INTERRUPTED);
		ck_assert_int_eq(receipt.reports, 10); /* the step before */
	} else {
		assert_ok(finish(change, &steps, &receipt));
		ck_assert_uint_eq(steps, 2);
		ck_assert_int_eq(receipt.reports, 31);
		ck_assert_int_eq(receipt.entries, 5);
		ck_assert_str_eq(consent_of("ann"), "declined");
	}
	assert_exact();
}
END_TEST

/* --- What lies about ------------------------------------------------------------------ */

START_TEST(former_rows_are_cleared_in_pieces_before)
{
	static const struct store_entry declined = {"bob", ENTRY_CONSENT, "", "declined", 5};
	struct change *change;
	struct receipt receipt;
	unsigned steps;

	for (unsigned i = 0; i < 40; i++)
		press(i % 2 ? "ann" : "bob", i, LABEL_SPAM);
	stage_rows(12000);
	if (_i == 0)
		change = begin(&declined, 1);
	else
		assert_ok(change_erase(service, "bob", &change, &failure));
	assert_ok(change_run(change, &failure));
	ck_assert(change_goes_on(change));
	press("bob", 60, LABEL_SPAM);
	if (_i == 2) {
		service_stop(service);
		ck_assert_int_eq(finish(change, &steps, &receipt), STATUS_INTERRUPTED);
		ck_assert_int_eq(receipt.reports, 0);
	} else {
		assert_ok(finish(change, &steps, &receipt));
		ck_assert_uint_gt(steps, 1);
		ck_assert_int_eq(receipt.reports, 21); /* what came meanwhile, too */
		ck_assert(receipt.compacted == (_i == 1));
	}
	assert_exact();
}
END_TEST

/* Of 3,000 words that no other has. */
static void press_long(const char *user, unsigned number)
{
	const struct press_info info = {.user = user,
		.event = {.kind = EVENT_TOLD, .label = LABEL_SPAM},
		.consent = CONSENT_GRANTED,
		.time = 1000};
	GString *text = g_string_new("Subject: long\n\n");

	for (unsigned i = 0; i < 3000; i++)
		g_string_append_printf(text, "word%u ", number * 3000 + i);
	press_text(&info, text->str, text->len);
	g_string_free(text, TRUE);
}

START_TEST(changed_rows_are_written_in_pieces_before)
{
	static const struct store_entry declined = {"bob", ENTRY_CONSENT, "", "declined", 5};
	struct receipt receipt;
	unsigned steps;

	press("ann", 1, LABEL_SPAM);
	assert_ok(service_checkpoint(service, &failure)); /* the first one is written whole */
	press("bob", 2, LABEL_SPAM);
	for (unsigned i = 0; i < 4; i++)
		press_long("ann", i);
	size_t dirty = service_dirty(service);
	ck_assert_uint_gt(dirty, 10000);
	struct change *change = begin(&declined, 1);
	assert_ok(change_run(change, &failure));
	ck_assert(change_goes_on(change));
	ck_assert_uint_gt(service_dirty(service), 0); /* not all at once */
	ck_assert_uint_lt(service_dirty(service), dirty);
	for (unsigned i = 4; i < 8; i++)
		press_long("eve", i);
	assert_ok(finish(change, &steps, &receipt)); /* does not wait for those */
	ck_assert_uint_gt(steps, 1);
	ck_assert_int_eq(receipt.reports, 1);
	assert_exact();
}
END_TEST

START_TEST(no_adoption_takes_over_what_has_gaps)
{
	const char *challenger = in_folder("challenger");
	struct change *erasure, *change;
	struct receipt receipt;
	unsigned steps;
	enum status status = STATUS_OK;

	for (unsigned i = 0; i < 40; i++)
		press(i % 2 ? "ann" : "bob", i, LABEL_SPAM);
	assert_ok(write_made_generation(worker_reader(worker), 1000, "eve", challenger, &failure));
	assert_ok(change_adopt(service, challenger, NULL, &change, &failure));
	assert_ok(change_prepare(change, worker, &failure));
	while (change_is_patient(change))
		assert_ok(change_run(change, &failure)); /* all is staged */
	stage_rows(12000);
	assert_ok(change_erase(service, "bob", &erasure, &failure));
	assert_ok(change_run(erasure, &failure));
	ck_assert(change_goes_on(erasure)); /* bob is there, the stage has gaps */
	status = change_run(change, &failure);
	ck_assert_int_eq(status, STATUS_BUSY);
	assert_ok(finish(erasure, &steps, &receipt));
	ck_assert_int_eq(receipt.reports, 20);
	assert_ok(change_prepare(change, worker, &failure));
	assert_ok(finish(change, &steps, &receipt));
	assert_exact();
}
END_TEST

/* --- Limits ---------------------------------------------------------------------------- */

static const char *const SCOPES[] = {"bob", "@example.org", ""};

/* Entries "sN.example", N from `first` on; to be freed. */
static struct store_entry *many(
	const char *scope, size_t first, size_t count, const char *value, GStringChunk *names)
{
	struct store_entry *entries = g_new0(struct store_entry, count);
	char name[32];

	for (size_t i = 0; i < count; i++) {
		sprintf(name, "s%zu.example", first + i);
		entries[i] = (struct store_entry){
			scope, ENTRY_LIST, g_string_chunk_insert(names, name), value, 5};
	}
	return entries;
}

/* What can be laid down beside a full scope, and what cannot. */
static void assert_full(const char *scope, size_t most)
{
	const struct store_entry one_more[] = {{scope, ENTRY_POLICY, "junk-score", "4", 5},
		{scope, ENTRY_LIST, "s5.example", NULL, 5},
		{scope, ENTRY_LIST, "x.example", "block", 5},
		{scope, ENTRY_LIST, "y.example", "block", 5}};
	const struct store_entry again[] = {{scope, ENTRY_LIST, "s7.example", "allow", 5},
		{scope, ENTRY_LIST, "s3.example", "block", 5},
		{scope, ENTRY_POLICY, "junk-score", "4", 5}};

	ck_assert_int_eq(lay_all_down(one_more, 4), STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(failure.detail, *scope ? scope : "the site"));
	ck_assert_uint_eq(count_entries(scope), most); /* nothing of it was taken */
	ck_assert_int_eq(lay_all_down(&one_more[2], 1), STATUS_LIMIT);
	assert_ok(lay_all_down(again, 3));
	assert_ok(lay_all_down(&one_more[1], 2)); /* one goes, one comes */
	ck_assert_int_eq(lay_all_down(&one_more[3], 1), STATUS_LIMIT);
	ck_assert_uint_eq(count_entries(scope), most + 1);
}

START_TEST(a_scope_has_a_limit)
{
	const char *scope = SCOPES[_i];
	const struct store_entry consent = {"bob", ENTRY_CONSENT, "", "declined", 5};
	GStringChunk *names = g_string_chunk_new(4096);
	size_t most = entries_most(scope);
	struct store_entry *all = many(scope, 0, most + 1, "block", names);

	ck_assert_uint_eq(most, _i == 0 ? 10000 : 100000);
	ck_assert_int_eq(lay_all_down(all, most + 1), STATUS_LIMIT);
	ck_assert_uint_eq(count_entries(scope), 0);
	assert_ok(lay_all_down(all, most - 1));
	assert_ok(lay_all_down(&all[most - 1], 1));
	assert_full(scope, most);
	assert_ok(lay_all_down(&consent, 1)); /* is asked for nevertheless */
	ck_assert_str_eq(consent_of("bob"), "declined");
	for (size_t i = 0; i < most; i++)
		all[i].value = NULL;
	assert_ok(lay_all_down(all, most));
	ck_assert_uint_lt(count_entries(scope), 4);
	g_free(all);
	g_string_chunk_free(names);
}
END_TEST

/* As of a version that had no limit. */
START_TEST(what_is_too_much_already_may_shrink)
{
	GStringChunk *names = g_string_chunk_new(4096);
	struct store_entry *all = many("bob", 0, 10100, "block", names);

	assert_ok(put_entries(store, all, 10100, &failure));
	all[3].value = "allow";
	assert_ok(lay_all_down(&all[3], 1));
	all[4].value = NULL;
	all[5].name = "x.example";
	assert_ok(lay_all_down(&all[4], 2)); /* an exchange */
	all[6].name = "y.example";
	ck_assert_int_eq(lay_all_down(&all[6], 1), STATUS_LIMIT);
	ck_assert_uint_eq(count_entries("bob"), 10100);
	g_free(all);
	g_string_chunk_free(names);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_last_word_on_each_line_counts);
	tcase_add_test(tcase, who_has_shared_nothing_costs_nothing);
	tcase_add_loop_test(tcase, each_user_is_taken_out_in_a_step, 0, 2);
	tcase_add_test(tcase, changed_rows_are_written_in_pieces_before);
	tcase_add_loop_test(tcase, a_scope_has_a_limit, 0, 3);
	tcase_add_test(tcase, what_is_too_much_already_may_shrink);
}

static Suite *suite(void)
{
	Suite *suite = suite_create("change");
	TCase *memory = tcase_create("memory"), *file = tcase_create("sqlite");

	tcase_add_checked_fixture(memory, setup_memory, teardown);
	add_tests(memory);
	suite_add_tcase(suite, memory);
	tcase_add_checked_fixture(file, setup_file, teardown);
	add_tests(file);
	tcase_add_loop_test(file, former_rows_are_cleared_in_pieces_before, 0, 3);
	tcase_add_test(file, no_adoption_takes_over_what_has_gaps);
	suite_add_tcase(suite, file);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
