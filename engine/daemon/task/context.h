/* What goes with a message besides its bytes, as a JSON object:
 *
 *   {"recipients": ["bob@example.org", ...],
 *    "consent": "granted" or "declined",
 *    "event": {"kind": "button", "move" or "flag",
 *              "from": "inbox", "junk", "trash" or "other", "to": the same,
 *              "selected": 1}}
 *
 * All of it is optional; an unknown member is an error, since a misspelt "consent"
 * must not be passed over.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/base/status.h"
#include "engine/service/report/report.h"

struct context {
	char **recipients; /* NULL-terminated; NULL = none named */
	size_t recipient_count;
	enum consent consent;
	struct event event; /* EVENT_TOLD when nothing is said */
};

/* Empty text gives an empty context. STATUS_INVALID with what is wrong. */
enum status context_parse(struct context *context, const char *text, struct failure *failure);

/* An event as a client says it; NULL = not said. */
struct event_words {
	const char *kind, *from, *to;
	int64_t selected;
};

/* The same, one by one. STATUS_INVALID with what is wrong. */
enum status context_set_consent(struct context *context, const char *word, struct failure *failure);
enum status context_set_event(
	struct context *context, const struct event_words *words, struct failure *failure);

/* Adds `count` terminated names that stand one after another, at most QUERY_MAX_USERS. For
 * `lost` ones, which were too many, comes one more that is nobody. */
void context_add_recipients(struct context *context, const char *names, size_t count, size_t lost);
void context_free(struct context *context);
