/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Reports go by number and not by time: of each message the older report goes first,
 * so that one that was superseded never counts again, even where the clock went back. */
#include "engine/service/expiry.h"

#include <glib.h>

#include "engine/service/removal.h"

enum {
	DAY = 86400,
	PIECE_REPORTS = 200, /* taken out at a time: reports wait for no more */
	PIECE_USERS = 2000, /* looked at, and fewer when they have more reports, likewise */
	PIECE_BYTES = 4 << 20, /* given back at a time */
	PIECE_SHARE_BYTES = 64 << 10, /* of a budget for each report taken out at a time */
	PIECE_SHARE_TOKENS = 5000, /* likewise */
	MOST_USERS = 10000, /* to be folded anew one by one; of more all are */
	CAPPED_LEAST = 100, /* reports that go at once however few there are */
};

/* Where to stop, so that it does not begin again at once. */
static const double BUDGET_TARGET = 0.9;
/* Of the most tokens: a table that is full would leave new ones out. */
static const double TOKENS_FULL = 0.95;

enum stage { CHECK_CLOCK, MAKE_WAY, BY_AGE, BY_USER, BY_BUDGET, FORGET_USERS, GIVE_BACK, DONE };

struct expiry {
	struct service *service;
	struct retention retention; /* of when it was made: settings change between steps */
	struct clock_reading clock;
	int64_t piece; /* reports taken out at a time */
	bool tight; /* the disk is full */
	bool by_time; /* the clock is believed */
	int64_t left; /* that may go by age and idleness */
	enum stage stage;
	char user[STORE_MAX_USER + 1]; /* BY_USER, FORGET_USERS: who was through last */
	bool written; /* MAKE_WAY: the global rows that had changed */
	bool trims; /* a budget was passed */
	GHashTable *users; /* names whose reports went */
};

struct expiry *expiry_new(struct service *service, const struct clock_reading *clock)
{
	struct expiry *expiry = g_new0(struct expiry, 1);

	expiry->service = service;
	expiry->retention = service->settings.retention;
	expiry->clock = *clock;
	expiry->piece = PIECE_REPORTS;
	expiry->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return expiry;
}

void expiry_free(struct expiry **expiry)
{
	if (!*expiry)
		return;
	g_hash_table_unref((*expiry)->users);
	g_free(*expiry);
	*expiry = NULL;
}

/* --- The clock ------------------------------------------------------------------- */

/* What is known of it when there is room: it must not keep room from being made. */
static enum status keep_value(struct service *service, const char *name, const void *value,
	size_t size, struct failure *failure)
{
	enum status status = store_put(service->store, name, value, size, failure);

	return status == STATUS_FULL ? STATUS_OK : status;
}

/* How long the shorter-lived of what goes by time is kept; 0 = without end. */
static int64_t shortest_days(const struct retention *retention)
{
	if (retention->days == 0 || retention->idle_days == 0)
		return MAX(retention->days, retention->idle_days);
	return MIN(retention->days, retention->idle_days);
}

static enum status read_record(
	struct service *service, struct clock_record *record, struct failure *failure)
{
	size_t size = sizeof(*record);
	enum status status = store_get(service->reader, SERVICE_CLOCK, record, &size, failure);

	/* Of another size it says nothing: it is not ours. */
	if (status == STATUS_NOTFOUND || status == STATUS_LIMIT ||
		(status == STATUS_OK && size != sizeof(*record))) {
		*record = (struct clock_record){0};
		status = STATUS_OK;
	}
	return status;
}

/* All reports that there may be: some numbers belong to nobody any more. */
static int64_t most_by_time(const struct expiry *expiry, const struct store_span *span)
{
	int64_t percent = expiry->retention.most;

	if (percent <= 0 || percent >= 100 || expiry->clock.certain)
		return INT64_MAX;
	return MAX((span->last - span->first) / 100 * percent, CAPPED_LEAST);
}

static enum status step_check_clock(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	struct service *service = expiry->service;
	int64_t days = shortest_days(&expiry->retention);
	struct clock_record record;
	struct store_span span;
	enum status status = STATUS_OK;

	expiry->stage = MAKE_WAY;
	expiry->by_time = days > 0;
	if (!expiry->by_time)
		return STATUS_OK;
	status = store_read_span(service->reader, &span, failure);
	if (status == STATUS_OK)
		status = read_record(service, &record, failure);
	if (status != STATUS_OK)
		return status;
	expired->doubt = clock_judge(&record, &expiry->clock, span.last_time, clock_leap(days));
	expiry->by_time = expired->doubt == CLOCK_BELIEVED;
	expiry->left = most_by_time(expiry, &span);
	return span.last_time == 0
		? STATUS_OK
		: keep_value(service, SERVICE_CLOCK, &record, sizeof(record), failure);
}

/* --- Steps ---------------------------------------------------------------------- */

/* Among others what the last adoption replaced, or one that was broken off has left. */
static enum status step_make_way(struct expiry *expiry, struct failure *failure)
{
	bool more;
	enum status status = removal_make_way(
		expiry->service, expiry->tight ? NULL : &expiry->written, &more, failure);

	if (!more)
		expiry->stage = BY_AGE;
	return status;
}

static void note_user(void *context, const struct report *report)
{
	struct expiry *expiry = context;

	if (g_hash_table_size(expiry->users) <= MOST_USERS &&
		!g_hash_table_contains(expiry->users, report->user))
		g_hash_table_add(expiry->users, g_strdup(report->user));
}

static enum status take_out(struct expiry *expiry, const char *user, int64_t until, int64_t *count,
	struct failure *failure)
{
	struct store_removal removal = {.kind = REMOVE_OLD, .user = user, .until = until};
	enum status status = expiry->tight
		? removal_run_late(expiry->service, &removal, note_user, expiry, failure)
		: removal_run(expiry->service, &removal, NULL, note_user, expiry, failure);

	if (status == STATUS_OK)
		*count += removal.reports;
	if (status == STATUS_FULL && expiry->tight && expiry->piece > 1) {
		expiry->piece /= 4; /* the step is made again */
		status = STATUS_OK;
	}
	return status;
}

static enum status step_by_age(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	int64_t days = expiry->retention.days, now = expiry->clock.now, until = 0;
	int64_t before = expired->by_age;
	enum status status = STATUS_OK;

	if (days > 0 && expiry->by_time)
		status = store_oldest_before(expiry->service->reader, now - days * DAY, now + DAY,
			(size_t)CLAMP(expiry->left, 1, expiry->piece), &until, failure);
	expired->capped = expired->capped || (until > 0 && expiry->left <= 0);
	if (expired->capped)
		until = 0;
	if (status == STATUS_OK && until > 0)
		status = take_out(expiry, NULL, until, &expired->by_age, failure);
	expiry->left -= expired->by_age - before;
	if (until == 0)
		expiry->stage = BY_USER;
	return status;
}

/* The first user of a piece who has something too much. */
struct surplus {
	struct expiry *expiry;
	char user[STORE_MAX_USER + 1];
	int64_t reports; /* 0 = none of them has */
	bool idle;
	bool walked; /* there was somebody */
	bool capped; /* somebody idle has to stay */
};

static enum status weigh_user(void *context, const struct store_user *user)
{
	struct surplus *surplus = context;
	struct expiry *expiry = surplus->expiry;
	const struct retention *retention = &expiry->retention;

	surplus->walked = true;
	surplus->idle = retention->idle_days > 0 && expiry->by_time && user->reports > 0 &&
		user->last_time < expiry->clock.now - retention->idle_days * DAY;
	surplus->capped = surplus->capped || (surplus->idle && expiry->left <= 0);
	surplus->idle = surplus->idle && expiry->left > 0;
	if (surplus->idle)
		surplus->reports = user->reports;
	else if (retention->reports > 0 && user->reports > retention->reports)
		surplus->reports = user->reports - retention->reports;
	g_strlcpy(surplus->reports > 0 ? surplus->user : expiry->user, user->name,
		sizeof(surplus->user));
	return surplus->reports > 0 ? STATUS_INTERRUPTED : STATUS_OK;
}

/* Some of it; the next step weighs the user again, who may have reported meanwhile. */
static enum status take_surplus(struct expiry *expiry, const struct surplus *surplus,
	struct expired *expired, struct failure *failure)
{
	int64_t piece = MIN(surplus->reports, expiry->piece), until = 0, before;
	int64_t *count = surplus->idle ? &expired->by_idleness : &expired->by_count;

	if (surplus->idle)
		piece = MIN(piece, expiry->left);
	enum status status = store_oldest(
		expiry->service->reader, surplus->user, (size_t)piece, &until, failure);
	before = *count;
	if (status == STATUS_OK)
		status = take_out(expiry, surplus->user, until, count, failure);
	if (surplus->idle)
		expiry->left -= *count - before;
	if (status == STATUS_OK && surplus->reports <= *count - before)
		g_strlcpy(expiry->user, surplus->user, sizeof(expiry->user));
	return status;
}

/* The site's own reports are no mailbox's: they are bounded by age alone. */
static enum status step_by_user(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	struct surplus surplus = {.expiry = expiry};
	enum status status = STATUS_OK;

	if (expiry->retention.reports > 0 || expiry->retention.idle_days > 0)
		status = store_users(expiry->service->reader, expiry->user, PIECE_USERS, weigh_user,
			&surplus, failure);
	expired->capped = expired->capped || surplus.capped;
	if (status == STATUS_INTERRUPTED)
		return take_surplus(expiry, &surplus, expired, failure);
	if (status == STATUS_OK && !surplus.walked)
		expiry->stage = BY_BUDGET;
	return status;
}

/* Above this share of the budgets: of `bytes` on disk (0 = no limit), or of tokens. */
static bool is_over(struct service *service, int64_t bytes, double share)
{
	struct store_size size;

	if (service->settings.global_tokens > 0 &&
		(double)global_tokens(service->global) >
			share * TOKENS_FULL * (double)service->settings.global_tokens)
		return true;
	if (bytes == 0 || store_read_size(service->reader, &size, NULL) != STATUS_OK)
		return false;
	/* What is free is given back before another report goes; the log shrinks by itself. */
	return (double)(size.bytes - (share < 1 ? size.free : 0)) > share * (double)bytes;
}

void expiry_note_size(struct service *service)
{
	atomic_store(&service->over_budget, is_over(service, service->settings.retention.bytes, 1));
}

/* Reports to take out before the budget is looked at again: of a small one fewer, so that
 * not much more goes than has to. */
static size_t budget_piece(const struct expiry *expiry)
{
	size_t tokens = expiry->service->settings.global_tokens;
	size_t piece = (size_t)expiry->piece;

	if (expiry->retention.bytes > 0)
		piece = MIN(piece, (size_t)expiry->retention.bytes / PIECE_SHARE_BYTES);
	if (tokens > 0)
		piece = MIN(piece, tokens / PIECE_SHARE_TOKENS);
	return MAX(piece, 1);
}

static enum status step_by_budget(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	int64_t bytes = expiry->retention.bytes, until = 0;
	enum status status = STATUS_OK;

	expiry->trims = expiry->trims || is_over(expiry->service, bytes, 1);
	if (expiry->trims && is_over(expiry->service, bytes, BUDGET_TARGET))
		status = store_oldest(
			expiry->service->reader, NULL, budget_piece(expiry), &until, failure);
	if (status == STATUS_OK && until > 0)
		status = take_out(expiry, NULL, until, &expired->by_budget, failure);
	if (until == 0) {
		*expiry->user = '\0';
		expiry->stage = FORGET_USERS;
	}
	return status;
}

static enum status step_forget_users(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	int64_t count = 0;
	enum status status = store_forget_users(
		expiry->service->store, expiry->user, PIECE_USERS, &count, failure);

	expired->users += count;
	if (!*expiry->user)
		expiry->stage = GIVE_BACK;
	return status;
}

static enum status step_give_back(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	int64_t returned = 0;
	enum status status =
		store_give_back(expiry->service->store, PIECE_BYTES, &returned, failure);

	expired->bytes += returned;
	if (returned == 0)
		expiry->stage = DONE;
	return status;
}

/* When it was done last is kept, so that it is known after a restart as well. */
static enum status note_success(struct expiry *expiry, struct failure *failure)
{
	struct service *service = expiry->service;
	int64_t now = expiry->clock.now;
	enum status status = keep_value(service, SERVICE_EXPIRED_AT, &now, sizeof(now), failure);

	if (status == STATUS_OK)
		atomic_store(&service->expired_at, now);
	return status;
}

enum status expiry_run(struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	enum status status = STATUS_OK;

	/* An adoption would have to begin again with each report that goes. */
	if (atomic_load(&expiry->service->stopping) || atomic_load(&expiry->service->adopting)) {
		expired->postponed = true;
		expiry->stage = DONE;
		return STATUS_OK;
	}
	switch (expiry->stage) {
	case CHECK_CLOCK:
		status = step_check_clock(expiry, expired, failure);
		break;
	case MAKE_WAY:
		status = step_make_way(expiry, failure);
		break;
	case BY_AGE:
		status = step_by_age(expiry, expired, failure);
		break;
	case BY_USER:
		status = step_by_user(expiry, expired, failure);
		break;
	case BY_BUDGET:
		status = step_by_budget(expiry, expired, failure);
		break;
	case FORGET_USERS:
		status = step_forget_users(expiry, expired, failure);
		break;
	case GIVE_BACK:
		status = step_give_back(expiry, expired, failure);
		break;
	case DONE:
		break;
	}
	if (status == STATUS_OK && expiry->stage == DONE && expired->doubt == CLOCK_BELIEVED)
		status = note_success(expiry, failure);
	if (expiry->stage == DONE)
		expiry_note_size(expiry->service);
	return status;
}

void expiry_tighten(struct expiry *expiry)
{
	expiry->tight = true;
	expiry->piece = PIECE_REPORTS / 4;
}

bool expiry_is_done(const struct expiry *expiry)
{
	return expiry->stage == DONE;
}

void expiry_publish(struct expiry *expiry)
{
	struct users *users = expiry->service->users;
	GHashTableIter iter;
	gpointer name;

	if (g_hash_table_size(expiry->users) > MOST_USERS) {
		users_clear(users);
		return;
	}
	g_hash_table_iter_init(&iter, expiry->users);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		users_drop(users, name);
}
