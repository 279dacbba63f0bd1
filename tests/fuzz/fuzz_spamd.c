/* Any split of a SPAMD stream gives the same as the whole, and every reply to
 * what it asks keeps its form. The first two bytes choose how the rest is cut;
 * limits are low, so that short inputs reach them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/protocol/spamd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct spamd_limits LIMITS = {
	.message = 512, .line = 80, .headers = 8, .recipients = 3};
static const size_t OUTPUT_MAX = 65536;

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The part is fed from a block of its own size, for ASan to watch its end. */
static enum spamd_event feed(struct spamd_session *session, const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	REQUIRE(copy);
	if (size)
		memcpy(copy, data, size);
	enum spamd_event event = spamd_session_feed(session, copy, size);
	free(copy);
	REQUIRE(spamd_session_size(session) < 4096);
	return event;
}

/* A small generator seeded by the input: sizes of parts from 0 to 2^n - 1. */
static enum spamd_event feed_cut(
	struct spamd_session *session, const uint8_t *data, size_t size, const uint8_t cuts[2])
{
	enum spamd_event event = SPAMD_NEED_MORE;
	uint32_t state = cuts[0] + 1u;
	uint32_t mask = (1u << (cuts[1] % 9)) - 1;

	while (size > 0) {
		state = state * 1664525u + 1013904223u;
		size_t part = (state >> 16) & mask;
		if (mask == 0)
			part = 1;
		if (part > size)
			part = size;
		event = feed(session, data, part);
		data += part;
		size -= part;
	}
	return event;
}

/* They lie one after another. */
static void compare_recipients(const struct spamd_request *x, const struct spamd_request *y)
{
	const char *one = x->recipients, *other = y->recipients;

	REQUIRE(x->recipient_count == y->recipient_count);
	REQUIRE(x->recipients_lost == y->recipients_lost);
	REQUIRE(x->recipient_count <= LIMITS.recipients);
	for (size_t i = 0; i < x->recipient_count; i++) {
		REQUIRE(strcmp(one, other) == 0);
		one += strlen(one) + 1;
		other += strlen(other) + 1;
	}
}

static void compare(const struct spamd_session *a, const struct spamd_session *b)
{
	const struct spamd_request *x = spamd_session_request(a);
	const struct spamd_request *y = spamd_session_request(b);
	const char *text_a;
	const char *text_b;

	REQUIRE(spamd_session_error(a, &text_a) == spamd_session_error(b, &text_b));
	REQUIRE(strcmp(text_a, text_b) == 0);
	REQUIRE(spamd_session_in_headers(a) == spamd_session_in_headers(b));
	REQUIRE(!x == !y);
	if (!x || !y)
		return;
	REQUIRE(x->command == y->command && x->tell == y->tell && x->version == y->version);
	REQUIRE(x->json == y->json && strcmp(x->user, y->user) == 0);
	REQUIRE(x->rspamc == y->rspamc && strcmp(x->context, y->context) == 0);
	compare_recipients(x, y);
	REQUIRE(x->length == y->length && memcmp(x->message, y->message, x->length) == 0);
}

/* Splits a reply at its blank line and holds it against its Content-length.
 * Returns where the body begins. */
static const char *check_reply(const struct buffer *reply)
{
	const char *blank = memmem(reply->data, reply->length, "\r\n\r\n", 4);
	const char *length = memmem(reply->data, reply->length, "Content-length: ", 16);

	REQUIRE(!reply->failed && blank);
	if (length && length < blank) {
		size_t body = reply->length - (size_t)(blank + 4 - reply->data);

		REQUIRE(strtoul(length + 16, NULL, 10) == body);
	}
	return blank + 4;
}

static struct spamd_verdict verdict_for(const struct spamd_request *request)
{
	return (struct spamd_verdict){
		.spam = request->length % 2,
		.score = (double)request->length - 10,
		.threshold = 5,
		.symbols = "HAMLET_SPAM,HAMLET_NEW",
		.report = request->user,
		.json = "{}",
	};
}

/* A message rewritten once more stays as it is, and HEADERS is its beginning. */
static void check_rewriting(struct spamd_request request, const struct spamd_verdict *verdict)
{
	struct buffer once = BUFFER_INIT(OUTPUT_MAX);
	struct buffer again = BUFFER_INIT(OUTPUT_MAX);
	struct buffer headers = BUFFER_INIT(OUTPUT_MAX);

	request.version = 15;
	request.json = request.rspamc = false;
	request.command = SPAMD_HEADERS;
	spamd_reply_verdict(&headers, &request, verdict);
	request.command = SPAMD_PROCESS;
	spamd_reply_verdict(&once, &request, verdict);

	const char *top = check_reply(&headers);
	size_t top_length = headers.length - (size_t)(top - headers.data);
	const char *body = check_reply(&once);
	size_t body_length = once.length - (size_t)(body - once.data);
	REQUIRE(body_length < request.length + 16384);
	REQUIRE(top_length <= body_length && memcmp(top, body, top_length) == 0);

	request.message = body;
	request.length = body_length;
	spamd_reply_verdict(&again, &request, verdict);
	REQUIRE(again.length == once.length && memcmp(again.data, once.data, once.length) == 0);

	buffer_free(&headers);
	buffer_free(&again);
	buffer_free(&once);
}

static void check_verdicts(struct spamd_request request)
{
	struct spamd_verdict verdict = verdict_for(&request);

	for (int form = 0; form <= SPAMD_HEADERS * 2 + 1; form++) {
		for (request.version = 10; request.version <= 15; request.version++) {
			struct buffer reply = BUFFER_INIT(OUTPUT_MAX);

			request.command = (enum spamd_command)(form / 2);
			request.json = form % 2;
			spamd_reply_verdict(&reply, &request, &verdict);
			REQUIRE(!reply.failed);
			/* The oldest reply to PROCESS has no blank line, nor has RSPAMC's. */
			if (!request.rspamc && (request.json || request.version >= 12))
				check_reply(&reply);
			buffer_free(&reply);
		}
	}
	check_rewriting(request, &verdict);
}

static void check_told(struct spamd_request request)
{
	for (int form = 0; form < 8; form++) {
		struct spamd_told told = {.set = form & 1, .removed = form & 2, .json = "{}"};
		struct buffer reply = BUFFER_INIT(OUTPUT_MAX);

		request.json = form & 4;
		spamd_reply_told(&reply, &request, &told);
		check_reply(&reply);
		buffer_free(&reply);
	}
}

static void check_error(enum spamd_code code, const char *text)
{
	struct buffer reply = BUFFER_INIT(OUTPUT_MAX);

	REQUIRE(code != SPAMD_OK);
	spamd_reply_error(&reply, code, text);
	REQUIRE(!reply.failed && reply.length < 8187);
	for (size_t i = 0; i < reply.length - 2; i++)
		REQUIRE((unsigned char)reply.data[i] >= 0x20 && reply.data[i] != 0x7F);
	REQUIRE(memcmp(reply.data + reply.length - 2, "\r\n", 2) == 0);
	buffer_free(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct spamd_session *whole = spamd_session_new(&LIMITS);
	struct spamd_session *cut = spamd_session_new(&LIMITS);
	const char *text;

	REQUIRE(whole && cut);
	REQUIRE(feed(whole, data + 2, size - 2) == feed_cut(cut, data + 2, size - 2, data));
	compare(whole, cut);
	enum spamd_event event = spamd_session_end(whole);
	REQUIRE(event == spamd_session_end(cut));
	REQUIRE(event != SPAMD_NEED_MORE);
	compare(whole, cut);

	if (event == SPAMD_REQUEST) {
		check_verdicts(*spamd_session_request(whole));
		check_told(*spamd_session_request(whole));
	} else {
		enum spamd_code code = spamd_session_error(whole, &text);

		check_error(code, text);
	}
	spamd_session_free(&whole);
	spamd_session_free(&cut);
	return 0;
}
