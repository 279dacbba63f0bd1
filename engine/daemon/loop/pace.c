/* How long a slow client may take.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/loop/pace.h"

void pace_begin(struct pace *pace, uint64_t now)
{
	*pace = (struct pace){.started = now};
}

uint64_t pace_left(const struct pace *pace, uint64_t now, uint64_t grace)
{
	uint64_t end = pace->started + grace + pace->bytes * 1000 / PACE_BYTES_PER_SECOND;

	return now < end ? end - now : 0;
}
