/* Fills a database as years of reports would, for measurements of size and speed.
 *
 * Usage: bench_fill DATABASE REPORTS USERS [TOKENS]
 * Each report has 300 tokens: 225 of a vocabulary of a million words, the frequent ones
 * more often (Zipf), and 75 that no other has. Reports are shared, spread over two years,
 * and learned with the model. Half of them come from all users in turn, half from users
 * of whom some press very often (Zipf). TOKENS: rows of global beyond these,
 * with evidence of nobody's, until there are so many.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/model/model.h"
#include "engine/store/store.h"
#include "tests/unit/store-verbs.h"

enum {
	COMMON = 225,
	UNIQUE = 75,
	ALL = COMMON + UNIQUE,
	VOCABULARY = 1000000,
	BATCH = 1000,
	ROWS = 200000,
	USER_SIZE = 48
};
static const double SECONDS = 2 * 365 * 86400.0;
static const double LABEL_ERROR = 0.12;

/* Word i of the vocabulary speaks for spam when i is odd; every fourth says something. */
struct vocabulary {
	double *sums, *gains;
};

struct fill {
	struct store *store;
	struct vocabulary vocabulary;
	double bias_sum, bias_gain;
	uint64_t random, unique;
	long users, turn;
	struct store_token *rows; /* of a batch's unique tokens */
	size_t row_count;
	struct failure failure;
};

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static double uniform(struct fill *fill)
{
	fill->random += UINT64_C(0x9E3779B97F4A7C15);
	return (double)(mix(fill->random) >> 11) * 0x1p-53;
}

/* Keys have 40 bits, the highest for the body: a third of the tokens is the head's. */
static uint64_t key_of(uint64_t number)
{
	uint64_t key = mix(number + 1) & (STORE_BODY_BIT - 1);

	return (number % 3 ? key | STORE_BODY_BIT : key) | 2;
}

/* Zipf's law with exponent 1, by the inverse of its continuous form: from 1 on. */
static size_t draw_rank(struct fill *fill, size_t most)
{
	return (size_t)exp(uniform(fill) * log((double)most));
}

static long draw_user(struct fill *fill)
{
	fill->turn = (fill->turn + 1) % (2 * fill->users);
	return fill->turn % 2 ? fill->turn / 2 : (long)draw_rank(fill, (size_t)fill->users) - 1;
}

static size_t draw_word(struct fill *fill, bool spam)
{
	size_t word = draw_rank(fill, VOCABULARY);

	if (word % 4 == 0 && (word / 4) % 2 != spam) /* one that speaks for the other side */
		word = word + 4 < VOCABULARY ? word + 4 : word - 4;
	return word < VOCABULARY ? word : VOCABULARY - 1;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static size_t sort_unique(uint64_t *numbers, size_t count)
{
	size_t kept = 0;

	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || numbers[i] != numbers[kept - 1])
			numbers[kept++] = numbers[i];
	}
	return kept;
}

static struct model_score score(
	struct fill *fill, const uint64_t *words, size_t count, const struct model_message *message)
{
	double sums[ALL] = {0}, gains[ALL] = {0};
	struct model_evidence evidence = {.sums = sums,
		.gains = gains,
		.bias_sum = fill->bias_sum,
		.bias_gain = fill->bias_gain};

	/* Unique tokens are unknown; the order within a group is nothing to the score. */
	for (size_t i = 0; i < count; i++) {
		sums[i] = fill->vocabulary.sums[words[i]];
		gains[i] = fill->vocabulary.gains[words[i]];
	}
	return model_score(&model_defaults, message, &evidence, NULL);
}

static void learn_words(
	struct fill *fill, const uint64_t *words, size_t count, const struct contribution *global)
{
	for (size_t i = 0; i < count; i++) {
		bool head = words[i] % 3 == 0;
		fill->vocabulary.sums[words[i]] += head ? global->head_sum : global->body_sum;
		fill->vocabulary.gains[words[i]] += head ? global->head_gain : global->body_gain;
	}
	fill->bias_sum += global->bias_sum;
	fill->bias_gain += global->bias_gain;
}

static void add_unique(
	struct fill *fill, uint64_t *keys, const struct contribution *global, uint64_t first)
{
	for (size_t i = 0; i < UNIQUE; i++) {
		uint64_t number = VOCABULARY + first + i;
		bool head = number % 3 == 0;
		keys[i] = key_of(number);
		fill->rows[fill->row_count++] = (struct store_token){.key = keys[i],
			.sum = head ? global->head_sum : global->body_sum,
			.gain = head ? global->head_gain : global->body_gain};
	}
}

static void make_report(
	struct fill *fill, struct report *report, uint64_t *keys, char *user, double age)
{
	bool spam = uniform(fill) < 0.5;
	uint64_t words[COMMON];
	size_t head = 0, count;

	for (size_t i = 0; i < COMMON; i++)
		words[i] = draw_word(fill, spam);
	count = sort_unique(words, COMMON);
	for (size_t i = 0; i < count; i++)
		head += words[i] % 3 == 0;
	struct model_message message =
		model_message(&model_defaults, head + UNIQUE / 3, count + UNIQUE);
	double margin = score(fill, words, count, &message).margin;
	struct model_step step = model_learn(&model_defaults, &message, margin, spam, LABEL_ERROR);
	*report = (struct report){.user = user,
		.time = (int64_t)time(NULL) - (int64_t)(age * SECONDS),
		.message = mix(fill->unique),
		.label = spam ? LABEL_SPAM : LABEL_HAM,
		.flags = REPORT_CONSENT,
		.margin = margin,
		.global = {step.head_sum, step.head_gain, step.body_sum, step.body_gain,
			step.bias_sum, step.bias_gain},
		.keys = keys};
	learn_words(fill, words, count, &report->global);
	for (size_t i = 0; i < count; i++)
		keys[i] = key_of(words[i]);
	add_unique(fill, keys + count, &report->global, fill->unique);
	report->count = sort_unique(keys, count + UNIQUE);
	fill->unique += UNIQUE;
	snprintf(user, USER_SIZE, "user%ld@example.org", draw_user(fill));
}

/* One batch and the rows of its unique tokens; the words' rows come at the end. */
static enum status add_batch(struct fill *fill, size_t count, double age, double step)
{
	static uint64_t keys[BATCH][ALL];
	static char users[BATCH][USER_SIZE];
	struct report reports[BATCH];

	fill->row_count = 0;
	for (size_t i = 0; i < count; i++)
		make_report(fill, &reports[i], keys[i], users[i], age - step * (double)i);
	enum status status = append_reports(fill->store, reports, count, &fill->failure);
	struct store_checkpoint checkpoint = {.seq = reports[count - 1].seq,
		.bias_sum = fill->bias_sum,
		.bias_gain = fill->bias_gain};
	if (status == STATUS_OK)
		status = write_checkpoint(
			fill->store, fill->rows, fill->row_count, &checkpoint, &fill->failure);
	return status;
}

static int compare_rows(const void *a, const void *b)
{
	return compare_numbers(
		&((const struct store_token *)a)->key, &((const struct store_token *)b)->key);
}

static struct store_token row_of(const struct fill *fill, uint64_t number)
{
	bool word = number < VOCABULARY;

	return (struct store_token){.key = key_of(number),
		.sum = word ? fill->vocabulary.sums[number] : STORE_UNIT * 1000,
		.gain = word ? fill->vocabulary.gains[number] : STORE_UNIT * 1000};
}

/* Rows from the vocabulary, or of nobody's tokens, in the order of their keys: in any other
 * each piece would touch all pages. */
static enum status add_rows(struct fill *fill, int64_t seq, uint64_t from, uint64_t to)
{
	struct store_checkpoint checkpoint = {
		.seq = seq, .bias_sum = fill->bias_sum, .bias_gain = fill->bias_gain};
	struct store_token *rows = malloc((to - from) * sizeof(*rows));
	enum status status = rows ? STATUS_OK : STATUS_NOMEM;
	size_t count = 0;

	for (; rows && from < to; from++) {
		rows[count] = row_of(fill, from);
		count += rows[count].gain > 0;
	}
	if (rows)
		qsort(rows, count, sizeof(*rows), compare_rows);
	for (size_t done = 0; done < count && status == STATUS_OK; done += ROWS) {
		size_t piece = count - done < ROWS ? count - done : ROWS;
		status = write_checkpoint(
			fill->store, rows + done, piece, &checkpoint, &fill->failure);
	}
	free(rows);
	return status;
}

static enum status run(struct fill *fill, long reports, long tokens)
{
	enum status status = STATUS_OK;
	long done = 0;

	for (; done < reports && status == STATUS_OK; done += BATCH) {
		long count = reports - done < BATCH ? reports - done : BATCH;
		status = add_batch(fill, (size_t)count, 1 - (double)done / (double)reports,
			1 / (double)reports);
	}
	if (status == STATUS_OK)
		status = add_rows(fill, reports, 0, VOCABULARY);
	uint64_t first = VOCABULARY + fill->unique, present = fill->unique;
	for (size_t i = 0; i < VOCABULARY; i++)
		present += fill->vocabulary.gains[i] > 0;
	if (status == STATUS_OK && (uint64_t)tokens > present)
		status = add_rows(fill, reports, first, first + (uint64_t)tokens - present);
	return status;
}

int main(int argc, char **argv)
{
	struct fill fill = {.random = 1};
	long reports = argc > 2 ? atol(argv[2]) : 0;
	enum status status = STATUS_INVALID;

	if (argc < 4 || reports < 1 || atol(argv[3]) < 1) {
		fprintf(stderr, "usage: bench_fill DATABASE REPORTS USERS [TOKENS]\n");
		return 2;
	}
	fill.users = atol(argv[3]);
	fill.vocabulary.sums = calloc(VOCABULARY, sizeof(double));
	fill.vocabulary.gains = calloc(VOCABULARY, sizeof(double));
	fill.rows = malloc(BATCH * UNIQUE * sizeof(*fill.rows));
	if (fill.vocabulary.sums && fill.vocabulary.gains && fill.rows)
		status = store_open(&fill.store, argv[1], STORE_WRITE, &fill.failure);
	if (status == STATUS_OK)
		status = run(&fill, reports, argc > 4 ? atol(argv[4]) : 0);
	if (status != STATUS_OK)
		fprintf(stderr, "bench_fill: %s\n", fill.failure.detail);
	store_close(&fill.store);
	free(fill.rows);
	free(fill.vocabulary.sums);
	free(fill.vocabulary.gains);
	return status == STATUS_OK ? 0 : 1;
}
