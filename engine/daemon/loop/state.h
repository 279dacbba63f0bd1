/* State machines: a table says which moves there are, and STATE_MOVE makes them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>

/* A row of the table has such a bit for each state that follows. */
#define STATE_BIT(state) (1U << (state))

/* Sets the variable `state`. A move that the table `moves` does not have is a mistake of
 * ours and ends the program. */
#define STATE_MOVE(state, to, moves) (assert((moves)[state] & STATE_BIT(to)), (state) = (to))
