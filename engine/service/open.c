/* The service is opened, configured and closed; workers are lent.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/service/secret.h"

enum status service_user(const struct service *service, const char *text,
	char user[STORE_MAX_USER + 1], struct failure *failure)
{
	if (user_name(&service->settings.naming, text, user))
		return STATUS_OK;
	return failure_set(failure, STATUS_INVALID, USER_NAME_REFUSED);
}

enum status service_scope(const struct service *service, const char *text,
	char scope[STORE_MAX_USER + 1], struct failure *failure)
{
	if (user_scope(&service->settings.naming, text, scope))
		return STATUS_OK;
	if (*text == '@')
		return failure_set(failure, STATUS_INVALID, "%.80s is no domain's name", text);
	return failure_set(failure, STATUS_INVALID, USER_NAME_REFUSED);
}

void service_set_rules(struct service *service)
{
	const struct service_settings *settings = &service->settings;
	const struct policy_part *site = preferences_policy(service->site->preferences);

	service->rules = (struct user_rules){
		.params = model_defaults,
		.bounds = {.junk = settings->threshold,
			.reject = settings->reject_score,
			.action = settings->spam_action,
			.junk_min = settings->junk_score_min,
			.junk_max = settings->junk_score_max},
		.threshold = settings->threshold,
		.junk_log_odds = model_log_odds(settings->junk_probability),
		.label_error = settings->label_error,
		.reports = settings->user_reports,
	};
	if (site->has_scale)
		service->rules.params.scale = site->scale;
	service->rules.params.user_bias_limit = settings->own_shift / service->rules.params.scale;
}

/* Takes over settings, without the lists that the caller owns. */
static void set_settings(struct service *service, const struct service_settings *settings)
{
	service->settings = *settings;
	service->settings.authserv_ids = NULL;
	service->settings.authentication_headers = NULL;
	service->settings.own_networks = NULL;
	service->settings.trusted_senders = NULL;
	service_set_rules(service);
}

/* Reads the installation's secret, or makes it on first use. */
static enum status load_secret(struct service *service, struct failure *failure)
{
	struct tokenizer_secret *secret = &service->secret;
	enum status status = secret_read(service->reader, secret, failure);

	if (status != STATUS_NOTFOUND)
		return status;
	if (getrandom(secret->bytes, sizeof(secret->bytes), 0) != (ssize_t)sizeof(secret->bytes))
		return failure_set(
			failure, STATUS_IO, "no random bytes for the tokenizer's secret");
	const struct store_value value = {
		.name = SECRET_NAME, .bytes = secret->bytes, .size = sizeof(secret->bytes)};
	const struct store_change change = {.values = &value, .value_count = 1};
	return store_commit(service->store, &change, failure);
}

static enum status load_expired_at(struct service *service, struct failure *failure)
{
	int64_t time = 0;
	size_t size = sizeof(time);
	enum status status = store_get(service->reader, SERVICE_EXPIRED_AT, &time, &size, failure);

	if (status == STATUS_OK && size == sizeof(time))
		atomic_init(&service->expired_at, time);
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

/* Rows that cannot be read are made anew, since the journal has all that they say. They
 * are written at once: beside damaged ones no checkpoint could be trusted. */
static enum status rebuild_global(struct service *service, struct failure *failure)
{
	struct failure reason = {0};
	enum status status = global_fold(
		&service->global, service->reader, service->settings.global_tokens, &reason);

	if (status != STATUS_OK)
		return failure_set(failure, STATUS_CORRUPT, "%s", service->damage.detail);
	status = global_rewrite(service->global, service->store, false, &reason);
	service->mended = status == STATUS_OK;
	if (service->mended)
		store_tidy(
			service->store, TIDY_ALL, NULL, NULL); /* gives back what was abandoned */
	return STATUS_OK;
}

/* Of a removal on a full disk that was broken off. */
static enum status load_rows_late(struct service *service, struct failure *failure)
{
	char mark[1];
	size_t size = sizeof(mark);
	enum status status = store_get(service->reader, SERVICE_ROWS_LATE, mark, &size, failure);

	service->rows_late = status == STATUS_OK && size > 0;
	return status == STATUS_NOTFOUND ? STATUS_OK : status;
}

static enum status load_global(struct service *service, struct failure *failure)
{
	if (service->rows_late) {
		service->rows_stale = true;
		return global_fold(&service->global, service->reader,
			service->settings.global_tokens, failure);
	}
	enum status status = global_load(&service->global, service->reader,
		service->settings.global_tokens, &service->damage);

	if (status == STATUS_CORRUPT)
		return service->global ? STATUS_OK : rebuild_global(service, failure);
	if (status != STATUS_OK) /* a walk that our own callback ended has no detail */
		failure_set(failure, status, "%s%s",
			*service->damage.detail ? "" : "reading the global evidence: ",
			*service->damage.detail ? service->damage.detail : status_text(status));
	service->damage = (struct failure){0};
	return status;
}

enum status service_open(struct service **result, struct store *store,
	const struct service_settings *settings, struct failure *failure)
{
	enum status status = STATUS_NOMEM;
	struct service *service = calloc(1, sizeof(*service));

	*result = NULL;
	if (!service || !(service->users = users_new(settings->user_cache_bytes))) {
		failure_set(failure, status, "starting: out of memory");
		goto out;
	}
	service->store = store;
	status = store_reader_open(store, &service->reader, failure);
	if (status != STATUS_OK)
		goto out;
	status = site_new(&service->site, settings, service->reader, failure);
	if (status != STATUS_OK)
		goto out;
	set_settings(service, settings);
	status = load_secret(service, failure);
	if (status != STATUS_OK)
		goto out;
	status = load_expired_at(service, failure);
	if (status != STATUS_OK)
		goto out;
	status = load_rows_late(service, failure);
	if (status != STATUS_OK)
		goto out;
	status = load_global(service, failure);
	if (status == STATUS_OK) {
		*result = service;
		service = NULL;
	}
out:
	service_close(&service);
	return status;
}

void service_check(const struct service_settings *settings,
	void (*each)(void *context, const struct failure *failure), void *context)
{
	site_check(settings, each, context);
}

void service_close(struct service **service)
{
	if (!*service)
		return;
	global_unref(&(*service)->global);
	users_free(&(*service)->users);
	site_unref(&(*service)->site);
	store_reader_close(&(*service)->reader);
	free(*service);
	*service = NULL;
}

const struct failure *service_damage(const struct service *service, bool *mended)
{
	*mended = service->mended;
	return service->damage.code == STATUS_OK ? NULL : &service->damage;
}

enum status service_check_sound(const struct service *service, struct failure *failure)
{
	if (service->damage.code == STATUS_OK || service->mended)
		return STATUS_OK;
	return failure_set(failure, STATUS_CORRUPT, "%s", service->damage.detail);
}

enum status service_settle(struct service *service, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (!service->in_doubt)
		return STATUS_OK;
	status = global_catch_up(service->global, service->reader, failure);
	service->in_doubt = status != STATUS_OK;
	atomic_store(&service->settled, true);
	return status;
}

void service_publish_settled(struct service *service)
{
	if (atomic_exchange(&service->settled, false))
		users_clear(service->users);
}

void service_doubt(struct service *service)
{
	failure_set(&service->damage, STATUS_CORRUPT,
		"it is not known whether the last change was written: start hamletd again, which "
		"reads what is there");
	service->mended = false;
}

enum status service_configure(
	struct service *service, const struct service_settings *settings, struct failure *failure)
{
	struct site *site = NULL;
	enum status status = site_new(&site, settings, service->reader, failure);

	if (status != STATUS_OK)
		return status;
	site_unref(&service->site);
	service->site = site;
	set_settings(service, settings);
	users_clear(service->users);
	users_limit(service->users, settings->user_cache_bytes);
	service_note_budget(service);
	return STATUS_OK;
}

bool service_has_authserv_ids(const struct service *service)
{
	return *service->site->authserv_ids != NULL;
}

void service_stop(struct service *service)
{
	atomic_store(&service->stopping, true);
}

const struct service_settings *service_settings(const struct service *service)
{
	return &service->settings;
}

enum status worker_open(struct service *service, struct worker **result, struct failure *failure)
{
	enum status status = STATUS_NOMEM;
	struct worker *worker = calloc(1, sizeof(*worker));

	*result = NULL;
	if (!worker || !(worker->tokenizer = tokenizer_new(&service->secret))) {
		failure_set(failure, status, "starting a worker: out of memory");
		goto out;
	}
	status = store_reader_open(service->store, &worker->reader, failure);
	if (status == STATUS_OK) {
		*result = worker;
		worker = NULL;
	}
out:
	worker_close(&worker);
	return status;
}

void worker_close(struct worker **worker)
{
	if (!*worker)
		return;
	tokenizer_free(&(*worker)->tokenizer);
	store_reader_close(&(*worker)->reader);
	free(*worker);
	*worker = NULL;
}

struct store_reader *worker_reader(struct worker *worker)
{
	return worker->reader;
}

uint64_t worker_digest(const struct worker *worker, const char *name, const char *text)
{
	return *text ? tokenizer_digest(worker->tokenizer, name, text) : 0;
}

void service_read_stats(const struct service *service, struct service_stats *stats)
{
	*stats = (struct service_stats){
		.global_tokens = global_tokens(service->global),
		.global_bytes = global_bytes(service->global),
		.cached_users = users_count(service->users),
		.cached_bytes = users_bytes(service->users),
		.last_seq = global_seq(service->global),
		.checkpoint_seq = global_checkpoint_seq(service->global),
		.expired_at = atomic_load(&service->expired_at),
		.over_budget = atomic_load(&service->over_budget),
		.writable = store_writable(service->store) &&
			service_check_sound(service, NULL) == STATUS_OK,
	};
}
