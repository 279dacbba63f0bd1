/* A generation as no training would make it, for tests of what adopts one: numbers that are not
 * those of the reports, and some reports that it does not know.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/store/store.h"

/* Writes one about the reader's reports to a file; all up to `seq` were looked at. Whatever
 * `guesser` reports is held to be guessed. */
enum status write_made_generation(struct store_reader *reader, int64_t seq, const char *guesser,
	const char *path, struct failure *failure);
