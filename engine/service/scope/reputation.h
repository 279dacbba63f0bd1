/* How often a reporter is wrong, as the trainer found: an entry of the reporter's own
 * (ENTRY_REPUTATION), that is exported and erased with everything of that user.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "engine/store/store.h"

/* The probability that a label of the user's is wrong, [0, 0.5]; `unknown` for one
 * of whom nothing is known, and for the site (""). */
enum status reputation_read(struct store_reader *reader, const char *user, double unknown,
	double *error, struct failure *failure);

/* The entry's value, to be freed with g_free; and back: -1 when it is none. */
char *reputation_value(double error);
double reputation_parse(const char *value);
