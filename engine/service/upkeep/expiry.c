/* What is past its time leaves the journal and, with it, the evidence that it gave: tokens
 * without any are deleted, users without reports forgotten, and the room goes back to the
 * file system. Reports go by number and not by time: of each message the older report goes
 * first, so that one that was superseded never counts again, even where the clock went
 * back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/upkeep/budget.h"

#include <glib.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/upkeep/change.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

enum {
	DAY = 86400,
	PIECE_REPORTS = 200, /* taken out at a time: reports wait for no more */
	PIECE_USERS = 2000, /* looked at in a step; fewer where they have many reports */
	PIECE_SHARE_BYTES = 64 << 10, /* of a budget for each report taken out at a time */
	PIECE_SHARE_TOKENS = 5000, /* likewise */
	MOST_USERS = 10000, /* dropped from the cache one by one; beyond that all are dropped */
	CAPPED_LEAST = 100, /* reports that go at once however few there are */
};

/* Where to stop, so that it does not begin again at once. */
static const double BUDGET_TARGET = 0.9;

enum stage { CHECK_CLOCK, MAKE_WAY, BY_AGE, BY_USER, BY_BUDGET, TIDY, DONE };

struct expiry {
	struct change change;
	struct retention retention; /* of when it was made: settings change between steps */
	struct clock_reading clock;
	int64_t piece; /* reports taken out at a time */
	bool by_time; /* the clock is believed */
	int64_t left; /* that may go by age and idleness */
	enum stage stage;
	char user[STORE_MAX_USER + 1]; /* BY_USER: who was through last */
	bool written; /* MAKE_WAY: the global rows that had changed */
	bool trims; /* a budget was passed */
	GHashTable *users; /* names whose reports went */
};

/* --- The clock ------------------------------------------------------------------- */

/* Writes a value, unless the disk is full: an expiry has to go on then, since it makes room. */
static enum status keep_value(struct service *service, const char *name, const void *value,
	size_t size, struct failure *failure)
{
	const struct store_value kept = {.name = name, .bytes = value, .size = size};
	const struct store_change change = {.values = &kept, .value_count = 1};
	enum status status = store_commit(service->store, &change, failure);

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

	/* A value of another size is not a record of ours. */
	if (status == STATUS_NOTFOUND || status == STATUS_LIMIT ||
		(status == STATUS_OK && size != sizeof(*record))) {
		*record = (struct clock_record){0};
		status = STATUS_OK;
	}
	return status;
}

/* All reports that there may be: some numbers belong to nobody any more. */
static int64_t most_by_time(const struct expiry *expiry, const struct store_stats *stats)
{
	int64_t percent = expiry->retention.most;

	if (percent <= 0 || percent >= 100 || expiry->clock.certain)
		return INT64_MAX;
	return MAX((stats->last_seq - stats->first_seq) / 100 * percent, CAPPED_LEAST);
}

static enum status step_check_clock(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	struct service *service = expiry->change.service;
	int64_t days = shortest_days(&expiry->retention);
	struct clock_record record;
	struct store_stats stats;
	enum status status = STATUS_OK;

	expiry->stage = MAKE_WAY;
	expiry->by_time = days > 0;
	if (!expiry->by_time)
		return STATUS_OK;
	status = store_read_stats(service->reader, false, &stats, failure);
	if (status == STATUS_OK)
		status = read_record(service, &record, failure);
	if (status != STATUS_OK)
		return status;
	expired->doubt = clock_judge(&record, &expiry->clock, stats.last_time, clock_leap(days));
	expiry->by_time = expired->doubt == CLOCK_BELIEVED;
	expiry->left = most_by_time(expiry, &stats);
	return stats.last_time == 0
		? STATUS_OK
		: keep_value(service, SERVICE_CLOCK, &record, sizeof(record), failure);
}

/* --- Steps ---------------------------------------------------------------------- */

/* Among others what the last adoption replaced, or one that was broken off has left. */
static enum status step_make_way(struct expiry *expiry, struct failure *failure)
{
	bool more;
	enum status status = removal_make_way(expiry->change.service,
		expiry->change.tight ? NULL : &expiry->written, &more, failure);

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

static enum status take_past_time(struct expiry *expiry, const char *user, int64_t until,
	int64_t *count, struct failure *failure)
{
	struct removal removal = {.what = {.kind = REMOVE_OLD, .user = user, .until = until},
		.watch = note_user,
		.context = expiry,
		.late = expiry->change.tight};
	enum status status = removal_run(expiry->change.service, &removal, failure);

	if (status == STATUS_OK)
		*count += removal.what.reports;
	if (status == STATUS_FULL && expiry->change.tight && expiry->piece > 1) {
		expiry->piece /= 4; /* the step is made again */
		status = STATUS_OK;
	}
	return status;
}

/* --- By age ------------------------------------------------------------------------ */

/* The number of the `count`-th report from the beginning of the journal, or of the user's
 * part of it (NULL = of all); of the last one when there are fewer; 0 when there is none. */
static enum status find_oldest(struct expiry *expiry, const char *user, size_t count, int64_t *seq,
	struct failure *failure)
{
	const struct store_selection oldest = {.user = user, .headers = true, .limit = count};

	*seq = 0;
	return count == 0 ? STATUS_OK : change_find_last(&expiry->change, &oldest, seq, failure);
}

struct aging {
	int64_t before, present; /* times */
	int64_t left; /* reports that are looked for */
	int64_t seq; /* of the last one that is old; 0 = none */
};

/* Reports of a time after `present` came while a clock was ahead, and are as old as those
 * beside them: they are passed over and not counted. */
static enum status look_at_age(void *context, const struct report *report)
{
	struct aging *aging = context;

	if (report->time > aging->present)
		return STATUS_OK;
	if (report->time >= aging->before)
		return STATUS_INTERRUPTED;
	aging->seq = report->seq;
	return --aging->left > 0 ? STATUS_OK : STATUS_INTERRUPTED;
}

/* Of the first reports the last one up to which all are too old; 0 = not even the first. */
static enum status find_too_old(struct expiry *expiry, int64_t *seq, struct failure *failure)
{
	static const struct store_selection all = {.headers = true};
	int64_t now = expiry->clock.now;
	struct aging aging = {.before = now - expiry->retention.days * DAY,
		.present = now + DAY,
		.left = CLAMP(expiry->left, 1, expiry->piece)};
	enum status status =
		store_reports(expiry->change.service->reader, &all, look_at_age, &aging, failure);

	*seq = aging.seq;
	return status == STATUS_INTERRUPTED ? STATUS_OK : status;
}

static enum status step_by_age(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	int64_t before = expired->by_age, until = 0;
	enum status status = STATUS_OK;

	if (expiry->retention.days > 0 && expiry->by_time)
		status = find_too_old(expiry, &until, failure);
	expired->capped = expired->capped || (until > 0 && expiry->left <= 0);
	if (expired->capped)
		until = 0;
	if (status == STATUS_OK && until > 0)
		status = take_past_time(expiry, NULL, until, &expired->by_age, failure);
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
	enum status status = find_oldest(expiry, surplus->user, (size_t)piece, &until, failure);
	before = *count;
	if (status == STATUS_OK)
		status = take_past_time(expiry, surplus->user, until, count, failure);
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
		status = store_users(expiry->change.service->reader, expiry->user, PIECE_USERS,
			weigh_user, &surplus, failure);
	expired->capped = expired->capped || surplus.capped;
	if (status == STATUS_INTERRUPTED)
		return take_surplus(expiry, &surplus, expired, failure);
	if (status == STATUS_OK && !surplus.walked)
		expiry->stage = BY_BUDGET;
	return status;
}

/* Reports to take out before the budget is looked at again: of a small one fewer, so that
 * not much more goes than has to. */
static size_t budget_piece(const struct expiry *expiry)
{
	size_t tokens = expiry->change.service->settings.global_tokens;
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

	expiry->trims = expiry->trims || budget_is_over(expiry->change.service, bytes, 1);
	if (expiry->trims && budget_is_over(expiry->change.service, bytes, BUDGET_TARGET))
		status = find_oldest(expiry, NULL, budget_piece(expiry), &until, failure);
	if (status == STATUS_OK && until > 0)
		status = take_past_time(expiry, NULL, until, &expired->by_budget, failure);
	if (until == 0)
		expiry->stage = TIDY;
	return status;
}

static enum status step_tidy(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	struct store_tidied tidied;
	enum status status = store_tidy(expiry->change.service->store, TIDY_SOME, &tidied, failure);

	expired->users += tidied.users;
	expired->bytes += tidied.bytes;
	if (!tidied.more)
		expiry->stage = DONE;
	return status;
}

/* When it was done last is kept, so that it is known after a restart as well. */
static enum status note_success(struct expiry *expiry, struct failure *failure)
{
	struct service *service = expiry->change.service;
	int64_t now = expiry->clock.now;
	enum status status = keep_value(service, SERVICE_EXPIRED_AT, &now, sizeof(now), failure);

	if (status == STATUS_OK)
		atomic_store(&service->expired_at, now);
	return status;
}

static enum status run_stage(
	struct expiry *expiry, struct expired *expired, struct failure *failure)
{
	switch (expiry->stage) {
	case CHECK_CLOCK:
		return step_check_clock(expiry, expired, failure);
	case MAKE_WAY:
		return step_make_way(expiry, failure);
	case BY_AGE:
		return step_by_age(expiry, expired, failure);
	case BY_USER:
		return step_by_user(expiry, expired, failure);
	case BY_BUDGET:
		return step_by_budget(expiry, expired, failure);
	case TIDY:
		return step_tidy(expiry, expired, failure);
	case DONE:
		break;
	}
	return STATUS_OK;
}

static enum status expiry_run(struct change *change, struct failure *failure)
{
	struct expiry *expiry = (struct expiry *)change;
	struct service *service = change->service;
	struct expired *expired = &change->receipt.expired;
	enum status status = STATUS_OK;

	/* An adoption would have to begin again with each report that goes. */
	if (atomic_load(&service->stopping) || atomic_load(&service->adopting)) {
		expired->postponed = true;
		expiry->stage = DONE;
		return STATUS_OK;
	}
	status = run_stage(expiry, expired, failure);
	if (status == STATUS_OK && expiry->stage == DONE && expired->doubt == CLOCK_BELIEVED)
		status = note_success(expiry, failure);
	if (expiry->stage == DONE)
		service_note_budget(service);
	change->receipt.reports =
		expired->by_age + expired->by_count + expired->by_idleness + expired->by_budget;
	return status;
}

static bool expiry_goes_on(const struct change *change)
{
	return ((const struct expiry *)change)->stage != DONE;
}

static bool expiry_is_patient(const struct change *change)
{
	(void)change;
	return true;
}

static bool expiry_tighten(struct change *change)
{
	((struct expiry *)change)->piece = PIECE_REPORTS / 4;
	return true;
}

static void expiry_publish(struct change *change)
{
	struct expiry *expiry = (struct expiry *)change;
	struct users *users = change->service->users;
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

static void expiry_free(struct change *change)
{
	struct expiry *expiry = (struct expiry *)change;

	g_hash_table_unref(expiry->users);
	g_free(expiry);
}

static const struct change_kind EXPIRY = {.run = expiry_run,
	.goes_on = expiry_goes_on,
	.is_patient = expiry_is_patient,
	.tighten = expiry_tighten,
	.publish = expiry_publish,
	.free = expiry_free};

struct change *change_expire(struct service *service, const struct clock_reading *clock)
{
	struct expiry *expiry = g_new0(struct expiry, 1);

	expiry->change = (struct change){.kind = &EXPIRY, .service = service};
	expiry->retention = service->settings.retention;
	expiry->clock = *clock;
	expiry->piece = PIECE_REPORTS;
	expiry->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return &expiry->change;
}
