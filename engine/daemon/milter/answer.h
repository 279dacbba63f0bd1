/* What a mail server is answered about a message: header fields put in and taken out,
 * then its fate. Touches no connection.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/buffer.h"
#include "engine/daemon/task/task.h"
#include "engine/protocol/milter.h"

/* Whatever is said, forged fields go (forged-fields.h); where there are more than can be
 * taken away the message is put off. */

/* By the joint verdict of the task (query_joint), a scan that was done. A message is
 * refused where that says so, otherwise marked and taken. */
void answer_verdict(
	struct buffer *output, const struct milter_message *message, const struct task *task);

/* The message could not be judged: by on-failure it is put off, or taken and marked as
 * such. */
void answer_failure(struct buffer *output, const struct milter_message *message,
	const struct server *server, const struct failure *failure);

/* The message was not to be judged: it is taken without a mark. */
void answer_unjudged(struct buffer *output, const struct milter_message *message);

/* What on-failure has said in place of a verdict: a reply of SMTP, or NULL = take it. */
const char *answer_failure_reply(const struct server *server, enum status status);
