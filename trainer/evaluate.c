/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>

#include "trainer/adopt.h"
#include "trainer/progress.h"
#include "trainer/retrain.h"

struct replay {
	const struct evaluate_options *options;
	struct service *service;
	struct worker *worker;
	uint64_t random; /* state of the generator */
	const struct corpus_entry *entry;
	struct result *result;
	struct failure *failure;
};

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

/* True in `percent` of the cases. Always draws, so that one option does not
 * change what another picks. */
static bool draw(struct replay *replay, double percent)
{
	return (double)(next_random(&replay->random) >> 11) * 0x1p-53 * 100 < percent;
}

static enum status score_message(struct replay *replay, const char *message, size_t length)
{
	const char *user = replay->entry->user;
	struct query *query;
	enum status status =
		query_begin(replay->service, &user, 1, false, &query, replay->failure);

	if (status != STATUS_OK)
		return status;
	status = query_run(query, replay->worker, message, length, replay->failure);
	const struct verdict *verdict = query_verdict(query, 0);
	*replay->result = (struct result){
		.score = verdict->log_odds,
		.probability = verdict->probability,
		.called_spam = verdict->spam,
		.spam = replay->entry->spam,
	};
	query_end(replay->service, &query);
	return status;
}

static enum status learn_message(
	struct replay *replay, const char *message, size_t length, bool spam)
{
	struct press *press;
	struct batch *batch;
	const struct press_info info = {.user = replay->entry->user,
		.event = {.kind = EVENT_TOLD, .label = spam ? LABEL_SPAM : LABEL_HAM},
		.consent = CONSENT_GRANTED};
	enum status status = press_new(replay->service, &info, &press, replay->failure);

	if (status != STATUS_OK)
		return status;
	status = press_run(press, replay->worker, message, length, replay->failure);
	if (status == STATUS_INVALID) { /* empty: nothing to learn */
		status = STATUS_OK;
	} else if (status == STATUS_OK) {
		status = batch_begin(replay->service, &press, 1, &batch, replay->failure);
		if (status == STATUS_OK) {
			status = batch_run(batch, replay->failure);
			batch_end(replay->service, &batch);
		}
	}
	press_free(&press);
	return status;
}

/* Through a file, as it is done to a hoster's database. */
static enum status adopt(struct replay *replay, const struct generation *generation)
{
	char path[] = "/tmp/hamlet-evaluate-XXXXXX";
	int file = g_mkstemp(path);
	enum status status;

	if (file < 0)
		return failure_set(
			replay->failure, STATUS_IO, "making %s: %s", path, g_strerror(errno));
	close(file);
	status = generation_write(generation, path, replay->failure);
	if (status == STATUS_OK)
		status = adopt_into(replay->service, replay->worker, path, NULL, replay->failure);
	g_unlink(path);
	return status;
}

static enum status retrain(struct replay *replay)
{
	static const volatile sig_atomic_t never;
	struct retrain_options options = retrain_defaults;
	struct retraining retraining;

	options.settings = &replay->options->settings;
	options.stop = &never;
	options.quiet = replay->options->quiet;
	enum status status = retrain_run(
		&retraining, worker_reader(replay->worker), &options, replay->failure);
	if (status == STATUS_OK)
		status = adopt(replay, &retraining.generation);
	retrain_free(&retraining);
	return status;
}

static enum status replay_entry(struct replay *replay, bool held_out)
{
	GError *error = NULL;
	GMappedFile *file = g_mapped_file_new(replay->entry->path, FALSE, &error);
	bool labelled = draw(replay, replay->options->labelled);
	bool wrong = draw(replay, replay->options->wrong_labels);

	if (!file) {
		enum status status = failure_set(replay->failure, STATUS_IO, "reading a message: %s",
			error->message);
		g_error_free(error);
		return status;
	}
	const char *message = g_mapped_file_get_contents(file);
	size_t length = g_mapped_file_get_length(file);
	if (!message) /* an empty file */
		message = "";
	enum status status = score_message(replay, message, length);
	if (status == STATUS_OK && labelled && !held_out)
		status = learn_message(replay, message, length, replay->entry->spam != wrong);
	g_mapped_file_unref(file);
	return status;
}

static enum status replay_index(
	struct replay *replay, struct evaluation *evaluation, const struct corpus_index *index)
{
	struct progress progress;
	enum status status = STATUS_OK;

	size_t until = index->count -
		(size_t)(replay->options->held_out / 100 * (double)index->count);

	progress_start(&progress, "messages", index->count);
	progress.terminal &= !replay->options->quiet;
	for (size_t i = 0; i < index->count && status == STATUS_OK; i++) {
		replay->entry = &index->entries[i];
		replay->result = &evaluation->results[i];
		if (i == until && replay->options->retrain)
			status = retrain(replay);
		if (status == STATUS_OK)
			status = replay_entry(replay, i >= until);
		progress_step(&progress, i + 1);
	}
	evaluation->messages_per_second = progress_end(&progress);
	if (until < index->count) { /* measured alone */
		evaluation->count = index->count - until;
		memmove(evaluation->results, evaluation->results + until,
			evaluation->count * sizeof(*evaluation->results));
	}
	return status;
}

enum status evaluate_run(struct evaluation *evaluation, const struct corpus_index *index,
	const struct evaluate_options *options, struct failure *failure)
{
	struct replay replay = {.options = options, .random = options->seed, .failure = failure};
	struct store *store = NULL;

	*evaluation = (struct evaluation){
		.results = calloc(index->count + 1, sizeof(*evaluation->results)),
		.count = index->count,
	};
	enum status status = evaluation->results
		? store_open_memory(&store, failure)
		: failure_set(failure, STATUS_NOMEM, "evaluating: out of memory");
	if (status == STATUS_OK)
		status = service_open(&replay.service, store, &options->settings, failure);
	if (status == STATUS_OK)
		status = worker_open(replay.service, &replay.worker, failure);
	if (status == STATUS_OK)
		status = replay_index(&replay, evaluation, index);
	if (status != STATUS_OK)
		evaluate_free(evaluation);
	worker_close(&replay.worker);
	service_close(&replay.service);
	store_close(&store);
	return status;
}

void evaluate_free(struct evaluation *evaluation)
{
	free(evaluation->results);
	*evaluation = (struct evaluation){0};
}

/* The figures in the order in which they are shown. */
struct figure {
	const char *key;
	const char *text;
	double value;
	bool whole;
};

enum { FIGURES = 11 };

static void figures_of(const struct evaluation *evaluation, struct figure figures[FIGURES])
{
	const struct result *results = evaluation->results;
	size_t count = evaluation->count, half = count / 2;
	double spam = (double)metrics_spam(results, count);
	const struct figure all[FIGURES] = {
		{"messages", "messages", (double)count, true},
		{"spam", "spam", spam, true},
		{"ham", "ham", (double)count - spam, true},
		{"one_minus_roca_percent", "area above the ROC curve, percent",
			metrics_one_minus_roca(results, count), false},
		{"one_minus_roca_percent_second_half", "the same, second half",
			metrics_one_minus_roca(results + half, count - half), false},
		{"spam_missed_percent_at_0_1_percent_ham_lost", "spam missed at 0.1 % ham lost, percent",
			metrics_spam_missed_at(results, count, 0.1), false},
		{"ham_lost_percent", "ham lost, percent", metrics_ham_lost(results, count), false},
		{"spam_missed_percent", "spam missed, percent",
			metrics_spam_missed(results, count), false},
		{"log_loss", "log loss, nats a message", metrics_log_loss(results, count), false},
		{"calibration_error", "calibration error",
			metrics_calibration_error(results, count), false},
		{"messages_per_second", "messages a second", evaluation->messages_per_second, false},
	};

	for (size_t i = 0; i < FIGURES; i++)
		figures[i] = all[i];
}

void evaluate_print(const struct evaluation *evaluation)
{
	struct figure figures[FIGURES];

	figures_of(evaluation, figures);
	for (size_t i = 0; i < FIGURES; i++)
		printf(figures[i].whole ? "%-40s %10.0f\n" : "%-40s %10.4f\n", figures[i].text,
			figures[i].value);
}

enum status evaluate_print_json(const struct evaluation *evaluation)
{
	struct figure figures[FIGURES];
	json_t *object = json_object();

	figures_of(evaluation, figures);
	for (size_t i = 0; i < FIGURES; i++)
		json_object_set_new(object, figures[i].key,
			figures[i].whole ? json_integer((json_int_t)figures[i].value)
					 : json_real(figures[i].value));
	char *text = json_dumps(object, JSON_REAL_PRECISION(8));
	json_decref(object);
	if (!text)
		return STATUS_NOMEM;
	puts(text);
	free(text);
	return STATUS_OK;
}
