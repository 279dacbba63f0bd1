/* What is to be said of a configuration, all of it: who mends one thing should not be told of
 * the next one at the next try.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

struct complaint {
	bool error; /* it keeps hamletd from starting; else it only has no effect, or less */
	char *text; /* one sentence, as in a failure */
};

/* Zeroed, there are none. */
struct complaints {
	struct complaint *list; /* in the order they were found */
	size_t count;
	size_t errors; /* of them */
};

void complaints_error(struct complaints *complaints, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void complaints_warn(struct complaints *complaints, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds the failure of a step as an error, unless `status` is STATUS_OK. */
void complaints_take(
	struct complaints *complaints, enum status status, const struct failure *failure);

/* The first error, STATUS_INVALID; STATUS_OK when there is none. */
enum status complaints_first(const struct complaints *complaints, struct failure *failure);

void complaints_free(struct complaints *complaints);
