/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the configuration says of the service, for the programs that run one. */
#pragma once

#include <string.h>

#include "engine/service/service.h"
#include "engine/settings/budget.h"
#include "engine/settings/settings.h"

/* Delimiters that settings_parse has let through fit. */
static inline struct user_naming settings_of_naming(const struct settings *settings)
{
	struct user_naming naming = {.fold = strcmp(settings->user_case, "fold") == 0};

	memcpy(naming.delimiters, settings->recipient_delimiter,
		strnlen(settings->recipient_delimiter, USER_NAMING_DELIMITERS));
	return naming;
}

/* The lists stay the settings'. */
static inline struct service_settings settings_of_service(const struct settings *settings)
{
	return (struct service_settings){
		.junk_probability = settings->junk_probability,
		.threshold = settings->threshold,
		.label_error = settings->label_error,
		.default_consent = settings->default_consent,
		.user_reports = settings->user_reports,
		.user_cache_bytes = settings->user_cache_bytes,
		.global_tokens = settings->global_tokens,
		.reject_score = settings->reject_score,
		.spam_action = strcmp(settings->spam_action, "reject") == 0 ? ACTION_REJECT
			: strcmp(settings->spam_action, "tag") == 0         ? ACTION_TAG
									    : ACTION_JUNK,
		.junk_score_min = settings->junk_score_min,
		.junk_score_max = settings->junk_score_max,
		.own_shift = settings->own_shift,
		.reject_uncertainty = settings->reject_uncertainty,
		.authserv_ids = (const char *const *)settings->authserv_ids,
		.authentication_headers = (const char *const *)settings->authentication_headers,
		.authentication_below_received = settings->authentication_below_received,
		.own_networks = (const char *const *)settings->own_networks,
		.trusted_senders = settings->trusted_senders,
		.events = {.flip_seconds = (int64_t)settings->flip_seconds,
			.mass_selection = (unsigned)settings->mass_selection},
		.retention = {.days = (int64_t)settings->retention_days,
			.reports = (int64_t)settings->retention_reports,
			.idle_days = (int64_t)settings->idle_days,
			.most = (int64_t)settings->expire_most,
			.bytes = (int64_t)settings_budget(settings)},
		.naming = settings_of_naming(settings),
	};
}
