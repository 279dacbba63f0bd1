/* The daemon's own tokenizer, model and service over a store, for labelled messages one
 * after the other.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/service.h"
#include "trainer/corpus.h"
#include "trainer/measure/metrics.h"

/* All zero = closed. The fields are private. */
struct replay {
	struct store *store; /* borrowed */
	struct service *service;
	struct worker *worker;
};

/* `store` and `settings` outlive the replay. After a failure it is closed. */
enum status replay_open(struct replay *replay, struct store *store,
	const struct service_settings *settings, struct failure *failure);
void replay_close(struct replay *replay);

/* Scores the message for the entry's user. `identity`: equal for messages that are the
 * same, in one store; may be NULL. STATUS_IO: the file cannot be read. */
enum status replay_score(struct replay *replay, const struct corpus_entry *entry,
	struct result *result, uint64_t *identity, struct failure *failure);

/* Learns the message with this label from the entry's user, who consents to share. An
 * empty one teaches nothing. `time` = seconds since 1970. */
enum status replay_learn(struct replay *replay, const struct corpus_entry *entry, bool spam,
	int64_t time, struct failure *failure);

/* Trains the global evidence anew from what was learned, and adopts the result. */
enum status replay_retrain(struct replay *replay, bool quiet, struct failure *failure);
