/* What a person did in a mail program, and what it says of the message: the one
 * table that decides, for every protocol. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/settings/service-settings.h"
#include "engine/store/store.h"

enum event_kind {
	EVENT_TOLD, /* a command or script says what it is: taken as told */
	EVENT_BUTTON, /* "Spam" or "Not spam" was pressed */
	EVENT_MOVE, /* the message went from one folder to another */
	EVENT_FLAG, /* $Junk or $NotJunk was set */
};

enum event_folder { FOLDER_UNKNOWN, FOLDER_INBOX, FOLDER_JUNK, FOLDER_TRASH, FOLDER_OTHER };

struct event {
	enum event_kind kind;
	enum label label; /* of TOLD, BUTTON, FLAG; a MOVE says it by its folders */
	enum event_folder from, to;
	unsigned selected; /* messages that were selected for it; 0 = not known */
};

/* What was done about the message before, by the same user. */
struct event_history {
	bool known; /* there is a report */
	enum label label; /* of the newest one */
	enum label undone_for; /* it is a quick flip back: which label undid it */
	int64_t elapsed; /* seconds since */
};

struct event_decision {
	bool report; /* else nothing is reported */
	enum label label; /* what is reported */
	bool own; /* it teaches its user alone, whatever the consent */
	bool flip_back; /* a quick flip back: label is LABEL_FORGET */
	const char *reason; /* a sentence for a person; "" = as pressed */
};

/* The rules, first match first. */
struct event_decision event_decide(const struct event *event, const struct event_history *history,
	const struct event_rules *rules);

/* "inbox", "junk", "trash", "other"; false for other words. */
bool event_folder_named(const char *name, enum event_folder *folder);
