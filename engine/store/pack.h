/* A list of distinct ascending keys as few bytes: Rice-coded differences (Rice
 * and Plaunt, IEEE Trans. Comm. 19, 1971). 350 keys of 40 bits take about 34
 * bits each.
 *
 * Format: version byte 1; parameter byte k; count, two bytes, low first; then
 * for each difference from the key before (from -1 first), less one: its high
 * part in unary (ones, then a zero), its k low bits; bits of a byte from the
 * lowest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* Room that pack_keys may need. */
static inline size_t pack_bound(size_t count)
{
	return 32 + count * 10;
}

/* Packs `count` <= 65,535 keys, none above INT64_MAX, into `out` (pack_bound
 * bytes); returns the bytes. */
size_t pack_keys(const uint64_t *keys, size_t count, unsigned char *out);

/* Unpacks at most `limit` keys; STATUS_CORRUPT for anything pack_keys does not
 * write. */
enum status pack_read(
	const unsigned char *data, size_t size, uint64_t *keys, size_t limit, size_t *count);
