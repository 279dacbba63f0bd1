/* Arguments are checked here, and handed on to the driver.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store/store.h"

#include <math.h>
#include <string.h>

#include "engine/store/driver.h"

enum { MAX_VALUE = 65536 };

enum status store_open(
	struct store **store, const char *uri, enum store_mode mode, struct failure *failure)
{
	static const struct {
		const char *scheme;
		store_open_fn *open;
	} DRIVERS[] = {{"memory:", memory_store_open}, {"sqlite:", sqlite_store_open}};

	for (size_t i = 0; i < sizeof(DRIVERS) / sizeof(DRIVERS[0]); i++) {
		size_t length = strlen(DRIVERS[i].scheme);
		if (strncmp(uri, DRIVERS[i].scheme, length) == 0)
			return DRIVERS[i].open(store, uri + length, mode, failure);
	}
	return sqlite_store_open(store, uri, mode, failure);
}

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
	return store->writable && !store->failing;
}

static enum status check_open_for_writing(const struct store *store, struct failure *failure)
{
	if (!store->writable)
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

static enum status check_entry(const struct store_entry *entry, struct failure *failure)
{
	if (entry->kind <= 0)
		return failure_set(failure, STATUS_INVALID, "entry of kind %d", entry->kind);
	if (strnlen(entry->name, STORE_MAX_NAME + 1) > STORE_MAX_NAME ||
		(entry->value && strnlen(entry->value, STORE_MAX_VALUE + 1) > STORE_MAX_VALUE))
		return failure_set(failure, STATUS_INVALID, "entry %.40s is too long", entry->name);
	return check_user(entry->scope, failure);
}

static enum status check_entries(
	const struct store_entry *entries, size_t count, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = check_entry(&entries[i], failure);
	return status;
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

static bool are_tokens(const struct store_token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!store_is_token(&tokens[i]))
			return false;
	}
	return true;
}

static enum status check_rows(const struct store_rows *rows, struct failure *failure)
{
	if (!rows)
		return STATUS_OK;
	if (!is_checkpoint(rows->checkpoint))
		return failure_set(failure, STATUS_INVALID, "impossible checkpoint");
	if (!are_tokens(rows->tokens, rows->count))
		return failure_set(failure, STATUS_INVALID, "impossible token");
	return STATUS_OK;
}

static bool is_piece(const struct store_piece *piece)
{
	bool possible = are_tokens(piece->tokens, piece->token_count);

	for (size_t i = 0; i < piece->report_count && possible; i++)
		possible = store_is_contribution(&piece->reports[i].global) &&
			isfinite(piece->reports[i].margin) && piece->reports[i].seq > 0;
	return possible;
}

static enum status check_generation_rows(
	const struct store_generation *generation, struct failure *failure)
{
	if (!generation)
		return STATUS_OK;
	if (!is_piece(&generation->piece) ||
		(generation->checkpoint &&
			(!is_checkpoint(generation->checkpoint) || generation->entry_kind <= 0)))
		return failure_set(failure, STATUS_INVALID, "generation with impossible numbers");
	return generation->checkpoint
		? check_entries(generation->entries, generation->entry_count, failure)
		: STATUS_OK;
}

static enum status check_merge(struct store_merge *merge, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (!merge)
		return STATUS_OK;
	merge->reports = 0;
	merge->refold = false;
	status = check_user(merge->from, failure);
	if (status == STATUS_OK)
		status = check_user(merge->to, failure);
	if (status == STATUS_OK &&
		(!*merge->from || !*merge->to || strcmp(merge->from, merge->to) == 0))
		status = failure_set(failure, STATUS_INVALID, "two names are wanted");
	return status;
}

static enum status check_removal(struct store_removal *removal, struct failure *failure)
{
	if (!removal)
		return STATUS_OK;
	removal->reports = removal->entries = 0;
	if (removal->kind == REMOVE_SHARED && removal->until == 0)
		removal->until = INT64_MAX;
	return removal->kind == REMOVE_OLD && !removal->user ? STATUS_OK
							     : check_user(removal->user, failure);
}

static enum status check_values(const struct store_change *change, struct failure *failure)
{
	for (size_t i = 0; i < change->value_count; i++) {
		const struct store_value *value = &change->values[i];
		if (value->size > MAX_VALUE)
			return failure_set(failure, STATUS_INVALID, "value %s has %zu bytes",
				value->name, value->size);
	}
	return STATUS_OK;
}

static enum status check_reports(const struct store_change *change, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < change->report_count && status == STATUS_OK; i++)
		status = store_check_report(&change->reports[i], failure);
	return status;
}

static enum status check_change(const struct store_change *change, struct failure *failure)
{
	enum status status = check_merge(change->merge, failure);

	if (status == STATUS_OK)
		status = check_removal(change->removal, failure);
	if (status == STATUS_OK)
		status = check_rows(change->rows, failure);
	if (status == STATUS_OK)
		status = check_generation_rows(change->generation, failure);
	if (status == STATUS_OK)
		status = check_reports(change, failure);
	if (status == STATUS_OK)
		status = check_entries(change->entries, change->entry_count, failure);
	return status == STATUS_OK ? check_values(change, failure) : status;
}

enum status store_commit(
	struct store *store, const struct store_change *change, struct failure *failure)
{
	enum status status = check_change(change, failure);

	if (status == STATUS_OK)
		status = check_open_for_writing(store, failure);
	return status == STATUS_OK ? wrote(store, store->driver->commit(store, change, failure))
				   : status;
}

bool store_is_untidy(const struct store *store)
{
	return store->untidy;
}

enum status store_tidy(struct store *store, enum store_tidying effort, struct store_tidied *tidied,
	struct failure *failure)
{
	struct store_tidied unwanted;
	enum status status = check_open_for_writing(store, failure);

	tidied = tidied ? tidied : &unwanted;
	*tidied = (struct store_tidied){0};
	return status == STATUS_OK
		? wrote(store, store->driver->tidy(store, effort, tidied, failure))
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

/* --- Reading ------------------------------------------------------------- */

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

enum status store_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		lookups[i].found = false;
		lookups[i].failure = (struct failure){0};
		status = check_user(lookups[i].user, failure);
	}
	return status == STATUS_OK && count > 0
		? reader->driver->find(reader, lookups, count, failure)
		: status;
}

enum status store_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure)
{
	struct store_selection all = *selection;
	enum status status = all.user ? check_user(all.user, failure) : STATUS_OK;

	if (all.limit == 0)
		all.limit = SIZE_MAX;
	return status == STATUS_OK ? reader->driver->reports(reader, &all, each, context, failure)
				   : status;
}

enum status store_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure)
{
	enum status status = check_user(user, failure);

	*shares = false;
	return status == STATUS_OK ? reader->driver->shares(reader, user, shares, failure) : status;
}

enum status store_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure)
{
	return reader->driver->tokens(reader, checkpoint, each, context, failure);
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

enum status store_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure)
{
	enum status status = check_user(after, failure);

	return status == STATUS_OK && rows > 0
		? reader->driver->users(reader, after, rows, each, context, failure)
		: status;
}

enum status store_read_stats(
	struct store_reader *reader, bool count, struct store_stats *stats, struct failure *failure)
{
	*stats = (struct store_stats){0};
	return reader->driver->read_stats(reader, count, stats, failure);
}
