/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Checks of arguments and dispatch to the driver. */
#include "engine/store/store.h"

#include <math.h>
#include <string.h>

#include "engine/store/driver.h"

enum { MAX_VALUE = 65536 };

void store_close(struct store **store)
{
	if (!*store)
		return;
	(*store)->driver->close(*store);
	*store = NULL;
}

const struct store_migration *store_migration(const struct store *store)
{
	return &store->migration;
}

bool store_writable(const struct store *store)
{
	return store->driver->writable(store) && !store->failing;
}

static enum status check_open_for_writing(const struct store *store, struct failure *failure)
{
	if (!store->driver->writable(store))
		return failure_set(failure, STATUS_READONLY, "the database is read-only");
	return STATUS_OK;
}

/* Notes what a write says of the disk: not all that can go wrong is its fault. */
static enum status wrote(struct store *store, enum status status)
{
	switch (status) {
	case STATUS_OK:
		store->failing = false;
		break;
	case STATUS_IO:
	case STATUS_FULL:
	case STATUS_READONLY:
	case STATUS_DENIED:
	case STATUS_CORRUPT:
		store->failing = true;
		break;
	default:
		break;
	}
	return status;
}

static enum status check_user(const char *user, struct failure *failure)
{
	if (!user || strnlen(user, STORE_MAX_USER + 1) > STORE_MAX_USER)
		return failure_set(failure, STATUS_INVALID, "user name is longer than %d bytes",
			STORE_MAX_USER);
	return STATUS_OK;
}

bool store_is_contribution(const struct contribution *c)
{
	const double numbers[] = {
		c->head_sum, c->head_gain, c->body_sum, c->body_gain, c->bias_sum, c->bias_gain};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		double units = numbers[i] / STORE_UNIT;
		if (!(fabs(units) < 0x1p52) || units != nearbyint(units))
			return false;
	}
	return c->head_gain >= 0 && c->body_gain >= 0 && c->bias_gain >= 0;
}

static bool are_ascending(const uint64_t *keys, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (keys[i] <= keys[i - 1])
			return false;
	}
	return count == 0 || (keys[0] > 0 && keys[count - 1] <= INT64_MAX);
}

enum status store_check_report(const struct report *report, struct failure *failure)
{
	if (report->label > LABEL_SPAM)
		return failure_set(failure, STATUS_INVALID, "report with label %d", report->label);
	if (report->count > STORE_MAX_TOKENS || !are_ascending(report->keys, report->count))
		return failure_set(failure, STATUS_INVALID, "report with %zu tokens out of order",
			report->count);
	if (report->time < -STORE_MAX_TIME || report->time > STORE_MAX_TIME)
		return failure_set(failure, STATUS_INVALID, "report of an impossible time");
	if (!isfinite(report->margin) || !store_is_contribution(&report->global) ||
		!store_is_contribution(&report->undone))
		return failure_set(failure, STATUS_INVALID, "report with impossible numbers");
	return check_user(report->user, failure);
}

/* Sums of many reports, so of any size that a row can hold (2^63 units). */
static bool is_sum(double number)
{
	return fabs(number) < 0x1p33;
}

bool store_is_token(const struct store_token *token)
{
	return token->key > 0 && token->key <= INT64_MAX && is_sum(token->sum) &&
		is_sum(token->gain);
}

enum status store_append(
	struct store *store, struct report *reports, size_t count, struct failure *failure)
{
	for (size_t i = 0; i < count; i++) {
		enum status status = store_check_report(&reports[i], failure);
		if (status != STATUS_OK)
			return status;
	}
	enum status status = check_open_for_writing(store, failure);
	return status == STATUS_OK && count
		? wrote(store, store->driver->append(store, reports, count, failure))
		: status;
}

enum status store_find(struct store *store, const char *user, uint64_t message, int64_t before,
	struct report *report, struct failure *failure)
{
	enum status status = check_user(user, failure);

	return status == STATUS_OK
		? store->driver->find(store, user, message, before, report, failure)
		: status;
}

static enum status check_entry(const struct store_entry *entry, struct failure *failure)
{
	if (entry->kind <= 0)
		return failure_set(failure, STATUS_INVALID, "entry of kind %d", entry->kind);
	if (strnlen(entry->name, STORE_MAX_NAME + 1) > STORE_MAX_NAME ||
		(entry->value && strnlen(entry->value, STORE_MAX_VALUE + 1) > STORE_MAX_VALUE))
		return failure_set(failure, STATUS_INVALID, "entry %.40s is too long", entry->name);
	return check_user(entry->scope, failure);
}

bool store_log_is_due(const struct store *store)
{
	return store->driver->log_is_due(store);
}

void store_move_log(struct store *store)
{
	store->driver->move_log(store);
}

int64_t store_last_included(const struct store_checkpoint *checkpoint)
{
	int64_t last = checkpoint->seq;

	for (size_t range = 0; range < STORE_RANGES; range++)
		last = checkpoint->ahead[range] > last ? checkpoint->ahead[range] : last;
	return last;
}

static bool is_checkpoint(const struct store_checkpoint *checkpoint)
{
	return checkpoint->seq >= 0 && is_sum(checkpoint->bias_sum) &&
		is_sum(checkpoint->bias_gain);
}

static enum status check_rows(const struct store *store, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *failure)
{
	if (!is_checkpoint(checkpoint))
		return failure_set(failure, STATUS_INVALID, "impossible checkpoint");
	for (size_t i = 0; i < count; i++) {
		if (!store_is_token(&tokens[i]))
			return failure_set(failure, STATUS_INVALID, "impossible token");
	}
	return check_open_for_writing(store, failure);
}

static enum status write_checkpoint(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	enum status status = check_rows(store, tokens, count, checkpoint, failure);

	return status == STATUS_OK ? wrote(store,
					     store->driver->write_checkpoint(store, removal, tokens,
						     count, checkpoint, failure))
				   : status;
}

enum status store_write_checkpoint(struct store *store, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *failure)
{
	return write_checkpoint(store, NULL, tokens, count, checkpoint, failure);
}

enum status store_replace_tokens(struct store *store, bool readable,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	enum status status = check_rows(store, tokens, count, checkpoint, failure);

	return status == STATUS_OK ? wrote(store,
					     store->driver->replace_tokens(store, readable, tokens,
						     count, checkpoint, failure))
				   : status;
}

enum status store_remove(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure)
{
	bool all = removal->kind == REMOVE_OLD && !removal->user;
	enum status status = all ? STATUS_OK : check_user(removal->user, failure);

	if (status == STATUS_OK && removal->entry)
		status = check_entry(removal->entry, failure);
	removal->reports = removal->entries = 0;
	if (removal->kind == REMOVE_SHARED && removal->until == 0)
		removal->until = INT64_MAX;
	return status == STATUS_OK
		? write_checkpoint(store, removal, tokens, count, checkpoint, failure)
		: status;
}

static bool is_piece(const struct store_piece *piece)
{
	bool possible = true;

	for (size_t i = 0; i < piece->token_count && possible; i++)
		possible = store_is_token(&piece->tokens[i]);
	for (size_t i = 0; i < piece->report_count && possible; i++)
		possible = store_is_contribution(&piece->reports[i].global) &&
			isfinite(piece->reports[i].margin) && piece->reports[i].seq > 0;
	return possible;
}

static enum status check_generation(
	const struct store_generation *generation, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (!is_checkpoint(&generation->checkpoint) || generation->entry_kind <= 0 ||
		!is_piece(&generation->rest))
		return failure_set(failure, STATUS_INVALID, "generation with impossible numbers");
	for (size_t i = 0; i < generation->entry_count && status == STATUS_OK; i++)
		status = check_entry(&generation->entries[i], failure);
	return status;
}

enum status store_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure)
{
	if (!is_piece(piece))
		return failure_set(failure, STATUS_INVALID, "generation with impossible numbers");
	enum status status = check_open_for_writing(store, failure);
	return status == STATUS_OK ? wrote(store, store->driver->stage(store, piece, failure))
				   : status;
}

enum status store_clear_stage(struct store *store, size_t rows, bool *more, struct failure *failure)
{
	enum status status = check_open_for_writing(store, failure);

	*more = false;
	return status == STATUS_OK
		? wrote(store, store->driver->clear_stage(store, rows, more, failure))
		: status;
}

enum status store_adopt(
	struct store *store, const struct store_generation *generation, struct failure *failure)
{
	enum status status = check_generation(generation, failure);

	if (status == STATUS_OK)
		status = check_open_for_writing(store, failure);
	return status == STATUS_OK ? wrote(store, store->driver->adopt(store, generation, failure))
				   : status;
}

bool store_make_room(struct store *store)
{
	return store->driver->writable(store) && store->driver->make_room(store);
}

void store_keep_room(struct store *store)
{
	if (store->driver->writable(store))
		store->driver->keep_room(store);
}

enum status store_compact(struct store *store, struct failure *failure)
{
	enum status status = check_open_for_writing(store, failure);

	return status == STATUS_OK ? wrote(store, store->driver->compact(store, failure)) : status;
}

enum status store_forget_users(
	struct store *store, char *name, size_t users, int64_t *count, struct failure *failure)
{
	*count = 0;
	if (!store_writable(store))
		return failure_set(failure, STATUS_READONLY, "the database is read-only");
	return store->driver->forget_users(store, name, users, count, failure);
}

static enum status check_merge(const struct store_merge *merge, struct failure *failure)
{
	enum status status = check_user(merge->from, failure);

	if (status == STATUS_OK)
		status = check_user(merge->to, failure);
	if (status == STATUS_OK &&
		(!*merge->from || !*merge->to || strcmp(merge->from, merge->to) == 0))
		status = failure_set(failure, STATUS_INVALID, "two names are wanted");
	for (size_t i = 0; i < merge->entry_count && status == STATUS_OK; i++)
		status = check_entry(&merge->entries[i], failure);
	return status;
}

enum status store_merge(struct store *store, struct store_merge *merge, struct failure *failure)
{
	enum status status = check_merge(merge, failure);

	merge->reports = 0;
	merge->refold = false;
	if (status == STATUS_OK)
		status = check_open_for_writing(store, failure);
	return status == STATUS_OK ? wrote(store, store->driver->merge(store, merge, failure))
				   : status;
}

enum status store_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure)
{
	enum status status = check_open_for_writing(store, failure);

	*copy = '\0';
	return status == STATUS_OK ? store->driver->keep_copy(store, suffix, copy, room, failure)
				   : status;
}

enum status store_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure)
{
	*returned = 0;
	if (!store_writable(store))
		return failure_set(failure, STATUS_READONLY, "the database is read-only");
	return store->driver->give_back(store, bytes, returned, failure);
}

enum status store_put_entries(struct store *store, const struct store_entry *entries, size_t count,
	struct failure *failure)
{
	for (size_t i = 0; i < count; i++) {
		enum status status = check_entry(&entries[i], failure);
		if (status != STATUS_OK)
			return status;
	}
	enum status status = check_open_for_writing(store, failure);
	return status == STATUS_OK && count
		? wrote(store, store->driver->put_entries(store, entries, count, failure))
		: status;
}

enum status store_put(struct store *store, const char *name, const void *value, size_t size,
	struct failure *failure)
{
	if (size > MAX_VALUE)
		return failure_set(failure, STATUS_INVALID, "value %s has %zu bytes", name, size);
	enum status status = check_open_for_writing(store, failure);
	return status == STATUS_OK
		? wrote(store, store->driver->put(store, name, value, size, failure))
		: status;
}

enum status store_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure)
{
	*reader = NULL;
	return store->driver->reader_open(store, reader, failure);
}

void store_reader_close(struct store_reader **reader)
{
	if (!*reader)
		return;
	(*reader)->driver->reader_close(*reader);
	*reader = NULL;
}

enum status store_get(struct store_reader *reader, const char *name, void *value, size_t *size,
	struct failure *failure)
{
	return reader->driver->get(reader, name, value, size, failure);
}

enum status store_user_reports(struct store_reader *reader, const char *user, size_t limit,
	store_report_fn *each, void *context, struct failure *failure)
{
	enum status status = check_user(user, failure);

	return status == STATUS_OK
		? reader->driver->user_reports(reader, user, limit, each, context, failure)
		: status;
}

enum status store_journal(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure)
{
	enum status status = check_user(user, failure);

	return status == STATUS_OK
		? reader->driver->journal(reader, user, after, limit, each, context, failure)
		: status;
}

enum status store_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure)
{
	enum status status = check_user(user, failure);

	*shares = false;
	return status == STATUS_OK ? reader->driver->shares(reader, user, shares, failure) : status;
}

enum status store_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure)
{
	enum status status = check_user(scope, failure);

	return status == STATUS_OK
		? reader->driver->entries(reader, scope, kind, each, context, failure)
		: status;
}

enum status store_next_scope(struct store_reader *reader, char *scope, struct failure *failure)
{
	enum status status = check_user(scope, failure);

	return status == STATUS_OK ? reader->driver->next_scope(reader, scope, failure) : status;
}

enum status store_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure)
{
	return reader->driver->read_checkpoint(reader, checkpoint, failure);
}

enum status store_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure)
{
	return reader->driver->tokens(reader, each, context, failure);
}

enum status store_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure)
{
	return reader->driver->reports_after(reader, after, each, context, failure);
}

enum status store_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure)
{
	return reader->driver->counting_reports(reader, each, context, failure);
}

enum status store_read_span(
	struct store_reader *reader, struct store_span *span, struct failure *failure)
{
	*span = (struct store_span){0};
	return reader->driver->read_span(reader, span, failure);
}

enum status store_oldest_before(struct store_reader *reader, int64_t time, int64_t present,
	size_t count, int64_t *seq, struct failure *failure)
{
	*seq = 0;
	return count > 0 ? reader->driver->oldest_before(reader, time, present, count, seq, failure)
			 : STATUS_OK;
}

enum status store_oldest(struct store_reader *reader, const char *user, size_t count, int64_t *seq,
	struct failure *failure)
{
	enum status status = user ? check_user(user, failure) : STATUS_OK;

	*seq = 0;
	return status == STATUS_OK && count > 0
		? reader->driver->oldest(reader, user, count, seq, failure)
		: status;
}

enum status store_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure)
{
	enum status status = check_user(after, failure);

	return status == STATUS_OK && rows > 0
		? reader->driver->users(reader, after, rows, each, context, failure)
		: status;
}

enum status store_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure)
{
	return reader->driver->read_size(reader, size, failure);
}

enum status store_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure)
{
	return reader->driver->read_stats(reader, stats, failure);
}
