/* Evidence in memory: sums by token (table.h), what a report adds to them (contribution.h),
 * everybody's (global.h), a user's (user-fold.h), and the users whose evidence is kept at
 * hand (user-cache.h).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/evidence/contribution.h"
#include "engine/service/evidence/global.h"
#include "engine/service/evidence/table.h"
#include "engine/service/evidence/user-cache.h"
#include "engine/service/evidence/user-fold.h"
