/* When reports are past their time, or the database has grown over its budget: an
 * expiry every so often, made by the writer between the batches. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/service/upkeep/upkeep.h"

struct server;
struct housekeeping;

struct housekeeping_stats {
	bool running;
	uint64_t runs; /* that ended well */
	uint64_t postponed; /* ended early: a generation was being adopted */
	uint64_t failed;
	struct expired
		expired; /* by all of them; whether it was capped, and the doubt, of the last */
};

enum status housekeeping_new(
	struct housekeeping **housekeeping, struct server *server, struct failure *failure);

/* What is at work ends with its next step. No run begins afterwards. */
void housekeeping_stop(struct housekeeping *housekeeping);

/* Once nothing is at work. Sets the pointer to NULL. */
void housekeeping_close(struct housekeeping **housekeeping);

/* The present reading for an expiry: the clock was set since the last one when it has moved
 * otherwise than one that nobody sets. */
struct clock_reading housekeeping_clock(struct housekeeping *housekeeping);

/* Counts and logs an expiry that ended, whoever wanted it; `failure` NULL = well. */
void housekeeping_ended(struct housekeeping *housekeeping, const struct receipt *receipt,
	const struct failure *failure);

void housekeeping_read_stats(
	const struct housekeeping *housekeeping, struct housekeeping_stats *stats);
