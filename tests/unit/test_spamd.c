/* The spamd protocol: requests in pieces, what is refused, replies and rewritten messages.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "engine/protocol/spamd.h"
#include "tests/unit/unit.h"

static const struct spamd_limits LIMITS = {
	.message = 1000, .line = 100, .headers = 8, .recipients = 3};

static const struct spamd_verdict SPAM = {
	.spam = true,
	.score = 15.3,
	.threshold = 5,
	.symbols = "HAMLET_SPAM,HAMLET_SURE",
	.report = "Spam, for sure.\n",
	.json = "{\"spam\":true}",
};

static const struct spamd_verdict HAM = {
	.score = -1.3,
	.threshold = 5,
	.symbols = "HAMLET_HAM",
	.report = "No spam.\n",
};

#define BAD           "Bad header line: "
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void expect_bytes(const char *data, size_t length, const char *expected)
{
	if (length != strlen(expected) || memcmp(data, expected, length) != 0)
		ck_abort_msg("got:\n%.*s\nexpected:\n%s", (int)length, data, expected);
}

static void expect_output(struct buffer *output, const char *expected)
{
	ck_assert(!output->failed);
	expect_bytes(output->data ? output->data : "", output->length, expected);
	buffer_free(output);
}

/* How a stream is cut into feeds. Bytes are copied to a block of their own
 * size, so that reading past them is seen by ASan. */
static enum spamd_event feed_in_pieces(
	struct spamd_session *session, const char *data, size_t length, size_t piece)
{
	enum spamd_event event = SPAMD_NEED_MORE;

	for (size_t at = 0; at < length; at += piece) {
		size_t part = length - at < piece ? length - at : piece;
		char *copy = malloc(part);

		memcpy(copy, data + at, part);
		event = spamd_session_feed(session, copy, part);
		free(copy);
	}
	return event;
}

static struct spamd_session *session_with(const char *data)
{
	struct spamd_session *session = spamd_session_new(&LIMITS);

	ck_assert_ptr_nonnull(session);
	spamd_session_feed(session, data, strlen(data));
	return session;
}

/* The request that a whole stream makes, half-close included. */
static struct spamd_session *requested(const char *data)
{
	struct spamd_session *session = session_with(data);

	ck_assert_int_eq(spamd_session_end(session), SPAMD_REQUEST);
	ck_assert_ptr_nonnull(spamd_session_request(session));
	return session;
}

static void expect_verdict(
	const char *data, const struct spamd_verdict *verdict, const char *expected)
{
	struct spamd_session *session = requested(data);
	struct buffer output = BUFFER_INIT(100000);

	spamd_reply_verdict(&output, spamd_session_request(session), verdict);
	expect_output(&output, expected);
	spamd_session_free(&session);
}

static void expect_told(const char *data, struct spamd_told told, const char *expected)
{
	struct spamd_session *session = requested(data);
	struct buffer output = BUFFER_INIT(100000);

	spamd_reply_told(&output, spamd_session_request(session), &told);
	expect_output(&output, expected);
	spamd_session_free(&session);
}

/* Streams and what comes of them: a request, or a refusal with `code`. */
static const struct stream {
	const char *data;
	enum spamd_code code;
	const char *text;
} STREAMS[] = {
	{"CHECK SPAMC/1.5\r\nContent-length: 5\r\n\r\nhello", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\nContent-length: 5\n\nhello", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\r\n\r\nhello", SPAMD_OK, ""},
	{"CHECK SPAMC/1.0\r\nhello", SPAMD_OK, ""},
	{"CHECK SPAMC/1.0", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\r\nContent-length: 0\r\n\r\n", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\r\nContent-length: 3\r\n\r\nabcSURPLUS\r\n", SPAMD_OK, ""},
	{"TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\nUser: u\r\n\r\nx", SPAMD_OK, ""},
	{"PING SPAMC/1.5\r\n\r\n", SPAMD_OK, ""},
	{"PING SPAMC/1.5\r\n", SPAMD_OK, ""},
	{"PING SPAMC/1.2", SPAMD_OK, ""},
	{"PING SPAMC/1.5\r\nUser: x\r\nContent-length: 9999\r\n\r\n", SPAMD_OK, ""},
	{"SKIP SPAMC/1.5\r\n", SPAMD_OK, ""},
	{"STATS SPAMC/1.5\r\nUser: a\r\n\r\n", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\r\nX-Unknown:\r\nB:\r\n\r\n", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5  \r\nUser:bob\r\n\r\n", SPAMD_OK, ""},
	{"CHECK SPAMC/1.5\r\nCompress:\r\n\r\n", SPAMD_OK, ""},

	{"", SPAMD_PROTOCOL, BAD "(closed before headers)"},
	{"\r\n", SPAMD_PROTOCOL, BAD},
	{"GET / HTTP/1.1\r\n", SPAMD_PROTOCOL, BAD "GET / HTTP/1.1"},
	{"CHECK\r\n", SPAMD_PROTOCOL, BAD "CHECK"},
	{"check SPAMC/1.5\r\n", SPAMD_PROTOCOL, BAD "check SPAMC/1.5"},
	{"CHECKS SPAMC/1.5\r\n", SPAMD_PROTOCOL, BAD "CHECKS SPAMC/1.5"},
	{"PING RSPAMC/1.3\r\n", SPAMD_PROTOCOL, BAD "PING RSPAMC/1.3"},
	{"CHECK SPAMC/2.0\r\n", SPAMD_PROTOCOL, BAD "CHECK SPAMC/2.0"},
	{"CHECK SPAMC/1.\r\n", SPAMD_PROTOCOL, BAD "CHECK SPAMC/1."},
	{"CHECK SPAMC/1.x\r\n", SPAMD_PROTOCOL, BAD "CHECK SPAMC/1.x"},
	{"A\rB\tC\x7f\r\n", SPAMD_PROTOCOL, BAD "A B C "},
	{"CHECK SPAMC/1.5\r\nno colon\r\n", SPAMD_PROTOCOL, BAD "(header without a colon)"},
	{"CHECK SPAMC/1.5\r\n: x\r\n", SPAMD_PROTOCOL, BAD "(header without a proper name)"},
	{"CHECK SPAMC/1.5\r\nUser : x\r\n", SPAMD_PROTOCOL, BAD "(header without a proper name)"},
	{"CHECK SPAMC/1.5\r\n x: y\r\n", SPAMD_PROTOCOL, BAD "(header without a proper name)"},
	{"CHECK SPAMC/1.5\r\nUser: a\r\nuser: b\r\n", SPAMD_PROTOCOL, BAD "(header given twice)"},
	{"CHECK SPAMC/1.5\r\nContext: a\x01z\r\n\r\n", SPAMD_PROTOCOL,
		BAD "(Context contains control characters)"},
	{"CHECK SPAMC/1.5\r\nContent-length: 10\r\n\r\n123456789", SPAMD_PROTOCOL,
		BAD "(Content-Length mismatch: Expected 10 bytes, got 9 bytes)"},
	{"CHECK SPAMC/1.5\r\nContent-length: 10\r\n\r\n", SPAMD_PROTOCOL,
		BAD "(Content-Length mismatch: Expected 10 bytes, got 0 bytes)"},
	{"CHECK SPAMC/1.5\r\nContent-length: -1\r\n", SPAMD_PROTOCOL,
		BAD "(Content-length is not a number)"},
	{"CHECK SPAMC/1.5\r\nContent-length: 1 0\r\n", SPAMD_PROTOCOL,
		BAD "(Content-length is not a number)"},
	{"CHECK SPAMC/1.5\r\nContent-length: \r\n", SPAMD_PROTOCOL,
		BAD "(Content-length is empty)"},
	{"CHECK SPAMC/1.5\r\nUser: a\r\n", SPAMD_PROTOCOL, BAD "(EOF during headers)"},
	{"CHECK SPAMC/1.5", SPAMD_PROTOCOL, BAD "(EOF during headers)"},
	{"CHECK SPAMC/1.5\r\nContent-length: 1001\r\n", SPAMD_DATAERR,
		"Message too large: the limit is 1000 bytes"},
	{"CHECK SPAMC/1.5\r\nContent-length: 99999999999999999999999\r\n", SPAMD_DATAERR,
		"Message too large: the limit is 1000 bytes"},
	{"CHECK SPAMC/1.5\r\nContent-length: 18446744073709551616\r\n", SPAMD_DATAERR,
		"Message too large: the limit is 1000 bytes"},
	{"CHECK SPAMC/1.5\r\nCompress: zlib\r\nContent-length: 9\r\n\r\n123456789",
		SPAMD_UNAVAILABLE,
		"Service Unavailable: Compress: zlib is not supported, "
		"send the message uncompressed"},
	{"CHECK SPAMC/1.5\r\nCompress: lzma\r\n", SPAMD_UNAVAILABLE,
		"Service Unavailable: Compress is not supported, send the message uncompressed"},
	{"TELL SPAMC/1.5\r\nSet: local\r\nRemove: local\r\nMessage-class: spam\r\n\r\n",
		SPAMD_PROTOCOL, BAD "(Set and Remove name the same place)"},
	{"TELL SPAMC/1.5\r\nSet: remote\r\nRemove: local, Remote\r\n\r\n", SPAMD_PROTOCOL,
		BAD "(Set and Remove name the same place)"},
	{"TELL SPAMC/1.5\r\nSet: local\r\n\r\n", SPAMD_PROTOCOL,
		BAD "(Set: local needs a Message-class of spam or ham)"},
	{"TELL SPAMC/1.5\r\nSet: local\r\nMessage-class: eggs\r\n\r\n", SPAMD_PROTOCOL,
		BAD "(Set: local needs a Message-class of spam or ham)"},
};

START_TEST(stream_gives_its_event)
{
	const struct stream *stream = &STREAMS[_i];
	struct spamd_session *session = session_with(stream->data);
	enum spamd_event expected = stream->code == SPAMD_OK ? SPAMD_REQUEST : SPAMD_ERROR;
	const char *text = NULL;

	ck_assert_int_eq(spamd_session_end(session), expected);
	ck_assert_int_eq(spamd_session_error(session, &text), stream->code);
	ck_assert_str_eq(text, stream->text);
	ck_assert(!spamd_session_in_headers(session));
	ck_assert_int_eq(spamd_session_request(session) != NULL, expected == SPAMD_REQUEST);

	/* Final is final. */
	ck_assert_int_eq(spamd_session_feed(session, "CHECK SPAMC/1.0\r\n", 17), expected);
	ck_assert_int_eq(spamd_session_end(session), expected);
	spamd_session_free(&session);
	ck_assert_ptr_null(session);
	spamd_session_free(&session);
}
END_TEST

START_TEST(stream_in_pieces_gives_the_same)
{
	const char *data = STREAMS[_i].data;
	struct spamd_session *whole = session_with(data);
	const char *text_whole = NULL;
	const char *text = NULL;

	spamd_session_end(whole);
	for (size_t piece = 1; piece < 6; piece++) {
		struct spamd_session *session = spamd_session_new(&LIMITS);

		feed_in_pieces(session, data, strlen(data), piece);
		spamd_session_end(session);
		ck_assert_int_eq(spamd_session_error(session, &text),
			spamd_session_error(whole, &text_whole));
		ck_assert_str_eq(text, text_whole);

		const struct spamd_request *a = spamd_session_request(whole);
		const struct spamd_request *b = spamd_session_request(session);
		ck_assert_int_eq(a != NULL, b != NULL);
		if (a && b) {
			ck_assert_int_eq(a->command, b->command);
			ck_assert_int_eq(a->tell, b->tell);
			ck_assert_int_eq(a->version, b->version);
			ck_assert_str_eq(a->user, b->user);
			ck_assert_int_eq(a->json, b->json);
			ck_assert_uint_eq(a->length, b->length);
			ck_assert_mem_eq(a->message, b->message, a->length);
		}
		spamd_session_free(&session);
	}
	spamd_session_free(&whole);
}
END_TEST

START_TEST(request_is_complete_without_half_close)
{
	static const struct {
		const char *data;
		enum spamd_event event;
	} CASES[] = {
		{"CHECK SPAMC/1.5\r\nContent-length: 3\r\n\r\nab", SPAMD_NEED_MORE},
		{"CHECK SPAMC/1.5\r\nContent-length: 3\r\n\r\nabc", SPAMD_REQUEST},
		{"CHECK SPAMC/1.5\r\nContent-length: 0\r\n\r\n", SPAMD_REQUEST},
		{"CHECK SPAMC/1.5\r\n\r\nabc", SPAMD_NEED_MORE},
		{"PING SPAMC/1.4\r\n", SPAMD_REQUEST},
		{"PING SPAMC/1.5\r\n", SPAMD_NEED_MORE},
		{"PING SPAMC/1.5\r\n\r\n", SPAMD_REQUEST},
		{"SKIP SPAMC/1.5\r\n", SPAMD_REQUEST},
		{"STATS SPAMC/1.0\r\n", SPAMD_REQUEST},
		{"STATS SPAMC/1.5\r\n\r\n", SPAMD_REQUEST},
		{"CHECK SPAMC/1.5\r\nContent-length: 1001\r\n", SPAMD_ERROR},
		{"CHECK SPAMC/1.5\r\nCompress: zlib\r\n", SPAMD_ERROR},
	};

	for (size_t i = 0; i < LENGTH(CASES); i++) {
		struct spamd_session *session = session_with(CASES[i].data);

		ck_assert_int_eq(spamd_session_feed(session, NULL, 0), CASES[i].event);
		spamd_session_free(&session);
	}
}
END_TEST

START_TEST(version_is_taken_as_a_number)
{
	static const struct {
		const char *data;
		int version;
	} CASES[] = {
		{"CHECK SPAMC/1.0\n", 10},
		{"CHECK SPAMC/1.1\n\n", 11},
		{"CHECK SPAMC/1.4\n\n", 14},
		{"CHECK SPAMC/1.5\n\n", 15},
		{"CHECK SPAMC/1.6\n\n", 15},
		{"CHECK SPAMC/1.99999999999999999999\n\n", 15},
	};

	for (size_t i = 0; i < LENGTH(CASES); i++) {
		struct spamd_session *session = requested(CASES[i].data);

		ck_assert_int_eq(spamd_session_request(session)->version, CASES[i].version);
		spamd_session_free(&session);
	}
}
END_TEST

START_TEST(version_1_0_has_no_headers)
{
	struct spamd_session *session = requested("REPORT SPAMC/1.0\r\nUser: x\r\n\r\nbody");
	const struct spamd_request *request = spamd_session_request(session);

	ck_assert_str_eq(request->user, "");
	expect_bytes(request->message, request->length, "User: x\r\n\r\nbody");
	spamd_session_free(&session);
}
END_TEST

START_TEST(header_names_come_in_any_case)
{
	struct spamd_session *session = requested(
		"TELL SPAMC/1.5\r\nMESSAGE-CLASS: HAM\r\nset: LOCAL,Remote\r\n"
		"cOnTeNt-LeNgTh:  2 \r\nuSER:\tbob \r\naccept: Application/JSON, */*\r\n\r\nhi");
	const struct spamd_request *request = spamd_session_request(session);

	ck_assert_int_eq(request->command, SPAMD_TELL);
	ck_assert_int_eq(request->tell, SPAMD_TELL_HAM);
	ck_assert_str_eq(request->user, "bob");
	ck_assert(request->json);
	expect_bytes(request->message, request->length, "hi");
	spamd_session_free(&session);
}
END_TEST

START_TEST(user_may_hold_spaces_and_any_letters)
{
	static const char *const USERS[] = {
		"", "J\xc3\xb6rg M\xc3\xbcller", "a@example.org", "caf\xe9 \xff", "a:b", "\x7f"};

	for (size_t i = 0; i < LENGTH(USERS); i++) {
		char data[200];

		snprintf(data, sizeof(data), "CHECK SPAMC/1.5\r\nUser: %s\r\n\r\n", USERS[i]);
		struct spamd_session *session = requested(data);
		ck_assert_str_eq(spamd_session_request(session)->user, USERS[i]);
		spamd_session_free(&session);
	}
}
END_TEST

START_TEST(tell_says_what_to_do)
{
	static const struct {
		const char *headers;
		enum spamd_tell tell;
	} CASES[] = {
		{"Message-class: spam\r\nSet: local\r\n", SPAMD_TELL_SPAM},
		{"Message-class: ham\r\nSet: local\r\n", SPAMD_TELL_HAM},
		{"Remove: local\r\n", SPAMD_TELL_FORGET},
		{"Message-class: spam\r\nSet: local,remote\r\n", SPAMD_TELL_SPAM},
		{"Message-class: ham\r\nSet: local\r\nRemove: remote\r\n", SPAMD_TELL_HAM},
		{"Message-class: spam\r\nSet: remote\r\nRemove: local\r\n", SPAMD_TELL_FORGET},
		{"Message-class: spam\r\nSet: remote\r\n", SPAMD_TELL_NOTHING},
		{"Message-class: eggs\r\n", SPAMD_TELL_NOTHING},
		{"Set: nowhere\r\n", SPAMD_TELL_NOTHING},
		{"", SPAMD_TELL_NOTHING},
	};

	for (size_t i = 0; i < LENGTH(CASES); i++) {
		for (int version = 0; version <= 5; version += 5) {
			char data[200];

			snprintf(data, sizeof(data), "TELL SPAMC/1.%d\r\n%s\r\n.", version,
				CASES[i].headers);
			struct spamd_session *session = requested(data);
			ck_assert_int_eq(spamd_session_request(session)->tell, CASES[i].tell);
			ck_assert_uint_eq(spamd_session_request(session)->length, 1);
			spamd_session_free(&session);
		}
	}
}
END_TEST

/* Feeds "<head><count times 'a'><tail>" and gives the event at once. */
static enum spamd_event event_of_run(
	const char *head, size_t count, const char *tail, size_t piece, const char **text)
{
	static char words[512];
	char data[4096];
	size_t length = strlen(head);
	struct spamd_session *session = spamd_session_new(&LIMITS);

	memcpy(data, head, length);
	memset(data + length, 'a', count);
	memcpy(data + length + count, tail, strlen(tail));
	length += count + strlen(tail);
	enum spamd_event event = feed_in_pieces(session, data, length, piece);
	spamd_session_error(session, text);
	snprintf(words, sizeof(words), "%s", *text);
	*text = words;
	spamd_session_free(&session);
	return event;
}

START_TEST(line_has_a_limit)
{
	static const char HEAD[] = "CHECK SPAMC/1.5\r\nX: ";
	static const char *const PING = "PING SPAMC/1.5";
	const size_t last = LIMITS.line - 3;
	const char *text;

	for (size_t piece = 1; piece < 400; piece += 7) {
		ck_assert_int_eq(event_of_run(HEAD, last, "\r\n", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run(HEAD, last, "\n", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run(HEAD, last, "\r", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run(HEAD, last, "", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run(HEAD, last, "\r\r", piece, &text), SPAMD_ERROR);
		ck_assert_int_eq(event_of_run(HEAD, last + 1, "\n", piece, &text), SPAMD_ERROR);
		ck_assert_int_eq(event_of_run(HEAD, last + 1, "", piece, &text), SPAMD_ERROR);
		ck_assert_str_eq(text, BAD "(longer than 100 bytes)");
		ck_assert_int_eq(event_of_run("", 100, "", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run("", 101, "", piece, &text), SPAMD_ERROR);
		ck_assert_int_eq(event_of_run(PING, 0, "", piece, &text), SPAMD_NEED_MORE);
	}
}
END_TEST

START_TEST(headers_have_a_limit)
{
	struct spamd_session *session = session_with("CHECK SPAMC/1.5\r\n");
	const char *text;

	for (size_t i = 0; i < LIMITS.headers; i++)
		ck_assert_int_eq(spamd_session_feed(session, "X:y\r\n", 5), SPAMD_NEED_MORE);
	ck_assert(spamd_session_in_headers(session));
	ck_assert_int_eq(spamd_session_feed(session, "\r\n", 2), SPAMD_NEED_MORE);
	ck_assert(!spamd_session_in_headers(session));
	spamd_session_free(&session);

	session = session_with("CHECK SPAMC/1.5\r\nX:\nX:\nX:\nX:\nX:\nX:\nX:\nX:\n");
	ck_assert_int_eq(spamd_session_feed(session, "X:y\r\n", 5), SPAMD_ERROR);
	ck_assert_int_eq(spamd_session_error(session, &text), SPAMD_PROTOCOL);
	ck_assert_str_eq(text, BAD "(more than 8 headers)");
	spamd_session_free(&session);
}
END_TEST

START_TEST(message_has_a_limit)
{
	static const char PLAIN[] = "CHECK SPAMC/1.5\r\n\r\n";
	static const char COUNTED[] = "CHECK SPAMC/1.5\r\nContent-length: 1000\r\n\r\n";
	const char *text;

	for (size_t piece = 1; piece < 2000; piece = piece * 2 + 1) {
		ck_assert_int_eq(event_of_run(COUNTED, 1000, "", piece, &text), SPAMD_REQUEST);
		ck_assert_int_eq(event_of_run(COUNTED, 1500, "", piece, &text), SPAMD_REQUEST);
		ck_assert_int_eq(event_of_run(PLAIN, 1000, "", piece, &text), SPAMD_NEED_MORE);
		ck_assert_int_eq(event_of_run(PLAIN, 1001, "", piece, &text), SPAMD_ERROR);
		ck_assert_str_eq(text, "Message too large: the limit is 1000 bytes");
	}
}
END_TEST

START_TEST(memory_follows_what_has_arrived)
{
	const struct spamd_limits limits = {.message = 1 << 30, .line = 8192, .headers = 256};
	struct spamd_session *session = spamd_session_new(&limits);
	char data[10000] = "PROCESS SPAMC/1.5\r\nContent-length: 1073741824\r\n\r\n";

	spamd_session_feed(session, data, strlen(data));
	size_t before = spamd_session_size(session);
	ck_assert_uint_lt(before, 2048);
	for (size_t sent = 0; sent < 1000000; sent += sizeof(data)) {
		ck_assert_int_eq(spamd_session_feed(session, data, sizeof(data)), SPAMD_NEED_MORE);
		ck_assert_uint_le(spamd_session_size(session), before + 2 * (sent + sizeof(data)));
	}
	spamd_session_free(&session);
}
END_TEST

START_TEST(refusal_lets_the_message_go)
{
	struct spamd_session *session = session_with("CHECK SPAMC/1.5\r\n\r\n");
	size_t before = spamd_session_size(session);
	char data[600] = "";

	spamd_session_feed(session, data, sizeof(data));
	ck_assert_uint_gt(spamd_session_size(session), before);
	ck_assert_int_eq(spamd_session_feed(session, data, sizeof(data)), SPAMD_ERROR);
	ck_assert_uint_eq(spamd_session_size(session), before);
	spamd_session_free(&session);
}
END_TEST

START_TEST(check_is_answered)
{
	static const char FORM[] = "CHECK SPAMC/1.%d\r\n\r\nx";
	char data[64];

	for (int minor = 0; minor <= 6; minor++) {
		snprintf(data, sizeof(data), FORM, minor);
		expect_verdict(data, &SPAM, "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.3 / 5.0\r\n\r\n");
		expect_verdict(data, &HAM, "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.3 / 5.0\r\n\r\n");
	}
}
END_TEST

START_TEST(symbols_are_answered)
{
	expect_verdict("SYMBOLS SPAMC/1.5\r\nContent-length: 1\r\n\r\nx", &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 23\r\nSpam: True ; 15.3 / 5.0\r\n\r\n"
		"HAMLET_SPAM,HAMLET_SURE");
	expect_verdict("SYMBOLS SPAMC/1.2\r\n\r\nx", &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.3 / 5.0\r\n\r\n"
		"HAMLET_SPAM,HAMLET_SURE\r\n");
}
END_TEST

/* Exim understands no Content-length in the reply (section A1.3). */
START_TEST(exim_report_is_answered)
{
	const char *request = "REPORT SPAMC/1.2\r\nUser: nobody\r\nContent-length: 34\r\n\r\n"
			      "From MAILER-DAEMON Mon\nSubject: a\n";

	expect_verdict(request, &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.3 / 5.0\r\n\r\nSpam, for sure.\n");
	expect_verdict(
		request, &HAM, "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.3 / 5.0\r\n\r\nNo spam.\n");
}
END_TEST

START_TEST(spamc_report_is_answered)
{
	expect_verdict("REPORT SPAMC/1.3\r\n\r\nx", &HAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\nSpam: False ; -1.3 / 5.0\r\n\r\n"
		"No spam.\n");
	expect_verdict("REPORT_IFSPAM SPAMC/1.5\r\n\r\nx", &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 16\r\nSpam: Yes ; 15.3 / 5.0\r\n\r\n"
		"Spam, for sure.\n");
	expect_verdict("REPORT_IFSPAM SPAMC/1.5\r\n\r\nx", &HAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: No ; -1.3 / 5.0\r\n\r\n");
	expect_verdict("REPORT_IFSPAM SPAMC/1.2\r\n\r\nx", &HAM,
		"SPAMD/1.1 0 EX_OK\r\nSpam: No ; -1.3 / 5.0\r\n\r\n");
}
END_TEST

#define SPAM_LF                                                                                    \
	"X-Spam-Flag: YES\nX-Spam-Level: ***************\n"                                        \
	"X-Spam-Status: Yes, score=15.3 required=5.0 tests=HAMLET_SPAM,HAMLET_SURE autolearn=no\n" \
	"X-Hamlet-Score: 15.3\n"
#define HAM_CRLF                                                                                   \
	"X-Spam-Level: \r\nX-Spam-Status: No, score=-1.3 required=5.0 tests=HAMLET_HAM "           \
	"autolearn=no\r\nX-Hamlet-Score: -1.3\r\n"

START_TEST(process_is_answered)
{
	expect_verdict("PROCESS SPAMC/1.5\r\nContent-length: 17\r\n\r\nSubject: a\n\nbody\n", &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 172\r\n"
		"Spam: True ; 15.3 / 5.0\r\n\r\n" SPAM_LF "Subject: a\n\nbody\n");
	expect_verdict("PROCESS SPAMC/1.2\r\n\r\nA: b\r\n\r\nbody", &HAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 124\r\n\r\n" HAM_CRLF "A: b\r\n\r\nbody");
	expect_verdict("PROCESS SPAMC/1.1\r\n\r\nA: b\r\n\r\nbody", &HAM,
		"SPAMD/1.0 0 EX_OK\r\n" HAM_CRLF "A: b\r\n\r\nbody");
	expect_verdict("PROCESS SPAMC/1.0\r\nA: b\r\n\r\nbody", &HAM,
		"SPAMD/1.0 0 EX_OK\r\n" HAM_CRLF "A: b\r\n\r\nbody");
}
END_TEST

/* It is completed, and rewritten once more it stays as it is. */
START_TEST(message_cut_within_a_line_end_is_answered)
{
	expect_verdict("PROCESS SPAMC/1.0\r\nA: b\r", &HAM,
		"SPAMD/1.0 0 EX_OK\r\n" HAM_CRLF "A: b\r\n\r\n");
	expect_verdict("PROCESS SPAMC/1.0\r\nFrom a b\r", &HAM,
		"SPAMD/1.0 0 EX_OK\r\nFrom a b\r\n" HAM_CRLF "\r\n");
	expect_verdict("PROCESS SPAMC/1.0\r\nFrom a b\r\nA: b\r", &HAM,
		"SPAMD/1.0 0 EX_OK\r\nFrom a b\r\n" HAM_CRLF "A: b\r\n\r\n");
}
END_TEST

/* Without Content-length, as Haraka sends it. */
START_TEST(haraka_headers_are_answered)
{
	expect_verdict("HEADERS SPAMC/1.4\r\nUser: default\r\n\r\n"
		       "X-Envelope-From: a@b\r\nX-Haraka-UUID: 1\r\nSubject: a\r\n\r\nbody\r\n",
		&HAM,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 166\r\n"
		"Spam: False ; -1.3 / 5.0\r\n\r\n" HAM_CRLF
		"X-Envelope-From: a@b\r\nX-Haraka-UUID: 1\r\nSubject: a\r\n\r\n");
}
END_TEST

/* What a message becomes, under SPAM. A NUL cannot be in these strings. */
START_TEST(message_is_rewritten)
{
	static const struct {
		const char *message;
		const char *before;
		const char *after;
	} CASES[] = {
		{"A: b\n\nbody\n", "", "A: b\n\nbody\n"},
		/* The mbox line stays first. */
		{"From a b\nA: b\n\nbody\n", "From a b\n", "A: b\n\nbody\n"},
		{"From a b\n\nX-Spam-Flag: in body\n", "From a b\n", "\nX-Spam-Flag: in body\n"},
		/* Forged and old headers go, with what is folded to them. */
		{"X-Spam-Flag: NO\nA: b\n\nbody\n", "", "A: b\n\nbody\n"},
		{"x-spam-status: No,\n\tscore=-9\n  tests=none\nA: b\n c\nX-HAMLET-Foo: 1\n\n", "",
			"A: b\n c\n\n"},
		{"A: b\n\tc\nX-Spam-Report: x\n\n\n", "", "A: b\n\tc\n\n\n"},
		{"X-Spam-Level :\nX-Spa: x\nX-Ham: y\n\nX-Spam-Flag: body\n", "",
			"X-Spa: x\nX-Ham: y\n\nX-Spam-Flag: body\n"},
		{"X-Spam: Yes\nx-SPAM_flag: a\nX-Spamd-Bar: /\nX-Hamlet: y\nA: b\n\n", "",
			"A: b\n\n"},
		/* Broken off within the headers: completed. */
		{"", "", "\n"},
		{"A: b", "", "A: b\n\n"},
		{"A: b\n", "", "A: b\n\n"},
		{"X-Spam-Flag: NO", "", "\n"},
		{"From a b", "From a b\n", "\n"},
		/* A fold from nowhere would become a part of our header. */
		{" folded\nA: b\n\nbody", "", "\n folded\nA: b\n\nbody"},
		/* No headers at all. */
		{"\nbody\nX-Spam-Flag: YES\n", "", "\nbody\nX-Spam-Flag: YES\n"},
		/* A mixture: each line keeps its own end. */
		{"A: b\nB: c\r\n\r\nbody", "", "A: b\nB: c\r\n\r\nbody"},
	};

	for (size_t i = 0; i < LENGTH(CASES); i++) {
		char expected[1000];
		struct spamd_request request = {.command = SPAMD_PROCESS, .version = 10};
		struct buffer output = BUFFER_INIT(10000);

		request.message = CASES[i].message;
		request.length = strlen(request.message);
		snprintf(expected, sizeof(expected), "SPAMD/1.0 0 EX_OK\r\n%s" SPAM_LF "%s",
			CASES[i].before, CASES[i].after);
		spamd_reply_verdict(&output, &request, &SPAM);
		expect_output(&output, expected);
	}
}
END_TEST

START_TEST(numbers_are_plain_decimals)
{
	static const struct {
		double score;
		double threshold;
		const char *expected;
	} CASES[] = {
		{0, 5, "False ; 0.0 / 5.0"},
		{-0.04, 5, "False ; 0.0 / 5.0"},
		{-0.0, 5, "False ; 0.0 / 5.0"},
		{-0.5, 5, "False ; -0.5 / 5.0"},
		{4.94, 5, "False ; 4.9 / 5.0"},
		{4.96, 5, "False ; 4.9 / 5.0"},
		{5, 5, "True ; 5.0 / 5.0"},
		{7.25, 5.04, "True ; 7.3 / 5.0"},
		{1e30, 5, "True ; 99999.9 / 5.0"},
		{-1e30, 5, "False ; -99999.9 / 5.0"},
		{INFINITY, 5, "True ; 99999.9 / 5.0"},
		{-INFINITY, 5, "False ; -99999.9 / 5.0"},
		{NAN, 5, "False ; 0.0 / 5.0"},
	};

	for (size_t i = 0; i < LENGTH(CASES); i++) {
		struct spamd_verdict verdict = {
			.spam = CASES[i].score >= CASES[i].threshold,
			.score = CASES[i].score,
			.threshold = CASES[i].threshold,
		};
		char expected[100];

		snprintf(expected, sizeof(expected), "SPAMD/1.1 0 EX_OK\r\nSpam: %s\r\n\r\n",
			CASES[i].expected);
		expect_verdict("CHECK SPAMC/1.5\r\n\r\n", &verdict, expected);
	}
}
END_TEST

/* No line of the added headers passes 998 characters, and all of it fits into
 * what spamc allows, however many symbols there are. */
START_TEST(many_symbols_are_folded_and_bounded)
{
	static char symbols[40001];
	struct spamd_request request = {
		.command = SPAMD_HEADERS, .version = 10, .message = "", .length = 0};
	struct spamd_verdict verdict = {.spam = true, .score = 1000, .symbols = symbols};
	struct buffer output = BUFFER_INIT(100000);
	size_t column = 0;
	size_t stars = 0;

	for (size_t i = 0; i < 4000; i++)
		memcpy(symbols + 10 * i, "ABCDEFGHI,", 11);
	spamd_reply_verdict(&output, &request, &verdict);
	ck_assert(!output.failed);
	ck_assert_uint_lt(output.length, 16384);
	for (size_t i = 0; i < output.length; i++) {
		column = output.data[i] == '\n' ? 0 : column + 1;
		ck_assert_uint_le(column, 998);
		stars += output.data[i] == '*';
	}
	ck_assert_uint_eq(stars, 50);
	buffer_append(&output, "", 1);
	ck_assert_ptr_nonnull(strstr(output.data, ",\n\tABCDEFGHI,"));
	ck_assert_ptr_nonnull(strstr(output.data, " autolearn=no\nX-Hamlet-Score: 1000.0\n\n"));
	buffer_free(&output);
}
END_TEST

START_TEST(no_symbols_are_none)
{
	struct spamd_verdict verdict = {.threshold = 5};

	expect_verdict("HEADERS SPAMC/1.0\r\n\n", &verdict,
		"SPAMD/1.0 0 EX_OK\r\nX-Spam-Level: \n"
		"X-Spam-Status: No, score=0.0 required=5.0 tests=none autolearn=no\n"
		"X-Hamlet-Score: 0.0\n\n");
	expect_verdict("SYMBOLS SPAMC/1.3\r\n\r\n", &verdict,
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: False ; 0.0 / 5.0\r\n\r\n");
}
END_TEST

START_TEST(json_takes_the_place_of_text)
{
	static const char *const COMMANDS[] = {"CHECK", "SYMBOLS", "REPORT", "PROCESS", "HEADERS"};
	char data[200];

	for (size_t i = 0; i < LENGTH(COMMANDS); i++) {
		snprintf(data, sizeof(data), "%s SPAMC/1.5\r\nAccept: application/json\r\n\r\nx",
			COMMANDS[i]);
		expect_verdict(data, &SPAM,
			"SPAMD/1.1 0 EX_OK\r\nContent-length: 13\r\n"
			"Spam: True ; 15.3 / 5.0\r\n\r\n{\"spam\":true}");
	}
	/* Nothing to give: the text form. */
	expect_verdict("CHECK SPAMC/1.5\r\nAccept: application/json\r\n\r\nx", &HAM,
		"SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.3 / 5.0\r\n\r\n");
	expect_verdict("CHECK SPAMC/1.5\r\nAccept: text/plain\r\n\r\nx", &SPAM,
		"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.3 / 5.0\r\n\r\n");
}
END_TEST

START_TEST(tell_is_answered)
{
	const char *request = "TELL SPAMC/1.5\r\nMessage-class: spam\r\nSet: local\r\n"
			      "User: u\r\nContent-length: 1\r\n\r\nx";
	const char *json = "TELL SPAMC/1.5\r\nRemove: local\r\nAccept: application/json\r\n\r\nx";

	expect_told(request, (struct spamd_told){.set = true, .json = "{}"},
		"SPAMD/1.1 0 EX_OK\r\nDidSet: local\r\n\r\n");
	expect_told(request, (struct spamd_told){.removed = true},
		"SPAMD/1.1 0 EX_OK\r\nDidRemove: local\r\n\r\n");
	expect_told(request, (struct spamd_told){.set = true, .removed = true},
		"SPAMD/1.1 0 EX_OK\r\nDidSet: local\r\nDidRemove: local\r\n\r\n");
	expect_told(request, (struct spamd_told){.set = false}, "SPAMD/1.1 0 EX_OK\r\n\r\n");
	expect_told(json, (struct spamd_told){.removed = true, .json = "{}"},
		"SPAMD/1.1 0 EX_OK\r\nDidRemove: local\r\nContent-length: 2\r\n\r\n{}");
	expect_told(json, (struct spamd_told){.removed = true},
		"SPAMD/1.1 0 EX_OK\r\nDidRemove: local\r\n\r\n");
}
END_TEST

START_TEST(ping_and_stats_are_answered)
{
	struct buffer output = BUFFER_INIT(1000);

	spamd_reply_pong(&output);
	expect_output(&output, "SPAMD/1.5 0 PONG\r\n");
	spamd_reply_json(&output, "{\"n\":1}");
	expect_output(&output, "SPAMD/1.1 0 EX_OK\r\nContent-length: 7\r\n\r\n{\"n\":1}");
}
END_TEST

/* One line and no blank one, or spamc -L would report success (section A5). */
START_TEST(error_is_one_line)
{
	struct buffer output = BUFFER_INIT(20000);
	char text[10001];

	spamd_reply_error(&output, SPAMD_TIMEOUT, "Timeout: (300 second timeout)");
	expect_output(&output, "SPAMD/1.0 79 Timeout: (300 second timeout)\r\n");
	spamd_reply_error(&output, SPAMD_NOPERM, "no\r\n\r\nDidSet: local\r\n\x7f\t!");
	expect_output(&output, "SPAMD/1.0 77 no    DidSet: local    !\r\n");
	spamd_reply_error(&output, SPAMD_TEMPFAIL, "");
	expect_output(&output, "SPAMD/1.0 75 \r\n");

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	spamd_reply_error(&output, SPAMD_DATAERR, text);
	ck_assert(!output.failed);
	ck_assert_uint_lt(output.length, 8187);
	expect_bytes(output.data + output.length - 3, 3, "x\r\n");
	buffer_free(&output);
}
END_TEST

START_TEST(unknown_command_is_answered)
{
	struct spamd_session *session = session_with("EVIL\rDidSet: local SPAMC/1.5\r\n");
	struct buffer output = BUFFER_INIT(20000);
	const char *text;
	enum spamd_code code = spamd_session_error(session, &text);

	spamd_reply_error(&output, code, text);
	expect_output(&output, "SPAMD/1.0 76 Bad header line: EVIL DidSet: local SPAMC/1.5\r\n");
	spamd_session_free(&session);
}
END_TEST

/* A full output is reported, never written past, by every form. */
START_TEST(full_output_fails)
{
	struct spamd_request request = {.version = 15, .message = "A: b\n\nbody", .length = 10};

	for (int command = SPAMD_CHECK; command <= SPAMD_HEADERS; command++) {
		struct buffer whole = BUFFER_INIT(10000);

		request.command = (enum spamd_command)command;
		spamd_reply_verdict(&whole, &request, &SPAM);
		for (size_t limit = 0; limit < whole.length; limit++) {
			struct buffer output = BUFFER_INIT(limit);

			spamd_reply_verdict(&output, &request, &SPAM);
			ck_assert(output.failed);
			buffer_free(&output);
		}
		buffer_free(&whole);
	}
}
END_TEST

/* Who sends mail chooses the names: each is passed on, and none is a reason to refuse. */
START_TEST(names_are_passed_on_as_they_are)
{
	static const char request_bytes[] = "CHECK RSPAMC/1.3\r\nUser: a\tb\x01\xff\0c\r\n"
					    "Rcpt: <@a,@b:bob@c>\r\nRcpt: d\0e\x7f\r\n"
					    "Rcpt: f\rg\r\nContent-length: 2\r\n\r\nhi";
	struct spamd_session *session = spamd_session_new(&LIMITS);

	spamd_session_feed(session, request_bytes, sizeof(request_bytes) - 1);
	const struct spamd_request *request = spamd_session_request(session);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(request->user,
		"a\tb\x01\xff\x01"
		"c");
	ck_assert_uint_eq(request->recipient_count, 3);
	static const char names[] = "@a,@b:bob@c\0d\x01"
				    "e\x7f\0f\rg";
	ck_assert_mem_eq(request->recipients, names, sizeof(names));
	spamd_session_free(&session);
}
END_TEST

static const char RSPAMC[] = "CHECK RSPAMC/1.3\r\nContent-length: 2\r\nQueue-Id: 1\r\n"
			     "From: <a@b>\r\nRecipient-Number: 2\r\nRcpt: <ann@example.org>\r\n"
			     "Rcpt: bob@example.org\r\nHelo: x\r\nIP: 192.0.2.1\r\n\r\nhi";

START_TEST(exims_rspamd_variant_names_all_recipients)
{
	struct spamd_session *session = session_with(RSPAMC);
	const struct spamd_request *request = spamd_session_request(session);
	struct spamd_verdict verdict = {.spam = true,
		.score = 12.34,
		.threshold = 6,
		.reject = 15,
		.action = "add header",
		.symbols = "HAMLET_SPAM,HAMLET_PERSONAL"};
	struct buffer output = BUFFER_INIT(1000);

	ck_assert_ptr_nonnull(request);
	ck_assert(request->rspamc);
	ck_assert_uint_eq(request->recipient_count, 2);
	ck_assert_str_eq(request->recipients, "ann@example.org");
	ck_assert_str_eq(request->recipients + strlen(request->recipients) + 1, "bob@example.org");
	spamd_reply_verdict(&output, request, &verdict);
	buffer_append(&output, "", 1);
	ck_assert_str_eq(output.data,
		"RSPAMD/1.3 0 EX_OK\r\nMetric: default; True; 12.3 / 6.0 / 15.0\r\n"
		"Action: add header\r\nSymbol: HAMLET_SPAM\r\nSymbol: HAMLET_PERSONAL\r\n");
	buffer_free(&output);
	spamd_session_free(&session);
	session = session_with("TELL RSPAMC/1.3\r\n\r\n"); /* it has no other command */
	ck_assert_ptr_null(spamd_session_request(session));
	spamd_session_free(&session);
}
END_TEST

/* Whom a stranger names must not keep a message from being judged. */
START_TEST(recipients_beyond_the_limit_are_counted)
{
	const struct spamd_limits limits = {
		.message = 10, .line = 100, .headers = 5000, .recipients = 3};
	struct spamd_session *session = spamd_session_new(&limits);

	spamd_session_feed(session, "CHECK RSPAMC/1.3\r\nContent-length: 2\r\n", 37);
	for (int i = 0; i < 4000; i++)
		ck_assert_int_eq(spamd_session_feed(session, "Rcpt: <ann@example.org>\r\n", 25),
			SPAMD_NEED_MORE);
	ck_assert_uint_lt(spamd_session_size(session), 4096);
	ck_assert_int_eq(spamd_session_feed(session, "\r\nhi", 4), SPAMD_REQUEST);
	const struct spamd_request *request = spamd_session_request(session);
	ck_assert_uint_eq(request->recipient_count, 3);
	ck_assert_uint_eq(request->recipients_lost, 3997);
	spamd_session_free(&session);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("spamd");
	TCase *session = tcase_create("session");
	TCase *reply = tcase_create("reply");

	tcase_add_test(session, names_are_passed_on_as_they_are);
	tcase_add_test(session, exims_rspamd_variant_names_all_recipients);
	tcase_add_test(session, recipients_beyond_the_limit_are_counted);
	tcase_add_loop_test(session, stream_gives_its_event, 0, LENGTH(STREAMS));
	tcase_add_loop_test(session, stream_in_pieces_gives_the_same, 0, LENGTH(STREAMS));
	tcase_add_test(session, request_is_complete_without_half_close);
	tcase_add_test(session, version_is_taken_as_a_number);
	tcase_add_test(session, version_1_0_has_no_headers);
	tcase_add_test(session, header_names_come_in_any_case);
	tcase_add_test(session, user_may_hold_spaces_and_any_letters);
	tcase_add_test(session, tell_says_what_to_do);
	tcase_add_test(session, line_has_a_limit);
	tcase_add_test(session, headers_have_a_limit);
	tcase_add_test(session, message_has_a_limit);
	tcase_add_test(session, memory_follows_what_has_arrived);
	tcase_add_test(session, refusal_lets_the_message_go);
	suite_add_tcase(suite, session);

	tcase_add_test(reply, check_is_answered);
	tcase_add_test(reply, symbols_are_answered);
	tcase_add_test(reply, exim_report_is_answered);
	tcase_add_test(reply, spamc_report_is_answered);
	tcase_add_test(reply, process_is_answered);
	tcase_add_test(reply, message_cut_within_a_line_end_is_answered);
	tcase_add_test(reply, haraka_headers_are_answered);
	tcase_add_test(reply, message_is_rewritten);
	tcase_add_test(reply, numbers_are_plain_decimals);
	tcase_add_test(reply, many_symbols_are_folded_and_bounded);
	tcase_add_test(reply, no_symbols_are_none);
	tcase_add_test(reply, json_takes_the_place_of_text);
	tcase_add_test(reply, tell_is_answered);
	tcase_add_test(reply, ping_and_stats_are_answered);
	tcase_add_test(reply, error_is_one_line);
	tcase_add_test(reply, unknown_command_is_answered);
	tcase_add_test(reply, full_output_fails);
	suite_add_tcase(suite, reply);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
