/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The store in memory: an array of reports, each user's newest ones found
 * through two small chained indexes. For tests and evaluation; a reader sees
 * what the writer has appended, in one thread. */
#include <stdlib.h>
#include <string.h>

#include "engine/store/driver.h"
#include "engine/store/pack.h"
#include "engine/store/table.h"

enum { NONE = -1, SMALLEST = 256 };

struct user {
	char *name;
	int64_t next; /* of the same hash */
};

struct row {
	struct report report; /* keys NULL */
	unsigned char *tokens;
	size_t size;
	int64_t user;
	int64_t previous_of_user;    /* row, or NONE */
	int64_t next_of_hash;        /* of the same (user, message) hash */
	int64_t superseded_by, supersedes; /* rows, or NONE */
};

struct value {
	struct value *next;
	char *name;
	size_t size;
	unsigned char bytes[];
};

struct memory {
	struct store store;
	struct row *rows; /* row i has sequence number i + 1 */
	size_t count, capacity;
	struct user *users;
	int64_t *newest_of_user; /* rows, by user */
	size_t user_count, user_capacity;
	int64_t *row_heads;  /* chains by hash of (user, message) */
	int64_t *user_heads; /* chains by hash of the name */
	size_t row_buckets, user_buckets; /* powers of two */
	struct table *tokens;
	struct store_checkpoint checkpoint;
	struct value *values;
};

struct memory_reader {
	struct store_reader reader;
	struct memory *memory;
};

static uint64_t hash_bytes(const char *text, uint64_t hash)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
	return hash ^ hash >> 29;
}

static uint64_t hash_row(int64_t user, uint64_t message)
{
	uint64_t hash = (message ^ (uint64_t)user) * UINT64_C(0x9E3779B97F4A7C15);

	return hash ^ hash >> 32;
}

static int64_t *heads_new(size_t buckets)
{
	int64_t *heads = malloc(buckets * sizeof(*heads));

	for (size_t i = 0; heads && i < buckets; i++)
		heads[i] = NONE;
	return heads;
}

static int64_t find_user(const struct memory *memory, const char *name)
{
	int64_t user = memory->user_heads[hash_bytes(name, 0) & (memory->user_buckets - 1)];

	while (user != NONE && strcmp(memory->users[user].name, name) != 0)
		user = memory->users[user].next;
	return user;
}

static enum status grow_users(struct memory *memory)
{
	size_t capacity = memory->user_capacity ? 2 * memory->user_capacity : SMALLEST;
	struct user *users = realloc(memory->users, capacity * sizeof(*users));

	if (!users)
		return STATUS_NOMEM;
	memory->users = users;
	int64_t *newest = realloc(memory->newest_of_user, capacity * sizeof(*newest));
	if (!newest)
		return STATUS_NOMEM;
	memory->newest_of_user = newest;
	int64_t *heads = heads_new(capacity);
	if (!heads)
		return STATUS_NOMEM;
	free(memory->user_heads);
	memory->user_heads = heads;
	memory->user_buckets = memory->user_capacity = capacity;
	for (size_t i = 0; i < memory->user_count; i++) {
		int64_t *head = &heads[hash_bytes(users[i].name, 0) & (capacity - 1)];
		users[i].next = *head;
		*head = (int64_t)i;
	}
	return STATUS_OK;
}

static int64_t add_user(struct memory *memory, const char *name)
{
	int64_t user = find_user(memory, name);

	if (user != NONE)
		return user;
	if (memory->user_count == memory->user_capacity && grow_users(memory) != STATUS_OK)
		return NONE;
	char *copy = strdup(name);
	if (!copy)
		return NONE;
	int64_t *head = &memory->user_heads[hash_bytes(name, 0) & (memory->user_buckets - 1)];
	user = (int64_t)memory->user_count++;
	memory->users[user] = (struct user){.name = copy, .next = *head};
	memory->newest_of_user[user] = NONE;
	*head = user;
	return user;
}

static enum status grow_rows(struct memory *memory, size_t wanted)
{
	size_t capacity = memory->capacity ? memory->capacity : SMALLEST;

	while (capacity < wanted)
		capacity *= 2;
	if (capacity == memory->capacity)
		return STATUS_OK;
	struct row *rows = realloc(memory->rows, capacity * sizeof(*rows));
	if (!rows)
		return STATUS_NOMEM;
	memory->rows = rows;
	int64_t *heads = heads_new(capacity);
	if (!heads)
		return STATUS_NOMEM;
	free(memory->row_heads);
	memory->row_heads = heads;
	memory->row_buckets = memory->capacity = capacity;
	for (size_t i = 0; i < memory->count; i++) {
		int64_t *head = &heads[hash_row(rows[i].user, rows[i].report.message) & (capacity - 1)];
		rows[i].next_of_hash = *head;
		*head = (int64_t)i;
	}
	return STATUS_OK;
}

/* The newest row of this user about this message. */
static int64_t find_row(const struct memory *memory, int64_t user, uint64_t message)
{
	if (user == NONE || memory->row_buckets == 0)
		return NONE;
	int64_t row = memory->row_heads[hash_row(user, message) & (memory->row_buckets - 1)];
	while (row != NONE && (memory->rows[row].user != user ||
				      memory->rows[row].report.message != message ||
				      memory->rows[row].superseded_by != NONE))
		row = memory->rows[row].next_of_hash;
	return row;
}

/* Links a row whose memory is there; cannot fail. */
static void link_row(struct memory *memory, struct row *row)
{
	int64_t at = (int64_t)memory->count++;
	int64_t older = find_row(memory, row->user, row->report.message);
	int64_t *head =
		&memory->row_heads[hash_row(row->user, row->report.message) & (memory->row_buckets - 1)];

	row->report.seq = at + 1;
	row->supersedes = older;
	row->superseded_by = NONE;
	row->next_of_hash = *head;
	row->previous_of_user = memory->newest_of_user[row->user];
	*head = at;
	memory->newest_of_user[row->user] = at;
	if (older != NONE)
		memory->rows[older].superseded_by = at;
	memory->rows[at] = *row;
}

static bool prepare_row(struct memory *memory, const struct report *report, struct row *row)
{
	unsigned char packed[32 + 10 * STORE_MAX_TOKENS];

	*row = (struct row){.report = *report, .user = add_user(memory, report->user)};
	row->size = pack_keys(report->keys, report->count, packed);
	row->tokens = malloc(row->size);
	if (row->user == NONE || !row->tokens) {
		free(row->tokens);
		return false;
	}
	memcpy(row->tokens, packed, row->size);
	row->report.user = NULL; /* the user's name may move; see give_row */
	row->report.keys = NULL;
	return true;
}

static enum status memory_append(
	struct store *store, struct report *reports, size_t count, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	struct row *rows = calloc(count, sizeof(*rows));
	size_t prepared = 0;

	if (!rows || grow_rows(memory, memory->count + count) != STATUS_OK)
		goto fail;
	for (; prepared < count; prepared++) {
		if (!prepare_row(memory, &reports[prepared], &rows[prepared]))
			goto fail;
	}
	for (size_t i = 0; i < count; i++) {
		link_row(memory, &rows[i]);
		reports[i].seq = (int64_t)memory->count;
	}
	free(rows);
	return STATUS_OK;
fail:
	while (prepared > 0)
		free(rows[--prepared].tokens);
	free(rows);
	return failure_set(failure, STATUS_NOMEM, "appending reports: out of memory");
}

static enum status memory_find(struct store *store, const char *user, uint64_t message,
	struct report *report, struct failure *failure)
{
	const struct memory *memory = (const struct memory *)store;
	int64_t row = find_row(memory, find_user(memory, user), message);

	if (row == NONE)
		return failure_set(failure, STATUS_NOTFOUND, "no such report");
	*report = memory->rows[row].report;
	report->user = user;
	report->count = 0;
	return STATUS_OK;
}

static void strip(struct memory *memory, int64_t row)
{
	free(memory->rows[row].tokens);
	memory->rows[row].tokens = NULL;
	memory->rows[row].size = 0;
}

static enum status memory_write_checkpoint(struct store *store, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *failure)
{
	struct memory *memory = (struct memory *)store;

	if (checkpoint->seq > (int64_t)memory->count)
		return failure_set(
			failure, STATUS_INVALID, "no report %lld", (long long)checkpoint->seq);
	for (size_t i = 0; i < count; i++) {
		if (table_set(memory->tokens, tokens[i].key, tokens[i].sum, tokens[i].gain) !=
			STATUS_OK)
			return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	}
	for (int64_t seq = memory->checkpoint.seq + 1; seq <= checkpoint->seq; seq++) {
		const struct row *row = &memory->rows[seq - 1];
		if (row->supersedes != NONE)
			strip(memory, row->supersedes);
		if (row->report.label == LABEL_FORGET)
			strip(memory, seq - 1);
	}
	memory->checkpoint = *checkpoint;
	return STATUS_OK;
}

static struct value *find_value(const struct memory *memory, const char *name)
{
	struct value *value = memory->values;

	while (value && strcmp(value->name, name) != 0)
		value = value->next;
	return value;
}

static enum status memory_put(struct store *store, const char *name, const void *bytes, size_t size,
	struct failure *failure)
{
	struct memory *memory = (struct memory *)store;
	struct value **at = &memory->values;
	struct value *value = malloc(sizeof(*value) + size);

	if (!value || !(value->name = strdup(name))) {
		free(value);
		return failure_set(failure, STATUS_NOMEM, "keeping %s: out of memory", name);
	}
	if (size > 0)
		memcpy(value->bytes, bytes, size);
	value->size = size;
	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	struct value *old = *at;
	value->next = old ? old->next : NULL;
	*at = value;
	if (old) {
		free(old->name);
		free(old);
	}
	return STATUS_OK;
}

static enum status memory_get(struct store_reader *reader, const char *name, void *bytes,
	size_t *size, struct failure *failure)
{
	const struct value *value = find_value(((struct memory_reader *)reader)->memory, name);
	size_t room = *size;

	if (!value)
		return failure_set(failure, STATUS_NOTFOUND, "no value %s", name);
	*size = value->size;
	if (value->size > room)
		return failure_set(failure, STATUS_LIMIT, "value %s has %zu bytes", name, value->size);
	if (value->size > 0)
		memcpy(bytes, value->bytes, value->size);
	return STATUS_OK;
}

/* Unpacks a row's tokens and hands the report to the caller. */
static enum status give_row(const struct memory *memory, const struct row *row,
	store_report_fn *each, void *context, struct failure *failure)
{
	uint64_t keys[STORE_MAX_TOKENS];
	struct report report = row->report;

	report.user = memory->users[row->user].name;
	report.count = 0;
	if (row->tokens && pack_read(row->tokens, row->size, keys, STORE_MAX_TOKENS, &report.count) !=
				   STATUS_OK)
		return failure_set(failure, STATUS_CORRUPT, "tokens of report %lld are damaged",
			(long long)report.seq);
	report.keys = keys;
	return each(context, &report);
}

static bool counts(const struct row *row)
{
	return row->superseded_by == NONE && row->report.label != LABEL_FORGET &&
		!(row->report.flags & REPORT_MUTED);
}

static enum status memory_user_reports(struct store_reader *reader, const char *name, size_t limit,
	store_report_fn *each, void *context, struct failure *failure)
{
	const struct memory *memory = ((struct memory_reader *)reader)->memory;
	int64_t user = find_user(memory, name);
	int64_t at = user == NONE ? NONE : memory->newest_of_user[user];
	enum status status = STATUS_OK;
	int64_t *found = NULL;
	size_t count = 0, capacity = 0;

	for (; at != NONE && count < limit; at = memory->rows[at].previous_of_user) {
		if (!counts(&memory->rows[at]))
			continue;
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 64;
			int64_t *grown = realloc(found, capacity * sizeof(*found));
			if (!grown) {
				status = failure_set(failure, STATUS_NOMEM, "reading reports: out of memory");
				goto out;
			}
			found = grown;
		}
		found[count++] = at;
	}
	while (count > 0 && status == STATUS_OK)
		status = give_row(memory, &memory->rows[found[--count]], each, context, failure);
out:
	free(found);
	return status;
}

static enum status memory_read_checkpoint(struct store_reader *reader,
	struct store_checkpoint *checkpoint, struct failure *failure)
{
	(void)failure;
	*checkpoint = ((struct memory_reader *)reader)->memory->checkpoint;
	return STATUS_OK;
}

struct token_walk {
	store_token_fn *each;
	void *context;
	enum status status;
};

static void give_token(void *context, uint64_t key, double sum, double gain)
{
	struct token_walk *walk = context;
	struct store_token token = {.key = key, .sum = sum, .gain = gain};

	if (walk->status == STATUS_OK && gain > 0)
		walk->status = walk->each(walk->context, &token);
}

static enum status memory_tokens(struct store_reader *reader, store_token_fn *each, void *context,
	struct failure *failure)
{
	struct token_walk walk = {.each = each, .context = context, .status = STATUS_OK};
	(void)failure;

	/* The table tracks changes and is never cleaned: all of it is "dirty". */
	table_dirty(((struct memory_reader *)reader)->memory->tokens, give_token, &walk);
	return walk.status;
}

static enum status memory_reports_after(struct store_reader *reader, int64_t after,
	store_report_fn *each, void *context, struct failure *failure)
{
	const struct memory *memory = ((struct memory_reader *)reader)->memory;
	enum status status = STATUS_OK;

	for (size_t i = after > 0 ? (size_t)after : 0; i < memory->count && status == STATUS_OK; i++)
		status = give_row(memory, &memory->rows[i], each, context, failure);
	return status;
}

static enum status memory_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure)
{
	const struct memory *memory = ((struct memory_reader *)reader)->memory;
	(void)failure;

	*stats = (struct store_stats){
		.reports = (int64_t)memory->count,
		.users = (int64_t)memory->user_count,
		.tokens = (int64_t)table_count(memory->tokens),
		.last_seq = (int64_t)memory->count,
	};
	return STATUS_OK;
}

static enum status memory_reader_open(
	struct store *store, struct store_reader **result, struct failure *failure)
{
	struct memory_reader *reader = malloc(sizeof(*reader));

	if (!reader)
		return failure_set(failure, STATUS_NOMEM, "opening a reader: out of memory");
	reader->reader.driver = store->driver;
	reader->memory = (struct memory *)store;
	*result = &reader->reader;
	return STATUS_OK;
}

static void memory_reader_close(struct store_reader *reader)
{
	free(reader);
}

static bool memory_writable(const struct store *store)
{
	(void)store;
	return true;
}

static void memory_close(struct store *store)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < memory->count; i++)
		free(memory->rows[i].tokens);
	for (size_t i = 0; i < memory->user_count; i++)
		free(memory->users[i].name);
	while (memory->values) {
		struct value *next = memory->values->next;
		free(memory->values->name);
		free(memory->values);
		memory->values = next;
	}
	free(memory->rows);
	free(memory->users);
	free(memory->newest_of_user);
	free(memory->row_heads);
	free(memory->user_heads);
	table_free(&memory->tokens);
	free(memory);
}

static const struct store_driver memory_driver = {
	.close = memory_close,
	.writable = memory_writable,
	.append = memory_append,
	.find = memory_find,
	.write_checkpoint = memory_write_checkpoint,
	.put = memory_put,
	.reader_open = memory_reader_open,
	.reader_close = memory_reader_close,
	.get = memory_get,
	.user_reports = memory_user_reports,
	.read_checkpoint = memory_read_checkpoint,
	.tokens = memory_tokens,
	.reports_after = memory_reports_after,
	.read_stats = memory_read_stats,
};

enum status store_open_memory(struct store **result, struct failure *failure)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	*result = NULL;
	if (memory) {
		memory->store.driver = &memory_driver;
		memory->tokens = table_new(0);
	}
	if (!memory || !memory->tokens || grow_users(memory) != STATUS_OK) {
		if (memory)
			memory_close(&memory->store);
		return failure_set(failure, STATUS_NOMEM, "opening a store: out of memory");
	}
	table_track(memory->tokens);
	*result = &memory->store;
	return STATUS_OK;
}
