/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What every store promises, run against each driver; and what the SQLite one
 * promises of its file. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "engine/store/store.h"
#include "tests/unit/unit.h"
#include "tests/unit/store-verbs.h"

enum { MEMORY, SQLITE, DRIVERS };

static char folder[64];
static char path[96];
static int driver;
static struct store *store;
static struct store_reader *reader;
static struct failure failure;
static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % below;
}

#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s: %s", #call, failure.detail)

static enum status open_store(void)
{
	return driver == MEMORY ? store_open(&store, "memory:", STORE_WRITE, &failure)
				: store_open(&store, path, STORE_WRITE, &failure);
}

static void open_all(int which)
{
	driver = which;
	random_state = 7;
	strcpy(folder, "/tmp/hamlet-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/test.sqlite", folder);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}

static void teardown(void)
{
	char command[128];

	store_reader_close(&reader);
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void reopen(void)
{
	if (driver == MEMORY)
		return;
	store_reader_close(&reader);
	store_close(&store);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}

static struct contribution contribution(double sum, double gain)
{
	return (struct contribution){.head_sum = sum * STORE_UNIT,
		.head_gain = gain * STORE_UNIT,
		.body_sum = 2 * sum * STORE_UNIT,
		.body_gain = 2 * gain * STORE_UNIT,
		.bias_sum = 3 * sum * STORE_UNIT,
		.bias_gain = 3 * gain * STORE_UNIT};
}

static const uint64_t KEYS[] = {3, 17, 4711, STORE_BODY_BIT | 5, STORE_BODY_BIT | 99};

static struct report report(const char *user, uint64_t message, enum label label)
{
	return (struct report){.user = user,
		.time = 1000 + (int64_t)message,
		.message = message,
		.label = label,
		.margin = 0.5,
		.keys = KEYS,
		.count = 5};
}

static int64_t append(const char *user, uint64_t message, enum label label)
{
	struct report one = report(user, message, label);

	assert_ok(append_reports(store, &one, 1, &failure));
	return one.seq;
}

/* What a walk saw, as text: "message:label ". */
static char seen[65536];
static size_t seen_tokens;

static enum status on_report(void *context, const struct report *one)
{
	(void)context;
	sprintf(seen + strlen(seen), "%llu:%d ", (unsigned long long)one->message, one->label);
	seen_tokens += one->count;
	for (size_t i = 0; i < one->count; i++)
		ck_assert_uint_eq(one->keys[i], KEYS[i]);
	return STATUS_OK;
}

static const char *user_reports(const char *user, size_t limit)
{
	seen[0] = '\0';
	assert_ok(counting_of_user(reader, user, limit, on_report, NULL, &failure));
	return seen;
}

static const char *reports_after(int64_t seq)
{
	seen[0] = '\0';
	seen_tokens = 0;
	assert_ok(walk_after(reader, seq, on_report, NULL, &failure));
	return seen;
}

START_TEST(an_empty_store_is_empty)
{
	struct report found;
	struct store_checkpoint checkpoint;
	struct store_stats stats;
	char value[8];
	size_t size = sizeof(value);

	open_all(_i);
	ck_assert(store_writable(store));
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	ck_assert_int_eq(store_get(reader, "name", value, &size, &failure), STATUS_NOTFOUND);
	ck_assert_str_eq(user_reports("bob", 10), "");
	ck_assert_str_eq(reports_after(0), "");
	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	ck_assert_int_eq(checkpoint.seq, 0);
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.reports, 0);
	ck_assert_int_eq(stats.last_seq, 0);
}
END_TEST

START_TEST(reports_come_back_as_they_were)
{
	struct report one = report("bob", UINT64_MAX, LABEL_SPAM), found;

	open_all(_i);
	one.global = contribution(-12345678, 987654);
	one.undone = contribution(5, 7);
	one.flags = REPORT_CONSENT;
	one.margin = -3.25;
	one.sender = UINT64_MAX - 1;
	one.list = 77;
	assert_ok(append_reports(store, &one, 1, &failure));
	ck_assert_int_gt(one.seq, 0);
	reopen();
	assert_ok(lookup_report(reader, "bob", UINT64_MAX, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, one.seq);
	ck_assert_int_eq(found.time, one.time);
	ck_assert_int_eq(found.label, LABEL_SPAM);
	ck_assert_uint_eq(found.flags, REPORT_CONSENT);
	ck_assert_double_eq(found.margin, -3.25);
	ck_assert_uint_eq(found.sender, UINT64_MAX - 1);
	ck_assert_uint_eq(found.list, 77);
	ck_assert_mem_eq(&found.global, &one.global, sizeof(found.global));
	ck_assert_mem_eq(&found.undone, &one.undone, sizeof(found.undone));
	ck_assert_str_eq(reports_after(0), "18446744073709551615:2 ");
	ck_assert_uint_eq(seen_tokens, 5);
}
END_TEST

START_TEST(users_are_apart)
{
	const char *odd = "b\xc3\xb6 b'\";--\x01\xff";
	struct report found;

	open_all(_i);
	append("alice", 1, LABEL_SPAM);
	append(odd, 1, LABEL_HAM);
	append("", 2, LABEL_HAM);
	ck_assert_str_eq(user_reports("alice", 10), "1:2 ");
	ck_assert_str_eq(user_reports(odd, 10), "1:1 ");
	ck_assert_str_eq(user_reports("", 10), "2:1 ");
	ck_assert_str_eq(user_reports("alic", 10), "");
	assert_ok(lookup_report(reader, odd, 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.label, LABEL_HAM);
}
END_TEST

START_TEST(the_newest_report_of_a_message_counts)
{
	struct report found;

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	int64_t flip = append("bob", 1, LABEL_HAM);
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, flip);
	ck_assert_str_eq(user_reports("bob", 10), "2:2 1:1 ");
	append("bob", 2, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 10), "1:1 ");
	append("bob", 2, LABEL_HAM);
	reopen();
	ck_assert_str_eq(user_reports("bob", 10), "1:1 2:1 ");
	ck_assert_str_eq(reports_after(flip), "2:0 2:1 ");
}
END_TEST

START_TEST(a_walk_gives_the_newest_oldest_first)
{
	open_all(_i);
	for (uint64_t i = 1; i <= 9; i++)
		append(i % 2 ? "bob" : "eve", i, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 3), "5:2 7:2 9:2 ");
	ck_assert_str_eq(user_reports("bob", 1), "9:2 ");
	ck_assert_str_eq(user_reports("bob", 0), "1:2 3:2 5:2 7:2 9:2 "); /* all */
}
END_TEST

START_TEST(a_report_before_another_is_found)
{
	struct report muted = report("bob", 1, LABEL_HAM), found;

	open_all(_i);
	int64_t first = append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	append("ann", 1, LABEL_HAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	int64_t last = append("bob", 1, LABEL_FORGET);
	assert_ok(lookup_report(reader, "bob", 1, last, &found, &failure));
	ck_assert_int_eq(found.seq, first);
	assert_ok(lookup_report(reader, "bob", 1, last + 1, &found, &failure));
	ck_assert_int_eq(found.seq, last);
	ck_assert_int_eq(lookup_report(reader, "bob", 1, first, &found, &failure), STATUS_NOTFOUND);
}
END_TEST

START_TEST(muted_reports_are_recorded_only)
{
	struct report muted = report("bob", 1, LABEL_SPAM), found;

	open_all(_i);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(user_reports("bob", 10), "");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	int64_t ham = append("bob", 1, LABEL_HAM);
	assert_ok(append_reports(store, &muted, 1, &failure));
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, ham);
	ck_assert_str_eq(user_reports("bob", 10), "1:1 ");
	ck_assert_str_eq(reports_after(0), "1:2 1:1 1:2 ");
	append("bob", 1, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 10), "");
}
END_TEST

static const char *journal(const char *user, int64_t after, size_t limit)
{
	seen[0] = '\0';
	assert_ok(all_of_user(reader, user, after, limit, on_report, NULL, &failure));
	return seen;
}

static enum status stop_never(void *context, const struct report *one)
{
	(void)context;
	(void)one;
	ck_abort_msg("nobody has no reports");
}

START_TEST(a_journal_tells_everything_of_a_user)
{
	struct report muted = report("bob", 4, LABEL_SPAM);

	open_all(_i);
	int64_t first = append("bob", 1, LABEL_SPAM);
	append("eve", 2, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("bob", 3, LABEL_FORGET);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(journal("bob", 0, SIZE_MAX), "1:2 1:1 3:0 4:2 ");
	ck_assert_str_eq(journal("bob", first, SIZE_MAX), "1:1 3:0 4:2 ");
	ck_assert_str_eq(journal("bob", first, 2), "1:1 3:0 ");
	ck_assert_str_eq(journal("bob", 0, 1), "1:2 ");
	ck_assert_str_eq(journal("bob", 0, 0), "1:2 1:1 3:0 4:2 "); /* all */
	ck_assert_str_eq(journal("eve", 0, 1), "2:2 ");
	assert_ok(all_of_user(reader, "nobody", 0, SIZE_MAX, stop_never, NULL, &failure));
}
END_TEST

/* Page by page it is the same, whether the next reports are near or far. */
START_TEST(a_journal_comes_in_pages)
{
	static const size_t limits[] = {1, 2, 3, 7};
	static const char *const users[] = {"bob", "eve"}; /* one in twenty, and the others */
	char whole[sizeof(seen)], pages[sizeof(seen)];

	open_all(_i);
	for (uint64_t i = 1; i <= 600; i++)
		append(users[(i > 200 && i < 300) || next_random(20) > 0], i, LABEL_SPAM);
	for (size_t user = 0; user < 2; user++) {
		strcpy(whole, journal(users[user], 0, SIZE_MAX));
		ck_assert_uint_gt(strlen(whole), 20);
		for (size_t i = 0; i < 4; i++) {
			int64_t after = 0;
			unsigned long long last = 0;

			for (pages[0] = '\0'; *journal(users[user], after, limits[i]);
				after = (int64_t)last) { /* the first report has seq 1 */
				strcat(pages, seen);
				for (const char *at = seen; *at; at = strchr(at, ' ') + 1)
					ck_assert_int_eq(sscanf(at, "%llu:", &last), 1);
			}
			ck_assert_str_eq(pages, whole);
		}
	}
	ck_assert_str_eq(journal("eve", INT64_MAX, 1), "");
	ck_assert_str_eq(journal("eve", INT64_MAX - 1, 100), "");
}
END_TEST

/* --- Entries ----------------------------------------------------------------- */

static enum status print_entry(void *context, const struct store_entry *entry)
{
	(void)context;
	sprintf(seen + strlen(seen), "%s/%d/%s=%s@%lld ", entry->scope, entry->kind, entry->name,
		entry->value, (long long)entry->time);
	return STATUS_OK;
}

static const char *entries(const char *scope)
{
	seen[0] = '\0';
	assert_ok(store_entries(reader, scope, 0, print_entry, NULL, &failure));
	return seen;
}

START_TEST(entries_are_kept_by_scope)
{
	const struct store_entry first[] = {{"bob", 2, "b", "block", 5}, {"bob", 1, "", "yes", 6},
		{"", 2, "b", "allow", 7}, {"bob", 2, "a'\xff", "", 8}, {"bob", 2, "B", "x", 9}};
	const struct store_entry second[] = {
		{"bob", 2, "b", "allow", 10}, {"bob", 1, "", NULL, 0}, {"eve", 1, "", NULL, 0}};

	open_all(_i);
	ck_assert_str_eq(entries("bob"), "");
	assert_ok(put_entries(store, first, 5, &failure));
	ck_assert_str_eq(
		entries("bob"), "bob/1/=yes@6 bob/2/B=x@9 bob/2/a'\xff=@8 bob/2/b=block@5 ");
	assert_ok(put_entries(store, second, 3, &failure));
	reopen();
	ck_assert_str_eq(entries("bob"), "bob/2/B=x@9 bob/2/a'\xff=@8 bob/2/b=allow@10 ");
	ck_assert_str_eq(entries(""), "/2/b=allow@7 ");
	ck_assert_str_eq(entries("bo"), "");
	assert_ok(store_entries(reader, "bob", 1, print_entry, NULL, &failure));
	ck_assert_str_eq(seen, "");
}
END_TEST

START_TEST(a_bad_entry_changes_nothing)
{
	char name[STORE_MAX_NAME + 2], value[STORE_MAX_VALUE + 2];
	struct store_entry pair[] = {{"bob", 1, "good", "1", 1}, {"bob", 1, name, "1", 1}};

	open_all(_i);
	memset(name, 'n', sizeof(name) - 1);
	memset(value, 'v', sizeof(value) - 1);
	name[sizeof(name) - 1] = value[sizeof(value) - 1] = '\0';
	ck_assert_int_eq(put_entries(store, pair, 2, &failure), STATUS_INVALID);
	name[STORE_MAX_NAME] = '\0';
	pair[1].value = value;
	ck_assert_int_eq(put_entries(store, pair, 2, &failure), STATUS_INVALID);
	ck_assert_str_eq(entries("bob"), "");
	value[STORE_MAX_VALUE] = '\0';
	assert_ok(put_entries(store, pair, 2, &failure));
	ck_assert_uint_gt(strlen(entries("bob")), STORE_MAX_NAME + STORE_MAX_VALUE);
}
END_TEST

static enum status sum_tokens(void *context, const struct store_token *token)
{
	double *sums = context;

	sums[0] += token->sum;
	sums[1] += token->gain;
	sums[2] += 1;
	return STATUS_OK;
}

/* --- Taking out --------------------------------------------------------------- */

static enum status sum_globals(void *context, const struct report *one)
{
	double *sum = context;

	sum[0] += one->global.head_gain - one->undone.head_gain;
	sum[1] += (one->flags & REPORT_CONSENT) != 0;
	return STATUS_OK;
}

static int64_t append_shared(const char *user, uint64_t message)
{
	struct report one = report(user, message, LABEL_SPAM);

	one.flags = REPORT_CONSENT;
	one.global = contribution(3, 5);
	assert_ok(append_reports(store, &one, 1, &failure));
	return one.seq;
}

static bool shares(const char *user)
{
	bool result = true;

	assert_ok(store_shares(reader, user, &result, &failure));
	return result;
}

START_TEST(what_a_user_shared_can_be_withdrawn)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	const struct store_entry no = {"bob", 1, "", "declined", 9};
	struct store_removal removal = {.user = "bob"};
	struct store_checkpoint checkpoint = {.bias_gain = 1};
	double sum[2] = {0}, tokens[3] = {0};

	open_all(_i);
	append_shared("bob", 1);
	append_shared("eve", 1);
	append("bob", 2, LABEL_HAM);
	checkpoint.seq = append_shared("bob", 3);
	append("cid", 3, LABEL_HAM);
	ck_assert(shares("bob") && shares("eve"));
	ck_assert(!shares("cid") && !shares("nobody") && !shares(""));
	assert_ok(remove_with(store, &removal, &no, rows, 1, &checkpoint, &failure));
	ck_assert_int_eq(removal.reports, 2);
	reopen();
	ck_assert(!shares("bob") && shares("eve"));
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 3:2 ");
	assert_ok(walk_after(reader, 0, sum_globals, sum, &failure));
	ck_assert_double_eq(sum[0], 5 * STORE_UNIT);
	ck_assert_double_eq(sum[1], 1);
	assert_ok(walk_tokens(reader, sum_tokens, tokens, &failure));
	ck_assert_double_eq(tokens[2], 1);
	ck_assert_str_eq(entries("bob"), "bob/1/=declined@9 ");
}
END_TEST

START_TEST(an_erased_user_was_never_there)
{
	const struct store_entry laid[] = {{"bob", 1, "", "yes", 6}, {"bob", 2, "x", "y", 6},
		{"bobby", 1, "", "yes", 6}, {"", 1, "", "yes", 6}};
	struct store_removal removal = {.kind = REMOVE_USER, .user = "bob"};
	struct store_checkpoint checkpoint = {0};
	struct store_stats stats;
	struct report found;

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	checkpoint.seq = append("bob", 2, LABEL_HAM);
	assert_ok(put_entries(store, laid, 4, &failure));
	assert_ok(remove_with(store, &removal, NULL, NULL, 0, &checkpoint, &failure));
	assert_ok(store_tidy(store, TIDY_ALL, NULL, &failure));
	ck_assert_int_eq(removal.reports, 3);
	ck_assert_int_eq(removal.entries, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 ");
	ck_assert_str_eq(entries("bob"), "");
	ck_assert_str_eq(entries("bobby"), "bobby/1/=yes@6 ");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 2, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.users, 1);
	ck_assert_int_eq(stats.reports, 1);
	/* Numbers are not given twice, and a checkpoint may name one that is gone. */
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	ck_assert_int_eq(append("bob", 2, LABEL_SPAM), checkpoint.seq + 1);
	ck_assert_str_eq(user_reports("bob", 9), "2:2 ");
}
END_TEST

static void remove_old(const char *user, int64_t until, int64_t expected)
{
	struct store_removal removal = {.kind = REMOVE_OLD, .user = user, .until = until};
	struct store_stats stats;
	struct store_checkpoint checkpoint;

	assert_ok(store_read_stats(reader, true, &stats, &failure));
	checkpoint = (struct store_checkpoint){.seq = stats.given};
	assert_ok(remove_with(store, &removal, NULL, NULL, 0, &checkpoint, &failure));
	ck_assert_int_eq(removal.reports, expected);
}

START_TEST(old_reports_go_by_number)
{
	struct store_stats stats;
	struct report found;

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	int64_t third = append("bob", 2, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("eve", 2, LABEL_SPAM);
	append("bob", 2, LABEL_FORGET);
	remove_old("bob", third, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 1:1 2:2 2:0 ");
	/* What superseded a report that is gone still counts, or still says "forget". */
	ck_assert_str_eq(user_reports("bob", 9), "1:1 ");
	remove_old(NULL, third + 1, 2);
	reopen();
	ck_assert_str_eq(reports_after(0), "2:2 2:0 ");
	ck_assert_int_eq(
		lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure), STATUS_NOTFOUND);
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), third + 4);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.reports, 3);
}
END_TEST

START_TEST(it_is_known_what_is_old)
{
	int64_t seq = 0, first;
	struct store_stats span;

	open_all(_i);
	assert_ok(store_read_stats(reader, false, &span, &failure));
	ck_assert_int_eq(span.first_seq + span.last_seq + span.last_time + span.given, 0);
	assert_ok(find_oldest(reader, NULL, 5, &seq, &failure));
	ck_assert_int_eq(seq, 0);
	first = append("bob", 1, LABEL_SPAM); /* report() sets the time to 1000 + message */
	append("eve", 5, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM); /* the clock went back */
	append("bob", 9, LABEL_HAM);
	assert_ok(store_read_stats(reader, false, &span, &failure));
	ck_assert_int_eq(span.first_seq, first);
	ck_assert_int_eq(span.last_seq, first + 3);
	ck_assert_int_eq(span.last_time, 1009);
	assert_ok(find_oldest(reader, NULL, 2, &seq, &failure));
	ck_assert_int_eq(seq, first + 1);
	assert_ok(find_oldest(reader, NULL, 100, &seq, &failure));
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "bob", 1, &seq, &failure));
	ck_assert_int_eq(seq, first);
	assert_ok(find_oldest(reader, "bob", 2, &seq, &failure));
	ck_assert_int_eq(seq, first + 2);
	assert_ok(find_oldest(reader, "bob", 100, &seq, &failure));
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "bob", 0, &seq, &failure)); /* 0 = all */
	ck_assert_int_eq(seq, first + 3);
	assert_ok(find_oldest(reader, "nobody", 1, &seq, &failure));
	ck_assert_int_eq(seq, 0);
}
END_TEST

/* As "name:reports@time "; who has "stop" in the name ends the walk. */
static enum status on_user(void *context, const struct store_user *user)
{
	char *text = context;

	snprintf(text + strlen(text), 256 - strlen(text), "%s:%d@%d ", user->name,
		(int)user->reports, (int)user->last_time);
	return strstr(user->name, "stop") ? STATUS_INTERRUPTED : STATUS_OK;
}

static const char *users_after(const char *after, size_t rows)
{
	static char text[256];

	*text = '\0';
	assert_ok(store_users(reader, after, rows, on_user, text, &failure));
	return text;
}

START_TEST(users_are_walked_by_name)
{
	char text[256] = "";

	open_all(_i);
	ck_assert_str_eq(users_after("", 100), "");
	append("\xff", 3, LABEL_SPAM);
	append("bob", 1, LABEL_SPAM);
	append("", 1, LABEL_SPAM);
	append("bob", 2, LABEL_HAM);
	append("bobby", 5, LABEL_HAM);
	append("ann", 4, LABEL_FORGET);
	ck_assert_str_eq(users_after("", 100), "ann:1@1004 bob:2@1002 bobby:1@1005 \xff:1@1003 ");
	ck_assert_str_eq(users_after("", 2), "ann:1@1004 bob:2@1002 ");
	ck_assert_str_eq(users_after("ann", 2), "bob:2@1002 ");
	ck_assert_str_eq(users_after("b", 3), "bob:2@1002 bobby:1@1005 ");
	ck_assert_str_eq(users_after("bob", SIZE_MAX), "bobby:1@1005 \xff:1@1003 ");
	ck_assert_str_eq(users_after("\xff", 100), "");
	remove_old("bob", INT64_MAX, 2);
	ck_assert_str_eq(users_after("", 2), "ann:1@1004 bob:0@0 ");
	append("a-stop", 1, LABEL_SPAM);
	ck_assert_int_eq(store_users(reader, "", 100, on_user, text, &failure), STATUS_INTERRUPTED);
	ck_assert_str_eq(text, "a-stop:1@1001 ");
}
END_TEST

/* All that tidying up finds; how many names were forgotten. */
static int64_t forget_users(void)
{
	struct store_tidied tidied = {.more = true};
	int64_t count = 0;

	for (int i = 0; i < 100 && tidied.more; i++) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		count += tidied.users;
	}
	ck_assert(!tidied.more);
	return count;
}

START_TEST(users_without_reports_are_forgotten)
{
	const char *const names[] = {"dan", "bob", "", "cid", "ann", "eve"};
	struct store_stats stats;

	open_all(_i);
	ck_assert_int_eq(forget_users(), 0);
	for (size_t i = 0; i < 6; i++)
		append(names[i], i, LABEL_SPAM);
	ck_assert_int_eq(forget_users(), 0);
	remove_old(NULL, 4, 4);
	reopen();
	ck_assert_int_eq(forget_users(), 3); /* bob, cid, dan, and not ann who has one */
	ck_assert_int_eq(forget_users(), 0);
	ck_assert_str_eq(users_after("", 100), "ann:1@1004 eve:1@1005 ");
	assert_ok(store_read_stats(reader, true, &stats, &failure));
	ck_assert_int_eq(stats.users, 3); /* the site is not forgotten */
	append("", 1, LABEL_SPAM);
	append("bob", 7, LABEL_HAM);
	reopen();
	ck_assert_str_eq(user_reports("", 9), "1:2 ");
	ck_assert_str_eq(user_reports("bob", 9), "7:1 ");
}
END_TEST

static enum status stop(void *context, const struct report *one)
{
	(void)one;
	++*(int *)context;
	return STATUS_INTERRUPTED;
}

START_TEST(a_walk_can_be_ended)
{
	int calls = 0;

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	ck_assert_int_eq(
		counting_of_user(reader, "bob", 9, stop, &calls, &failure), STATUS_INTERRUPTED);
	ck_assert_int_eq(calls, 1);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:2 ");
}
END_TEST

START_TEST(a_bad_report_appends_nothing)
{
	static const uint64_t descending[] = {5, 4}, twice[] = {4, 4};
	char name[STORE_MAX_USER + 2];

	open_all(_i);
	memset(name, 'u', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int bad = 0; bad < 6; bad++) {
		struct report batch[3] = {report("a", 1, LABEL_SPAM), report("b", 2, LABEL_SPAM),
			report("c", 3, LABEL_SPAM)};
		if (bad == 0)
			batch[1].label = 3;
		if (bad == 1)
			batch[1].margin = NAN;
		if (bad == 2)
			batch[1].user = name;
		if (bad == 3 || bad == 4) {
			batch[1].keys = bad == 3 ? descending : twice;
			batch[1].count = 2;
		}
		if (bad == 5)
			batch[1].global.head_sum = 1e-12; /* not a multiple of the unit */
		ck_assert_int_eq(append_reports(store, batch, 3, &failure), STATUS_INVALID);
		ck_assert_str_eq(reports_after(0), "");
	}
	name[STORE_MAX_USER] = '\0';
	append(name, 1, LABEL_SPAM);
	ck_assert_str_eq(user_reports(name, 1), "1:2 ");
}
END_TEST

static enum status count_tokens(void *context, const struct report *one)
{
	*(size_t *)context += one->count;
	return STATUS_OK;
}

START_TEST(the_largest_report_fits)
{
	static uint64_t keys[STORE_MAX_TOKENS];
	struct report one = report("bob", 1, LABEL_SPAM);
	size_t tokens = 0;

	open_all(_i);
	for (size_t i = 0; i < STORE_MAX_TOKENS; i++)
		keys[i] = (i + 1) * 268435399;
	one.keys = keys;
	one.count = STORE_MAX_TOKENS;
	assert_ok(append_reports(store, &one, 1, &failure));
	assert_ok(counting_of_user(reader, "bob", 1, count_tokens, &tokens, &failure));
	ck_assert_uint_eq(tokens, STORE_MAX_TOKENS);
	one.count++;
	ck_assert_int_eq(append_reports(store, &one, 1, &failure), STATUS_INVALID);
}
END_TEST

START_TEST(checkpoints_replace_rows_and_strip_the_dead)
{
	const struct store_token first[] = {
		{1, 5 * STORE_UNIT, 2 * STORE_UNIT}, {STORE_BODY_BIT | 2, -STORE_UNIT, STORE_UNIT}};
	const struct store_token second[] = {{1, 0, 0}, {7, 1.5, 8}};
	struct store_checkpoint checkpoint = {.bias_sum = -3 * STORE_UNIT, .bias_gain = 9};
	double sums[3] = {0};

	open_all(_i);
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

	open_all(_i);
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

static const char *all_counting(void)
{
	seen[0] = '\0';
	assert_ok(counting_reports(reader, on_report, NULL, &failure));
	return seen;
}

START_TEST(the_reports_of_all_that_count)
{
	struct report muted = report("bob", 3, LABEL_SPAM);

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("bob", 2, LABEL_HAM);
	append("bob", 1, LABEL_HAM);
	append("eve", 2, LABEL_SPAM);
	append("eve", 2, LABEL_FORGET);
	append("", 5, LABEL_HAM);
	append("bob", 3, LABEL_HAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	ck_assert_str_eq(all_counting(), "1:2 2:1 1:1 5:1 3:1 ");
}
END_TEST

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

	open_all(_i);
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

	open_all(_i);
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

START_TEST(a_reader_beside_the_writer_writes_nothing)
{
	struct store *beside = NULL;
	struct store_reader *other = NULL;
	struct report one = report("bob", 2, LABEL_HAM);

	open_all(SQLITE);
	ck_assert_int_eq(store_open(&beside, "/nowhere/x", STORE_READ, &failure), STATUS_NOTFOUND);
	ck_assert_ptr_null(beside);
	append("bob", 1, LABEL_SPAM);
	assert_ok(store_open(&beside, path, STORE_READ, &failure));
	assert_ok(store_reader_open(beside, &other, &failure));
	ck_assert(!store_writable(beside));
	ck_assert_int_eq(append_reports(beside, &one, 1, &failure), STATUS_READONLY);
	append("bob", 2, LABEL_HAM);
	seen[0] = '\0';
	assert_ok(counting_reports(other, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "1:2 2:1 ");
	store_reader_close(&other);
	store_close(&beside);
}
END_TEST

START_TEST(values_are_kept)
{
	char value[8];
	size_t size = sizeof(value);

	open_all(_i);
	assert_ok(put_value(store, "one", "abc", 3, &failure));
	assert_ok(put_value(store, "two", "", 0, &failure));
	assert_ok(put_value(store, "one", "defg", 4, &failure));
	reopen();
	assert_ok(store_get(reader, "one", value, &size, &failure));
	ck_assert_uint_eq(size, 4);
	ck_assert_mem_eq(value, "defg", 4);
	size = 3;
	ck_assert_int_eq(store_get(reader, "one", value, &size, &failure), STATUS_LIMIT);
	ck_assert_uint_eq(size, 4);
	assert_ok(put_value(store, "two", NULL, 0, &failure));
	size = sizeof(value);
	assert_ok(store_get(reader, "two", value, &size, &failure));
	ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(bad_checkpoints_change_nothing)
{
	const struct store_token good = {1, 1, 1},
				 bad[] = {{0, 1, 1}, {UINT64_MAX, 1, 1}, {2, NAN, 1},
					 {2, 1, INFINITY}};
	struct store_checkpoint checkpoint = {0};
	double sums[3] = {0};

	open_all(_i);
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

	open_all(_i);
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

	open_all(SQLITE);
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

/* --- Two users become one ------------------------------------------------------- */

static struct store_merge merge(const char *from, const char *to, bool withdraw)
{
	struct store_merge done = {.from = from, .to = to, .withdraw = withdraw};

	assert_ok(merge_users(store, &done, NULL, 0, &failure));
	reopen();
	return done;
}

static struct store_checkpoint checkpoint_now(void)
{
	struct store_checkpoint checkpoint;

	assert_ok(read_checkpoint(reader, &checkpoint, &failure));
	return checkpoint;
}

START_TEST(a_user_gets_another_name)
{
	const struct store_entry both[] = {{"Bob", 1, "", NULL, 0}, {"bob", 1, "", "yes", 6}};
	struct store_merge renaming = {.from = "Bob", .to = "bob"};
	struct report found;

	open_all(_i);
	append("Bob", 1, LABEL_SPAM);
	append("eve", 1, LABEL_SPAM);
	append("Bob", 2, LABEL_HAM);
	assert_ok(put_entries(store, both, 2, &failure));
	assert_ok(merge_users(store, &renaming, both, 2, &failure));
	ck_assert(!renaming.refold);
	reopen();
	ck_assert_str_eq(users_after("", 100), "bob:2@1002 eve:1@1001 ");
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 ");
	ck_assert_str_eq(user_reports("Bob", 9), "");
	ck_assert_str_eq(entries("bob"), "bob/1/=yes@6 ");
	assert_ok(lookup_report(reader, "bob", 2, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, 3);
	merge("nobody", "bob", false);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 ");
}
END_TEST

START_TEST(two_users_become_one)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	struct store_checkpoint checkpoint = {.seq = 3, .bias_gain = 1};

	open_all(_i);
	append("bob", 1, LABEL_SPAM);
	append("Bob", 2, LABEL_HAM);
	append("bob", 3, LABEL_SPAM);
	assert_ok(write_checkpoint(store, rows, 1, &checkpoint, &failure));
	struct store_merge done = merge("Bob", "bob", false);
	ck_assert_int_eq(done.reports, 1);
	ck_assert(!done.refold);
	ck_assert_int_eq(checkpoint_now().seq, 3);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:1 3:2 ");
	ck_assert_str_eq(users_after("", 100), "bob:3@1003 ");
}
END_TEST

START_TEST(of_what_both_told_the_newest_counts)
{
	const struct store_token rows[] = {{3, 5 * STORE_UNIT, 5 * STORE_UNIT}};
	struct store_checkpoint checkpoint = {.seq = 4, .bias_gain = 1};
	struct report found, muted = report("Bob", 1, LABEL_SPAM);
	double tokens[3] = {0};

	open_all(_i);
	append("Bob", 1, LABEL_SPAM);
	append("bob", 1, LABEL_HAM);
	append("Bob", 2, LABEL_HAM);
	append("bob", 3, LABEL_SPAM);
	muted.flags = REPORT_MUTED;
	assert_ok(append_reports(store, &muted, 1, &failure));
	assert_ok(write_checkpoint(store, rows, 1, &checkpoint, &failure));
	struct store_merge done = merge("Bob", "bob", false);
	ck_assert_int_eq(done.reports, 3);
	ck_assert(done.refold);
	ck_assert_str_eq(user_reports("bob", 9), "1:1 2:1 3:2 ");
	ck_assert_str_eq(all_counting(), "1:1 2:1 3:2 ");
	ck_assert_str_eq(reports_after(0), "1:2 1:1 2:1 3:2 1:2 ");
	ck_assert_uint_eq(seen_tokens, 4 * 5); /* the superseded one has none */
	assert_ok(lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure));
	ck_assert_int_eq(found.seq, 2);
	assert_ok(lookup_report(reader, "bob", 1, 2, &found, &failure));
	ck_assert_int_eq(found.seq, 1);
	ck_assert_int_eq(checkpoint_now().seq, 0);
	ck_assert_double_eq(checkpoint_now().bias_gain, 0);
	assert_ok(walk_tokens(reader, sum_tokens, tokens, &failure));
	ck_assert_double_eq(tokens[2], 0);
	append("bob", 1, LABEL_FORGET);
	ck_assert_str_eq(user_reports("bob", 9), "2:1 3:2 ");
}
END_TEST

START_TEST(who_becomes_one_may_withdraw)
{
	struct store_checkpoint checkpoint = {.seq = 2, .bias_gain = 1};
	double sum[2] = {0};

	open_all(_i);
	append_shared("bob", 1);
	append_shared("Bob", 2);
	append_shared("eve", 3);
	assert_ok(write_checkpoint(store, NULL, 0, &checkpoint, &failure));
	ck_assert(merge("Bob", "bob", true).refold);
	ck_assert(!shares("bob") && shares("eve"));
	ck_assert_str_eq(user_reports("bob", 9), "1:2 2:2 ");
	assert_ok(walk_after(reader, 0, sum_globals, sum, &failure));
	ck_assert_double_eq(sum[0], 5 * STORE_UNIT);
	ck_assert_int_eq(checkpoint_now().seq, 0);
}
END_TEST

START_TEST(a_bad_merge_changes_nothing)
{
	const struct store_entry bad = {"bob", 0, "", "yes", 6};
	char name[STORE_MAX_USER + 2];
	struct store_merge merges[] = {{.from = "bob", .to = "bob"}, {.from = "", .to = "bob"},
		{.from = "bob", .to = ""}, {.from = name, .to = "bob"},
		{.from = "bob", .to = name}};
	struct store_merge good = {.from = "bob", .to = "eve"};

	open_all(_i);
	memset(name, 'u', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	append("bob", 1, LABEL_SPAM);
	for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++)
		ck_assert_int_eq(merge_users(store, &merges[i], NULL, 0, &failure), STATUS_INVALID);
	ck_assert_int_eq(merge_users(store, &good, &bad, 1, &failure), STATUS_INVALID);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
}
END_TEST

START_TEST(a_selection_has_all_its_parts)
{
	const struct store_selection later = {
		.user = "bob", .counting = true, .after = 3, .limit = 2};
	const struct store_selection some = {.counting = true, .after = 3, .limit = 2};
	const struct store_selection first = {.limit = 3, .headers = true};

	open_all(_i);
	for (uint64_t i = 0; i < 10; i++)
		append(i % 2 ? "bob" : "eve", i % 8, i == 8 ? LABEL_FORGET : LABEL_SPAM);
	seen[0] = '\0';
	assert_ok(store_reports(reader, &later, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "7:2 1:2 "); /* the newest */
	seen[0] = '\0';
	assert_ok(store_reports(reader, &some, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "3:2 4:2 "); /* the first */
	seen[0] = '\0';
	seen_tokens = 0;
	assert_ok(store_reports(reader, &first, on_report, NULL, &failure));
	ck_assert_str_eq(seen, "0:2 1:2 2:2 ");
	ck_assert_uint_eq(seen_tokens, 0);
}
END_TEST

START_TEST(a_change_is_written_whole_or_not_at_all)
{
	struct report one = report("bob", 1, LABEL_SPAM);
	const struct store_entry entry = {"bob", 1, "", "yes", 6};
	const struct store_value value = {.name = "mark", .bytes = "x", .size = 1};
	const struct store_token token = {7, STORE_UNIT, STORE_UNIT};
	struct store_checkpoint checkpoint = {.seq = 9}; /* there is no report 9 */
	const struct store_rows rows = {.tokens = &token, .count = 1, .checkpoint = &checkpoint};
	const struct store_change change = {.reports = &one,
		.report_count = 1,
		.entries = &entry,
		.entry_count = 1,
		.values = &value,
		.value_count = 1,
		.rows = &rows};
	double sums[3] = {0};
	char mark[2];
	size_t size = sizeof(mark);

	open_all(_i);
	ck_assert_int_eq(store_commit(store, &change, &failure), STATUS_INVALID);
	reopen();
	ck_assert_str_eq(reports_after(0), "");
	ck_assert_str_eq(entries("bob"), "");
	ck_assert_int_eq(store_get(reader, "mark", mark, &size, &failure), STATUS_NOTFOUND);
	size = sizeof(mark);
	checkpoint.seq = 0;
	assert_ok(store_commit(store, &change, &failure));
	reopen();
	ck_assert_str_eq(reports_after(0), "1:2 ");
	ck_assert_str_eq(entries("bob"), "bob/1/=yes@6 ");
	assert_ok(store_get(reader, "mark", mark, &size, &failure));
	assert_ok(walk_tokens(reader, sum_tokens, sums, &failure));
	ck_assert_double_eq(sums[2], 1);
}
END_TEST

START_TEST(scopes_are_walked_by_name)
{
	const struct store_entry some[] = {{"", 1, "", "x", 1}, {"@b.example", 2, "a", "x", 1},
		{"@b.example", 2, "b", "x", 1}, {"a", 1, "", "x", 1}, {"\xff", 1, "", "x", 1}};
	static const char *const scopes[] = {"@b.example", "a", "\xff", ""};
	char scope[STORE_MAX_USER + 1] = "";

	open_all(_i);
	assert_ok(store_next_scope(reader, scope, &failure));
	ck_assert_str_eq(scope, "");
	assert_ok(put_entries(store, some, 5, &failure));
	for (size_t i = 0; i < 4; i++) {
		assert_ok(store_next_scope(reader, scope, &failure));
		ck_assert_str_eq(scope, scopes[i]);
	}
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

	open_all(SQLITE);
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

/* --- SQLite alone ----------------------------------------------------------- */

START_TEST(readers_see_what_is_committed)
{
	open_all(SQLITE);
	struct stat file;
	append("bob", 1, LABEL_SPAM);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	ck_assert_int_eq(stat(path, &file), 0);
	ck_assert_int_eq(file.st_mode & 0777, 0600);
}
END_TEST

static enum status append_meanwhile(void *context, const struct report *one)
{
	(void)one;
	append("bob", (uint64_t)++ * (int *)context + 100, LABEL_HAM);
	return STATUS_OK;
}

START_TEST(a_walk_sees_one_moment_and_holds_nobody_up)
{
	int calls = 0;

	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	append("bob", 2, LABEL_SPAM);
	assert_ok(walk_after(reader, 0, append_meanwhile, &calls, &failure));
	ck_assert_int_eq(calls, 2);
	assert_ok(counting_of_user(reader, "bob", 9, append_meanwhile, &calls, &failure));
	ck_assert_int_eq(calls, 6);
	ck_assert_str_eq(user_reports("bob", 2), "105:1 106:1 ");
}
END_TEST

static void change_database(const char *sql)
{
	sqlite3 *db;

	store_reader_close(&reader);
	store_close(&store);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static off_t file_size(void)
{
	struct stat file;

	ck_assert_int_eq(stat(path, &file), 0);
	return file.st_size;
}

/* Many reports of bob's; the number of the last one. */
static int64_t append_many(uint64_t count)
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

START_TEST(room_is_given_back)
{
	struct store_tidied tidied = {.more = true};
	struct store_stats size;
	int64_t seq, total = 0;

	open_all(SQLITE);
	seq = append_many(20000);
	remove_old("bob", seq - 10, 19990);
	assert_ok(store_read_stats(reader, false, &size, &failure));
	ck_assert_int_gt(size.free, 1 << 20);
	assert_ok(store_tidy(store, TIDY_BRIEF, NULL, &failure)); /* moves the log */
	off_t before = file_size();
	while (tidied.more) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		ck_assert_int_le(tidied.bytes, (4 << 20) + 16384);
		total += tidied.bytes;
	}
	assert_ok(store_tidy(store, TIDY_ALL, NULL, &failure)); /* the log, too */
	ck_assert_int_gt(total, 1 << 20);
	ck_assert_int_le(file_size(), before - total);
	assert_ok(store_read_stats(reader, false, &size, &failure));
	ck_assert_int_eq(size.bytes, file_size());
	reopen();
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), seq + 1);
}
END_TEST

static int64_t number_in(const char *file, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *row;

	ck_assert_int_eq(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return number;
}

static const char TO_VERSION_2[] = "DROP TABLE retrained; DROP TABLE token_next; "
				   "DROP TABLE retrained_next; PRAGMA user_version = 2;";

START_TEST(a_migration_keeps_a_copy_of_what_was_before)
{
	char copy[128];
	struct stat file;

	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	ck_assert_int_eq(store_migration(store)->to, 0);
	change_database(TO_VERSION_2);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	const struct store_migration *migration = store_migration(store);
	ck_assert_int_eq(migration->from, 2);
	ck_assert_int_eq(migration->to, 3);
	snprintf(copy, sizeof(copy), "%s.before-3", path);
	ck_assert_str_eq(migration->copy, copy);
	ck_assert_str_eq(migration->reason, "");
	ck_assert_int_eq(stat(copy, &file), 0);
	ck_assert_int_eq(file.st_mode & 0777, 0600);
	ck_assert_int_eq(number_in(copy, "PRAGMA user_version"), 2);
	ck_assert_int_eq(number_in(copy, "SELECT count(*) FROM journal"), 1);
	ck_assert_str_eq(user_reports("bob", 9), "1:2 ");
	reopen();
	ck_assert_int_eq(store_migration(store)->to, 0);
	append("bob", 2, LABEL_SPAM);
	change_database(TO_VERSION_2); /* as if the first one had been interrupted */
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	ck_assert_int_eq(number_in(copy, "SELECT count(*) FROM journal"), 1);
}
END_TEST

/* In the child the copy may not grow to its size. */
static int check_no_copy(void)
{
	struct rlimit limit = {100000, RLIM_INFINITY};
	char copy[4096] = "x";

	signal(SIGXFSZ, SIG_IGN);
	if (open_store() != STATUS_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	enum status status = store_keep_copy(store, "copy", copy, sizeof(copy), &failure);
	if (status != STATUS_IO && status != STATUS_FULL)
		return 2;
	return *copy ? 3 : 0;
}

START_TEST(a_copy_that_fails_leaves_nothing)
{
	char copy[128];
	int status;

	open_all(SQLITE);
	append_many(500);
	store_reader_close(&reader);
	store_close(&store);
	pid_t child = fork();
	if (child == 0)
		_exit(check_no_copy());
	waitpid(child, &status, 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	snprintf(copy, sizeof(copy), "%s.copy", path);
	ck_assert_int_ne(access(copy, F_OK), 0);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}
END_TEST

START_TEST(room_of_an_older_database_is_given_back)
{
	struct store_tidied tidied = {.more = true};
	int64_t seq, returned = 0;

	open_all(SQLITE);
	change_database("PRAGMA auto_vacuum = NONE; VACUUM");
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	seq = append_many(2000);
	remove_old("bob", seq, 2000);
	while (tidied.more) {
		assert_ok(store_tidy(store, TIDY_SOME, &tidied, &failure));
		returned += tidied.bytes;
	}
	ck_assert_int_gt(returned, 0);
	reopen();
	ck_assert_int_eq(append("bob", 1, LABEL_SPAM), seq + 1);
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
	struct store *second;

	open_all(SQLITE);
	ck_assert_int_eq(store_open(&second, path, STORE_WRITE, &failure), STATUS_BUSY);
	ck_assert_ptr_null(second);
	char pid[32];
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	ck_assert_ptr_nonnull(strstr(failure.detail, pid));
	char link[112]; /* another name is no way around */
	snprintf(link, sizeof(link), "%s/link", folder);
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(store_open(&second, link, STORE_WRITE, &failure), STATUS_BUSY);
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
	open_all(SQLITE);
	change_database("PRAGMA user_version = 1000");
	ck_assert_int_eq(open_store(), STATUS_NEWER);
	ck_assert_ptr_nonnull(strstr(failure.detail, "1000"));
}
END_TEST

START_TEST(a_foreign_database_is_refused)
{
	open_all(SQLITE);
	change_database("PRAGMA application_id = 5");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	change_database("PRAGMA application_id = 1212238932; DROP TABLE token");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

START_TEST(we_do_not_move_in_with_another_program)
{
	open_all(SQLITE);
	change_database("SELECT 1");
	ck_assert_int_eq(unlink(path), 0);
	change_database("CREATE TABLE mails (subject)");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	ck_assert_int_eq(unlink(path), 0);
	change_database("PRAGMA application_id = 5");
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

static enum status nothing(void *context, const struct report *one)
{
	(void)context;
	(void)one;
	return STATUS_OK;
}

static enum status no_token(void *context, const struct store_token *token)
{
	(void)context;
	(void)token;
	return STATUS_OK;
}

/* What we never write must not get past the store, where arrays are indexed by
 * labels and tables by keys. */
START_TEST(damaged_rows_are_refused)
{
	static const char *const damage[] = {"label = 3", "label = -1", "tokens = x'01'",
		"tokens = x'01000200'", "tokens = x'0100010000'", "user = 77", "margin = 9e999",
		"head_gain = -1", "bias_sum = 9223372036854775807"};
	struct store_checkpoint checkpoint;
	struct report found;
	char sql[128], text[256] = "";

	open_all(SQLITE);
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		int64_t seq = append("bob", 1, LABEL_SPAM);
		snprintf(sql, sizeof(sql), "UPDATE journal SET %s WHERE seq = %lld", damage[i],
			(long long)seq);
		change_database(sql);
		assert_ok(open_store());
		assert_ok(store_reader_open(store, &reader, &failure));
		ck_assert_int_eq(
			walk_after(reader, seq - 1, nothing, NULL, &failure), STATUS_CORRUPT);
		if (strstr(damage[i], "label"))
			ck_assert_int_eq(
				lookup_report(reader, "bob", 1, INT64_MAX, &found, &failure),
				STATUS_CORRUPT);
	}
	change_database("INSERT INTO token VALUES (0, 1, 1)");
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	ck_assert_int_eq(walk_tokens(reader, no_token, NULL, &failure), STATUS_CORRUPT);
	change_database("INSERT INTO user (name) VALUES (x'7a007a')");
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	ck_assert_int_eq(store_users(reader, "", 100, on_user, text, &failure), STATUS_CORRUPT);
	ck_assert_int_eq(store_tidy(store, TIDY_SOME, NULL, &failure), STATUS_CORRUPT);
	change_database("INSERT INTO meta VALUES ('checkpoint', x'0102')");
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	ck_assert_int_eq(read_checkpoint(reader, &checkpoint, &failure), STATUS_CORRUPT);
}
END_TEST

static void overwrite(off_t offset, const char *bytes, off_t size)
{
	store_reader_close(&reader);
	store_close(&store);
	int file = open(path, O_WRONLY);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(pwrite(file, bytes, strlen(bytes), offset), (ssize_t)strlen(bytes));
	if (size >= 0)
		ck_assert_int_eq(ftruncate(file, size), 0);
	close(file);
}

START_TEST(rubbish_is_refused)
{
	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	overwrite(0, "this is no database at all", -1);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
	ck_assert_ptr_nonnull(strstr(failure.detail, path));
}
END_TEST

START_TEST(a_truncated_database_is_refused)
{
	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	overwrite(8192, "x", 8192);
	ck_assert_int_eq(open_store(), STATUS_CORRUPT);
}
END_TEST

/* Runs a check without root's powers; they would defeat file modes. */
static int as_nobody(int (*check)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(setuid(65534) == 0 ? check() : 99);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

static int check_readonly(void)
{
	struct report one = report("bob", 2, LABEL_HAM);

	if (open_store() != STATUS_OK)
		return 1;
	if (store_writable(store) || store_reader_open(store, &reader, &failure) != STATUS_OK)
		return 2;
	if (strcmp(user_reports("bob", 9), "1:2 ") != 0)
		return 3;
	if (append_reports(store, &one, 1, &failure) != STATUS_READONLY)
		return 4;
	return put_value(store, "a", "b", 1, &failure) == STATUS_READONLY ? 0 : 5;
}

START_TEST(what_cannot_be_written_can_be_read)
{
	char lock[128];

	open_all(SQLITE);
	append("bob", 1, LABEL_SPAM);
	store_reader_close(&reader);
	store_close(&store);
	snprintf(lock, sizeof(lock), "%s-lock", path);
	ck_assert_int_eq(chmod(path, 0444), 0);
	ck_assert_int_eq(chmod(lock, 0444), 0);
	ck_assert_int_eq(chmod(folder, 0555), 0);
	ck_assert_int_eq(geteuid() == 0 ? as_nobody(check_readonly) : check_readonly(), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert_int_eq(chmod(lock, 0644), 0);
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
}
END_TEST

static int check_unreadable(void)
{
	return open_store() == STATUS_DENIED ? 0 : 1;
}

START_TEST(what_may_not_be_read_is_denied)
{
	open_all(SQLITE);
	store_reader_close(&reader);
	store_close(&store);
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(chmod(folder, 0555), 0);
	ck_assert_int_eq(geteuid() == 0 ? as_nobody(check_unreadable) : check_unreadable(), 0);
	ck_assert_int_eq(chmod(folder, 0755), 0);
}
END_TEST

/* Appends until it is killed, and says through the pipe what was acknowledged. */
static void append_for_ever(int pipe_end, uint64_t from)
{
	if (open_store() != STATUS_OK)
		_exit(1);
	for (uint64_t i = from;; i += 3) {
		struct report batch[3];
		for (uint64_t j = 0; j < 3; j++)
			batch[j] = report("bob", i + j, LABEL_SPAM);
		if (append_reports(store, batch, 3, &failure) != STATUS_OK)
			_exit(2);
		if (i % 30 == 0)
			write_truth(store, batch[2].seq);
		if (write(pipe_end, &i, sizeof(i)) != sizeof(i))
			_exit(3);
	}
}

/* All of a batch is there or nothing of it, and what was acknowledged is. */
static void assert_batches(uint64_t acknowledged, uint64_t *count)
{
	struct store_stats stats;

	assert_ok(store_read_stats(reader, true, &stats, &failure));
	*count = (uint64_t)stats.reports;
	ck_assert_uint_eq(*count % 3, 0);
	ck_assert_uint_ge(*count, acknowledged);
	ck_assert_uint_le(*count, acknowledged + 3);
}

START_TEST(killed_at_any_moment_it_opens_again)
{
	uint64_t count = 0;

	open_all(SQLITE);
	for (int round = 0; round < 60; round++) {
		uint64_t acknowledged = count, batch;
		int status, ends[2];

		store_reader_close(&reader);
		store_close(&store);
		if (round < 30) { /* while it is being made */
			char command[160];
			snprintf(command, sizeof(command), "rm -f %s*", path);
			ck_assert_int_eq(system(command), 0);
			acknowledged = count = 0;
		}
		ck_assert_int_eq(pipe(ends), 0);
		pid_t child = fork();
		if (child == 0)
			append_for_ever(ends[1], count);
		close(ends[1]);
		usleep((useconds_t)next_random(round < 30 ? 12000 : 40000));
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
		while (read(ends[0], &batch, sizeof(batch)) == sizeof(batch))
			acknowledged = batch + 3;
		close(ends[0]);
		assert_ok(open_store());
		assert_ok(store_reader_open(store, &reader, &failure));
		assert_batches(acknowledged, &count);
	}
}
END_TEST

/* A reader of a database whose writer was killed, where nothing can be written:
 * the WAL is read when that is possible, and never left out in silence. */
static int check_killed(void)
{
	if (open_store() != STATUS_OK)
		return failure.detail[0] && store == NULL ? 7 : 8;
	if (store_reader_open(store, &reader, &failure) != STATUS_OK)
		return 2;
	return strcmp(user_reports("bob", 9), "1:2 ") == 0 ? 0 : 3;
}

START_TEST(a_wal_is_never_left_out)
{
	char command[256];

	open_all(SQLITE);
	store_reader_close(&reader);
	store_close(&store);
	pid_t child = fork();
	if (child == 0) {
		struct report one = report("bob", 1, LABEL_SPAM);
		if (open_store() == STATUS_OK &&
			append_reports(store, &one, 1, &failure) == STATUS_OK)
			raise(SIGKILL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	for (int lost = 0; lost < 2; lost++) {
		snprintf(command, sizeof(command), "chmod 444 %s* && chmod 555 %s", path, folder);
		ck_assert_int_eq(system(command), 0);
		ck_assert_int_eq(
			geteuid() == 0 ? as_nobody(check_killed) : check_killed(), lost ? 7 : 0);
		snprintf(command, sizeof(command), "chmod 755 %s && rm -f %s-shm", folder, path);
		ck_assert_int_eq(system(command), 0);
	}
}
END_TEST

/* Where no file system can be mounted: files may not grow. */
static int check_no_room(void)
{
	struct rlimit limit = {300000, RLIM_INFINITY};
	struct report batch[50];
	enum status status;
	int rounds = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (open_store() != STATUS_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	do {
		for (uint64_t i = 0; i < 50; i++)
			batch[i] = report("bob", 1000 * (uint64_t)rounds + i, LABEL_HAM);
		status = append_reports(store, batch, 50, &failure);
	} while (status == STATUS_OK && ++rounds < 1000);
	if (status != STATUS_IO && status != STATUS_FULL)
		return 2;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
		append_reports(store, batch, 50, &failure) != STATUS_OK)
		return 3;
	struct store_stats stats;
	if (store_reader_open(store, &reader, &failure) != STATUS_OK ||
		store_read_stats(reader, true, &stats, &failure) != STATUS_OK)
		return 4;
	return stats.reports == 50 * (rounds + 1) ? 0 : 5;
}

START_TEST(a_failed_write_leaves_nothing_behind)
{
	int status;

	open_all(SQLITE);
	store_reader_close(&reader);
	store_close(&store);
	pid_t child = fork();
	if (child == 0)
		_exit(check_no_room());
	waitpid(child, &status, 0);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* A small file system of its own; needs the right to mount. */
START_TEST(a_full_disk_refuses_and_recovers)
{
	char ballast[96], data[4096] = {1};

	open_all(SQLITE);
	store_reader_close(&reader);
	store_close(&store);
	if (mount("tmpfs", folder, "tmpfs", 0, "size=4m") != 0)
		return;
	assert_ok(open_store());
	assert_ok(store_reader_open(store, &reader, &failure));
	append("bob", 1, LABEL_SPAM);
	snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
	FILE *file = fopen(ballast, "w");
	while (fwrite(data, sizeof(data), 1, file) == 1 && fflush(file) == 0)
		;
	fclose(file);
	struct report batch[200];
	for (uint64_t i = 0; i < 200; i++)
		batch[i] = report("bob", 100 + i, LABEL_HAM);
	enum status status;
	int rounds = 0;
	do /* the WAL's own room may take a few */
		status = append_reports(store, batch, 200, &failure);
	while (status == STATUS_OK && ++rounds < 100);
	ck_assert_int_eq(status, STATUS_FULL);
	unlink(ballast);
	append("bob", 2, LABEL_HAM);
	reopen();
	ck_assert_ptr_nonnull(strstr(user_reports("bob", 1), "2:1 "));
	store_reader_close(&reader);
	store_close(&store);
	ck_assert_int_eq(umount(folder), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("store");
	TCase *all = tcase_create("every driver"), *sqlite = tcase_create("sqlite");

	tcase_add_checked_fixture(all, NULL, teardown);
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, an_empty_store_is_empty, 0, DRIVERS);
	tcase_add_loop_test(all, reports_come_back_as_they_were, 0, DRIVERS);
	tcase_add_loop_test(all, users_are_apart, 0, DRIVERS);
	tcase_add_loop_test(all, the_newest_report_of_a_message_counts, 0, DRIVERS);
	tcase_add_loop_test(all, a_walk_gives_the_newest_oldest_first, 0, DRIVERS);
	tcase_add_loop_test(all, muted_reports_are_recorded_only, 0, DRIVERS);
	tcase_add_loop_test(all, a_report_before_another_is_found, 0, DRIVERS);
	tcase_add_loop_test(all, a_selection_has_all_its_parts, 0, DRIVERS);
	tcase_add_loop_test(all, a_change_is_written_whole_or_not_at_all, 0, DRIVERS);
	tcase_add_loop_test(all, a_journal_tells_everything_of_a_user, 0, DRIVERS);
	tcase_add_loop_test(all, a_journal_comes_in_pages, 0, DRIVERS);
	tcase_add_loop_test(all, entries_are_kept_by_scope, 0, DRIVERS);
	tcase_add_loop_test(all, a_bad_entry_changes_nothing, 0, DRIVERS);
	tcase_add_loop_test(all, what_a_user_shared_can_be_withdrawn, 0, DRIVERS);
	tcase_add_loop_test(all, an_erased_user_was_never_there, 0, DRIVERS);
	tcase_add_loop_test(all, old_reports_go_by_number, 0, DRIVERS);
	tcase_add_loop_test(all, it_is_known_what_is_old, 0, DRIVERS);
	tcase_add_loop_test(all, users_are_walked_by_name, 0, DRIVERS);
	tcase_add_loop_test(all, users_without_reports_are_forgotten, 0, DRIVERS);
	tcase_add_loop_test(all, a_user_gets_another_name, 0, DRIVERS);
	tcase_add_loop_test(all, two_users_become_one, 0, DRIVERS);
	tcase_add_loop_test(all, of_what_both_told_the_newest_counts, 0, DRIVERS);
	tcase_add_loop_test(all, who_becomes_one_may_withdraw, 0, DRIVERS);
	tcase_add_loop_test(all, a_bad_merge_changes_nothing, 0, DRIVERS);
	tcase_add_loop_test(all, scopes_are_walked_by_name, 0, DRIVERS);
	tcase_add_loop_test(all, a_walk_can_be_ended, 0, DRIVERS);
	tcase_add_loop_test(all, a_bad_report_appends_nothing, 0, DRIVERS);
	tcase_add_loop_test(all, the_largest_report_fits, 0, DRIVERS);
	tcase_add_loop_test(all, checkpoints_replace_rows_and_strip_the_dead, 0, DRIVERS);
	tcase_add_loop_test(all, a_checkpoint_may_be_ahead_in_ranges, 0, DRIVERS);
	tcase_add_loop_test(all, the_reports_of_all_that_count, 0, DRIVERS);
	tcase_add_loop_test(all, a_generation_takes_the_place_of_the_former, 0, DRIVERS);
	tcase_add_loop_test(all, values_are_kept, 0, DRIVERS);
	tcase_add_loop_test(all, bad_checkpoints_change_nothing, 0, DRIVERS);
	tcase_add_loop_test(all, random_presses_equal_a_plain_model, 0, DRIVERS);
	suite_add_tcase(suite, all);
	tcase_add_checked_fixture(sqlite, NULL, teardown);
	tcase_set_timeout(sqlite, 60);
	tcase_add_test(sqlite, both_drivers_answer_alike);
	tcase_add_test(sqlite, readers_see_what_is_committed);
	tcase_add_test(sqlite, a_walk_sees_one_moment_and_holds_nobody_up);
	tcase_add_test(sqlite, room_is_given_back);
	tcase_add_test(sqlite, both_drivers_merge_alike);
	tcase_add_test(sqlite, a_migration_keeps_a_copy_of_what_was_before);
	tcase_add_test(sqlite, a_copy_that_fails_leaves_nothing);
	tcase_add_test(sqlite, room_of_an_older_database_is_given_back);
	tcase_add_test(sqlite, a_second_writer_is_refused);
	tcase_add_loop_test(all, an_adoption_leaves_nothing_unstripped, 0, DRIVERS);
	tcase_add_test(sqlite, a_reader_beside_the_writer_writes_nothing);
	tcase_add_test(sqlite, a_newer_database_is_refused);
	tcase_add_test(sqlite, a_foreign_database_is_refused);
	tcase_add_test(sqlite, we_do_not_move_in_with_another_program);
	tcase_add_test(sqlite, damaged_rows_are_refused);
	tcase_add_test(sqlite, rubbish_is_refused);
	tcase_add_test(sqlite, a_truncated_database_is_refused);
	tcase_add_test(sqlite, what_cannot_be_written_can_be_read);
	tcase_add_test(sqlite, what_may_not_be_read_is_denied);
	tcase_add_test(sqlite, killed_at_any_moment_it_opens_again);
	tcase_add_test(sqlite, a_wal_is_never_left_out);
	tcase_add_test(sqlite, a_failed_write_leaves_nothing_behind);
	tcase_add_test(sqlite, a_full_disk_refuses_and_recovers);
	suite_add_tcase(suite, sqlite);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
