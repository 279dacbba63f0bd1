/* The generator splitmix64.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/measure/random.h"

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

double random_share(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* The remainder's bias is limit / 2^64. */
size_t random_below(uint64_t *state, size_t limit)
{
	return (size_t)(random_next(state) % limit);
}
