/* How large the store and the global table may become.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/private.h"

/* [writer] Are there more than this share of `bytes` on disk (0 = no limit), or of the most
 * tokens that the settings allow? */
bool budget_is_over(struct service *service, int64_t bytes, double share);
