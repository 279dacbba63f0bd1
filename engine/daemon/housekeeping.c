/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/housekeeping.h"

#include <stdlib.h>
#include <time.h>

#include "engine/daemon/server.h"

/* How often it is looked whether one is due. */
static const uint64_t LOOK_MS = 1000;

struct housekeeping {
	struct server *server;
	uv_timer_t timer;
	struct ticket ticket; /* its change is NULL while none is at work */
	uint64_t last_ms; /* of the loop's clock, when the last run began */
	bool in_vain; /* that run could not come below the budget */
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
}

void housekeeping_ended(struct housekeeping *housekeeping, const struct receipt *receipt,
	const struct failure *failure)
{
	const struct expired *expired = &receipt->expired;
	struct log *log = housekeeping->server->log;

	add(&housekeeping->stats.expired, expired);
	if (failure) {
		housekeeping->stats.failed++;
		log_event(log, LOG_ERROR, "housekeeping-failed",
			(struct log_field[]){log_text("reason", failure->detail), {0}});
		return;
	}
	housekeeping->stats.runs += !expired->postponed;
	housekeeping->stats.postponed += expired->postponed;
	log_event(log, LOG_INFO, "housekeeping",
		(struct log_field[]){log_number("by_age", expired->by_age),
			log_number("by_count", expired->by_count),
			log_number("by_idleness", expired->by_idleness),
			log_number("by_budget", expired->by_budget),
			log_number("users", expired->users), log_number("bytes", expired->bytes),
			log_number("postponed", expired->postponed), {0}});
}

static bool is_over_budget(const struct housekeeping *housekeeping)
{
	struct service_stats stats;

	service_read_stats(housekeeping->server->service, &stats);
	return stats.over_budget;
}

static void on_done(struct ticket *ticket, const struct failure *failure)
{
	struct housekeeping *housekeeping = ticket->data;

	housekeeping_ended(housekeeping, change_receipt(ticket->change), failure);
	housekeeping->in_vain = is_over_budget(housekeeping);
	ticket->change = NULL; /* the writer ends it */
}

static bool is_due(const struct housekeeping *housekeeping)
{
	struct server *server = housekeeping->server;
	uint64_t since = uv_now(&server->loop) - housekeeping->last_ms;

	if (since >= server->settings.housekeeping_seconds * 1000)
		return true;
	return !housekeeping->in_vain && is_over_budget(housekeeping);
}

static void on_timer(uv_timer_t *timer)
{
	struct housekeeping *housekeeping = timer->data;
	struct server *server = housekeeping->server;
	struct failure failure;

	if (housekeeping->stopped || housekeeping->ticket.change ||
		!store_writable(server->store) || !is_due(housekeeping))
		return;
	housekeeping->last_ms = uv_now(&server->loop);
	housekeeping->ticket = (struct ticket){.data = housekeeping,
		.done = on_done,
		.change = change_expire(server->service, time(NULL))};
	/* Refused when many changes wait: then the next look tries again. */
	if (writer_change(server->writer, &housekeeping->ticket, &failure) != STATUS_OK) {
		change_end(server->service, &housekeeping->ticket.change);
		housekeeping->last_ms = 0;
	}
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
	uv_timer_init(&server->loop, &housekeeping->timer);
	housekeeping->timer.data = housekeeping;
	if (interval > LOOK_MS)
		interval = LOOK_MS;
	uv_timer_start(&housekeeping->timer, on_timer, interval, interval);
	return STATUS_OK;
}

void housekeeping_stop(struct housekeeping *housekeeping)
{
	housekeeping->stopped = true;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void housekeeping_close(struct housekeeping **housekeeping)
{
	if (*housekeeping)
		uv_close((uv_handle_t *)&(*housekeeping)->timer, on_closed);
	*housekeeping = NULL;
}

void housekeeping_read_stats(
	const struct housekeeping *housekeeping, struct housekeeping_stats *stats)
{
	*stats = housekeeping->stats;
	stats->running = housekeeping->ticket.change != NULL;
}
