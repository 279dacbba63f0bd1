/* How many connections or jobs each client holds, so that one leaves room for others.
 * Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/daemon/loop/lanes.h"

struct quota;

struct quota *quota_new(void);
void quota_free(struct quota **quota);

/* Counts one more; false, and nothing is counted, when the client holds three quarters of
 * `most` already. Root and the daemon's own account have no quota. */
bool quota_take(struct quota *quota, lanes_client client, size_t most);

/* One that was counted has ended. */
void quota_give(struct quota *quota, lanes_client client);
