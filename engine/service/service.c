/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/internal.h"

#include <stdlib.h>
#include <sys/random.h>

const struct service_settings service_defaults = {
	.junk_probability = 0.9,
	.threshold = 5.0,
	.label_error = 0.12,
	.default_consent = false,
	.user_reports = 500,
	.user_cache_bytes = (size_t)256 << 20,
	.global_tokens = 0,
};

static void set_rules(struct service *service)
{
	service->rules = (struct user_rules){
		.params = model_defaults,
		.label_error = service->settings.label_error,
		.reports = service->settings.user_reports,
	};
	service->rules.target = model_target(&service->rules.params,
		model_log_odds(service->settings.junk_probability));
}

/* Reads the installation's secret, or makes it on first use. */
static enum status load_secret(struct service *service, struct failure *failure)
{
	static const char name[] = "tokenizer-secret";
	struct tokenizer_secret *secret = &service->secret;
	size_t size = sizeof(secret->bytes);
	enum status status = store_get(service->reader, name, secret->bytes, &size, failure);

	if (status == STATUS_OK && size != sizeof(secret->bytes))
		return failure_set(failure, STATUS_CORRUPT, "the tokenizer's secret has %zu bytes", size);
	if (status != STATUS_NOTFOUND)
		return status;
	if (getrandom(secret->bytes, sizeof(secret->bytes), 0) != (ssize_t)sizeof(secret->bytes))
		return failure_set(failure, STATUS_IO, "no random bytes for the tokenizer's secret");
	return store_put(service->store, name, secret->bytes, sizeof(secret->bytes), failure);
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
	service->settings = *settings;
	set_rules(service);
	status = store_reader_open(store, &service->reader, failure);
	if (status != STATUS_OK)
		goto out;
	status = load_secret(service, failure);
	if (status != STATUS_OK)
		goto out;
	status = global_load(&service->global, service->reader, settings->global_tokens, failure);
	if (status == STATUS_OK) {
		*result = service;
		service = NULL;
	}
out:
	service_close(&service);
	return status;
}

void service_close(struct service **service)
{
	if (!*service)
		return;
	global_free(&(*service)->global);
	users_free(&(*service)->users);
	store_reader_close(&(*service)->reader);
	free(*service);
	*service = NULL;
}

void service_configure(struct service *service, const struct service_settings *settings)
{
	service->settings = *settings;
	set_rules(service);
	users_clear(service->users);
	users_limit(service->users, settings->user_cache_bytes);
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

size_t service_dirty(const struct service *service)
{
	return global_dirty(service->global);
}

enum status service_checkpoint(struct service *service, struct failure *failure)
{
	return global_checkpoint(service->global, service->store, failure);
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
		.writable = store_writable(service->store),
	};
}
