/* Scores and learns one message with the daemon's own parts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/replay.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "engine/base/mail-file.h"
#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "trainer/adopt.h"
#include "trainer/retrain/retrain.h"

enum status replay_open(struct replay *replay, struct store *store,
	const struct service_settings *settings, struct failure *failure)
{
	*replay = (struct replay){.store = store};
	enum status status = service_open(&replay->service, store, settings, failure);

	if (status == STATUS_OK)
		status = worker_open(replay->service, &replay->worker, failure);
	if (status != STATUS_OK)
		replay_close(replay);
	return status;
}

void replay_close(struct replay *replay)
{
	worker_close(&replay->worker);
	service_close(&replay->service);
}

/* --- Messages ---------------------------------------------------------------------- */

static enum status replay_judge(struct replay *replay, const struct corpus_entry *entry,
	const struct mail_file *message, struct result *result, uint64_t *identity,
	struct failure *failure)
{
	const char *user = entry->user;
	struct query *query;
	enum status status = query_begin(replay->service, &user, 1, false, &query, failure);

	if (status != STATUS_OK)
		return status;
	status = query_run(query, replay->worker, message->data, message->length, failure);
	const struct verdict *verdict = query_verdict(query, 0);
	*result = (struct result){
		.score = verdict->log_odds,
		.probability = verdict->probability,
		.called_spam = verdict->spam,
		.spam = entry->spam,
	};
	if (identity)
		*identity = verdict->identity;
	query_end(replay->service, &query);
	return status;
}

enum status replay_score(struct replay *replay, const struct corpus_entry *entry,
	struct result *result, uint64_t *identity, struct failure *failure)
{
	struct mail_file message;
	enum status status = mail_file_open(&message, entry->path, failure);

	if (status == STATUS_OK)
		status = replay_judge(replay, entry, &message, result, identity, failure);
	mail_file_close(&message);
	return status;
}

static enum status replay_press(struct replay *replay, const struct press_info *info,
	const struct mail_file *message, struct failure *failure)
{
	struct press *press;
	struct batch *batch;
	enum status status = press_new(replay->service, info, &press, failure);

	if (status != STATUS_OK)
		return status;
	status = press_run(press, replay->worker, message->data, message->length, failure);
	if (status == STATUS_INVALID) { /* empty: nothing to learn */
		status = STATUS_OK;
	} else if (status == STATUS_OK) {
		status = batch_begin(replay->service, &press, 1, &batch, failure);
		if (status == STATUS_OK) {
			status = batch_run(batch, failure);
			batch_end(replay->service, &batch);
		}
	}
	press_free(&press);
	return status;
}

enum status replay_learn(struct replay *replay, const struct corpus_entry *entry, bool spam,
	int64_t time, struct failure *failure)
{
	const struct press_info info = {.user = entry->user,
		.event = {.kind = EVENT_TOLD, .label = spam ? LABEL_SPAM : LABEL_HAM},
		.consent = CONSENT_GRANTED,
		.time = time};
	struct mail_file message;
	enum status status = mail_file_open(&message, entry->path, failure);

	if (status == STATUS_OK)
		status = replay_press(replay, &info, &message, failure);
	mail_file_close(&message);
	return status;
}

/* --- Retraining ---------------------------------------------------------------------- */

/* Through a file, as it is done to a hoster's database. */
static enum status replay_adopt(
	struct replay *replay, const struct generation *generation, struct failure *failure)
{
	char path[] = "/tmp/hamlet-evaluate-XXXXXX";
	int file = g_mkstemp(path);
	enum status status;

	if (file < 0)
		return failure_set(failure, STATUS_IO, "making %s: %s", path, g_strerror(errno));
	close(file);
	status = generation_write(generation, path, failure);
	if (status == STATUS_OK)
		status = adopt_into(replay->service, replay->worker, path, NULL, failure);
	g_unlink(path);
	return status;
}

enum status replay_retrain(struct replay *replay, bool quiet, struct failure *failure)
{
	static const volatile sig_atomic_t never;
	struct retrain_options options = retrain_defaults;
	struct retraining retraining;

	options.settings = service_settings(replay->service);
	options.stop = &never;
	options.quiet = quiet;
	enum status status = retrain_run(&retraining, replay->store, &options, failure);
	if (status == STATUS_OK)
		status = replay_adopt(replay, &retraining.generation, failure);
	retrain_free(&retraining);
	return status;
}
