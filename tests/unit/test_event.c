/* What people do in a mail program, row by row, and what is made of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/service/report/report.h"
#include "tests/unit/unit.h"

static const struct event_rules RULES = {.flip_seconds = 60, .mass_selection = 50};

enum { SPAM = LABEL_SPAM, HAM = LABEL_HAM, FORGET = LABEL_FORGET };
enum {
	INBOX = FOLDER_INBOX,
	JUNK = FOLDER_JUNK,
	TRASH = FOLDER_TRASH,
	OTHER = FOLDER_OTHER,
	ANYWHERE = FOLDER_UNKNOWN
};
enum expected { NOTHING, IS_SPAM, IS_HAM, IS_UNDO, OWN_SPAM, OWN_HAM };

/* `before`: what was reported 10 seconds ago; -1 = nothing. */
static const struct {
	const char *what;
	enum event_kind kind;
	int label;
	int from, to;
	unsigned selected;
	int before;
	enum expected expected;
} ROWS[] = {
	{"a script says spam", EVENT_TOLD, SPAM, ANYWHERE, ANYWHERE, 0, -1, IS_SPAM},
	{"a script says ham just after spam", EVENT_TOLD, HAM, ANYWHERE, ANYWHERE, 0, SPAM, IS_HAM},
	{"a script takes it back", EVENT_TOLD, FORGET, ANYWHERE, ANYWHERE, 0, SPAM, IS_UNDO},
	{"a script tells of a thousand", EVENT_TOLD, SPAM, ANYWHERE, ANYWHERE, 1000, -1, IS_SPAM},

	{"Spam pressed in the Inbox", EVENT_BUTTON, SPAM, INBOX, JUNK, 1, -1, IS_SPAM},
	{"Spam pressed in a folder", EVENT_BUTTON, SPAM, OTHER, JUNK, 1, -1, IS_SPAM},
	{"Spam pressed in the Trash", EVENT_BUTTON, SPAM, TRASH, JUNK, 1, -1, IS_SPAM},
	{"Not spam pressed in Junk", EVENT_BUTTON, HAM, JUNK, INBOX, 1, -1, IS_HAM},
	{"Spam pressed, nobody knows where", EVENT_BUTTON, SPAM, ANYWHERE, ANYWHERE, 0, -1,
		IS_SPAM},
	{"Spam pressed twice", EVENT_BUTTON, SPAM, INBOX, JUNK, 1, SPAM, IS_SPAM},

	{"Inbox to Junk", EVENT_MOVE, FORGET, INBOX, JUNK, 1, -1, IS_SPAM},
	{"a folder to Junk", EVENT_MOVE, FORGET, OTHER, JUNK, 1, -1, IS_SPAM},
	{"Trash to Junk", EVENT_MOVE, FORGET, TRASH, JUNK, 1, -1, IS_SPAM},
	{"Junk to Inbox", EVENT_MOVE, FORGET, JUNK, INBOX, 1, -1, IS_HAM},
	{"Junk to a folder", EVENT_MOVE, FORGET, JUNK, OTHER, 1, -1, IS_HAM},
	{"Junk to Trash", EVENT_MOVE, FORGET, JUNK, TRASH, 1, -1, NOTHING},
	{"Inbox to Trash", EVENT_MOVE, FORGET, INBOX, TRASH, 1, -1, NOTHING},
	{"a folder to Trash", EVENT_MOVE, FORGET, OTHER, TRASH, 1, -1, NOTHING},
	{"Trash to Inbox", EVENT_MOVE, FORGET, TRASH, INBOX, 1, -1, NOTHING},
	{"Trash to a folder", EVENT_MOVE, FORGET, TRASH, OTHER, 1, -1, NOTHING},
	{"Inbox to a folder", EVENT_MOVE, FORGET, INBOX, OTHER, 1, -1, NOTHING},
	{"a folder to Inbox", EVENT_MOVE, FORGET, OTHER, INBOX, 1, -1, NOTHING},
	{"Junk to Junk", EVENT_MOVE, FORGET, JUNK, JUNK, 1, -1, NOTHING},
	{"a move to nobody knows where", EVENT_MOVE, FORGET, INBOX, ANYWHERE, 1, -1, NOTHING},
	{"Junk to nobody knows where", EVENT_MOVE, FORGET, JUNK, ANYWHERE, 1, -1, NOTHING},
	{"spam of just now to Trash", EVENT_MOVE, FORGET, JUNK, TRASH, 1, SPAM, NOTHING},

	{"$Junk is set", EVENT_FLAG, SPAM, INBOX, ANYWHERE, 1, -1, IS_SPAM},
	{"$NotJunk is set in Junk", EVENT_FLAG, HAM, JUNK, ANYWHERE, 1, -1, IS_HAM},
	{"$NotJunk is set in the Trash", EVENT_FLAG, HAM, TRASH, ANYWHERE, 1, -1, NOTHING},
	{"$Junk is set in the Trash", EVENT_FLAG, SPAM, TRASH, ANYWHERE, 1, -1, NOTHING},

	{"Spam, then at once Not spam", EVENT_BUTTON, HAM, JUNK, INBOX, 1, SPAM, IS_UNDO},
	{"Not spam, then at once Spam", EVENT_BUTTON, SPAM, INBOX, JUNK, 1, HAM, IS_UNDO},
	{"to Junk, then at once back", EVENT_MOVE, FORGET, JUNK, INBOX, 1, SPAM, IS_UNDO},
	{"from Junk, then at once back", EVENT_MOVE, FORGET, INBOX, JUNK, 1, HAM, IS_UNDO},
	{"the same move from two clients", EVENT_MOVE, FORGET, INBOX, JUNK, 1, SPAM, IS_SPAM},

	{"fifty selected, Spam", EVENT_BUTTON, SPAM, INBOX, JUNK, 50, -1, IS_SPAM},
	{"more selected, Spam", EVENT_BUTTON, SPAM, INBOX, JUNK, 51, -1, OWN_SPAM},
	{"more selected, Not spam", EVENT_BUTTON, HAM, JUNK, INBOX, 51, -1, OWN_HAM},
	{"more moved to Junk", EVENT_MOVE, FORGET, INBOX, JUNK, 51, -1, OWN_SPAM},
	{"more moved out of Junk", EVENT_MOVE, FORGET, JUNK, INBOX, 51, -1, OWN_HAM},
	{"Junk is emptied", EVENT_MOVE, FORGET, JUNK, TRASH, 500, -1, NOTHING},
	{"a mass selection is taken back", EVENT_BUTTON, HAM, JUNK, INBOX, 51, SPAM, IS_UNDO},
};

enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

static enum expected result(const struct event_decision *decision)
{
	if (!decision->report)
		return NOTHING;
	if (decision->label == LABEL_FORGET)
		return IS_UNDO;
	if (decision->label == LABEL_SPAM)
		return decision->own ? OWN_SPAM : IS_SPAM;
	return decision->own ? OWN_HAM : IS_HAM;
}

START_TEST(each_row_decides)
{
	struct event event = {.kind = ROWS[_i].kind,
		.label = (enum label)ROWS[_i].label,
		.from = (enum event_folder)ROWS[_i].from,
		.to = (enum event_folder)ROWS[_i].to,
		.selected = ROWS[_i].selected};
	struct event_history history = {.known = ROWS[_i].before >= 0,
		.label = ROWS[_i].before >= 0 ? (enum label)ROWS[_i].before : LABEL_FORGET,
		.elapsed = 10};
	struct event_decision decision = event_decide(&event, &history, &RULES);

	ck_assert_msg(result(&decision) == ROWS[_i].expected, "%s: %d, not %d", ROWS[_i].what,
		result(&decision), ROWS[_i].expected);
	bool as_pressed = ROWS[_i].expected == IS_SPAM || ROWS[_i].expected == IS_HAM ||
		ROWS[_i].kind == EVENT_TOLD;
	ck_assert_msg(
		(*decision.reason == '\0') == as_pressed, "%s: %s", ROWS[_i].what, decision.reason);
}
END_TEST

START_TEST(a_flip_is_quick_for_a_minute)
{
	struct event event = {.kind = EVENT_BUTTON, .label = LABEL_HAM};
	struct event_history history = {.known = true, .label = LABEL_SPAM, .elapsed = 60};

	ck_assert(event_decide(&event, &history, &RULES).flip_back);
	history.elapsed = 61;
	ck_assert(!event_decide(&event, &history, &RULES).flip_back);
	ck_assert_int_eq(event_decide(&event, &history, &RULES).label, LABEL_HAM);
	history.elapsed = -5; /* the clock was set back */
	ck_assert(!event_decide(&event, &history, &RULES).flip_back);
}
END_TEST

/* The button undid the press; the move that went with the button says it again. */
START_TEST(an_undo_is_not_learned_from_the_second_client)
{
	struct event move = {.kind = EVENT_MOVE, .from = FOLDER_JUNK, .to = FOLDER_INBOX};
	struct event_history history = {
		.known = true, .label = LABEL_FORGET, .undone_for = LABEL_HAM, .elapsed = 1};

	ck_assert(!event_decide(&move, &history, &RULES).report);
	history.elapsed = 3600;
	ck_assert_int_eq(event_decide(&move, &history, &RULES).label, LABEL_HAM);
	history.elapsed = 1;
	history.undone_for = LABEL_FORGET; /* taken back by command: a press counts */
	ck_assert(event_decide(&move, &history, &RULES).report);
	move = (struct event){.kind = EVENT_BUTTON, .label = LABEL_SPAM};
	history.undone_for = LABEL_HAM;
	ck_assert_int_eq(event_decide(&move, &history, &RULES).label, LABEL_SPAM);
}
END_TEST

START_TEST(folders_have_names)
{
	enum event_folder folder;

	ck_assert(event_folder_named("Junk", &folder) && folder == FOLDER_JUNK);
	ck_assert(event_folder_named("other", &folder) && folder == FOLDER_OTHER);
	ck_assert(!event_folder_named("unknown", &folder));
	ck_assert(!event_folder_named("", &folder));
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("event");
	TCase *tcase = tcase_create("event");

	tcase_add_loop_test(tcase, each_row_decides, 0, ROW_COUNT);
	tcase_add_test(tcase, a_flip_is_quick_for_a_minute);
	tcase_add_test(tcase, an_undo_is_not_learned_from_the_second_client);
	tcase_add_test(tcase, folders_have_names);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
