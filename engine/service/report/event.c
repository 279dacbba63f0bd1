/* The table of what people do in a mail program, and what it says of the message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/report/event.h"

#include <stddef.h>
#include <strings.h>

#define BIT(number) (1u << (number))

enum {
	TOLD = BIT(EVENT_TOLD),
	BUTTON = BIT(EVENT_BUTTON),
	MOVE = BIT(EVENT_MOVE),
	FLAG = BIT(EVENT_FLAG),

	JUNK = BIT(FOLDER_JUNK),
	TRASH = BIT(FOLDER_TRASH),
	KEPT = BIT(FOLDER_INBOX) | BIT(FOLDER_OTHER),
	ANY = BIT(FOLDER_UNKNOWN) | KEPT | JUNK | TRASH,
};

/* What else must hold. */
enum when {
	ALWAYS,
	UNDONE, /* a flip to the same label was taken for an undo just before */
	OPPOSITE, /* the other label was reported just before */
	MASS, /* many messages were selected at once */
};

enum what { NOTHING, AS_SAID, OWN, UNDO };

/* First match first. What speaks is the label that was told or pressed; of a move
 * it is spam into Junk and ham out of it. */
static const struct row {
	unsigned kinds, from, to;
	enum when when;
	enum what what;
	const char *reason;
} ROWS[] = {
	{TOLD, ANY, ANY, ALWAYS, AS_SAID, ""},
	/* Moving to the Trash is how people delete: spam that is deleted stays
	 * spam, and mail that is deleted was not called spam. */
	{MOVE, ANY, TRASH, ALWAYS, NOTHING, "deleting says nothing of a message"},
	{MOVE, TRASH, KEPT, ALWAYS, NOTHING, "bringing back from the Trash undoes a deletion"},
	{MOVE, KEPT, KEPT, ALWAYS, NOTHING, "filing says nothing of a message"},
	{MOVE, JUNK, JUNK, ALWAYS, NOTHING, "it stayed in Junk"},
	/* Some programs set $NotJunk on what they delete. */
	{FLAG, TRASH, ANY, ALWAYS, NOTHING, "flags of deleted mail say nothing"},
	/* Two programs may tell of the same hand. */
	{BUTTON | MOVE | FLAG, ANY, ANY, UNDONE, NOTHING, "undone just now"},
	{BUTTON | MOVE | FLAG, ANY, ANY, OPPOSITE, UNDO,
		"a quick flip back: the press before is undone"},
	/* Nobody reads hundreds of messages to judge them. */
	{BUTTON | MOVE | FLAG, ANY, ANY, MASS, OWN, "a mass selection teaches its user alone"},
	{MOVE, ANY, JUNK, ALWAYS, AS_SAID, ""},
	{MOVE, JUNK, KEPT, ALWAYS, AS_SAID, ""},
	{MOVE, ANY, ANY, ALWAYS, NOTHING, "from or to a folder that is not known"},
	{BUTTON | FLAG, ANY, ANY, ALWAYS, AS_SAID, ""},
};

static enum label label_of_event(const struct event *event)
{
	if (event->kind != EVENT_MOVE)
		return event->label;
	return event->to == FOLDER_JUNK ? LABEL_SPAM : LABEL_HAM;
}

static bool event_matches(enum when when, enum label label, const struct event *event,
	const struct event_history *history, const struct event_rules *rules)
{
	bool now =
		history->known && history->elapsed >= 0 && history->elapsed <= rules->flip_seconds;

	switch (when) {
	case ALWAYS:
		return true;
	case UNDONE:
		return now && history->label == LABEL_FORGET && history->undone_for == label;
	case OPPOSITE:
		return now && label != LABEL_FORGET && history->label != LABEL_FORGET &&
			history->label != label;
	case MASS:
		return event->selected > rules->mass_selection;
	}
	return false;
}

struct event_decision event_decide(const struct event *event, const struct event_history *history,
	const struct event_rules *rules)
{
	enum label label = label_of_event(event);
	const struct row *row = ROWS;

	while (!(row->kinds & BIT(event->kind)) || !(row->from & BIT(event->from)) ||
		!(row->to & BIT(event->to)) ||
		!event_matches(row->when, label, event, history, rules))
		row++; /* the last rows match all that is left */
	return (struct event_decision){
		.report = row->what != NOTHING,
		.label = row->what == UNDO ? LABEL_FORGET : label,
		.own = row->what == OWN,
		.flip_back = row->what == UNDO,
		.reason = row->reason,
	};
}

bool event_folder_named(const char *name, enum event_folder *folder)
{
	static const char *const names[] = {
		[FOLDER_INBOX] = "inbox",
		[FOLDER_JUNK] = "junk",
		[FOLDER_TRASH] = "trash",
		[FOLDER_OTHER] = "other",
	};

	for (size_t i = FOLDER_INBOX; i <= FOLDER_OTHER; i++) {
		if (strcasecmp(name, names[i]) == 0) {
			*folder = (enum event_folder)i;
			return true;
		}
	}
	return false;
}
