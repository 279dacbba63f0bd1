/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What hamletd is asked to do when the database is its own at the moment. */
#pragma once

#include <jansson.h>

#include "engine/base/status.h"

/* One call of an administrator's (engine/daemon/call.h); takes over `call`. *answer
 * is the caller's, NULL after a failure. */
enum status remote_call(
	const char *socket, json_t *call, json_t **answer, struct failure *failure);
