/* How long a client may take over a message or a reply: a byte now and then is no reason
 * to hold a connection for ever, which others want. Pure; times in milliseconds.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* The least rate, in the mean: a modem of 1990 has twice as much. */
enum { PACE_BYTES_PER_SECOND = 1024 };

/* Bytes that have gone over since a time. Zero it, or begin anew. */
struct pace {
	uint64_t started;
	uint64_t bytes;
};

void pace_begin(struct pace *pace, uint64_t now);

/* What is left until the client is too slow: `grace` and a second for each
 * PACE_BYTES_PER_SECOND from the beginning on. 0 = it is. */
uint64_t pace_left(const struct pace *pace, uint64_t now, uint64_t grace);
