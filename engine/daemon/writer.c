/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/aside.h"

/* Batches that may wait: more means that the disk does not keep up, and then a
 * refusal now is better than an answer too late. */
static const size_t WAITING_BATCHES = 16;

/* And changes: people wait for them, one at a time. */
static const size_t WAITING_CHANGES = 100;

/* Rows of a checkpoint that are written at a time: a batch waits for no more. */
static const size_t CHECKPOINT_ROWS = 1000;

/* WAITING: presses or none, nothing in flight. From there to BATCH and back for
 * each commit, and to CHANGE, CHECKPOINT and LOG and back. */
enum state { WAITING, BATCH, CHANGE, CHECKPOINT, LOG };

struct queue {
	struct ticket *first;
	struct ticket **end;
};

struct writer {
	uv_loop_t *loop;
	struct service *service;
	struct log *log;
	struct writer_settings settings;
	enum state state;
	uv_work_t work;
	uv_timer_t commit_timer;
	uv_timer_t checkpoint_timer;
	int open_handles;

	struct queue presses_in_line;
	size_t waiting; /* in it */
	struct queue changes_in_line;
	size_t changes_waiting;
	bool batch_first; /* before a change: the last step was one */

	/* In flight. */
	struct ticket *tickets; /* of the batch */
	struct press **presses;
	size_t count;
	struct batch *batch;
	enum status status;
	struct failure failure;
	uint64_t started;
	uint64_t failure_second; /* when a failure was logged last */

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

/* --- Queues -------------------------------------------------------------- */

static void queue_push(struct queue *queue, struct ticket *ticket)
{
	ticket->next = NULL;
	*queue->end = ticket;
	queue->end = &ticket->next;
}

/* Takes the first `count` out, as a list. */
static struct ticket *queue_take(struct queue *queue, size_t count)
{
	struct ticket *taken = queue->first;
	struct ticket **cut = &queue->first;

	while (count-- > 0)
		cut = &(*cut)->next;
	queue->first = *cut;
	*cut = NULL;
	if (!queue->first)
		queue->end = &queue->first;
	return taken;
}

/* --- Batches ------------------------------------------------------------- */

/* Takes up to a batch of tickets out of the line. */
static void take_tickets(struct writer *writer, size_t count)
{
	struct ticket *ticket;

	writer->tickets = queue_take(&writer->presses_in_line, count);
	ticket = writer->tickets;
	for (size_t i = 0; i < count; i++, ticket = ticket->next)
		writer->presses[i] = ticket->press;
	writer->waiting -= count;
	writer->count = count;
}

/* Owners free their tickets in `done`. */
static void answer_tickets(struct writer *writer, const struct failure *failure)
{
	struct ticket *ticket = writer->tickets;

	writer->tickets = NULL;
	while (ticket) {
		struct ticket *next = ticket->next;
		const struct failure *own = &press_answer(ticket->press)->failure;

		if (failure)
			own = failure;
		ticket->done(ticket, own->code == STATUS_OK ? NULL : own);
		ticket = next;
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
	uint64_t second = uv_now(writer->loop) / 1000;

	if (writer->status == STATUS_OK) {
		log_event(writer->log, LOG_DEBUG, "commit",
			(struct log_field[]){log_number("reports", (int64_t)writer->count),
				log_real("ms", (double)writer->stats.commit_ns / 1e6), {0}});
	} else if (second != writer->failure_second) {
		writer->failure_second = second;
		log_event(writer->log, LOG_ERROR, "commit-failed",
			(struct log_field[]){log_number("reports", (int64_t)writer->count),
				log_text("reason", writer->failure.detail), {0}});
	}
}

static void finish_batch(struct writer *writer)
{
	count_batch(writer);
	log_batch(writer);
	free(writer->presses);
	writer->presses = NULL;
	answer_tickets(writer, writer->status == STATUS_OK ? NULL : &writer->failure);
}

static void on_batch_run(uv_work_t *work)
{
	struct writer *writer = work->data;

	writer->status = batch_run(writer->batch, &writer->failure);
}

static void on_batch_ran(uv_work_t *work, int error)
{
	struct writer *writer = work->data;

	assert(error == 0);
	(void)error;
	batch_end(writer->service, &writer->batch);
	writer->checkpoint_next = true;
	finish_batch(writer); /* who is answered may submit: that waits for us */
	writer->state = WAITING;
	step(writer);
}

static void start_batch(struct writer *writer)
{
	size_t count = writer->waiting;

	if (count > writer->settings.commit_reports)
		count = writer->settings.commit_reports;
	uv_timer_stop(&writer->commit_timer);
	writer->started = uv_hrtime();
	writer->failure = (struct failure){0};
	writer->presses = calloc(count, sizeof(struct press *));
	if (!writer->presses)
		abort(); /* a few kilobytes: nothing else would work either */
	take_tickets(writer, count);
	writer->status = batch_begin(
		writer->service, writer->presses, count, &writer->batch, &writer->failure);
	if (writer->status != STATUS_OK) {
		finish_batch(writer);
		step(writer);
		return;
	}
	writer->state = BATCH;
	int error = uv_queue_work(writer->loop, &writer->work, on_batch_run, on_batch_ran);
	assert(error == 0);
	(void)error;
}

/* --- Changes ------------------------------------------------------------- */

static void run_change(void *data)
{
	struct writer *writer = data;

	writer->status = change_run(writer->tickets->change, &writer->failure);
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

static void change_ran(void *data)
{
	struct writer *writer = data;
	struct ticket *ticket = writer->tickets;
	struct change *change = ticket->change;

	writer->tickets = NULL;
	writer->batch_first = true;
	if (writer->status == STATUS_OK && change_goes_on(change)) {
		queue_push(&writer->changes_in_line, ticket);
		writer->changes_waiting++;
		writer->state = WAITING;
		step(writer);
		return;
	}
	writer->stats.changes += writer->status == STATUS_OK;
	if (writer->status != STATUS_OK)
		log_event(writer->log, change_level(writer->status), "change-failed",
			(struct log_field[]){log_text("reason", writer->failure.detail), {0}});
	ticket->done(ticket, writer->status == STATUS_OK ? NULL : &writer->failure);
	change_end(writer->service, &change);
	writer->state = WAITING; /* only now may the next one run */
	step(writer);
}

static void on_change_run(uv_work_t *work)
{
	run_change(work->data);
}

static void on_change_ran(uv_work_t *work, int error)
{
	assert(error == 0);
	(void)error;
	change_ran(work->data);
}

static void start_change(struct writer *writer)
{
	writer->tickets = queue_take(&writer->changes_in_line, 1);
	writer->changes_waiting--;
	writer->batch_first = false;
	writer->failure = (struct failure){0};
	writer->state = CHANGE;
	if (change_is_patient(writer->tickets->change)) {
		/* Once it runs, the status is the thread's to write. */
		enum status status = aside_start(
			writer->loop, run_change, change_ran, writer, &writer->failure);
		if (status != STATUS_OK) {
			writer->status = status;
			change_ran(writer);
		}
		return;
	}
	int error = uv_queue_work(writer->loop, &writer->work, on_change_run, on_change_ran);
	assert(error == 0);
	(void)error;
}

/* --- Checkpoints --------------------------------------------------------- */

static void on_checkpoint_run(uv_work_t *work)
{
	struct writer *writer = work->data;

	writer->status = service_checkpoint_some(
		writer->service, CHECKPOINT_ROWS, &writer->failure);
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

static void on_checkpoint_ran(uv_work_t *work, int error)
{
	struct writer *writer = work->data;
	bool failed = writer->status != STATUS_OK;

	assert(error == 0);
	(void)error;
	writer->state = WAITING;
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
	step(writer);
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
	writer->started = uv_hrtime();
	writer->failure = (struct failure){0};
	writer->state = CHECKPOINT;
	int error =
		uv_queue_work(writer->loop, &writer->work, on_checkpoint_run, on_checkpoint_ran);
	assert(error == 0);
	(void)error;
}

static void on_checkpoint_timer(uv_timer_t *timer)
{
	struct writer *writer = timer->data;

	writer->checkpoint_due = true;
	step(writer);
}

/* --- The store's log ------------------------------------------------------ */

static void on_log_run(uv_work_t *work)
{
	struct writer *writer = work->data;

	service_move_log(writer->service);
}

static void on_log_ran(uv_work_t *work, int error)
{
	struct writer *writer = work->data;

	assert(error == 0);
	(void)error;
	writer->state = WAITING;
	step(writer);
}

static void start_log(struct writer *writer)
{
	writer->state = LOG;
	int error = uv_queue_work(writer->loop, &writer->work, on_log_run, on_log_ran);
	assert(error == 0);
	(void)error;
}

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

/* Called whenever something came or went: starts what can be started. Batches take turns
 * with changes and with the steps of a checkpoint, so that none waits for all of another;
 * a change goes before a checkpoint. */
static void step(struct writer *writer)
{
	if (writer->state != WAITING)
		return;
	run_between(writer);
	bool checkpoint = is_checkpoint_due(writer);
	bool change = writer->changes_waiting > 0 && (writer->waiting == 0 || !writer->batch_first);
	bool batch = writer->waiting > 0 && !change && !(checkpoint && writer->checkpoint_next);
	if (batch) {
		writer->batch_first = false;
		start_batch(writer);
	} else if (change) {
		start_change(writer);
	} else if (service_log_is_due(writer->service)) {
		start_log(writer);
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
	assert(!writer->draining);
	if (writer->waiting >= WAITING_BATCHES * writer->settings.commit_reports)
		return failure_set(failure, STATUS_OVERLOAD,
			"too busy: %zu reports wait for the disk", writer->waiting);
	queue_push(&writer->presses_in_line, ticket);
	writer->waiting++;
	if (writer->state != WAITING)
		return STATUS_OK;
	if (writer->waiting >= writer->settings.commit_reports)
		step(writer);
	else if (!uv_is_active((uv_handle_t *)&writer->commit_timer))
		uv_timer_start(
			&writer->commit_timer, on_commit_timer, writer->settings.commit_delay, 0);
	return STATUS_OK;
}

enum status writer_change(struct writer *writer, struct ticket *ticket, struct failure *failure)
{
	assert(!writer->draining);
	if (writer->changes_waiting >= WAITING_CHANGES)
		return failure_set(failure, STATUS_OVERLOAD, "too busy: %zu changes wait",
			writer->changes_waiting);
	queue_push(&writer->changes_in_line, ticket);
	writer->changes_waiting++;
	step(writer);
	return STATUS_OK;
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
	writer->presses_in_line.end = &writer->presses_in_line.first;
	writer->changes_in_line.end = &writer->changes_in_line.first;
	writer->work.data = writer;
	init_timer(writer, &writer->commit_timer);
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

static void on_closed(uv_handle_t *handle)
{
	struct writer *writer = handle->data;

	if (--writer->open_handles == 0)
		free(writer);
}

void writer_close(struct writer **writer)
{
	if (!*writer)
		return;
	assert((*writer)->state == WAITING && (*writer)->waiting == 0 &&
		(*writer)->changes_waiting == 0);
	uv_close((uv_handle_t *)&(*writer)->commit_timer, on_closed);
	uv_close((uv_handle_t *)&(*writer)->checkpoint_timer, on_closed);
	*writer = NULL;
}

void writer_read_stats(const struct writer *writer, struct writer_stats *stats)
{
	*stats = writer->stats;
	stats->waiting = writer->waiting + (writer->state == BATCH ? writer->count : 0);
}
