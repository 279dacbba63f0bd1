/* The milter session: what a mail server says gives the message, byte by byte or
 * whole; what it should not say ends the connection.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/protocol/milter.h"
#include "tests/unit/unit.h"

static const struct milter_limits LIMITS = {.message = 2000, .recipients = 3};
static struct milter_session *session;
static char stream[300000];
static size_t stream_length;

static void setup(void)
{
	session = milter_session_new(&LIMITS);
	ck_assert_ptr_nonnull(session);
	stream_length = 0;
}

static void teardown(void)
{
	milter_session_free(&session);
	ck_assert_ptr_null(session);
}

static void put(char command, const void *data, size_t length)
{
	const unsigned char head[] = {0, (unsigned char)((length + 1) >> 16),
		(unsigned char)((length + 1) >> 8), (unsigned char)(length + 1),
		(unsigned char)command};

	memcpy(stream + stream_length, head, 5);
	memcpy(stream + stream_length + 5, data, length);
	stream_length += 5 + length;
}

#define PUT(command, literal) put(command, literal, sizeof(literal) - 1)

static void put_greeting(const char *protocol)
{
	char data[12] = {0, 0, 0, 6, 0, 0, 1, (char)0xFF};

	memcpy(data + 8, protocol, 4);
	put('O', data, 12);
}

static const char ALL[] = {0, 0x1F, (char)0xFF, (char)0xFF, 0};

static void put_mail(void)
{
	PUT('D', "Ci\0Q1\0j\0mx\0");
	PUT('C',
		"host.example\0"
		"4\0\x19"
		"192.0.2.9\0");
	PUT('D', "Mi\0Q77\0");
	PUT('M', "<ann@example.com>\0SIZE=10\0");
	PUT('R', "<bob@example.org>\0");
	PUT('R', "eve@example.org\0");
	PUT('L', "Subject\0folded\n\tline\0");
	PUT('L', "X-Spam-Flag\0NO\0");
	PUT('L', "x-spam-flag\0NO\0");
	PUT('L', "X-Hamlet-Score\0-5\0");
	PUT('N', "");
	PUT('B', "hello\r\n");
	PUT('E', "the end\r\n");
}

static void assert_mail(void)
{
	const struct milter_message *message = milter_session_message(session);

	ck_assert_ptr_nonnull(message);
	ck_assert_str_eq(message->client, "192.0.2.9");
	ck_assert_str_eq(message->sender, "ann@example.com");
	ck_assert_str_eq(message->queue_id, "Q77");
	ck_assert_uint_eq(message->recipient_count, 2);
	ck_assert_str_eq(message->recipients, "bob@example.org");
	ck_assert_str_eq(message->recipients + 16, "eve@example.org");
	ck_assert_str_eq(message->login, "");
	ck_assert_str_eq(message->forged->names->name, "X-Hamlet-Score");
	ck_assert_uint_eq(message->forged->names->count, 1);
	ck_assert_str_eq(message->forged->names->next->name, "X-Spam-Flag");
	ck_assert_uint_eq(message->forged->names->next->count, 2);
	ck_assert_ptr_null(message->forged->names->next->next);
	static const char text[] =
		"Subject: folded\r\n\tline\r\nX-Spam-Flag: NO\r\nx-spam-flag: NO\r\n"
		"X-Hamlet-Score: -5\r\n"
		"Received: from host.example (host.example [192.0.2.9]) by mx with SMTP\r\n"
		"\r\nhello\r\nthe end\r\n";
	ck_assert_uint_eq(message->length, sizeof(text) - 1);
	ck_assert_mem_eq(message->text, text, sizeof(text) - 1);
	ck_assert(!message->truncated);
}

START_TEST(a_message_is_put_together)
{
	size_t piece = (size_t)_i;

	put_greeting(ALL);
	put_mail();
	size_t mail = stream_length;
	enum milter_event event = MILTER_NEED_MORE;
	for (size_t at = 0; at < mail; at += piece) {
		ck_assert_int_eq(event, MILTER_NEED_MORE);
		event = milter_session_feed(
			session, stream + at, piece < mail - at ? piece : mail - at);
	}
	ck_assert_int_eq(event, MILTER_MESSAGE);
	assert_mail();
	/* Nothing but the negotiation was answered. */
	const struct buffer *output = milter_session_output(session);
	ck_assert_uint_eq(output->length, 17);
	ck_assert_mem_eq(output->data, "\0\0\0\x0DO\0\0\0\x06\0\0\0\x11\0\x0F\xF3\x82", 17);
	ck_assert_int_eq(milter_session_next(session), MILTER_NEED_MORE);
	ck_assert(!milter_session_unfinished(session));
	size_t commands = milter_session_commands(session);
	milter_session_feed(session, "\0\0\0", 3);
	ck_assert(milter_session_unfinished(session));
	ck_assert_uint_eq(milter_session_commands(session), commands);
}
END_TEST

START_TEST(several_messages_come_on_one_connection)
{
	put_greeting(ALL);
	put_mail();
	PUT('A', "");
	PUT('M', "<>\0");
	PUT('R', "<one@example.org>\0");
	PUT('A', ""); /* thought better of it */
	PUT('M', "<>\0");
	PUT('R', "<two@example.org>\0");
	PUT('N', "");
	PUT('E', "");
	PUT('Q', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	assert_mail();
	ck_assert_int_eq(milter_session_next(session), MILTER_MESSAGE);
	const struct milter_message *message = milter_session_message(session);
	ck_assert_str_eq(message->sender, "");
	ck_assert_str_eq(message->recipients, "two@example.org");
	ck_assert_uint_eq(message->recipient_count, 1);
	ck_assert_mem_eq(message->text + message->length - 8, "SMTP\r\n\r\n", 8);
	ck_assert_int_eq(milter_session_next(session), MILTER_QUIT);
	ck_assert_int_eq(milter_session_feed(session, "x", 1), MILTER_QUIT);
}
END_TEST

START_TEST(a_mail_server_that_waits_is_answered)
{
	put_greeting("\0\0\0\0");
	put_mail();
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const struct buffer *output = milter_session_output(session);
	/* Connect, MAIL, two RCPT, four header fields, end of header, body. */
	ck_assert_uint_eq(output->length, 17 + 10 * 5);
	for (size_t i = 17; i < output->length; i += 5)
		ck_assert_mem_eq(output->data + i,
			"\0\0\0\x01"
			"c",
			5);
}
END_TEST

START_TEST(one_that_is_refused_is_told_at_the_first_question)
{
	const char *reply = _i ? "421 4.3.2 busy" : NULL;
	const char answer[] = "\0\0\0\x10y421 4.3.2 busy\0", accept[] = "\0\0\0\1a";
	size_t size = _i ? sizeof(answer) - 1 : sizeof(accept) - 1;

	milter_session_refuse(session, reply);
	put_greeting(ALL);
	put_mail(); /* all at once, as if nothing had to be waited for */
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_NEED_MORE);
	const struct buffer *output = milter_session_output(session);
	/* The negotiation, then each of the eleven commands that are not macros. */
	ck_assert_mem_eq(output->data, "\0\0\0\x0DO\0\0\0\x06\0\0\0\x11\0\0\x03\x02", 17);
	ck_assert_uint_eq(output->length, 17 + 11 * size);
	ck_assert_mem_eq(output->data + 17, _i ? answer : accept, size);
	stream_length = 0;
	PUT('A', "");
	PUT('Q', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_QUIT);
}
END_TEST

START_TEST(what_is_too_much_is_passed_over)
{
	static char chunk[65535];

	memset(chunk, 'x', sizeof(chunk));
	put_greeting(ALL);
	PUT('M', "<ann@example.com>\0");
	for (int i = 0; i < 5; i++)
		PUT('R', "<bob@example.org>\0");
	PUT('N', "");
	put('B', chunk, sizeof(chunk));
	put('B', chunk, sizeof(chunk));
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const struct milter_message *message = milter_session_message(session);
	ck_assert(message->truncated);
	ck_assert_uint_eq(message->length, LIMITS.message);
	ck_assert_uint_eq(message->recipient_count, 3);
	ck_assert_uint_eq(message->recipients_lost, 2);
}
END_TEST

static const struct {
	const char *data;
	size_t length;
	const char *error;
} WRONG[] = {
#define ROW(literal, error)                                                                        \
	{                                                                                          \
		literal, sizeof(literal) - 1, error                                                \
	}
	ROW("\0\0\0\0", "frame of 0 bytes"),
	ROW("\0\1\0\1O", "frame of 65537 bytes"),
	ROW("\xFF\xFF\xFF\xFF", "frame of 4294967295 bytes"),
	ROW("GET / HTTP/1.1\r\n\r\n", "frame of 1195725856 bytes"),
	ROW("\0\0\0\1O", "negotiation is too short"),
	ROW("\0\0\0\x0DO\0\0\0\1\0\0\1\xFF\0\0\0\0", "milter version 1 is too old"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\0\1\0\0\0\0",
		"the mail server lets no header field be added or changed"),
	ROW("\0\0\0\1M", "command M out of order"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\1z", "unknown command 0x7a"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\4Mabc", "MAIL without an address"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\2R\0", "command R out of order"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\2M\0\0\0\0\4Lab\0",
		"header field without a value"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\1C", "connect without a host"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\6Ca\0"
	    "4\0\0",
		"connect without an address"),
	ROW("\0\0\0\x0DO\0\0\0\6\0\0\1\xFF\0\0\0\0\0\0\0\1E", "command E out of order"),
#undef ROW
};

START_TEST(what_is_wrong_is_named)
{
	enum milter_event event = milter_session_feed(session, WRONG[_i].data, WRONG[_i].length);

	ck_assert_int_eq(event, MILTER_ERROR);
	ck_assert_str_eq(milter_session_error(session), WRONG[_i].error);
	ck_assert_int_eq(milter_session_feed(session, "\0\0\0\1Q", 5), MILTER_ERROR);
}
END_TEST

START_TEST(replies_are_frames)
{
	struct buffer output = BUFFER_INIT(1000);
	struct forged_fields forged = {0};

	forged_fields_note(&forged, "X-Spam-Flag", 0);
	forged_fields_note(&forged, "X-SPAM-FLAG", 0);
	forged_fields_note(&forged, "X-Spammer", 0);
	forged_fields_note(&forged, "X-Hamlet\t", 0);
	forged_fields_note(&forged, "X-Spa", 0);
	milter_delete_forged(&output, &forged);
	milter_add_header(&output, "X-A", "b\nc");
	milter_reply(&output, "554 5.7.1 100% spam");
	milter_accept(&output);
	static const char expected[] = "\0\0\0\x10m\0\0\0\1X-Hamlet\t\0\0"
				       "\0\0\0\x10m\0\0\0\1X-Spammer\0\0"
				       "\0\0\0\x12m\0\0\0\2X-Spam-Flag\0\0"
				       "\0\0\0\x12m\0\0\0\1X-Spam-Flag\0\0"
				       "\0\0\0\x0Di\0\0\0\0X-A\0b c\0"
				       "\0\0\0\x16y554 5.7.1 100%% spam\0"
				       "\0\0\0\1a";
	ck_assert_uint_eq(output.length, sizeof(expected) - 1);
	ck_assert_mem_eq(output.data, expected, sizeof(expected) - 1);
	buffer_free(&output);
	forged_fields_clear(&forged);
}
END_TEST

START_TEST(forged_fields_are_counted_as_far_as_they_can_be_taken_away)
{
	struct forged_fields forged = {0};
	char name[32], long_name[4000];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "X-Spam-%u", i);
		forged_fields_note(&forged, name, 0);
		forged_fields_note(&forged, "x-spam-0", 0);
	}
	ck_assert(!forged.uncounted);
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name, "X-Hamlet-", 9);
	long_name[sizeof(long_name) - 1] = '\0';
	forged_fields_note(&forged, long_name, 0);
	ck_assert(!forged.uncounted);
	size_t names = 0, fields = 0;
	for (const struct forged_name *each = forged.names; each; each = each->next) {
		names++;
		fields += each->count;
	}
	ck_assert_uint_eq(names, 20001);
	ck_assert_uint_eq(fields, 40001);
	struct buffer output = BUFFER_INIT(FORGED_MAX_BYTES);
	milter_delete_forged(&output, &forged);
	ck_assert(!output.failed);
	ck_assert_uint_eq(output.length, forged.bytes);
	buffer_free(&output);
	for (unsigned i = 0; i < 1000; i++)
		forged_fields_note(&forged, long_name, 0);
	ck_assert(forged.uncounted);
	ck_assert_uint_le(forged.bytes, FORGED_MAX_BYTES);
	forged_fields_clear(&forged);
	ck_assert_ptr_null(forged.names);
}
END_TEST

/* What a mail server reads to take them away is bounded, wherever in the header they stand. */
static size_t forged_taken(size_t others, size_t forged)
{
	static char name[2000];

	put_greeting(ALL);
	PUT('M', "<ann@example.com>\0");
	memset(name, 'a', sizeof(name) - 2);
	for (size_t i = 0; i < others; i++)
		put('L', name, sizeof(name));
	for (size_t i = 0; i < forged; i++)
		PUT('L', "X-Spam-Flag\0NO\0");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const struct forged_fields *fields = milter_session_message(session)->forged;
	size_t taken = fields->names ? fields->names->count : 0;
	ck_assert(fields->uncounted == (taken < forged));
	return taken;
}

START_TEST(forged_fields_at_the_end_of_a_long_header_cost_more)
{
	static const struct {
		size_t others, forged, taken;
	} CASES[] = {{0, 1500, 1500}, {0, 2000, 1521}, {100, 100, 100}, {100, 1000, 164}};

	ck_assert_uint_eq(forged_taken(CASES[_i].others, CASES[_i].forged), CASES[_i].taken);
	stream_length = 0;
	milter_session_next(session);
	PUT('M', "<>\0"); /* the next one begins anew */
	PUT('L', "X-Spam\0Yes\0");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	ck_assert(!milter_session_message(session)->forged->uncounted);
}
END_TEST

/* What filters that were asked before us inserted stands above our Received line. */
START_TEST(the_client_is_named_above_the_first_received_line)
{
	put_greeting(ALL);
	PUT('C',
		"h\0"
		"4\0\x19"
		"192.0.2.9\0");
	PUT('M', "<>\0");
	PUT('R', "<bob@example.org>\0");
	PUT('L', "Authentication-Results\0mx; dmarc=pass\0");
	PUT('L', "received\0from a by b\0");
	PUT('L', "Received\0from c by d\0");
	PUT('N', "");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	static const char text[] = "Authentication-Results: mx; dmarc=pass\r\n"
				   "Received: from h (h [192.0.2.9]) by  with SMTP\r\n"
				   "received: from a by b\r\nReceived: from c by d\r\n\r\n";
	const struct milter_message *message = milter_session_message(session);
	ck_assert_uint_eq(message->length, sizeof(text) - 1);
	ck_assert_mem_eq(message->text, text, sizeof(text) - 1);
}
END_TEST

START_TEST(macros_tell_of_one_message_only)
{
	put_greeting(ALL);
	PUT('D', "Mi\0Q1\0{auth_authen}\0ann\0");
	PUT('M', "<>\0");
	PUT('D', "R{rcpt_mailer}\0local\0{rcpt_addr}\0bob@example.org\0");
	PUT('R', "<@relay.example:alias@example.org>\0");
	PUT('D', "R{rcpt_addr}\0550 no such user\0{rcpt_mailer}\0error\0");
	PUT('R', "<eve@example.org>\0");
	PUT('R', "<ann@example.org>\0");
	PUT('N', "");
	PUT('E', "");
	PUT('M', "<>\0");
	PUT('R', "<two@example.org>\0");
	PUT('N', "");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const struct milter_message *message = milter_session_message(session);
	ck_assert_str_eq(message->login, "ann");
	ck_assert_uint_eq(message->recipient_count, 3);
	ck_assert_str_eq(message->recipients, "bob@example.org");
	ck_assert_str_eq(message->recipients + 16, "eve@example.org");
	ck_assert_str_eq(message->recipients + 32, "ann@example.org");
	ck_assert_int_eq(milter_session_next(session), MILTER_MESSAGE);
	ck_assert_str_eq(message->login, "");
	ck_assert_str_eq(message->queue_id, "");
	ck_assert_str_eq(message->recipients, "two@example.org");
}
END_TEST

static const struct {
	const char *macros; /* before RCPT, with | for NUL */
	const char *recipient;
} RESOLVED[] = {
	{"{rcpt_addr}|bob@example.org|{rcpt_mailer}|virtual|", "bob@example.org"},
	{"i|Q1|{rcpt_addr}|ann@example.net|", "ann@example.net"},
	{"{rcpt_addr}||", "@a.example:bob@EXAMPLE.org"},
	{"{rcpt_addr}|bob|{rcpt_mailer}|local|", "@a.example:bob@EXAMPLE.org"},
	{"{rcpt_addr}|@b:bob@example.org|", "@a.example:bob@EXAMPLE.org"},
	{"{rcpt_addr}|bob@|", "@a.example:bob@EXAMPLE.org"},
	{"{rcpt_host}|example.org|", "@a.example:bob@EXAMPLE.org"},
	{"{rcpt_addr}", "@a.example:bob@EXAMPLE.org"},
	{"", "@a.example:bob@EXAMPLE.org"},
};

START_TEST(an_address_that_was_resolved_is_taken)
{
	char data[200] = "R";
	size_t length = 1 + strlen(RESOLVED[_i].macros);

	strcpy(data + 1, RESOLVED[_i].macros);
	for (size_t i = 0; i < length; i++)
		data[i] = data[i] == '|' ? '\0' : data[i];
	put_greeting(ALL);
	PUT('M', "<ann@example.com>\0");
	put('D', data, length);
	PUT('R', "<@a.example:bob@EXAMPLE.org>\0");
	PUT('R', "<eve@example.org>\0"); /* nothing is told of this one */
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const char *first = milter_session_message(session)->recipients;
	ck_assert_str_eq(first, RESOLVED[_i].recipient);
	ck_assert_str_eq(first + strlen(first) + 1, "eve@example.org");
}
END_TEST

START_TEST(who_has_logged_in_is_known)
{
	static const struct {
		const char *macros;
		size_t length;
		const char *login;
	} CASES[] = {
#define ROW(literal, login) {literal, sizeof(literal) - 1, login}
		ROW("M{auth_type}\0PLAIN\0{auth_authen}\0ann\0", "ann"),
		ROW("M{auth_authen}\0ann\0{auth_type}\0PLAIN\0", "ann"),
		ROW("M{auth_type}\0EXTERNAL\0", "EXTERNAL"),
		ROW("M{auth_type}\0\0{auth_authen}\0\0", ""),
		ROW("M{auth_author}\0ann\0", ""),
#undef ROW
	};

	put_greeting(ALL);
	put('D', CASES[_i].macros, CASES[_i].length);
	PUT('M', "<ann@example.com>\0");
	PUT('E', "");
	PUT('D', "M{mail_addr}\0ann@example.com\0");
	PUT('M', "<ann@example.com>\0");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	ck_assert_str_eq(milter_session_message(session)->login, CASES[_i].login);
	ck_assert_int_eq(milter_session_next(session), MILTER_MESSAGE);
	ck_assert_str_eq(milter_session_message(session)->login, "");
}
END_TEST

START_TEST(an_address_that_no_mailbox_has_is_nobodys)
{
	char address[3000];

	memset(address, 'a', sizeof(address));
	address[sizeof(address) - 1] = '\0';
	put_greeting(ALL);
	PUT('M', "<>\0");
	put('R', address, sizeof(address));
	PUT('R', "<bob@example.org>\0");
	PUT('N', "");
	PUT('E', "");
	ck_assert_int_eq(milter_session_feed(session, stream, stream_length), MILTER_MESSAGE);
	const struct milter_message *message = milter_session_message(session);
	ck_assert_uint_eq(message->recipient_count, 2);
	ck_assert_uint_eq(message->recipients_lost, 0);
	ck_assert_str_eq(message->recipients, "");
	ck_assert_str_eq(message->recipients + 1, "bob@example.org");
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("milter");
	TCase *tcase = tcase_create("milter");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_message_is_put_together, 1, 400);
	tcase_add_test(tcase, several_messages_come_on_one_connection);
	tcase_add_test(tcase, a_mail_server_that_waits_is_answered);
	tcase_add_loop_test(tcase, one_that_is_refused_is_told_at_the_first_question, 0, 2);
	tcase_add_test(tcase, what_is_too_much_is_passed_over);
	tcase_add_loop_test(tcase, what_is_wrong_is_named, 0, sizeof(WRONG) / sizeof(WRONG[0]));
	tcase_add_test(tcase, replies_are_frames);
	tcase_add_test(tcase, forged_fields_are_counted_as_far_as_they_can_be_taken_away);
	tcase_add_loop_test(tcase, forged_fields_at_the_end_of_a_long_header_cost_more, 0, 4);
	tcase_add_loop_test(tcase, an_address_that_was_resolved_is_taken, 0,
		sizeof(RESOLVED) / sizeof(RESOLVED[0]));
	tcase_add_loop_test(tcase, who_has_logged_in_is_known, 0, 5);
	tcase_add_test(tcase, the_client_is_named_above_the_first_received_line);
	tcase_add_test(tcase, macros_tell_of_one_message_only);
	tcase_add_test(tcase, an_address_that_no_mailbox_has_is_nobodys);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
