/* Imports mail in batches, and goes on where an import was interrupted.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <glib.h>

#include "engine/client/mail-walk.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "trainer/progress.h"

enum { BATCH = 256, CHECKPOINT_TOKENS = 200000, NAMED_SKIPS = 5 };

struct import {
	struct service *service;
	struct worker *worker;
	const char *user;
	const volatile sig_atomic_t *stop;
	struct import_counts *counts;
	struct failure *failure;
	struct progress progress;
	struct press *presses[BATCH];
	size_t pressed;
};

static enum status commit_import(struct import *import)
{
	struct batch *batch;
	enum status status = batch_begin(
		import->service, import->presses, import->pressed, &batch, import->failure);

	if (status == STATUS_OK) {
		status = batch_run(batch, import->failure);
		batch_end(import->service, &batch);
	}
	for (size_t i = 0; i < import->pressed; i++) {
		const struct answer *answer = press_answer(import->presses[i]);
		if (status == STATUS_OK && answer->failure.code != STATUS_OK) {
			*import->failure = answer->failure;
			status = answer->failure.code;
		} else if (status == STATUS_OK) {
			import->counts->learned += answer->outcome == OUTCOME_NEW;
			import->counts->known += answer->outcome == OUTCOME_REPEAT;
			import->counts->flipped += answer->outcome == OUTCOME_FLIP;
		}
		press_free(&import->presses[i]);
	}
	import->pressed = 0;
	if (status == STATUS_OK && service_dirty(import->service) > CHECKPOINT_TOKENS)
		status = service_checkpoint(import->service, import->failure);
	return status;
}

static enum status learn_message(
	struct import *import, bool spam, const char *message, size_t length)
{
	struct press **press = &import->presses[import->pressed];
	const struct press_info info = {.user = import->user,
		.event = {.kind = EVENT_TOLD, .label = spam ? LABEL_SPAM : LABEL_HAM},
		.time = time(NULL)};
	enum status status = press_new(import->service, &info, press, import->failure);

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
	status = import->pressed == BATCH ? commit_import(import) : STATUS_OK;
	return status == STATUS_OK && *import->stop ? STATUS_INTERRUPTED : status;
}

/* Where a message lies. */
struct place {
	const char *path;
	struct mail_place at;
};

/* One class's messages in the order of the walk, and the file open now: the
 * messages of an mbox follow each other. */
struct pile {
	GArray *places; /* struct place */
	size_t next;
	struct mail_file file;
	const char *path; /* of file, NULL = none */
	bool open;
};

struct piles {
	struct pile spam, ham;
	GStringChunk *paths;
	bool to_spam;
};

/* --- Finding ---------------------------------------------------------------------------- */

/* The walk of one source. */
struct search {
	struct piles *piles;
	struct import_counts *counts;
	char *left_out; /* the first of the folders, NULL = none */
};

static enum status collect_messages(void *context, const char *path, const struct mail_place *at,
	const char *message, size_t length)
{
	struct piles *piles = ((struct search *)context)->piles;
	GArray *places = (piles->to_spam ? &piles->spam : &piles->ham)->places;
	struct place place = {.path = g_string_chunk_insert_const(piles->paths, path), .at = *at};
	(void)message;
	(void)length;

	g_array_append_val(places, place);
	return STATUS_OK;
}

/* On standard error. Names in other people's folders may hold anything: control
 * characters are for no terminal. */
static void say_import(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say_import(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	char *text = g_strdup_vprintf(format, values);
	va_end(values);
	for (char *c = text; *c; c++) {
		if (g_ascii_iscntrl(*c))
			*c = '?';
	}
	fprintf(stderr, "hamlet-train: %s\n", text);
	g_free(text);
}

static void note_skipped_file(void *context, const char *why)
{
	struct search *search = context;

	if (search->counts->skipped++ < NAMED_SKIPS)
		say_import("skipped: %s", why);
}

static void on_left_out(void *context, const char *path)
{
	struct search *search = context;

	if (!search->left_out)
		search->left_out = g_strdup(path);
}

static void report_empty_source(const char *path, const char *left_out)
{
	if (left_out)
		say_import("%s: no messages found; folders such as %s are to be named themselves",
			path, left_out);
	else
		say_import("%s: no messages found", path);
}

static enum status find_messages(
	struct import *import, struct piles *piles, const struct import_source *source)
{
	struct search search = {.piles = piles, .counts = import->counts};
	const struct mail_visitor visitor = {.message = collect_messages,
		.skipped = note_skipped_file,
		.left_out = on_left_out,
		.context = &search,
		.stop = import->stop};
	const GArray *places = (source->spam ? &piles->spam : &piles->ham)->places;
	guint before = places->len;

	piles->to_spam = source->spam;
	enum status status = mail_walk(source->path, &visitor, import->failure);
	if (status == STATUS_OK && places->len == before) {
		import->counts->mistaken += search.left_out != NULL;
		report_empty_source(source->path, search.left_out);
	}
	g_free(search.left_out);
	return status;
}

/* --- Learning --------------------------------------------------------------------------- */

static void close_file(struct pile *pile)
{
	if (pile->path)
		mail_file_close(&pile->file);
	pile->path = NULL;
}

static void open_index_file(struct pile *pile, const char *path)
{
	close_file(pile);
	pile->open = mail_file_open(&pile->file, path, NULL) == STATUS_OK;
	pile->path = path;
}

static enum status learn_next(struct import *import, struct pile *pile, bool spam)
{
	const struct place *place = &g_array_index(pile->places, struct place, pile->next++);
	const char *message;
	size_t length;

	if (place->path != pile->path) /* interned: one pointer a path */
		open_index_file(pile, place->path);
	/* A Maildir's files are renamed when they are read: what has gone since the
	 * walk is left out. */
	if (!pile->open ||
		mail_file_message(&pile->file, &place->at, &message, &length) != STATUS_OK) {
		import->counts->gone++;
		return STATUS_OK;
	}
	return learn_message(import, spam, message, length);
}

/* Learned in one go, one class after the other would teach the model lopsidedly:
 * messages are taken from both in turn, as their numbers go. */
static enum status learn_piles(struct import *import, struct piles *piles)
{
	size_t spam = piles->spam.places->len, ham = piles->ham.places->len;
	enum status status = STATUS_OK;

	progress_start(&import->progress, "messages", spam + ham);
	while (status == STATUS_OK && piles->spam.next + piles->ham.next < spam + ham) {
		bool take_spam = piles->ham.next == ham ||
			(piles->spam.next < spam &&
				piles->spam.next * ham <= piles->ham.next * spam);

		status = learn_next(import, take_spam ? &piles->spam : &piles->ham, take_spam);
		progress_step(&import->progress, piles->spam.next + piles->ham.next);
	}
	if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
		enum status last = commit_import(import);
		status = last == STATUS_OK ? status : last;
	}
	for (size_t i = 0; i < import->pressed; i++)
		press_free(&import->presses[i]);
	import->counts->rate = progress_end(&import->progress);
	return status;
}

static void piles_init(struct piles *piles)
{
	*piles = (struct piles){.paths = g_string_chunk_new(65536)};
	piles->spam.places = g_array_new(FALSE, FALSE, sizeof(struct place));
	piles->ham.places = g_array_new(FALSE, FALSE, sizeof(struct place));
}

static void piles_free(struct piles *piles)
{
	close_file(&piles->spam);
	close_file(&piles->ham);
	g_array_unref(piles->spam.places);
	g_array_unref(piles->ham.places);
	g_string_chunk_free(piles->paths);
}

enum status import_run(struct store *store, const struct service_settings *settings,
	const struct import_source *sources, size_t count, const char *user,
	const volatile sig_atomic_t *stop, struct import_counts *counts, struct failure *failure)
{
	struct import import = {.user = user, .stop = stop, .counts = counts, .failure = failure};
	struct piles piles;
	enum status status = STATUS_OK;

	*counts = (struct import_counts){0};
	piles_init(&piles);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = find_messages(&import, &piles, &sources[i]);
	if (status == STATUS_OK)
		status = renaming_check(store, &settings->naming, failure);
	if (status == STATUS_OK)
		status = service_open(&import.service, store, settings, failure);
	if (status == STATUS_OK)
		status = worker_open(import.service, &import.worker, failure);
	if (status == STATUS_OK)
		status = learn_piles(&import, &piles);
	if (import.service && (status == STATUS_OK || status == STATUS_INTERRUPTED)) {
		enum status last = service_checkpoint(import.service, failure);
		status = last == STATUS_OK ? status : last;
	}
	worker_close(&import.worker);
	service_close(&import.service);
	piles_free(&piles);
	return status;
}
