/* Long work in a thread of its own, at a low priority: it takes no place in the pool that
 * messages wait for, and gives the processor to them at once. Loop thread only, but for
 * `run`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <uv.h>

#include "engine/base/status.h"

/* Calls `run` in the thread, then `done` on the loop, which must not be closed before.
 * After a failure neither is called. */
enum status long_work_start(uv_loop_t *loop, void (*run)(void *data), void (*done)(void *data),
	void *data, struct failure *failure);
