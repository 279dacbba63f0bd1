/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the configuration says of the service, for the programs that run one. */
#pragma once

#include "engine/service/service.h"
#include "engine/settings/settings.h"

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
	};
}
