/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One complete request on its way to its reply: rights, work in the pool, the
 * writer. Loop thread only. */
#pragma once

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/daemon/job.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/writer.h"
#include "engine/protocol/spamd.h"
#include "engine/service/service.h"

struct server;

/* Embedded by its owner. The first four are the owner's to fill in; `reply` is
 * filled when `done` is called, and released by the owner. */
struct request {
	struct server *server;
	const struct spamd_request *spamd; /* must live until `done` */
	struct peer *peer;
	void (*done)(struct request *request);
	struct buffer reply; /* empty: just close */

	/* Private. */
	struct job job;
	struct ticket ticket;
	struct query *query;
	struct press *press;
	struct failure failure;
	uint64_t started;
};

/* `done` is called once, perhaps before this returns. */
void request_start(struct request *request);
