/* Small messages by number are pressed and judged; the rows are held against the reports.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/small-mail.h"

#include <stdio.h>

#include <glib.h>

#include "tests/unit/store-verbs.h"

/* --- What happens ------------------------------------------------------------------ */

size_t mail(char *text, size_t size, unsigned number)
{
	int length = snprintf(
		text, size, "From: a%u@example.org\nSubject: number %u\n\n", number % 5, number);

	for (unsigned i = 0; i < 20; i++)
		length += snprintf(
			text + length, size - (size_t)length, "word%u ", (number * 7 + i * i) % 50);
	return (size_t)length;
}

struct answer press_as(
	const char *user, unsigned number, enum label label, enum consent consent, int64_t time)
{
	char text[1024];
	size_t length = mail(text, sizeof(text), number);
	const struct press_info info = {.user = user,
		.event = {.kind = EVENT_TOLD, .label = label},
		.consent = consent,
		.time = time};

	return press_text(&info, text, length);
}

struct answer press(const char *user, unsigned number, enum label label)
{
	return press_as(user, number, label, CONSENT_GRANTED, 1000);
}

struct verdict judge(const char *user, unsigned number)
{
	char text[1024];
	size_t length = mail(text, sizeof(text), number);

	return judge_text(user, text, length);
}

double score(unsigned number)
{
	return judge("", number).margin;
}

/* --- What must hold ------------------------------------------------------------------- */

struct sums {
	double sum, gain;
};

static void add(GHashTable *table, uint64_t key, double sum, double gain)
{
	struct sums *sums = g_hash_table_lookup(table, &key);

	if (!sums) {
		sums = g_new0(struct sums, 1);
		g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), sums);
	}
	sums->sum += sum;
	sums->gain += gain;
}

static enum status add_report(void *context, const struct report *report)
{
	const struct contribution *global = &report->global;

	for (size_t i = 0; i < report->count; i++) {
		bool body = report->keys[i] & STORE_BODY_BIT;
		add(context, report->keys[i], body ? global->body_sum : global->head_sum,
			body ? global->body_gain : global->head_gain);
	}
	return STATUS_OK;
}

static enum status take_row(void *context, const struct store_token *token)
{
	add(context, token->key, -token->sum, -token->gain);
	return STATUS_OK;
}

static enum status add_bias(void *context, const struct report *report)
{
	struct store_checkpoint *sum = context;

	sum->bias_sum += report->global.bias_sum;
	sum->bias_gain += report->global.bias_gain;
	return STATUS_OK;
}

static void assert_bias_is_exact(struct store_reader *reader)
{
	struct store_checkpoint checkpoint, sum = {0};

	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	assert_ok(counting_reports(reader, add_bias, &sum, &failure));
	ck_assert_double_eq(checkpoint.bias_sum, sum.bias_sum);
	ck_assert_double_eq(checkpoint.bias_gain, sum.bias_gain);
}

void assert_exact(void)
{
	GHashTable *left = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	struct store_reader *reader;
	GHashTableIter iter;
	gpointer value;

	assert_ok(service_checkpoint(service, &failure));
	assert_ok(store_reader_open(store, &reader, &failure));
	assert_ok(counting_reports(reader, add_report, left, &failure));
	assert_ok(walk_tokens(reader, take_row, left, &failure));
	assert_bias_is_exact(reader);
	store_reader_close(&reader);
	ck_assert_uint_gt(g_hash_table_size(left), 50);
	g_hash_table_iter_init(&iter, left);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		ck_assert_double_eq(((struct sums *)value)->sum, 0);
		ck_assert_double_eq(((struct sums *)value)->gain, 0);
	}
	g_hash_table_unref(left);
}
