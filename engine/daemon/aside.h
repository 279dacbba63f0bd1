/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Long work in a thread of its own, at the lowest priority: it takes no place in the pool
 * that messages wait for, and a processor only when nobody else wants it. Loop thread
 * only, but for `run`. */
#pragma once

#include <uv.h>

#include "engine/service/service.h"

/* Calls `run` in the thread, with a worker of its own, then `done` on the loop, which must
 * not be closed before. After a failure neither is called. */
enum status aside_start(uv_loop_t *loop, struct service *service,
	void (*run)(void *data, struct worker *worker), void (*done)(void *data), void *data,
	struct failure *failure);
