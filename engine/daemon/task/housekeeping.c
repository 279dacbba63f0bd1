/* Expiries: when they are due, and what became of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/housekeeping.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/daemon/server.h"

/* How often it is looked whether the time has come, and how long after an attempt that was
 * refused or postponed the next one is made. The budget is looked at whenever the loop has
 * turned, since what reports bring in a second may be as much as it. */
static const uint64_t LOOK_MS = 1000;

struct housekeeping {
	struct server *server;
	uv_timer_t timer;
	uv_check_t check;
	int open_handles;
	struct ticket ticket; /* its change is NULL while none is at work */
	uint64_t last_ms; /* of the loop's clock, when the last run began */
	uint64_t not_before_ms;
	bool in_vain; /* that run could not come below the budget */
	struct clock_sample sample; /* when the clock was read last */
	int64_t jump; /* it was set by so many seconds since the last run */
	bool stopped;
	struct housekeeping_stats stats;
};

static void add(struct expired *sum, const struct expired *expired)
{
	sum->by_age += expired->by_age;
	sum->by_count += expired->by_count;
	sum->by_idleness += expired->by_idleness;
	sum->by_budget += expired->by_budget;
	sum->users += expired->users;
	sum->bytes += expired->bytes;
	if (!expired->postponed) { /* then it came to that */
		sum->capped = expired->capped;
		sum->doubt = expired->doubt;
	}
}

/* --- The clock ---------------------------------------------------------------------- */

/* The steady one goes on while the machine sleeps. */
static struct clock_sample sample_clocks(void)
{
	struct timespec steady;

	clock_gettime(CLOCK_BOOTTIME, &steady);
	return (struct clock_sample){.wall = time(NULL), .steady = steady.tv_sec};
}

static void watch_clock(struct housekeeping *housekeeping)
{
	struct clock_sample now = sample_clocks();
	int64_t jump = clock_jump(&housekeeping->sample, &now);

	if (jump == 0)
		return;
	housekeeping->sample = now;
	housekeeping->jump += jump;
	log_event(housekeeping->server->log, LOG_WARNING, "clock-was-set",
		(struct log_field[]){log_number("seconds", jump), {0}});
}

struct clock_reading housekeeping_clock(struct housekeeping *housekeeping)
{
	watch_clock(housekeeping);
	housekeeping->sample = sample_clocks(); /* what they drift apart does not add up */
	struct clock_reading reading = {
		.now = housekeeping->sample.wall, .jump = housekeeping->jump};
	housekeeping->jump = 0;
	return reading;
}

/* Once, and not with every run: it may be for a week. */
static void log_doubt(struct log *log, enum clock_doubt before, enum clock_doubt now)
{
	char reason[200];

	if (now == before)
		return;
	if (now == CLOCK_BELIEVED) {
		log_event(log, LOG_INFO, "clock-believed", NULL);
		return;
	}
	snprintf(reason, sizeof(reason), "the clock %s", clock_doubt_text(now));
	log_event(log, LOG_WARNING, "clock-doubted",
		(struct log_field[]){log_text("reason", reason),
			log_text("consequence", "no report goes by its age or its user's idleness"),
			log_text("remedy",
				"mend the clock; or if it is right: hamlet-train expire "
				"--believe-clock"),
			{0}});
}

/* --- Runs --------------------------------------------------------------------------- */

void housekeeping_ended(struct housekeeping *housekeeping, const struct receipt *receipt,
	const struct failure *failure)
{
	const struct expired *expired = &receipt->expired;
	struct log *log = housekeeping->server->log;
	enum clock_doubt before = housekeeping->stats.expired.doubt;

	add(&housekeeping->stats.expired, expired);
	if (failure) {
		housekeeping->stats.failed++;
		log_event(log, LOG_ERROR, "housekeeping-failed",
			(struct log_field[]){log_text("reason", failure->detail), {0}});
		return;
	}
	housekeeping->stats.runs += !expired->postponed;
	housekeeping->stats.postponed += expired->postponed;
	log_doubt(log, before, housekeeping->stats.expired.doubt);
	log_event(log, LOG_INFO, "housekeeping",
		(struct log_field[]){log_number("by_age", expired->by_age),
			log_number("by_count", expired->by_count),
			log_number("by_idleness", expired->by_idleness),
			log_number("by_budget", expired->by_budget),
			log_number("users", expired->users), log_number("bytes", expired->bytes),
			log_number("postponed", expired->postponed),
			log_number("capped", expired->capped),
			log_text("clock", clock_doubt_name(expired->doubt)), {0}});
}

static void on_expiry_ended(struct ticket *ticket, const struct failure *failure)
{
	struct housekeeping *housekeeping = ticket->data;
	struct server *server = housekeeping->server;
	const struct receipt *receipt = change_receipt(ticket->change);

	housekeeping_ended(housekeeping, receipt, failure);
	if (receipt->expired.postponed)
		housekeeping->not_before_ms = uv_now(&server->loop) + LOOK_MS;
	else
		housekeeping->in_vain = service_is_over_budget(server->service);
	ticket->change = NULL; /* the writer ends it */
}

static bool is_due(const struct housekeeping *housekeeping)
{
	struct server *server = housekeeping->server;
	uint64_t now = uv_now(&server->loop);

	if (now < housekeeping->not_before_ms)
		return false;
	if (now - housekeeping->last_ms >= server->settings.housekeeping_seconds * 1000)
		return true;
	return !housekeeping->in_vain && service_is_over_budget(server->service);
}

static void look(struct housekeeping *housekeeping)
{
	struct server *server = housekeeping->server;
	struct failure failure;

	if (housekeeping->stopped || housekeeping->ticket.change ||
		!store_writable(server->store) || !is_due(housekeeping))
		return;
	struct clock_reading clock = housekeeping_clock(housekeeping);
	uint64_t before = housekeeping->last_ms;
	housekeeping->last_ms = uv_now(&server->loop);
	housekeeping->ticket = (struct ticket){.data = housekeeping,
		.client = CLIENT_SELF,
		.done = on_expiry_ended,
		.change = change_expire(server->service, &clock)};
	/* Refused when many changes wait. */
	if (writer_change(server->writer, &housekeeping->ticket, &failure) != STATUS_OK) {
		change_end(server->service, &housekeeping->ticket.change);
		housekeeping->jump += clock.jump;
		housekeeping->not_before_ms = housekeeping->last_ms + LOOK_MS;
		housekeeping->last_ms = before;
	}
}

static void on_housekeeping_timer(uv_timer_t *timer)
{
	watch_clock(timer->data);
	look(timer->data);
}

static void on_check(uv_check_t *check)
{
	look(check->data);
}

enum status housekeeping_new(
	struct housekeeping **result, struct server *server, struct failure *failure)
{
	struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
	uint64_t interval = server->settings.housekeeping_seconds * 1000;

	*result = housekeeping;
	if (!housekeeping)
		return failure_set(failure, STATUS_NOMEM, "starting: out of memory");
	housekeeping->server = server;
	housekeeping->last_ms = uv_now(&server->loop);
	housekeeping->sample = sample_clocks();
	uv_timer_init(&server->loop, &housekeeping->timer);
	housekeeping->timer.data = housekeeping;
	if (interval > LOOK_MS)
		interval = LOOK_MS;
	uv_timer_start(&housekeeping->timer, on_housekeeping_timer, interval, interval);
	uv_check_init(&server->loop, &housekeeping->check);
	housekeeping->check.data = housekeeping;
	uv_check_start(&housekeeping->check, on_check);
	housekeeping->open_handles = 2;
	return STATUS_OK;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
	housekeeping->stopped = true;
}

static void on_housekeeping_closed(uv_handle_t *handle)
{
	struct housekeeping *housekeeping = handle->data;

	if (--housekeeping->open_handles == 0)
		free(housekeeping);
}

void housekeeping_close(struct housekeeping **housekeeping)
{
	if (*housekeeping) {
		uv_close((uv_handle_t *)&(*housekeeping)->timer, on_housekeeping_closed);
		uv_close((uv_handle_t *)&(*housekeeping)->check, on_housekeeping_closed);
	}
	*housekeeping = NULL;
}

void housekeeping_read_stats(
	const struct housekeeping *housekeeping, struct housekeeping_stats *stats)
{
	*stats = housekeeping->stats;
	stats->running = housekeeping->ticket.change != NULL;
}
