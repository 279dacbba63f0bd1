/* What every store promises of rows: checkpoints and generations.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/conformance/fixture.h"

START_TEST(checkpoints_replace_rows_and_strip_the_dead)
{
	const struct store_token first[] = {
		{1, 5 * STORE_UNIT, 2 * STORE_UNIT}, {STORE_BODY_BIT | 2, -STORE_UNIT, STORE_UNIT}};
	const struct store_token second[] = {{1, 0, 0}, {7, 1.5, 8}};
	struct store_checkpoint checkpoint = {.bias_sum = -3 * STORE_UNIT, .bias_gain = 9};
	double sums[3] = {0};

	open_driver(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	checkpoint.seq = append("bob", 2, LABEL_FORGET);
	int64_t later = append("bob", 3, LABEL_HAM);
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 4 * 5);
	assert_ok(write_checkpoint(store, first, 2, &checkpoint, &failure));
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 2 * 5); /* the flip and the one after */
	checkpoint.seq = later;
	assert_ok(write_checkpoint(store, second, 2, &checkpoint, &failure));
	reopen();
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[0], 1.5 - STORE_UNIT);
	ck_assert_double_eq(sums[1], 8 + STORE_UNIT);
	ck_assert_double_eq(sums[2], 2);
	struct store_checkpoint found;
	assert_ok(read_checkpoint(reader, &found, &failure));
	ck_assert_mem_eq(&found, &checkpoint, sizeof(found));
	ck_assert_str_eq(user_reports("bob", 9), "1:1 3:1 ");
}
END_TEST

/* Rows of some ranges may be ahead; nothing is stripped for their sake. */
START_TEST(a_checkpoint_may_be_ahead_in_ranges)
{
	const struct store_token row = {STORE_BODY_BIT | 2, STORE_UNIT, STORE_UNIT};
	struct store_checkpoint found, checkpoint = {.bias_gain = 9};

	open_driver(_i);
	checkpoint.seq = append("bob", 1, LABEL_SPAM);
	int64_t last = append("bob", 1, LABEL_HAM);
	checkpoint.ahead[store_range(row.key)] = last;
	assert_ok(write_checkpoint(store, &row, 1, &checkpoint, &failure));
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 2 * 5);
	reopen();
	assert_ok(read_checkpoint(reader, &found, &failure));
	ck_assert_mem_eq(&found, &checkpoint, sizeof(found));
	checkpoint.ahead[3] = last + 1;
	ck_assert_int_eq(write_checkpoint(store, &row, 1, &checkpoint, &failure), STATUS_INVALID);
	checkpoint = (struct store_checkpoint){.seq = last};
	assert_ok(write_checkpoint(store, &row, 1, &checkpoint, &failure));
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 5);
	assert_ok(read_checkpoint(reader, &found, &failure));
	ck_assert_mem_eq(&found, &checkpoint, sizeof(found));
}
END_TEST

START_TEST(bad_checkpoints_change_nothing)
{
	const struct store_token good = {1, 1, 1},
				 bad[] = {{0, 1, 1}, {UINT64_MAX, 1, 1}, {2, NAN, 1},
					 {2, 1, INFINITY}};
	struct store_checkpoint checkpoint = {0};
	double sums[3] = {0};

	open_driver(_i);
	checkpoint.seq = append("bob", 1, LABEL_SPAM);
	for (size_t i = 0; i < 4; i++) {
		const struct store_token batch[] = {good, bad[i]};
		ck_assert_int_eq(
			write_checkpoint(store, batch, 2, &checkpoint, &failure), STATUS_INVALID);
	}
	checkpoint.seq++; /* a report that is yet to come */
	ck_assert_int_eq(write_checkpoint(store, &good, 1, &checkpoint, &failure), STATUS_INVALID);
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[2], 0);
	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	ck_assert_int_eq(checkpoint.seq, 0);
}
END_TEST

/* --- Generations --------------------------------------------------------------- */

static enum status on_numbers(void *context, const struct report *one)
{
	(void)context;
	sprintf(seen + strlen(seen), "%s/%llu:%g,%g@%g ", one->user,
		(unsigned long long)one->message, one->global.head_sum / STORE_UNIT,
		one->global.bias_gain / STORE_UNIT, one->margin);
	return STATUS_OK;
}

static const char *numbers(void)
{
	seen[0] = '\0';
	assert_ok(walk_after(reader, 0, on_numbers, NULL, &failure));
	return seen;
}

static void clear_former(void)
{
	struct store_tidied tidied = {.more = true};

	for (int i = 0; i < 100 && tidied.more; i++)
		assert_ok(store_tidy(store, TIDY_FORMER, &tidied, &failure));
	ck_assert(!tidied.more);
}

START_TEST(a_generation_takes_the_place_of_the_former)
{
	const struct store_token tokens[] = {{7, STORE_UNIT, STORE_UNIT}, {9, 2, 3}};
	const struct store_entry former = {"old", 7, "", "1", 5}, fresh = {"eve", 7, "", "2", 6};
	struct store_retrained reports[] = {{.seq = 1, .global = contribution(-8, 4), .margin = -2},
		{.seq = 2, .global = contribution(1, 1), .margin = 3}};
	const struct store_token staged[] = {{5, 1, 1}, {9, 1, 1}}, gone = {5, 0, 0};
	const struct store_piece piece = {.reports = reports,
					 .report_count = 1,
					 .tokens = staged,
					 .token_count = 2},
				 last = {.tokens = &gone, .token_count = 1};
	const struct store_checkpoint included = {.seq = 3, .bias_sum = 1, .bias_gain = 2};
	struct store_generation generation = {.piece = {.reports = reports + 1,
						      .report_count = 1,
						      .tokens = tokens,
						      .token_count = 2},
		.entry_kind = 7,
		.entries = &fresh,
		.entry_count = 1,
		.checkpoint = &included};
	struct store_removal removal = {.user = "bob"};
	struct store_checkpoint checkpoint;
	double sums[3] = {0};

	open_driver(_i);
	ck_assert_int_eq(adopt(store, &generation, &failure), STATUS_INVALID); /* no report 3 */
	append_shared("bob", 1);
	append_shared("eve", 1);
	append_shared("eve", 2);
	assert_ok(put_entries(store, &former, 1, &failure));
	assert_ok(bring_piece(store, &last, &failure)); /* never mind */
	clear_former();
	assert_ok(bring_piece(store, &piece, &failure));
	assert_ok(bring_piece(store, &last, &failure));
	ck_assert_str_eq(numbers(), "bob/1:3,15@0.5 eve/1:3,15@0.5 eve/2:3,15@0.5 ");
	assert_ok(adopt(store, &generation, &failure));
	reopen();
	ck_assert_str_eq(numbers(), "bob/1:-8,12@-2 eve/1:1,3@3 eve/2:3,15@0.5 ");
	ck_assert_str_eq(entries("old"), "");
	ck_assert_str_eq(entries("eve"), "eve/7/=2@6 ");
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[2], 2);
	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	ck_assert_mem_eq(&checkpoint, &included, sizeof(checkpoint));
	clear_former(); /* of what was replaced */
	assert_ok(bring_piece(store, &piece, &failure)); /* forgotten with the removal */
	assert_ok(remove_with(store, &removal, NULL, tokens, 2, &checkpoint, &failure));
	ck_assert_str_eq(numbers(), "bob/1:0,0@0.5 eve/1:1,3@3 eve/2:3,15@0.5 ");
	/* The next one replaces it whole. */
	reports[1] = reports[0];
	reports[1].seq = 3;
	generation.piece.token_count = generation.entry_count = 0;
	assert_ok(adopt(store, &generation, &failure));
	reopen();
	ck_assert_str_eq(numbers(), "bob/1:0,0@0.5 eve/1:3,15@0.5 eve/2:-8,12@-2 ");
	sums[2] = 0;
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[2], 0);
	ck_assert_str_eq(entries("eve"), "");
	reports[1].margin = NAN;
	ck_assert_int_eq(adopt(store, &generation, &failure), STATUS_INVALID);
}
END_TEST

START_TEST(an_adoption_leaves_nothing_unstripped)
{
	struct store_checkpoint checkpoint = {.bias_gain = 9}, included = {0};
	struct store_generation generation = {.entry_kind = 7, .checkpoint = &included};

	open_driver(_i);
	checkpoint.seq = append("bob", 1, LABEL_SPAM);
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	append("bob", 1, LABEL_HAM);
	included.seq = append("bob", 2, LABEL_FORGET);
	assert_ok(adopt(store, &generation, &failure));
	checkpoint.seq = append("bob", 3, LABEL_HAM);
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	reports_after(0);
	ck_assert_uint_eq(seen_tokens, 2 * 5); /* the flip and the last one */
}
END_TEST

void add_rows(TCase *every)
{
	for_every_driver(every, checkpoints_replace_rows_and_strip_the_dead);
	for_every_driver(every, a_checkpoint_may_be_ahead_in_ranges);
	for_every_driver(every, bad_checkpoints_change_nothing);
	for_every_driver(every, a_generation_takes_the_place_of_the_former);
	for_every_driver(every, an_adoption_leaves_nothing_unstripped);
}
