/* A press, as press.c makes it and batch.c learns it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/private.h"
#include "engine/service/report/report.h"

struct press {
	char user[STORE_MAX_USER + 1];
	struct event event;
	enum consent consent;
	bool default_consent;
	int64_t time;
	struct site *site; /* as of press_new */
	uint64_t *keys; /* ascending; NULL before press_run */
	size_t count;
	uint64_t sender, list; /* digests */
	bool trusted; /* a report as spam moves nothing */
	bool forgets; /* on a full disk it is kept nevertheless: it takes something out */
	char trusted_name[STORE_MAX_NAME + 1];
	struct origin_targets unsubscribe;
	struct answer answer;
};
