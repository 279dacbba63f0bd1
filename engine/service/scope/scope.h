/* Scopes: whom a name means (user-name.h), what a site, a domain or a user may lay down
 * (entries.h), what of it holds (preferences.h), and how often a reporter is
 * wrong (reputation.h).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/scope/entries.h"
#include "engine/service/scope/preferences.h"
#include "engine/service/scope/reputation.h"
#include "engine/service/scope/user-name.h"
