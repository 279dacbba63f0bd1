/* Draws that are the same in every run of a seed: splitmix64 (Steele, Lea and Flood,
 * OOPSLA 2014). The state begins as the seed, whatever it is. Not for secrets.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t random_next(uint64_t *state);

/* Uniform in [0, 1). */
double random_share(uint64_t *state);

/* Uniform in 0 .. limit - 1; `limit` > 0. */
size_t random_below(uint64_t *state, size_t limit);
