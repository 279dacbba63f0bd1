/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * One complete SPAMD request on its way to its reply. Loop thread only. */
#pragma once

#include "engine/base/buffer.h"
#include "engine/daemon/peer.h"
#include "engine/daemon/task/task.h"
#include "engine/protocol/spamd.h"

struct server;

/* Embedded by its owner. The first four are the owner's to fill in; `reply` is
 * filled when `done` is called, and released by the owner. */
struct request {
	struct server *server;
	const struct spamd_request *spamd; /* must live until `done` */
	struct peer *peer;
	void (*done)(struct request *request);
	struct buffer reply; /* empty: just close */
	struct task task; /* private */
};

/* `done` is called once, perhaps before this returns. */
void request_start(struct request *request);
