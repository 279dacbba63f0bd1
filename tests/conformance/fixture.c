/* The drivers; opens a store of one, appends to it and writes down what a walk saw.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/fixture.h"

/* Each driver by its store's URI; a plain name is a file in the folder of the test. */
enum { MEMORY, SQLITE };
static const struct {
	const char *uri;
	bool forgets; /* when it is closed */
} DRIVERS[] = {
	[MEMORY] = {"memory:", .forgets = true},
	[SQLITE] = {"test.sqlite"},
};
const int driver_count = sizeof(DRIVERS) / sizeof(DRIVERS[0]);

const char *path;
struct store *store;
struct store_reader *reader;
struct failure failure;
char seen[65536];
size_t seen_tokens;

static int driver;
static uint64_t random_state;

uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

/* --- Opening ------------------------------------------------------------------------- */

enum status open_store(void)
{
	return store_open(&store, path, STORE_WRITE, &failure);
}

void open_again(void)
{
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}

void close_store(void)
{
	store_reader_close(&reader);
	store_close(&store);
}

void open_driver(int which)
{
	const char *uri = DRIVERS[which].uri;

	driver = which;
	random_state = 7;
	path = strchr(uri, ':') ? uri : in_folder(uri);
	open_again();
}

void open_sqlite(void)
{
	open_driver(SQLITE);
}

void remove_store(void)
{
	close_store();
	remove_folder();
}

void reopen(void)
{
	if (DRIVERS[driver].forgets)
		return;
	close_store();
	open_again();
}

/* --- Writing ------------------------------------------------------------------------- */

struct contribution contribution(double sum, double gain)
{
	return (struct contribution){.head_sum = sum * STORE_UNIT,
		.head_gain = gain * STORE_UNIT,
		.body_sum = 2 * sum * STORE_UNIT,
		.body_gain = 2 * gain * STORE_UNIT,
		.bias_sum = 3 * sum * STORE_UNIT,
		.bias_gain = 3 * gain * STORE_UNIT};
}

static const uint64_t KEYS[] = {3, 17, 4711, STORE_BODY_BIT | 5, STORE_BODY_BIT | 99};

struct report report(const char *user, uint64_t message, enum label label)
{
	return (struct report){.user = user,
		.time = 1000 + (int64_t)message,
		.message = message,
		.label = label,
		.margin = 0.5,
		.keys = KEYS,
		.count = 5};
}

int64_t append(const char *user, uint64_t message, enum label label)
{
	struct report one = report(user, message, label);

	assert_ok(append_reports(store, &one, 1, &failure));
	return one.seq;
}

int64_t append_shared(const char *user, uint64_t message)
{
	struct report one = report(user, message, LABEL_SPAM);

	one.flags = REPORT_CONSENT;
	one.global = contribution(3, 5);
	assert_ok(append_reports(store, &one, 1, &failure));
	return one.seq;
}

int64_t append_many(uint64_t count)
{
	enum { BATCH = 500 };
	struct report batch[BATCH];

	for (uint64_t done = 0; done < count; done += BATCH) {
		for (uint64_t i = 0; i < BATCH; i++)
			batch[i] = report("bob", done + i, LABEL_SPAM);
		assert_ok(append_reports(store, batch, BATCH, &failure));
	}
	return batch[BATCH - 1].seq;
}

void remove_old(const char *user, int64_t until, int64_t expected)
{
	struct store_removal removal = {.kind = REMOVE_OLD, .user = user, .until = until};
	struct store_stats stats;
	struct store_checkpoint checkpoint;

	assert_ok(store_read_stats(reader, true, &stats, &failure));
	checkpoint = (struct store_checkpoint){.seq = stats.given};
	assert_ok(remove_with(store, &removal, NULL, NULL, 0, &checkpoint, &failure));
	ck_assert_int_eq(removal.reports, expected);
}

/* --- What a walk saw ------------------------------------------------------------------ */

enum status on_report(void *context, const struct report *one)
{
	(void)context;
	sprintf(seen + strlen(seen), "%llu:%d ", (unsigned long long)one->message, one->label);
	seen_tokens += one->count;
	for (size_t i = 0; i < one->count; i++)
		ck_assert_uint_eq(one->keys[i], KEYS[i]);
	return STATUS_OK;
}

const char *user_reports(const char *user, size_t limit)
{
	seen[0] = '\0';
	assert_ok(counting_of_user(reader, user, limit, on_report, NULL, &failure));
	return seen;
}

const char *reports_after(int64_t seq)
{
	seen[0] = '\0';
	seen_tokens = 0;
	assert_ok(walk_after(reader, seq, on_report, NULL, &failure));
	return seen;
}

const char *all_counting(void)
{
	seen[0] = '\0';
	assert_ok(counting_reports(reader, on_report, NULL, &failure));
	return seen;
}

enum status on_entry(void *context, const struct store_entry *entry)
{
	(void)context;
	sprintf(seen + strlen(seen), "%s/%d/%s=%s@%lld ", entry->scope, entry->kind, entry->name,
		entry->value, (long long)entry->time);
	return STATUS_OK;
}

const char *entries(const char *scope)
{
	seen[0] = '\0';
	assert_ok(store_entries(reader, scope, 0, on_entry, NULL, &failure));
	return seen;
}

enum status on_user(void *context, const struct store_user *user)
{
	char *text = context;

	snprintf(text + strlen(text), 256 - strlen(text), "%s:%d@%d ", user->name,
		(int)user->reports, (int)user->last_time);
	return strstr(user->name, "stop") ? STATUS_INTERRUPTED : STATUS_OK;
}

const char *users_after(const char *after, size_t rows)
{
	static char text[256];

	*text = '\0';
	assert_ok(store_users(reader, after, rows, on_user, text, &failure));
	return text;
}

enum status sum_tokens(void *context, const struct store_token *token)
{
	double *sums = context;

	sums[0] += token->sum;
	sums[1] += token->gain;
	sums[2] += 1;
	return STATUS_OK;
}
