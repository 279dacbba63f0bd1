/* What a start makes of a database of another version, or of other rules of names, and what
 * the log says of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/log.h"
#include "engine/store/store.h"

/* Says whether the schema was migrated, and where the copy of before is. */
void upgrade_tell(struct log *log, const struct store *store);

/* Before the service is opened: renames users whose names were written by other rules
 * (renaming.h), and says so. A start does not fail for it: who is spelled otherwise is not
 * found until a later one. Fills in why then, or STATUS_OK. */
void upgrade_names(struct log *log, struct store *store, const struct user_naming *naming,
	struct failure *failure);

/* Says that; for after the opening, which may fail for the same reason. */
void upgrade_tell_missed(struct log *log, const struct failure *failure);
