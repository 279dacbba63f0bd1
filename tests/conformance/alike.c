/* Stores against a plain model and against one another, by random presses.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/fixture.h"

/* A plain model of the same promises. */
enum { USERS = 4, MESSAGES = 6, STEPS = 600 };
static struct {
	enum label label;
	int64_t seq;
	struct contribution global;
} model[USERS][MESSAGES];

static double total(const struct contribution *c)
{
	return c->head_sum + c->body_sum + c->bias_sum;
}

static enum status replay(void *context, const struct report *one)
{
	*(double *)context += total(&one->global) - total(&one->undone);
	return STATUS_OK;
}

START_TEST(random_presses_equal_a_plain_model)
{
	static const char *const names[USERS] = {"", "a", "b", "long name with blanks"};
	double checkpoint_total = 0, now = 0;
	struct store_checkpoint checkpoint = {0};

	open_driver(_i);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < STEPS; step++) {
		uint64_t user = next_random(USERS), message = next_random(MESSAGES);
		struct report one = report(names[user], message, (enum label)next_random(3));
		struct report found;

		enum status status =
			lookup_report(reader, names[user], message, INT64_MAX, &found, &failure);
		ck_assert_int_eq(status, model[user][message].seq ? STATUS_OK : STATUS_NOTFOUND);
		if (status == STATUS_OK) {
			ck_assert_int_eq(found.seq, model[user][message].seq);
			ck_assert_int_eq(found.label, model[user][message].label);
		}
		one.undone = model[user][message].global;
		if (one.label != LABEL_FORGET)
			one.global = contribution((double)next_random(1000) - 500, 1);
		assert_ok(append_reports(store, &one, 1, &failure));
		now += total(&one.global) - total(&one.undone);
		model[user][message].label = one.label;
		model[user][message].seq = one.seq;
		model[user][message].global = one.global;
		if (next_random(50) == 0) {
			checkpoint.seq = one.seq;
			checkpoint_total = now;
			assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
		}
		if (next_random(100) == 0)
			reopen();
		double sum = checkpoint_total;
		assert_ok(walk_after(reader, checkpoint.seq, replay, &sum, &failure));
		ck_assert_double_eq(sum, now);
	}
}
END_TEST

/* --- One driver against the other, token by token ---------------------------- */

enum { KEYS_IN_USE = 64, ROUNDS = 400 };
struct sums {
	double sum[KEYS_IN_USE + 1], gain[KEYS_IN_USE + 1]; /* the last one: bias */
};
static struct sums truth;

static uint64_t key_at(size_t i)
{
	return i < KEYS_IN_USE / 2 ? 1 + 5 * i : STORE_BODY_BIT | i;
}

static size_t index_of(uint64_t key)
{
	return key & STORE_BODY_BIT ? key & (STORE_BODY_BIT - 1) : (key - 1) / 5;
}

static void apply(
	struct sums *sums, const struct report *one, const struct contribution *c, double sign)
{
	for (size_t i = 0; i < one->count; i++) {
		bool body = one->keys[i] & STORE_BODY_BIT;
		sums->sum[index_of(one->keys[i])] += sign * (body ? c->body_sum : c->head_sum);
		sums->gain[index_of(one->keys[i])] += sign * (body ? c->body_gain : c->head_gain);
	}
	sums->sum[KEYS_IN_USE] += sign * c->bias_sum;
	sums->gain[KEYS_IN_USE] += sign * c->bias_gain;
}

static enum status replay_sums(void *context, const struct report *one)
{
	apply(context, one, &one->undone, -1);
	apply(context, one, &one->global, 1);
	return STATUS_OK;
}

static enum status load_sums(void *context, const struct store_token *token)
{
	struct sums *sums = context;

	sums->sum[index_of(token->key)] = token->sum;
	sums->gain[index_of(token->key)] = token->gain;
	return STATUS_OK;
}

/* Everything a reader can be asked, as text. */
static enum status print_report(void *context, const struct report *one)
{
	FILE *out = context;
	const double *numbers = (const double *)&one->global;

	fprintf(out, "%lld %s %lld %llx %d %u %a", (long long)one->seq, one->user,
		(long long)one->time, (unsigned long long)one->message, one->label, one->flags,
		one->margin);
	for (size_t i = 0; i < 12; i++)
		fprintf(out, " %a", numbers[i]);
	for (size_t i = 0; i < one->count; i++)
		fprintf(out, " %llx", (unsigned long long)one->keys[i]);
	fputc('\n', out);
	return STATUS_OK;
}

_Static_assert(offsetof(struct report, undone) ==
		offsetof(struct report, global) + sizeof(struct contribution),
	"printed as one array");

static char *print_store(struct store_reader *from, const char *const *names, size_t limit)
{
	char *text = NULL;
	size_t size;
	struct store_checkpoint checkpoint;
	struct store_stats stats;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < USERS; i++)
		assert_ok(counting_of_user(from, names[i], limit, print_report, out, &failure));
	assert_ok(walk_after(from, 0, print_report, out, &failure));
	assert_ok(read_checkpoint(from, &checkpoint, &failure));
	assert_ok(store_read_stats(from, true, &stats, &failure));
	fprintf(out, "%lld %a %a; %lld %lld %lld %lld\n", (long long)checkpoint.seq,
		checkpoint.bias_sum, checkpoint.bias_gain, (long long)stats.reports,
		(long long)stats.users, (long long)stats.tokens, (long long)stats.given);
	fclose(out);
	return text;
}

/* A message's tokens are always the same. */
static struct report press(struct store_reader *from, const char *user, uint64_t *keys)
{
	struct report found, one = report(user, next_random(12), (enum label)next_random(3));

	one.keys = keys;
	one.count = 0;
	for (size_t i = 0; i < KEYS_IN_USE; i++) {
		if ((one.message * 2654435761u >> i % 31 ^ i) % 3 == 0)
			keys[one.count++] = key_at(i);
	}
	one.flags = (unsigned)next_random(4);
	one.margin = (double)next_random(1000) / 7;
	if (!(one.flags & REPORT_MUTED) &&
		lookup_report(from, user, one.message, INT64_MAX, &found, &failure) == STATUS_OK)
		one.undone = found.global;
	if (one.label != LABEL_FORGET && !(one.flags & REPORT_MUTED))
		one.global = contribution((double)next_random(1u << 30) - (1 << 29),
			(double)next_random(1u << 30) + 1);
	return one;
}

static void write_truth(struct store *to, int64_t seq)
{
	struct store_token rows[KEYS_IN_USE];
	struct store_checkpoint checkpoint = {.seq = seq,
		.bias_sum = truth.sum[KEYS_IN_USE],
		.bias_gain = truth.gain[KEYS_IN_USE]};

	for (size_t i = 0; i < KEYS_IN_USE; i++)
		rows[i] = (struct store_token){key_at(i), truth.sum[i], truth.gain[i]};
	assert_ok(write_checkpoint(to, rows, KEYS_IN_USE, &checkpoint, &failure));
}

/* Rows and the reports after them give what went in, to the last bit. */
static void assert_truth(struct store_reader *from)
{
	struct sums sums = {0};
	struct store_checkpoint checkpoint;

	assert_ok(read_checkpoint(from, &checkpoint, &failure));
	sums.sum[KEYS_IN_USE] = checkpoint.bias_sum;
	sums.gain[KEYS_IN_USE] = checkpoint.bias_gain;
	assert_ok(walk_tokens(from, load_sums, &sums, &failure));
	assert_ok(walk_after(from, checkpoint.seq, replay_sums, &sums, &failure));
	for (size_t i = 0; i <= KEYS_IN_USE; i++) {
		ck_assert(sums.gain[i] == truth.gain[i]);
		ck_assert(sums.sum[i] == truth.sum[i] || truth.gain[i] == 0);
	}
}

START_TEST(both_drivers_answer_alike)
{
	static const char *const names[USERS] = {"", "a", "\xff'\x01", "b"};
	struct store *memory;
	struct store_reader *memory_reader;
	uint64_t keys[KEYS_IN_USE];

	open_sqlite();
	memset(&truth, 0, sizeof(truth));
	assert_ok(store_open(&memory, "memory:", STORE_WRITE, &failure));
	assert_ok(store_reader_open(memory, &memory_reader, &failure));
	for (int round = 0; round < ROUNDS; round++) {
		struct report one = press(reader, names[next_random(USERS)], keys), same = one;

		assert_ok(append_reports(store, &one, 1, &failure));
		assert_ok(append_reports(memory, &same, 1, &failure));
		replay_sums(&truth, &one);
		if (next_random(20) == 0) {
			write_truth(store, one.seq);
			write_truth(memory, one.seq);
		}
		if (next_random(50) == 0)
			reopen();
		if (round % 8)
			continue;
		size_t limit = next_random(10);
		char *first = print_store(reader, names, limit);
		char *second = print_store(memory_reader, names, limit);
		ck_assert_str_eq(first, second);
		free(first);
		free(second);
		assert_truth(reader);
		assert_truth(memory_reader);
	}
	store_reader_close(&memory_reader);
	store_close(&memory);
}
END_TEST

static void assert_same(
	struct store_reader *first, struct store_reader *second, const char *const *names)
{
	char *one = print_store(first, names, 9), *other = print_store(second, names, 9);

	ck_assert_str_eq(one, other);
	free(one);
	free(other);
}

START_TEST(both_drivers_merge_alike)
{
	static const char *const names[USERS] = {"", "a", "A", "b"};
	struct store *memory;
	struct store_reader *memory_reader;
	uint64_t keys[KEYS_IN_USE];

	open_sqlite();
	assert_ok(store_open(&memory, "memory:", STORE_WRITE, &failure));
	assert_ok(store_reader_open(memory, &memory_reader, &failure));
	for (int round = 0; round < ROUNDS; round++) {
		struct report one = press(reader, names[next_random(USERS)], keys), same = one;

		assert_ok(append_reports(store, &one, 1, &failure));
		assert_ok(append_reports(memory, &same, 1, &failure));
		if (next_random(10) > 0)
			continue;
		struct store_merge once = {.from = names[1 + next_random(2)],
			.to = names[3],
			.withdraw = next_random(4) == 0};
		struct store_merge again = once;
		assert_ok(merge_users(store, &once, NULL, 0, &failure));
		assert_ok(merge_users(memory, &again, NULL, 0, &failure));
		ck_assert_int_eq(once.reports, again.reports);
		ck_assert(once.refold == again.refold);
		assert_same(reader, memory_reader, names);
	}
	store_reader_close(&memory_reader);
	store_close(&memory);
}
END_TEST

void add_alike(TCase *every, TCase *sqlite)
{
	for_every_driver(every, random_presses_equal_a_plain_model);
	tcase_add_test(sqlite, both_drivers_answer_alike);
	tcase_add_test(sqlite, both_drivers_merge_alike);
}
