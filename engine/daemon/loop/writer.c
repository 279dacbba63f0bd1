/* The single writer: batches, changes, checkpoints and the store's log take turns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/loop/long-work.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"

/* Batches that may wait: more means that the disk does not keep up, and then a
 * refusal now is better than an answer too late. */
static const size_t WAITING_BATCHES = 16;

/* And changes: people wait for them, one at a time. */
static const size_t WAITING_CHANGES = 100;

/* Of the time of one client's changes others have so much, but no change waits longer. */
static const uint64_t PACE_FACTOR = 4;
static const uint64_t PACE_MOST_MS = 10000;

/* Rows of a checkpoint that are written at a time: a batch waits for no more. */
static const size_t CHECKPOINT_ROWS = 1000;

/* WAITING: presses or none, nothing in flight. From there to BATCH and back for
 * each commit, and to CHANGE, CHECKPOINT and LOG and back. */
enum state { WAITING, BATCH, CHANGE, CHECKPOINT, LOG };

struct writer {
	uv_loop_t *loop;
	struct service *service;
	struct log *log;
	struct writer_settings settings;
	enum state state;
	uv_work_t work;
	uv_timer_t commit_timer;
	uv_timer_t hold_timer; /* until a change that is held back may run */
	uv_timer_t checkpoint_timer;
	int open_handles;

	struct lanes *presses, *changes; /* in line */
	bool batch_first; /* before a change: the last step was one */

	/* In flight. */
	STAILQ_HEAD(, ticket) tickets; /* of the batch, or of the change */
	struct press **batch_presses;
	size_t count;
	struct batch *batch;
	enum status status;
	struct failure failure;
	uint64_t started;
	struct log_limit failure_limit;

	bool checkpoint_due;
	bool checkpoint_failed; /* the next one waits for the timer */
	bool checkpoint_next; /* before a batch: the last step was one */
	uint64_t checkpoint_ns; /* its steps took so far */
	uint64_t checkpoint_longest_ns;
	bool draining;
	void (*drained)(void *context);
	void *drained_context;
	writer_between_fn *between;
	void *between_context;
	struct writer_stats stats;
};

static void step(struct writer *writer);

/* --- Work ---------------------------------------------------------------- */

/* What is done in each state but WAITING. */
struct work {
	enum status (*run)(struct writer *writer); /* in a thread */
	void (*ran)(struct writer *writer); /* on the loop */
};
static const struct work WORK[];

/* A work begins, or ends: none follows another at once. */
static void move_writer(struct writer *writer, enum state to)
{
	assert((writer->state == WAITING) != (to == WAITING));
	writer->state = to;
}

static void run_work(void *data)
{
	struct writer *writer = data;

	thread_take_role(THREAD_WRITER);
	writer->status = WORK[writer->state].run(writer);
}

/* Who is answered may submit: that waits until the work has ended. */
static void end_work(void *data)
{
	struct writer *writer = data;

	ASSERT_OWNER();
	WORK[writer->state].ran(writer);
	move_writer(writer, WAITING);
	step(writer);
}

static void on_work_run(uv_work_t *work)
{
	run_work(work->data);
}

static void on_work_ran(uv_work_t *work, int error)
{
	assert(error == 0); /* nobody cancels */
	(void)error;
	end_work(work->data);
}

static void prepare_work(struct writer *writer)
{
	writer->started = uv_hrtime();
	writer->failure = (struct failure){0};
}

static void start_work(struct writer *writer, enum state state)
{
	move_writer(writer, state);
	/* It fails only when it is given no function. */
	int error = uv_queue_work(writer->loop, &writer->work, on_work_run, on_work_ran);
	assert(error == 0);
	(void)error;
}

/* The same in a thread of its own, at a low priority. */
static void start_long_work(struct writer *writer, enum state state)
{
	move_writer(writer, state);
	/* Once it runs, the status is the thread's to write. */
	enum status status =
		long_work_start(writer->loop, run_work, end_work, writer, &writer->failure);
	if (status != STATUS_OK) {
		writer->status = status;
		end_work(writer);
	}
}

/* --- Lines --------------------------------------------------------------- */

/* One client may have three quarters of what may wait. */
static enum status take_in(struct lanes *lanes, struct ticket *ticket, size_t most,
	const char *what, struct failure *failure)
{
	if (lanes_waiting(lanes) >= most)
		return failure_set(failure, STATUS_OVERLOAD, "too busy: %zu %s wait for the disk",
			lanes_waiting(lanes), what);
	if (lanes_waiting_of(lanes, ticket->client) >= most - most / 4)
		return failure_set(failure, STATUS_OVERLOAD, "too busy: %zu %s of this client wait",
			lanes_waiting_of(lanes, ticket->client), what);
	lanes_push(lanes, ticket->client, &ticket->item);
	return STATUS_OK;
}

/* Before the end nobody is held back. */
static uint64_t now_for_lanes(const struct writer *writer)
{
	return writer->draining ? UINT64_MAX : uv_now(writer->loop);
}

/* NULL = there is none whose turn it is. */
static struct ticket *take_ticket_out(struct writer *writer, struct lanes *lanes)
{
	struct lanes_item *item = lanes_take(lanes, now_for_lanes(writer));

	return item ? (struct ticket *)((char *)item - offsetof(struct ticket, item)) : NULL;
}

/* --- Batches ------------------------------------------------------------- */

/* Takes a batch of tickets out of the line. */
static void take_tickets(struct writer *writer, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ticket *ticket = take_ticket_out(writer, writer->presses);
		writer->batch_presses[i] = ticket->press;
		STAILQ_INSERT_TAIL(&writer->tickets, ticket, link);
	}
	writer->count = count;
}

/* Owners free their tickets in `done`. */
static void answer_tickets(struct writer *writer, const struct failure *failure)
{
	struct ticket *ticket;

	while ((ticket = STAILQ_FIRST(&writer->tickets))) {
		const struct failure *own = &press_answer(ticket->press)->failure;

		STAILQ_REMOVE_HEAD(&writer->tickets, link);
		if (failure)
			own = failure;
		ticket->done(ticket, own->code == STATUS_OK ? NULL : own);
	}
}

static void count_batch(struct writer *writer)
{
	struct writer_stats *stats = &writer->stats;
	uint64_t spent = uv_hrtime() - writer->started;

	if (writer->status != STATUS_OK) {
		stats->failed++;
		return;
	}
	stats->batches++;
	stats->presses += writer->count;
	stats->commit_ns = spent;
	stats->commit_ns_sum += spent;
	if (spent > stats->commit_ns_max)
		stats->commit_ns_max = spent;
}

/* A full disk fails every batch: a line a second tells enough. */
static void log_batch(struct writer *writer)
{
	if (writer->status == STATUS_OK) {
		log_event(writer->log, LOG_DEBUG, "commit",
			(struct log_field[]){log_number("reports", (int64_t)writer->count),
				log_real("ms", (double)writer->stats.commit_ns / 1e6), {0}});
	} else if (log_limit_passes(&writer->failure_limit, uv_now(writer->loop))) {
		log_event(writer->log, LOG_ERROR, "commit-failed",
			(struct log_field[]){log_number("reports", (int64_t)writer->count),
				log_text("reason", writer->failure.detail), {0}});
	}
}

static void finish_batch(struct writer *writer)
{
	count_batch(writer);
	log_batch(writer);
	free(writer->batch_presses);
	writer->batch_presses = NULL;
	answer_tickets(writer, writer->status == STATUS_OK ? NULL : &writer->failure);
}

static enum status run_batch(struct writer *writer)
{
	return batch_run(writer->batch, &writer->failure);
}

static void end_batch(struct writer *writer)
{
	batch_end(writer->service, &writer->batch);
	writer->checkpoint_next = true;
	finish_batch(writer);
}

static void start_batch(struct writer *writer)
{
	size_t count = lanes_waiting(writer->presses);

	if (count > writer->settings.commit_reports)
		count = writer->settings.commit_reports;
	uv_timer_stop(&writer->commit_timer);
	prepare_work(writer);
	writer->batch_presses = calloc(count, sizeof(struct press *));
	if (!writer->batch_presses)
		abort(); /* a few kilobytes: nothing else would work either */
	take_tickets(writer, count);
	writer->status = batch_begin(
		writer->service, writer->batch_presses, count, &writer->batch, &writer->failure);
	if (writer->status != STATUS_OK) {
		finish_batch(writer);
		step(writer);
		return;
	}
	start_work(writer, BATCH);
}

/* --- Changes ------------------------------------------------------------- */

static enum status run_change(struct writer *writer)
{
	return change_run(STAILQ_FIRST(&writer->tickets)->change, &writer->failure);
}

/* A user at a limit is told, and shall not fill the log; what is busy is tried again. */
static enum log_level change_level(enum status status)
{
	switch (status) {
	case STATUS_LIMIT:
		return LOG_INFO;
	case STATUS_BUSY:
	case STATUS_INTERRUPTED:
		return LOG_WARNING;
	default:
		return LOG_ERROR;
	}
}

static void hold(struct writer *writer, const struct ticket *ticket)
{
	uint64_t took = (uv_hrtime() - writer->started) / 1000000;
	uint64_t wait = took * PACE_FACTOR < PACE_MOST_MS ? took * PACE_FACTOR : PACE_MOST_MS;

	uv_update_time(writer->loop);
	if (ticket->paced && wait > 0)
		lanes_hold(writer->changes, ticket->client, uv_now(writer->loop) + wait);
}

static void finish_change(struct writer *writer, struct ticket *ticket)
{
	struct change *change = ticket->change;

	writer->stats.changes += writer->status == STATUS_OK;
	if (writer->status != STATUS_OK)
		log_event(writer->log, change_level(writer->status), "change-failed",
			(struct log_field[]){log_text("reason", writer->failure.detail), {0}});
	if (writer->status == STATUS_BUSY && ticket->again) {
		*ticket->again = change;
		change = NULL;
	}
	ticket->done(ticket, writer->status == STATUS_OK ? NULL : &writer->failure);
	change_end(writer->service, &change); /* only now may the next one run */
}

static void end_change(struct writer *writer)
{
	struct ticket *ticket = STAILQ_FIRST(&writer->tickets);

	STAILQ_REMOVE_HEAD(&writer->tickets, link);
	writer->batch_first = true;
	hold(writer, ticket);
	if (writer->status == STATUS_OK && change_goes_on(ticket->change))
		lanes_push(writer->changes, ticket->client, &ticket->item);
	else
		finish_change(writer, ticket);
}

static void start_next_change(struct writer *writer)
{
	struct ticket *ticket = take_ticket_out(writer, writer->changes);

	STAILQ_INSERT_TAIL(&writer->tickets, ticket, link);
	writer->batch_first = false;
	prepare_work(writer);
	if (change_is_patient(ticket->change))
		start_long_work(writer, CHANGE);
	else
		start_work(writer, CHANGE);
}

/* --- Checkpoints --------------------------------------------------------- */

static enum status run_checkpoint(struct writer *writer)
{
	return service_checkpoint_some(writer->service, CHECKPOINT_ROWS, &writer->failure);
}

static void count_checkpoint(struct writer *writer)
{
	uint64_t spent = uv_hrtime() - writer->started;

	writer->checkpoint_ns += spent;
	if (spent > writer->checkpoint_longest_ns)
		writer->checkpoint_longest_ns = spent;
}

static void finish_checkpoint(struct writer *writer)
{
	writer->stats.checkpoints++;
	writer->stats.checkpoint_ns = writer->checkpoint_ns;
	log_event(writer->log, LOG_INFO, "checkpoint",
		(struct log_field[]){log_real("ms", (double)writer->checkpoint_ns / 1e6),
			log_real("longest-ms", (double)writer->checkpoint_longest_ns / 1e6), {0}});
	writer->checkpoint_ns = writer->checkpoint_longest_ns = 0;
}

static void end_checkpoint(struct writer *writer)
{
	bool failed = writer->status != STATUS_OK;

	writer->checkpoint_next = false;
	count_checkpoint(writer);
	if (failed) {
		writer->checkpoint_due = false;
		writer->stats.checkpoints_failed++;
		log_event(writer->log, LOG_ERROR, "checkpoint-failed",
			(struct log_field[]){log_text("reason", writer->failure.detail), {0}});
	} else if (!service_checkpoint_goes_on(writer->service)) {
		finish_checkpoint(writer);
	}
	writer->checkpoint_failed = failed;
}

/* Begins one, or makes the next step of the one that was begun. */
static void start_checkpoint(struct writer *writer)
{
	if (!service_checkpoint_goes_on(writer->service)) {
		writer->checkpoint_due = false;
		if (service_dirty(writer->service) == 0) {
			step(writer);
			return;
		}
	}
	prepare_work(writer);
	start_work(writer, CHECKPOINT);
}

static void on_checkpoint_timer(uv_timer_t *timer)
{
	struct writer *writer = timer->data;

	writer->checkpoint_due = true;
	step(writer);
}

/* --- The store's log ------------------------------------------------------ */

static enum status run_log(struct writer *writer)
{
	service_tidy(writer->service);
	return STATUS_OK;
}

static void end_log(struct writer *writer)
{
	(void)writer;
}

static const struct work WORK[] = {
	[BATCH] = {run_batch, end_batch},
	[CHANGE] = {run_change, end_change},
	[CHECKPOINT] = {run_checkpoint, end_checkpoint},
	[LOG] = {run_log, end_log},
};

/* --- What comes next ----------------------------------------------------- */

static bool is_checkpoint_due(const struct writer *writer)
{
	if (writer->checkpoint_due)
		return true;
	return !writer->checkpoint_failed &&
		service_checkpoint_is_due(writer->service, writer->settings.checkpoint_tokens);
}

static void run_between(struct writer *writer)
{
	writer_between_fn *between = writer->between;

	writer->between = NULL;
	if (between)
		between(writer->between_context);
}

static void on_hold_timer(uv_timer_t *timer)
{
	step(timer->data);
}

/* Is it the turn of a change? If one is held back it is looked for again in time. */
static bool is_change_ready(struct writer *writer)
{
	uint64_t now = now_for_lanes(writer), ready = lanes_ready(writer->changes);

	if (lanes_waiting(writer->changes) == 0 || ready <= now)
		return lanes_waiting(writer->changes) > 0;
	uv_timer_start(&writer->hold_timer, on_hold_timer, ready - now, 0);
	return false;
}

/* Called whenever something came or went: starts what can be started. Batches take turns
 * with changes and with the steps of a checkpoint, so that none waits for all of another;
 * a change goes before a checkpoint. */
static void step(struct writer *writer)
{
	if (writer->state != WAITING)
		return;
	run_between(writer);
	bool checkpoint = is_checkpoint_due(writer);
	size_t waiting = lanes_waiting(writer->presses);
	bool change = is_change_ready(writer) && (waiting == 0 || !writer->batch_first);
	bool batch = waiting > 0 && !change && !(checkpoint && writer->checkpoint_next);
	if (batch) {
		writer->batch_first = false;
		start_batch(writer);
	} else if (change) {
		start_next_change(writer);
	} else if (service_is_untidy(writer->service)) {
		start_work(writer, LOG);
	} else if (checkpoint) {
		start_checkpoint(writer);
	} else if (writer->draining && writer->drained) {
		void (*drained)(void *) = writer->drained;

		writer->drained = NULL;
		drained(writer->drained_context);
	}
}

static void on_commit_timer(uv_timer_t *timer)
{
	step(timer->data);
}

enum status writer_submit(struct writer *writer, struct ticket *ticket, struct failure *failure)
{
	enum status status = take_in(writer->presses, ticket,
		WAITING_BATCHES * writer->settings.commit_reports, "reports", failure);

	assert(!writer->draining);
	if (status != STATUS_OK || writer->state != WAITING)
		return status;
	if (lanes_waiting(writer->presses) >= writer->settings.commit_reports)
		step(writer);
	else if (!uv_is_active((uv_handle_t *)&writer->commit_timer))
		uv_timer_start(
			&writer->commit_timer, on_commit_timer, writer->settings.commit_delay, 0);
	return STATUS_OK;
}

enum status writer_change(struct writer *writer, struct ticket *ticket, struct failure *failure)
{
	enum status status = take_in(writer->changes, ticket, WAITING_CHANGES, "changes", failure);

	assert(!writer->draining);
	if (status == STATUS_OK)
		step(writer);
	return status;
}

void writer_between(struct writer *writer, writer_between_fn *between, void *context)
{
	writer->between = between;
	writer->between_context = context;
	if (writer->state == WAITING)
		run_between(writer);
}

void writer_drain(struct writer *writer, void (*drained)(void *context), void *context)
{
	writer->draining = true;
	writer->drained = drained;
	writer->drained_context = context;
	writer->checkpoint_due = true;
	step(writer);
}

/* --- Life ---------------------------------------------------------------- */

static void init_timer(struct writer *writer, uv_timer_t *timer)
{
	uv_timer_init(writer->loop, timer);
	timer->data = writer;
	writer->open_handles++;
}

enum status writer_new(struct writer **result, uv_loop_t *loop, struct service *service,
	struct log *log, const struct writer_settings *settings, struct failure *failure)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	*result = writer;
	if (!writer)
		return failure_set(failure, STATUS_NOMEM, "starting the writer: out of memory");
	writer->loop = loop;
	writer->service = service;
	writer->log = log;
	writer->presses = lanes_new();
	writer->changes = lanes_new();
	writer->work.data = writer;
	STAILQ_INIT(&writer->tickets);
	init_timer(writer, &writer->commit_timer);
	init_timer(writer, &writer->hold_timer);
	init_timer(writer, &writer->checkpoint_timer);
	writer_configure(writer, settings);
	return STATUS_OK;
}

void writer_configure(struct writer *writer, const struct writer_settings *settings)
{
	uint64_t interval = settings->checkpoint_seconds * 1000;
	bool changed = settings->checkpoint_seconds != writer->settings.checkpoint_seconds;

	writer->settings = *settings;
	if (changed)
		uv_timer_start(&writer->checkpoint_timer, on_checkpoint_timer, interval, interval);
}

static void on_writer_closed(uv_handle_t *handle)
{
	struct writer *writer = handle->data;

	if (--writer->open_handles > 0)
		return;
	lanes_free(&writer->presses);
	lanes_free(&writer->changes);
	free(writer);
}

void writer_close(struct writer **writer)
{
	if (!*writer)
		return;
	assert((*writer)->state == WAITING && lanes_waiting((*writer)->presses) == 0 &&
		lanes_waiting((*writer)->changes) == 0);
	uv_close((uv_handle_t *)&(*writer)->commit_timer, on_writer_closed);
	uv_close((uv_handle_t *)&(*writer)->hold_timer, on_writer_closed);
	uv_close((uv_handle_t *)&(*writer)->checkpoint_timer, on_writer_closed);
	*writer = NULL;
}

void writer_read_stats(const struct writer *writer, struct writer_stats *stats)
{
	*stats = writer->stats;
	stats->waiting =
		lanes_waiting(writer->presses) + (writer->state == BATCH ? writer->count : 0);
}
