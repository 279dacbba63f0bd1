/* Holds a database that nobody writes against what must always be true of one: the
 * global rows, with the journal after their checkpoint, are to the last bit the sum
 * of what the reports that count add.
 *
 * Usage: check_database DATABASE
 * Prints what there is; exit status 0 = exact, 1 = not, with what differs. It adds in
 * integers, by the formats of store.h alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <glib.h>

#include "engine/store/store.h"
#include "tests/unit/store-verbs.h"

enum { SHOWN = 10 };

/* In STORE_UNIT. */
struct units {
	int64_t sum, gain;
};

struct row {
	gint64 key;
	struct units units;
};

/* What the rows say less what the reports say: to be nothing at the end. */
struct difference {
	GHashTable *rows; /* struct row by key */
	struct units bias;
	int64_t token_rows, counting;
	struct store_checkpoint checkpoint;
};

static int64_t units_of(double number)
{
	return llrint(number / STORE_UNIT);
}

static void add_units(struct units *units, double sum, double gain, int sign)
{
	units->sum += sign * units_of(sum);
	units->gain += sign * units_of(gain);
}

static void add_key(struct difference *difference, uint64_t key, double sum, double gain, int sign)
{
	gint64 wanted = (gint64)key;
	struct row *row = g_hash_table_lookup(difference->rows, &wanted);

	if (!row) {
		row = g_new0(struct row, 1);
		row->key = wanted;
		g_hash_table_add(difference->rows, row);
	}
	add_units(&row->units, sum, gain, sign);
}

/* `replayed`: what rows that are ahead of it have is not added again. */
static void add_report(struct difference *difference, const struct report *report,
	const struct contribution *contribution, int sign, bool replayed)
{
	for (size_t i = 0; i < report->count; i++) {
		bool body = report->keys[i] & STORE_BODY_BIT;
		if (replayed &&
			report->seq <= difference->checkpoint.ahead[store_range(report->keys[i])])
			continue;
		add_key(difference, report->keys[i],
			body ? contribution->body_sum : contribution->head_sum,
			body ? contribution->body_gain : contribution->head_gain, sign);
	}
	add_units(&difference->bias, contribution->bias_sum, contribution->bias_gain, sign);
}

static enum status take_token(void *context, const struct store_token *token)
{
	struct difference *difference = context;

	difference->token_rows++;
	add_key(difference, token->key, token->sum, token->gain, 1);
	return STATUS_OK;
}

static enum status replay(void *context, const struct report *report)
{
	struct difference *difference = context;

	add_report(difference, report, &report->undone, -1, true);
	add_report(difference, report, &report->global, 1, true);
	return STATUS_OK;
}

static enum status take_away(void *context, const struct report *report)
{
	struct difference *difference = context;

	difference->counting++;
	add_report(difference, report, &report->global, -1, false);
	return STATUS_OK;
}

static int64_t show_differences(const struct difference *difference)
{
	const struct units *bias = &difference->bias;
	int64_t found = bias->sum != 0 || bias->gain != 0;
	GHashTableIter iter;
	gpointer value;

	if (found)
		printf("bias: %" PRId64 " and %" PRId64 " units too many\n", bias->sum, bias->gain);
	g_hash_table_iter_init(&iter, difference->rows);
	while (g_hash_table_iter_next(&iter, &value, NULL)) {
		const struct row *row = value;
		if ((row->units.sum == 0 && row->units.gain == 0) || found++ >= SHOWN)
			continue;
		printf("token %010" PRIx64 ": %" PRId64 " and %" PRId64 " units too many\n",
			(uint64_t)row->key, row->units.sum, row->units.gain);
	}
	return found;
}

static enum status compare(struct store_reader *reader, int64_t *found, struct failure *failure)
{
	struct difference difference = {
		.rows = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
	const struct store_checkpoint *checkpoint = &difference.checkpoint;
	struct store_stats stats = {0};
	enum status status = store_read_stats(reader, true, &stats, failure);

	if (status == STATUS_OK)
		status = read_checkpoint(reader, &difference.checkpoint, failure);
	if (status != STATUS_OK)
		goto out;
	add_units(&difference.bias, checkpoint->bias_sum, checkpoint->bias_gain, 1);
	status = walk_tokens(reader, take_token, &difference, failure);
	if (status == STATUS_OK)
		status = walk_after(reader, checkpoint->seq, replay, &difference, failure);
	if (status == STATUS_OK)
		status = counting_reports(reader, take_away, &difference, failure);
	if (status != STATUS_OK)
		goto out;
	printf("%" PRId64 " reports, %" PRId64 " count, %" PRId64 " token rows, checkpoint %" PRId64
	       " of %" PRId64 "\n",
		stats.reports, difference.counting, difference.token_rows, checkpoint->seq,
		stats.last_seq);
	*found = show_differences(&difference);
	if (*found > 0)
		printf("%" PRId64 " differ\n", *found);
	else
		puts("exact");
out:
	g_hash_table_unref(difference.rows);
	return status;
}

int main(int argc, char **argv)
{
	struct store *store = NULL;
	struct store_reader *reader = NULL;
	struct failure failure = {0};
	int64_t found = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: check_database DATABASE\n");
		return 2;
	}
	enum status status = store_open(&store, argv[1], STORE_READ, &failure);
	if (status == STATUS_OK)
		status = store_reader_open(store, &reader, &failure);
	if (status == STATUS_OK)
		status = compare(reader, &found, &failure);
	if (status != STATUS_OK)
		fprintf(stderr, "check_database: %s\n", failure.detail);
	store_reader_close(&reader);
	if (store)
		store_close(&store);
	return status == STATUS_OK && found == 0 ? 0 : 1;
}
