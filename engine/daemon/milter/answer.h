/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What a mail server is answered about a message: header fields put in and taken out,
 * then its fate. Touches no connection. */
#pragma once

#include "engine/base/buffer.h"
#include "engine/daemon/task.h"
#include "engine/protocol/milter.h"

/* By the mildest verdict of the task, a scan that was done. A message is refused where
 * that says so and all its recipients are known, otherwise marked and taken. */
void answer_verdict(
	struct buffer *output, const struct milter_message *message, const struct task *task);

/* The message could not be judged: by on-failure it is put off, or taken and marked as
 * such. */
void answer_failure(struct buffer *output, const struct milter_message *message,
	const struct server *server, const struct failure *failure);

/* What on-failure has said in place of a verdict: a reply of SMTP, or NULL = take it. */
const char *answer_failure_reply(const struct server *server, enum status status);
