/* One call of hamletd (engine/daemon/task/call.h says which there are): a JSON object in, a
 * JSON object out. Blocks.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>

#include "engine/base/status.h"

/* Takes over `call`. *answer is the caller's, NULL after a failure: as exchange_run, or
 * STATUS_PROTOCOL. */
enum status call_run(const char *socket, json_t *call, json_t **answer, struct failure *failure);
