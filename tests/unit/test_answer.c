/* What a mail server is answered through the milter: every verdict, every failure, and
 * what was forged. Answers are read as the mail server reads them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "engine/daemon/milter/answer.h"
#include "engine/daemon/server.h"
#include "tests/unit/fixture.h"

static struct server server;
static struct forged_fields forged;
static const struct milter_message message = {.forged = &forged};
static struct buffer output;

static void setup(void)
{
	settings = service_defaults();
	settings.reject_uncertainty = 100;
	settings.reject_score = -1000;
	open_memory();
	forged = (struct forged_fields){0};
	output = BUFFER_INIT(FORGED_MAX_BYTES + 65536);
	server.settings.on_failure = ON_FAILURE_ACCEPT;
}

static void end(void)
{
	buffer_free(&output);
	forged_fields_clear(&forged);
	teardown();
}

/* The answer as text: a line for each frame, its command, its data with | for NUL. */
static const char *answered(void)
{
	static char text[4096];
	char *to = text;

	ck_assert(!output.failed);
	for (size_t at = 0; at < output.length;) {
		const unsigned char *head = (const unsigned char *)output.data + at;
		size_t length = (size_t)head[2] << 8 | head[3];

		ck_assert_uint_le(at + 4 + length, output.length);
		for (size_t i = 0; i < length; i++)
			*to++ = head[4 + i] ? (char)head[4 + i] : '|';
		*to++ = '\n';
		at += 4 + length;
	}
	*to = '\0';
	return text;
}

/* --- Verdicts ----------------------------------------------------------------------- */

static const char MAIL[] = "From: ann@example.com\nSubject: a\n\nhello\n";

static const char *verdict_answered(void)
{
	const char *nobody = "";
	struct task task = {0};

	assert_ok(query_begin(service, &nobody, 1, false, &task.query, &failure));
	assert_ok(query_run(task.query, worker, MAIL, strlen(MAIL), &failure));
	answer_verdict(&output, &message, &task);
	query_end(service, &task.query);
	return answered();
}

static const struct {
	const char *listed; /* "allow", "block" or NULL */
	const char *action;
	const char *answer;
} VERDICTS[] = {
	{"allow", "reject",
		"i||||X-Spam-Status|No, score=-95.0 required=5.0 tests=HAMLET_HAM,HAMLET_ALLOWED "
		"autolearn=no|\ni||||X-Spam-Level||\ni||||X-Hamlet-Score|-95.0|\na\n"},
	{"block", "tag",
		"i||||X-Spam-Status|Yes, score=105.0 required=5.0 tests=HAMLET_SPAM,HAMLET_BLOCKED "
		"autolearn=no|\ni||||X-Spam-Level|**************************************************|\n"
		"i||||X-Hamlet-Score|105.0|\na\n"},
	{"block", "junk",
		"i||||X-Spam-Status|Yes, score=105.0 required=5.0 tests=HAMLET_SPAM,HAMLET_BLOCKED "
		"autolearn=no|\ni||||X-Spam-Level|**************************************************|\n"
		"i||||X-Hamlet-Score|105.0|\ni||||X-Spam-Flag|YES|\na\n"},
	{"block", "reject", "y554 5.7.1 Sender is blocked by the recipient|\n"},
};

START_TEST(a_verdict_becomes_fields_or_a_reply)
{
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, VERDICTS[_i].action);
	lay_down("", ENTRY_LIST, "example.com", VERDICTS[_i].listed);
	ck_assert_str_eq(verdict_answered(), VERDICTS[_i].answer);
}
END_TEST

START_TEST(a_score_becomes_fields)
{
	const char *answer = verdict_answered();

	ck_assert_ptr_nonnull(strstr(answer, "X-Spam-Status|No, score="));
	ck_assert_ptr_null(strstr(answer, "X-Spam-Flag"));
	ck_assert_str_eq(answer + strlen(answer) - 3, "\na\n");
}
END_TEST

/* --- What was forged --------------------------------------------------------------------- */

static void forge(void)
{
	forged_fields_note(&forged, "X-Spam-Flag", 0);
	forged_fields_note(&forged, "x-spam-flag", 20);
	forged_fields_note(&forged, "X-Spam", 40);
}

static const char DELETIONS[] = "m|||\1X-Spam||\nm|||\2X-Spam-Flag||\nm|||\1X-Spam-Flag||\n";

START_TEST(forged_fields_go_before_ours_come)
{
	forge();
	lay_down("", ENTRY_LIST, "example.com", "block");
	const char *answer = verdict_answered();
	ck_assert_int_eq(strncmp(answer, DELETIONS, strlen(DELETIONS)), 0);
	ck_assert_ptr_nonnull(strstr(answer, "i||||X-Spam-Flag|YES|\na\n"));
}
END_TEST

START_TEST(a_message_that_is_not_to_be_judged_is_taken_unmarked)
{
	answer_unjudged(&output, &message);
	ck_assert_str_eq(answered(), "a\n");
	buffer_clear(&output);
	forge();
	answer_unjudged(&output, &message);
	ck_assert_int_eq(strncmp(answered(), DELETIONS, strlen(DELETIONS)), 0);
	ck_assert_str_eq(answered() + strlen(DELETIONS), "a\n");
}
END_TEST

/* Whatever else is to become of it; but what is refused need not wait. */
START_TEST(more_than_can_go_is_put_off)
{
	static const char PUT_OFF[] = "y451 4.7.1 Too many X-Spam and X-Hamlet header fields|\n";
	const struct failure busy = {.code = STATUS_OVERLOAD};

	forge();
	forged.uncounted = true;
	ck_assert_str_eq(verdict_answered(), PUT_OFF);
	buffer_clear(&output);
	answer_failure(&output, &message, &server, &busy);
	ck_assert_str_eq(answered(), PUT_OFF);
	buffer_clear(&output);
	answer_unjudged(&output, &message);
	ck_assert_str_eq(answered(), PUT_OFF);
	buffer_clear(&output);
	lay_down("", ENTRY_POLICY, POLICY_SPAM_ACTION, "reject");
	lay_down("", ENTRY_LIST, "example.com", "block");
	ck_assert_int_eq(strncmp(verdict_answered(), "y554 ", 5), 0);
}
END_TEST

/* --- Failures ---------------------------------------------------------------------------- */

static const struct {
	enum status status;
	const char *reply;
} FAILURES[] = {
	{STATUS_OVERLOAD, "y421 4.3.2 "},
	{STATUS_IO, "y451 4.3.0 "},
	{STATUS_NOMEM, "y4"},
	{STATUS_CORRUPT, "y4"},
	{STATUS_INVALID, "y4"},
};

START_TEST(a_failure_is_answered_by_on_failure)
{
	const struct failure failed = {.code = FAILURES[_i].status, .detail = "of this test"};

	forge();
	answer_failure(&output, &message, &server, &failed);
	ck_assert_int_eq(strncmp(answered(), DELETIONS, strlen(DELETIONS)), 0);
	ck_assert_str_eq(answered() + strlen(DELETIONS), "i||||X-Hamlet-Status|not judged|\na\n");
	ck_assert_ptr_null(answer_failure_reply(&server, failed.code));
	buffer_clear(&output);
	server.settings.on_failure = ON_FAILURE_TEMPFAIL;
	answer_failure(&output, &message, &server, &failed);
	ck_assert_int_eq(strncmp(answered(), FAILURES[_i].reply, strlen(FAILURES[_i].reply)), 0);
	ck_assert_str_eq(strchr(answered(), '\n'), "\n"); /* and nothing else */
	ck_assert_ptr_nonnull(answer_failure_reply(&server, failed.code));
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *tcase = tcase_create("milter");

	tcase_add_checked_fixture(tcase, setup, end);
	tcase_add_loop_test(tcase, a_verdict_becomes_fields_or_a_reply, 0,
		sizeof(VERDICTS) / sizeof(VERDICTS[0]));
	tcase_add_test(tcase, a_score_becomes_fields);
	tcase_add_test(tcase, forged_fields_go_before_ours_come);
	tcase_add_test(tcase, a_message_that_is_not_to_be_judged_is_taken_unmarked);
	tcase_add_test(tcase, more_than_can_go_is_put_off);
	tcase_add_loop_test(tcase, a_failure_is_answered_by_on_failure, 0,
		sizeof(FAILURES) / sizeof(FAILURES[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
