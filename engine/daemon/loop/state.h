/* State machines: a table says which moves there are, and one function makes them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>

/* A row of the table has such a bit for each state that follows. */
#define STATE_BIT(state) (1U << (state))

/* Returns `to`. A move that the table `moves` does not have is a mistake of ours and ends
 * the program. */
static inline unsigned state_move(unsigned from, unsigned to, const unsigned *moves)
{
	assert(moves[from] & STATE_BIT(to));
	(void)from;
	(void)moves;
	return to;
}
