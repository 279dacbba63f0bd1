/* Any split of a milter stream gives the same messages as the whole, within the
 * limits. The first byte chooses how the rest is cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/milter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct milter_limits LIMITS = {.message = 256, .recipients = 2};

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What a stream gave, folded into one number. */
struct outcome {
	uint64_t sum;
	enum milter_event last;
	size_t commands;
	char error[128];
};

static void fold(struct outcome *outcome, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		outcome->sum = (outcome->sum ^ bytes[i]) * UINT64_C(0x100000001B3);
}

/* What is answered is frames whatever the names: as long as their heads say. */
static void answer(const struct milter_message *message, struct outcome *outcome)
{
	struct buffer output = BUFFER_INIT(FORGED_MAX_BYTES + 65536);
	size_t at = 0;

	milter_delete_forged(&output, message->forged);
	milter_add_header(&output, "X-Sender", message->sender);
	milter_reply(&output, message->client);
	milter_accept(&output);
	REQUIRE(!output.failed);
	while (at < output.length) {
		const unsigned char *head = (const unsigned char *)output.data + at;

		REQUIRE(output.length - at >= 5);
		at += 4 +
			((size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 |
				head[3]);
		REQUIRE(at <= output.length);
	}
	fold(outcome, output.data, output.length);
	buffer_free(&output);
}

/* Only names of such fields, within their line. */
static void check_forged(void *context, const char *name, size_t length)
{
	struct outcome *outcome = context;

	REQUIRE(length > 0 && forged_fields_named(name, length));
	REQUIRE(!memchr(name, '\n', length) && !memchr(name, ':', length));
	fold(outcome, name, length);
}

static void take_message(struct milter_session *session, struct outcome *outcome)
{
	const struct milter_message *message = milter_session_message(session);
	const char *name = message->recipients;

	REQUIRE(message->length <= LIMITS.message);
	REQUIRE(message->recipient_count <= LIMITS.recipients);
	REQUIRE(message->forged->bytes <= FORGED_MAX_BYTES);
	fold(outcome, message->text, message->length);
	fold(outcome, message->sender, strlen(message->sender));
	fold(outcome, message->client, strlen(message->client));
	for (size_t i = 0; i < message->recipient_count; i++, name += strlen(name) + 1)
		fold(outcome, name, strlen(name) + 1);
	fold(outcome, message->login, strlen(message->login));
	for (const struct forged_name *each = message->forged->names; each; each = each->next)
		fold(outcome, each->name, strlen(each->name) + 1);
	forged_fields_each(message->text, message->length, check_forged, outcome);
	answer(message, outcome);
}

/* Is the mail server served, or told that there is no room, or let pass for want of it? */
enum manner { SERVED, REFUSED, PASSED, MANNERS };

static struct outcome run(const uint8_t *data, size_t size, size_t piece, enum manner manner)
{
	struct milter_session *session = milter_session_new(&LIMITS);
	struct outcome outcome = {.last = MILTER_NEED_MORE};

	REQUIRE(session);
	REQUIRE(milter_session_next(session) == MILTER_NEED_MORE); /* there is none */
	if (manner != SERVED)
		milter_session_refuse(session, manner == REFUSED ? "421 4.3.2 busy" : NULL);
	for (size_t at = 0; at < size; at += piece) {
		size_t part = piece < size - at ? piece : size - at;
		char *copy = malloc(part);

		REQUIRE(copy);
		memcpy(copy, data + at, part);
		outcome.last = milter_session_feed(session, copy, part);
		free(copy);
		REQUIRE(manner == SERVED || outcome.last != MILTER_MESSAGE);
		REQUIRE(outcome.last != MILTER_MESSAGE || milter_session_message(session));
		while (outcome.last == MILTER_MESSAGE) {
			take_message(session, &outcome);
			outcome.last = milter_session_next(session);
		}
		REQUIRE(milter_session_size(session) < 2 << 20);
		buffer_clear(milter_session_output(session));
	}
	REQUIRE((outcome.last == MILTER_ERROR) == (*milter_session_error(session) != '\0'));
	if (outcome.last == MILTER_NEED_MORE) /* what comes after the end means nothing */
		outcome.sum += milter_session_unfinished(session);
	outcome.commands = milter_session_commands(session);
	snprintf(outcome.error, sizeof(outcome.error), "%s", milter_session_error(session));
	milter_session_free(&session);
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 60000)
		return 0;
	for (enum manner manner = SERVED; manner < MANNERS; manner++) {
		struct outcome whole = run(data + 1, size - 1, size, manner);
		struct outcome cut = run(data + 1, size - 1, data[0] % 64 + 1u, manner);

		/* A mail server that is told more than it takes is cut off by how much came at
		 * once: what was asked in one go is answered in one. */
		if (strstr(whole.error, "asks more than it listens"))
			continue;
		REQUIRE(whole.last == cut.last);
		REQUIRE(whole.sum == cut.sum);
		REQUIRE(whole.commands == cut.commands);
		REQUIRE(strcmp(whole.error, cut.error) == 0);
	}
	return 0;
}
