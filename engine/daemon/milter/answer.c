/* Answers to a mail server: header fields, then the fate of the message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/milter/answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/daemon/render/render.h"
#include "engine/daemon/server.h"

/* Stars of X-Spam-Level, as SpamAssassin writes them. */
static const int STARS_MAX = 50;

static void add_fields(struct buffer *output, const struct verdict *verdict)
{
	char text[512];
	int stars = (int)fmin(fmax(verdict->score, 0), STARS_MAX);

	snprintf(text, sizeof(text), "%s, score=%.1f required=%.1f tests=%s autolearn=no",
		verdict->spam ? "Yes" : "No", render_score(verdict), verdict->threshold,
		render_symbols(verdict));
	milter_add_header(output, "X-Spam-Status", text);
	memset(text, '*', (size_t)stars);
	text[stars] = '\0';
	milter_add_header(output, "X-Spam-Level", text);
	snprintf(text, sizeof(text), "%.1f", render_score(verdict));
	milter_add_header(output, "X-Hamlet-Score", text);
	/* To tag leaves the message where it is. */
	if (verdict->action == ACTION_JUNK || verdict->action == ACTION_REJECT)
		milter_add_header(output, "X-Spam-Flag", "YES");
}

/* More fields were forged than can be taken away, or than memory was there for: the message
 * waits, whatever else is to become of it. */
static bool is_deferred(struct buffer *output, const struct milter_message *message)
{
	if (message->forged->uncounted)
		milter_reply(output, "451 4.7.1 Too many X-Spam and X-Hamlet header fields");
	return message->forged->uncounted;
}

void answer_verdict(
	struct buffer *output, const struct milter_message *message, const struct task *task)
{
	const struct verdict *verdict = query_verdict(task->query, query_joint(task->query));

	if (verdict->action == ACTION_REJECT) {
		milter_reply(output, verdict->reply);
		return;
	}
	if (is_deferred(output, message))
		return;
	milter_delete_forged(output, message->forged);
	add_fields(output, verdict);
	milter_accept(output);
}

const char *answer_failure_reply(const struct server *server, enum status status)
{
	bool tempfail = server->settings.on_failure == ON_FAILURE_TEMPFAIL;

	return tempfail ? service_smtp_reply(status) : NULL;
}

void answer_failure(struct buffer *output, const struct milter_message *message,
	const struct server *server, const struct failure *failure)
{
	const char *reply = answer_failure_reply(server, failure->code);

	if (reply) {
		milter_reply(output, reply);
		return;
	}
	if (is_deferred(output, message))
		return;
	milter_delete_forged(output, message->forged);
	milter_add_header(output, "X-Hamlet-Status", "not judged");
	milter_accept(output);
}

void answer_unjudged(struct buffer *output, const struct milter_message *message)
{
	if (is_deferred(output, message))
		return;
	milter_delete_forged(output, message->forged);
	milter_accept(output);
}
