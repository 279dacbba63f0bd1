/* A report on its way in: a press is tokenized, a batch of them is learned and made durable.
 * event.h decides what a press says.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/origin/origin.h"
#include "engine/service/report/event.h"
#include "engine/service/service.h"
#include "engine/store/store.h"

/* What the person has just answered. Granted is kept: the user is not asked again.
 * Declined is kept unless it was granted before, and holds for this press. Neither counts
 * for somebody whom an administrator has barred from sharing. */
enum consent { CONSENT_DEFAULT, CONSENT_GRANTED, CONSENT_DECLINED };

enum outcome {
	OUTCOME_NEW, /* learned for the first time */
	OUTCOME_REPEAT, /* the same label again: nothing moved */
	OUTCOME_FLIP, /* the other label before: undone and learned anew */
	OUTCOME_FORGOTTEN, /* undone */
	OUTCOME_UNKNOWN, /* nothing to forget */
	OUTCOME_IGNORED, /* what was done says nothing: see the reason */
	OUTCOME_TRUSTED, /* spam of a trusted sender: recorded, nothing moved */
};

/* The name of an outcome, for replies and logs: "new", "repeat", ... */
const char *outcome_name(enum outcome outcome);

struct press; /* one report on its way in */

struct press_info {
	/* However it is written; "" = the site itself: teaches global whatever the consent. */
	const char *user;
	struct event event;
	enum consent consent;
	int64_t time; /* seconds since 1970 */
};

/* [owner] `info` is copied. STATUS_INVALID: a name that means nobody. */
enum status press_new(struct service *service, const struct press_info *info, struct press **press,
	struct failure *failure);

/* [any] Tokenizes. */
enum status press_run(struct press *press, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

struct answer {
	struct failure failure; /* STATUS_OK: durable (or nothing had to be written) */
	enum outcome outcome;
	bool taught_global;
	bool ask_consent; /* the user has not agreed to share: ask */
	enum label label; /* that was reported */
	const char *reason; /* why it is not as pressed; "" = it is */
	/* Of OUTCOME_TRUSTED: the site's entry, and where to unsubscribe. */
	const char *trusted;
	const struct origin_targets *unsubscribe;
	int64_t seq; /* of the journal; 0 when nothing was written */
	uint64_t identity; /* of the message */
};

/* Valid after the batch ended. */
const struct answer *press_answer(const struct press *press);

/* [owner] Frees *press; not while a batch holds it. */
void press_free(struct press **press);

struct batch;

/* [owner] Takes the presses (borrowed until batch_end), in this order. Only one
 * batch or checkpoint at a time is between begin and end. */
enum status batch_begin(struct service *service, struct press *const *presses, size_t count,
	struct batch **batch, struct failure *failure);

/* [writer] Learns and commits: all of the batch or nothing, but for presses whose users'
 * records are damaged. Those are refused, see their answers, and the others go on. */
enum status batch_run(struct batch *batch, struct failure *failure);

/* [owner] Publishes the users' folds; fills in the answers; frees *batch. */
void batch_end(struct service *service, struct batch **batch);
