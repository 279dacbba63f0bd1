/* The single writer. Presses queue here; a batch of them is learned and
 * committed in the thread pool, and answered when it is durable. Changes (entries,
 * erasures) queue beside them and are made one by one. At most one batch, change or
 * checkpoint is in flight at any time. Loop thread only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "engine/daemon/log.h"
#include "engine/daemon/loop/lanes.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "engine/settings/settings.h"

/* A press or a change that waits; embedded by its owner, `item` and `link` are private. */
struct ticket {
	void *data; /* the owner's */
	struct press *press; /* tokenized; must live until `done` */
	struct change *change; /* of writer_change; ended by the writer after `done` */
	/* Where a change goes that is busy, before `done`: it can be prepared and handed in
	 * again. NULL = it is ended. */
	struct change **again;
	/* `failure` is NULL when it is durable: see press_answer, change_receipt. */
	void (*done)(struct ticket *ticket, const struct failure *failure);
	lanes_client client; /* who hands it in */
	/* After a change the client's next one waits for a multiple of what it took: others'
	 * presses are to find the writer free. */
	bool paced;
	struct lanes_item item;
	STAILQ_ENTRY(ticket) link;
};

struct writer_stats {
	uint64_t batches; /* committed */
	uint64_t presses; /* in them */
	uint64_t failed; /* batches that were not committed */
	uint64_t changes; /* made */
	uint64_t checkpoints;
	uint64_t checkpoints_failed;
	uint64_t checkpoint_ns; /* the last one took */
	uint64_t commit_ns; /* the last one took */
	uint64_t commit_ns_sum;
	uint64_t commit_ns_max;
	size_t waiting;
};

struct writer;

enum status writer_new(struct writer **writer, uv_loop_t *loop, struct service *service,
	struct log *log, const struct writer_settings *settings, struct failure *failure);

void writer_configure(struct writer *writer, const struct writer_settings *settings);

/* STATUS_OVERLOAD: too many wait already, of all clients or of this one; `done` will not be
 * called. Clients have their turns. */
enum status writer_submit(struct writer *writer, struct ticket *ticket, struct failure *failure);

/* The same for a change. */
enum status writer_change(struct writer *writer, struct ticket *ticket, struct failure *failure);

/* Calls `between` as soon as no batch or checkpoint is in flight, perhaps at
 * once: there what both the loop and the writer read may be changed. A second
 * call before that replaces the first. */
typedef void writer_between_fn(void *context);
void writer_between(struct writer *writer, writer_between_fn *between, void *context);

/* Commits and answers all that waits, makes a checkpoint, then calls `drained`.
 * Nothing may be submitted afterwards. */
void writer_drain(struct writer *writer, void (*drained)(void *context), void *context);

/* Closes the handles and frees the writer once the loop has closed them. Nothing
 * may be in flight or waiting. */
void writer_close(struct writer **writer);

void writer_read_stats(const struct writer *writer, struct writer_stats *stats);
