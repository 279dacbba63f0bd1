/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/import.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

#include "trainer/corpus.h"
#include "trainer/progress.h"

enum { BATCH = 256, CHECKPOINT_TOKENS = 200000 };

struct import {
	struct service *service;
	struct worker *worker;
	const char *user;
	const volatile sig_atomic_t *stop;
	struct import_counts *counts;
	struct failure *failure;
	struct progress progress;
	bool spam; /* of the source being walked */
	struct press *presses[BATCH];
	size_t pressed;
};

static enum status commit(struct import *import)
{
	struct batch *batch;
	enum status status = batch_begin(
		import->service, import->presses, import->pressed, &batch, import->failure);

	if (status == STATUS_OK) {
		status = batch_run(batch, import->failure);
		batch_end(import->service, &batch);
	}
	for (size_t i = 0; i < import->pressed; i++) {
		enum outcome outcome = press_answer(import->presses[i])->outcome;
		if (status == STATUS_OK) {
			import->counts->learned += outcome == OUTCOME_NEW;
			import->counts->known += outcome == OUTCOME_REPEAT;
			import->counts->flipped += outcome == OUTCOME_FLIP;
		}
		press_free(&import->presses[i]);
	}
	import->pressed = 0;
	if (status == STATUS_OK && service_dirty(import->service) > CHECKPOINT_TOKENS)
		status = service_checkpoint(import->service, import->failure);
	return status;
}

static enum status learn(void *context, const char *path, const char *message, size_t length)
{
	struct import *import = context;
	struct press **press = &import->presses[import->pressed];
	enum status status = press_new(import->service, import->user,
		import->spam ? LABEL_SPAM : LABEL_HAM, CONSENT_DEFAULT, time(NULL), press,
		import->failure);
	(void)path;

	if (status != STATUS_OK)
		return status;
	status = press_run(*press, import->worker, message, length, import->failure);
	if (status == STATUS_OK) {
		import->pressed++;
	} else {
		press_free(press);
		if (status != STATUS_INVALID)
			return status;
		import->counts->empty++;
	}
	progress_step(&import->progress, import->progress.done + 1);
	if (import->pressed == BATCH)
		status = commit(import);
	else
		status = STATUS_OK;
	return status == STATUS_OK && *import->stop ? STATUS_INTERRUPTED : status;
}

/* Folders of one class learned in one go teach the model lopsidedly, so files
 * are taken from both classes in turn. */
struct files {
	GPtrArray *spam;
	GPtrArray *ham;
	bool to_spam;
};

static enum status collect(void *context, const char *path, const char *message, size_t length)
{
	struct files *files = context;
	GPtrArray *list = files->to_spam ? files->spam : files->ham;
	(void)message;
	(void)length;

	/* A file with several messages is told of several times, in a row. */
	if (list->len == 0 || strcmp(list->pdata[list->len - 1], path) != 0)
		g_ptr_array_add(list, g_strdup(path));
	return STATUS_OK;
}

static enum status learn_files(struct import *import, const struct files *files)
{
	size_t spam = 0, ham = 0;
	enum status status = STATUS_OK;

	while (status == STATUS_OK && (spam < files->spam->len || ham < files->ham->len)) {
		/* The class that lags behind its share comes next. */
		import->spam = ham == files->ham->len ||
			(spam < files->spam->len &&
				spam * files->ham->len <= ham * files->spam->len);
		const char *path = import->spam ? files->spam->pdata[spam++] : files->ham->pdata[ham++];
		status = corpus_walk(path, learn, import, import->failure);
	}
	if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
		enum status last = commit(import);
		status = last == STATUS_OK ? status : last;
	}
	for (size_t i = 0; i < import->pressed; i++)
		press_free(&import->presses[i]);
	return status;
}

enum status import_run(struct store *store, const struct service_settings *settings,
	const struct import_source *sources, size_t count, const char *user,
	const volatile sig_atomic_t *stop, struct import_counts *counts, struct failure *failure)
{
	struct import import = {.user = user, .stop = stop, .counts = counts, .failure = failure};
	struct files files = {.spam = g_ptr_array_new_with_free_func(g_free),
		.ham = g_ptr_array_new_with_free_func(g_free)};
	enum status status = STATUS_OK;

	*counts = (struct import_counts){0};
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		files.to_spam = sources[i].spam;
		status = corpus_walk(sources[i].path, collect, &files, failure);
	}
	if (status == STATUS_OK)
		status = service_open(&import.service, store, settings, failure);
	if (status == STATUS_OK)
		status = worker_open(import.service, &import.worker, failure);
	if (status == STATUS_OK) {
		progress_start(&import.progress, "files", files.spam->len + files.ham->len);
		status = learn_files(&import, &files);
		counts->rate = progress_end(&import.progress);
	}
	if (import.service && (status == STATUS_OK || status == STATUS_INTERRUPTED)) {
		enum status last = service_checkpoint(import.service, failure);
		status = last == STATUS_OK ? status : last;
	}
	worker_close(&import.worker);
	service_close(&import.service);
	g_ptr_array_unref(files.spam);
	g_ptr_array_unref(files.ham);
	return status;
}
