/* The entries of one change as a whole: of each line the last word counts, and no
 * scope gets more lines than its limit.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "engine/base/status.h"
#include "engine/service/scope/scope.h"
#include "engine/store/store.h"

/* Sorts them (struct store_entry) by scope, kind and name; the result has the last one
 * of each line. It borrows them. */
GPtrArray *entry_list_settle(GPtrArray *entries);

/* Whether each scope has room for what these, as above, lay down: see entries_most.
 * STATUS_LIMIT with whose lists would be too long. */
enum status entry_list_check(
	const GPtrArray *entries, struct store_reader *reader, struct failure *failure);
