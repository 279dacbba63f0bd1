/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * A generation of the global store as the trainer makes it: what each report of the
 * journal adds. The tokens are in the journal; so a generation stays exact when
 * reports come, change or are erased after it was made.
 *
 * The file: "hamletG1", then for a machine of the same byte order the last report
 * trained on, the time, the number of reports; for each report its number, six sums
 * and gains in units of 2^-30 (head, body, bias), margin and label error; last a
 * SHA-256 of all before. There are no names and no tokens in it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/store/store.h"

struct generation_report {
	struct store_retrained taught;
	double error; /* of the reporter's labels, [0, 0.5] */
};

struct generation {
	int64_t seq; /* reports after it were not looked at */
	int64_t time; /* it was made, seconds since 1970 */
	struct generation_report *reports; /* ascending by seq */
	size_t count;
};

/* Writes it to a file of the owner's alone, whole or not at all. */
enum status generation_write(
	const struct generation *generation, const char *path, struct failure *failure);

/* Reads it; freed by the caller with generation_free. STATUS_NOTFOUND;
 * STATUS_CORRUPT: not such a file, cut short, or with impossible numbers. */
enum status generation_read(
	struct generation *generation, const char *path, struct failure *failure);
void generation_free(struct generation *generation);

/* The report with this number; NULL when there is none. */
const struct generation_report *generation_find(const struct generation *generation, int64_t seq);
