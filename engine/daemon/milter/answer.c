/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/milter/answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/daemon/render.h"
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

/* From the last occurrence on: deleting one renumbers those after it. */
static void remove_forged(struct buffer *output, const struct milter_message *message)
{
	for (size_t i = message->forged_count; i > 0; i--)
		milter_delete_header(
			output, message->forged[i - 1].name, message->forged[i - 1].index);
}

void answer_verdict(
	struct buffer *output, const struct milter_message *message, const struct task *task)
{
	const struct verdict *verdict = query_verdict(task->query, query_mildest(task->query));

	if (verdict->action == ACTION_REJECT && message->recipients_lost == 0) {
		milter_reply(output, verdict->reply);
		return;
	}
	remove_forged(output, message);
	add_fields(output, verdict);
	milter_accept(output);
}

const char *answer_failure_reply(const struct server *server, enum status status)
{
	bool tempfail = strcmp(server->settings.on_failure, "tempfail") == 0;

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
	remove_forged(output, message);
	milter_add_header(output, "X-Hamlet-Status", "not judged");
	milter_accept(output);
}
