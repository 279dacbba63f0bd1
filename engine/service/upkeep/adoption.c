/* A new generation takes over: folded beside the running one from the journal,
 * brought up to the present, put in its place in one step.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/service/evidence/evidence.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/change.h"
#include "engine/service/upkeep/generation.h"
#include "engine/service/upkeep/removal.h"
#include "engine/service/upkeep/upkeep.h"

/* Rows that one step writes beside the present ones. New reports wait for no more than that. */
enum { PIECE = 500 };

struct adoption {
	struct change change;
	char *path, *keep;
	double label_error; /* as of adoption_new: configure may come between */
	size_t limit;
	struct generation taught; /* what is adopted */
	struct generation present; /* what was taught until now */
	GArray *retrained; /* struct store_retrained: what goes into the store */
	GHashTable *errors; /* double by user, of those who are not average */
	struct global *global;
	int64_t seq; /* the journal is folded up to here, at least */
	int64_t removals; /* of the service when it was */
	struct store_token *rows; /* of the fold */
	size_t row_count;
	bool cleared; /* the place beside the present rows */
	size_t staged_rows, staged_reports;
	bool done;
};

static void clear(struct adoption *adoption)
{
	generation_free(&adoption->taught);
	generation_free(&adoption->present);
	g_clear_pointer(&adoption->retrained, g_array_unref);
	g_clear_pointer(&adoption->errors, g_hash_table_unref);
	global_unref(&adoption->global);
	free(adoption->rows);
	adoption->rows = NULL;
	adoption->row_count = adoption->staged_rows = adoption->staged_reports = 0;
	adoption->cleared = adoption->done = false;
}

static enum status check_going_on(const struct adoption *adoption, struct failure *failure)
{
	return atomic_load(&adoption->change.service->stopping)
		? failure_set(failure, STATUS_INTERRUPTED,
			  "hamletd is stopping: no generation was "
			  "adopted, try again later")
		: STATUS_OK;
}

/* --- Folding -------------------------------------------------------------------- */

/* What a report adds in the new generation. What is not shared adds nothing,
 * whatever the generation says: consent may have been withdrawn since. */
static struct contribution taught_by(const struct adoption *adoption, const struct report *report)
{
	const struct generation_report *found =
		generation_find(&adoption->taught, report->seq, report->message);

	if (!(report->flags & REPORT_CONSENT))
		return (struct contribution){0};
	return found ? found->taught.global : report->global;
}

struct fold {
	struct adoption *adoption;
	GArray *present; /* struct generation_report */
	struct store_reader *reader;
	struct failure *failure;
};

static void note_error(struct adoption *adoption, const char *user, double error)
{
	double *kept;

	if (!*user || g_hash_table_contains(adoption->errors, user))
		return;
	kept = g_new(double, 1);
	*kept = error;
	g_hash_table_insert(adoption->errors, g_strdup(user), kept);
}

static enum status fold_taught(void *context, const struct report *report)
{
	struct fold *fold = context;
	struct adoption *adoption = fold->adoption;
	const struct generation_report *found =
		generation_find(&adoption->taught, report->seq, report->message);
	struct contribution global = taught_by(adoption, report);
	struct generation_report present = {
		.taught = {.seq = report->seq, .global = report->global, .margin = report->margin},
		.message = report->message};
	enum status status = check_going_on(adoption, fold->failure);

	if (status == STATUS_OK)
		status = global_add(adoption->global, report->keys, report->count, &global);
	if (status == STATUS_OK)
		status = reputation_read(fold->reader, report->user, adoption->label_error,
			&present.error, fold->failure);
	if (status != STATUS_OK)
		return status;
	g_array_append_val(fold->present, present);
	if (found && (report->flags & REPORT_CONSENT)) {
		g_array_append_val(adoption->retrained, found->taught);
		note_error(adoption, report->user, found->error);
	} else if (report->retrained && (report->flags & REPORT_CONSENT)) {
		/* An older generation knows nothing of it: otherwise it would read as it
		 * was appended, which is not what was folded. */
		g_array_append_val(adoption->retrained, present.taught);
	}
	adoption->seq = MAX(adoption->seq, report->seq);
	return STATUS_OK;
}

static enum status fold_journal(
	struct adoption *adoption, struct store_reader *reader, struct failure *failure)
{
	struct fold fold = {.adoption = adoption,
		.reader = reader,
		.failure = failure,
		.present = g_array_new(FALSE, FALSE, sizeof(struct generation_report))};
	const struct store_selection counting = {.counting = true};
	enum status status = store_reports(reader, &counting, fold_taught, &fold, failure);

	adoption->present = (struct generation){.seq = adoption->seq,
		.time = g_get_real_time() / G_USEC_PER_SEC,
		.count = fold.present->len};
	adoption->present.reports = (struct generation_report *)g_array_free(fold.present, FALSE);
	memcpy(adoption->present.database, adoption->taught.database,
		sizeof(adoption->present.database));
	return status;
}

/* Reads the file and folds the journal; takes its time. */
static enum status adoption_prepare(
	struct change *change, struct worker *worker, struct failure *failure)
{
	struct adoption *adoption = (struct adoption *)change;
	enum status status;

	clear(adoption);
	/* All of these are in what the fold reads, the last ones perhaps as reports that
	 * count no more. */
	adoption->seq = global_seq(adoption->change.service->global);
	adoption->removals = atomic_load(&adoption->change.service->removals);
	adoption->retrained = g_array_new(FALSE, FALSE, sizeof(struct store_retrained));
	adoption->errors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	adoption->global = global_new(adoption->limit);
	if (!adoption->global)
		return failure_set(failure, STATUS_NOMEM, "adopting a generation: out of memory");
	status = generation_read(&adoption->taught, adoption->path, failure);
	if (status == STATUS_OK)
		status = generation_check_database(
			&adoption->taught, adoption->path, worker_reader(worker), failure);
	if (status == STATUS_OK)
		status = fold_journal(adoption, worker_reader(worker), failure);
	if (status == STATUS_OK) {
		adoption->rows = global_rows(adoption->global, &adoption->row_count);
		if (!adoption->rows)
			status = failure_set(
				failure, STATUS_NOMEM, "adopting a generation: out of memory");
	}
	if (status == STATUS_OK && adoption->keep) {
		char *path = g_strconcat(adoption->keep, ".new", NULL);
		status = generation_write(&adoption->present, path, failure);
		g_free(path);
	}
	return status;
}

/* --- Up to the present ------------------------------------------------------------ */

struct catch_up {
	struct adoption *adoption;
	GHashTable *seen; /* "message user" of reports after the fold */
	struct failure *failure;
};

/* What the user's report about the same message added to the fold: nothing when there is
 * none, or it counted no more. */
static enum status find_folded(const struct adoption *adoption, const struct report *report,
	struct contribution *global, struct failure *failure)
{
	struct store_lookup lookup = {
		.user = report->user, .message = report->message, .before = adoption->seq + 1};
	enum status status = store_find(adoption->change.service->reader, &lookup, 1, failure);

	*global = (struct contribution){0};
	if (status == STATUS_OK && lookup.failure.code != STATUS_OK)
		status = failure_set(failure, lookup.failure.code, "%s", lookup.failure.detail);
	if (status == STATUS_OK && lookup.found &&
		generation_find(&adoption->present, lookup.report.seq, lookup.report.message))
		*global = taught_by(adoption, &lookup.report);
	return status;
}

/* Takes out what the report supersedes: one of those after the fold added what the
 * journal says, one before it what the generation says. */
static enum status take_superseded(struct catch_up *catch_up, const struct report *report)
{
	struct adoption *adoption = catch_up->adoption;
	struct contribution global = report->undone;
	char *name = g_strdup_printf("%" G_GINT64_MODIFIER "x %s", report->message, report->user);
	enum status status = STATUS_OK;

	if (g_hash_table_add(catch_up->seen, name))
		status = find_folded(adoption, report, &global, catch_up->failure);
	if (status == STATUS_OK)
		status = global_remove(adoption->global, report->keys, report->count, &global);
	return status;
}

static enum status catch_up_report(void *context, const struct report *report)
{
	struct catch_up *catch_up = context;
	struct adoption *adoption = catch_up->adoption;
	enum status status = STATUS_OK;

	if (!(report->flags & REPORT_MUTED)) {
		status = take_superseded(catch_up, report);
		if (status == STATUS_OK)
			status = global_add(
				adoption->global, report->keys, report->count, &report->global);
	}
	global_includes(adoption->global, report->seq);
	return status;
}

static enum status catch_up(struct adoption *adoption, struct failure *failure)
{
	struct catch_up state = {.adoption = adoption,
		.failure = failure,
		.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	const struct store_selection later = {.after = adoption->seq};
	enum status status = store_reports(
		adoption->change.service->reader, &later, catch_up_report, &state, failure);

	g_hash_table_unref(state.seen);
	/* Reports that say nothing any more count as included, too. */
	global_includes(adoption->global, global_seq(adoption->change.service->global));
	return status;
}

/* --- Taking over ------------------------------------------------------------------- */

static GArray *reputation_entries(const struct adoption *adoption, GPtrArray *values)
{
	GArray *entries = g_array_new(FALSE, TRUE, sizeof(struct store_entry));
	GHashTableIter iter;
	gpointer user, error;

	g_hash_table_iter_init(&iter, adoption->errors);
	while (g_hash_table_iter_next(&iter, &user, &error)) {
		char *value = reputation_value(*(double *)error);
		struct store_entry entry = {.scope = user,
			.kind = ENTRY_REPUTATION,
			.name = "",
			.value = value,
			.time = adoption->taught.time};
		g_ptr_array_add(values, value);
		g_array_append_val(entries, entry);
	}
	return entries;
}

static enum status put_in_place(struct adoption *adoption, struct failure *failure)
{
	GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
	GArray *entries = reputation_entries(adoption, values);
	struct store_generation generation = {.entry_kind = ENTRY_REPUTATION,
		.entries = (const struct store_entry *)entries->data,
		.entry_count = entries->len};
	enum status status = global_adopt(
		adoption->global, adoption->change.service->store, &generation, failure);

	g_array_unref(entries);
	g_ptr_array_unref(values);
	return status;
}

/* Clears the place beside the present rows. */
static enum status clear_place(struct adoption *adoption, struct failure *failure)
{
	struct store_tidied tidied;
	enum status status =
		store_tidy(adoption->change.service->store, TIDY_FORMER, &tidied, failure);

	adoption->cleared = status == STATUS_OK && !tidied.more;
	return status;
}

/* Writes the next rows there. */
static enum status stage(struct adoption *adoption, struct failure *failure)
{
	struct store_generation generation = {0};
	const struct store_change change = {.generation = &generation};
	struct store_piece piece = {
		.reports = (const struct store_retrained *)adoption->retrained->data +
			adoption->staged_reports,
		.report_count = MIN(adoption->retrained->len - adoption->staged_reports, PIECE)};

	if (piece.report_count == 0) {
		piece.tokens = adoption->rows + adoption->staged_rows;
		piece.token_count = MIN(adoption->row_count - adoption->staged_rows, PIECE);
	}
	adoption->staged_reports += piece.report_count;
	adoption->staged_rows += piece.token_count;
	generation.piece = piece;
	return store_commit(adoption->change.service->store, &change, failure);
}

static bool stages(const struct adoption *adoption)
{
	return adoption->rows &&
		(!adoption->cleared || adoption->staged_reports < adoption->retrained->len ||
			adoption->staged_rows < adoption->row_count);
}

static enum status take_over(
	struct adoption *adoption, struct receipt *receipt, struct failure *failure)
{
	enum status status = catch_up(adoption, failure);

	if (status == STATUS_OK)
		status = put_in_place(adoption, failure);
	if (status != STATUS_OK)
		return status;
	removal_settled(adoption->change.service);
	if (adoption->keep) {
		char *path = g_strconcat(adoption->keep, ".new", NULL);
		g_rename(path,
			adoption->keep); /* if this fails, there is no way back; that is all */
		g_free(path);
	}
	adoption->done = true;
	receipt->reports = adoption->retrained->len;
	receipt->entries = g_hash_table_size(adoption->errors);
	receipt->tokens = global_tokens(adoption->global);
	return STATUS_OK;
}

static enum status adoption_run(struct change *change, struct failure *failure)
{
	struct adoption *adoption = (struct adoption *)change;
	enum status status = check_going_on(adoption, failure);

	if (status != STATUS_OK)
		return status;
	if (!adoption->rows || adoption->removals != atomic_load(&change->service->removals))
		return failure_set(failure, STATUS_BUSY,
			"reports were taken out while the generation was prepared");
	if (!adoption->cleared)
		return clear_place(adoption, failure);
	if (stages(adoption))
		return stage(adoption, failure);
	return take_over(adoption, &change->receipt, failure);
}

static bool adoption_goes_on(const struct change *change)
{
	return !((const struct adoption *)change)->done;
}

/* Those steps that write rows beside the present ones. */
static bool adoption_is_patient(const struct change *change)
{
	return stages((const struct adoption *)change);
}

/* Queries from now on see the new generation. */
static void adoption_publish(struct change *change)
{
	struct adoption *adoption = (struct adoption *)change;
	struct service *service = change->service;
	struct global *former = service->global;

	if (!adoption->done)
		return;
	service->global = adoption->global;
	adoption->global = former;
	users_clear(service->users);
}

static void adoption_free(struct change *change)
{
	struct adoption *adoption = (struct adoption *)change;

	clear(adoption);
	atomic_store(&change->service->adopting, false);
	g_free(adoption->path);
	g_free(adoption->keep);
	g_free(adoption);
}

static const struct change_kind ADOPTION = {.prepare = adoption_prepare,
	.run = adoption_run,
	.goes_on = adoption_goes_on,
	.is_patient = adoption_is_patient,
	.publish = adoption_publish,
	.free = adoption_free};

/* Two would write their rows over each other's, and neither would know what the other
 * has changed in the sums. */
enum status change_adopt(struct service *service, const char *path, const char *keep,
	struct change **result, struct failure *failure)
{
	struct adoption *adoption;

	*result = NULL;
	if (atomic_load(&service->adopting))
		return failure_set(
			failure, STATUS_BUSY, "another generation is being adopted: wait for it");
	adoption = g_new0(struct adoption, 1);
	adoption->change = (struct change){.kind = &ADOPTION, .service = service};
	adoption->path = g_strdup(path);
	adoption->keep = g_strdup(keep);
	adoption->label_error = service->settings.label_error;
	adoption->limit = service->settings.global_tokens;
	atomic_store(&service->adopting, true);
	*result = &adoption->change;
	return STATUS_OK;
}
