/* Turns each header field into tokens, by a table of fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/header.h"

#include <string.h>

#include "tokenizer/ascii.h"
#include "tokenizer/encoded-word.h"
#include "tokenizer/text.h"
#include "tokenizer/trace.h"
#include "tokenizer/url.h"

/* What is done with a field's value. */
enum treatment {
	DROP, /* added after the sender: filters, mail stores */
	TRACE, /* as DROP for the order, words all the same */
	WORDS, /* words under the field's name, shape of the value */
	SUBJECT, /* words and pairs of them */
	ADDRESS, /* words, hosts and shape */
	RECEIVED, /* hosts, addresses and shapes */
	IDENTITY, /* Message-ID and its kin: host and shape */
	DATE, /* shape and zone: the day itself says nothing of tomorrow */
	AUTH, /* what a mail server found out: who says so, and what */
	SIGNATURE, /* whose it is, not what it says */
	OPAQUE, /* random to us: that it is there, not what it says */
};

/* Ascending by name; none is the beginning of another. */
static const struct {
	const char *name; /* lower case; a final * stands for anything */
	enum treatment treatment;
} TREATMENTS[] = {
	{"arc-*", OPAQUE},
	{"authentication-results", AUTH},
	{"cc", ADDRESS},
	{"content-id", IDENTITY},
	{"content-length", DROP},
	{"date", DATE},
	{"delivered-to", TRACE},
	{"dkim-signature", SIGNATURE},
	{"domainkey-signature", SIGNATURE},
	{"envelope-to", TRACE},
	{"errors-to", ADDRESS},
	{"from", ADDRESS},
	{"in-reply-to", IDENTITY},
	{"lines", DROP},
	{"message-id", IDENTITY},
	{"received", RECEIVED},
	{"received-spf", AUTH},
	{"references", IDENTITY},
	{"reply-to", ADDRESS},
	{"resent-date", DATE},
	{"resent-message-id", IDENTITY},
	{"return-path", TRACE},
	{"sender", ADDRESS},
	{"status", DROP},
	{"subject", SUBJECT},
	{"to", ADDRESS},
	{"x-amavis-*", DROP},
	{"x-bogosity", DROP},
	{"x-crm114*", DROP},
	{"x-dspam*", DROP},
	{"x-envelope-from", TRACE},
	{"x-envelope-to", DROP},
	{"x-evolution*", DROP},
	{"x-forefront-antispam-report", OPAQUE},
	{"x-gm-message-state", OPAQUE},
	{"x-gm-thrid", DROP},
	{"x-gmail-labels", DROP},
	{"x-google-dkim-signature", OPAQUE},
	{"x-google-smtp-source", OPAQUE},
	{"x-hamlet*", DROP},
	{"x-he-dkim-result", AUTH},
	{"x-imap*", DROP},
	{"x-keywords", DROP},
	{"x-microsoft-antispam*", OPAQUE},
	{"x-mozilla-*", DROP},
	{"x-ms-exchange-*", OPAQUE},
	{"x-original-to", TRACE},
	{"x-rspamd*", DROP},
	{"x-spam*", DROP},
	{"x-status", DROP},
	{"x-uid*", DROP},
	{"x-virus-*", DROP},
};

/* As strcmp; any name that goes on from a pattern's beginning is equal to it. */
static int compare_name(const char *name, const char *pattern)
{
	while (*pattern != '*' && *name && *name == *pattern) {
		name++;
		pattern++;
	}
	return *pattern == '*' ? 0 : (unsigned char)*name - (unsigned char)*pattern;
}

static enum treatment find_treatment(const char *name)
{
	size_t low = 0, high = sizeof(TREATMENTS) / sizeof(TREATMENTS[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_name(name, TREATMENTS[middle].name);

		if (order == 0)
			return TREATMENTS[middle].treatment;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return WORDS;
}

static const char *skip_ascii_space(const char *at, const char *end)
{
	while (at < end && ascii_is(*at, ASCII_SPACE))
		at++;
	return at;
}

/* The first carriage return or line feed, else `end`. */
static const char *find_break(const char *at, const char *end)
{
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	const char *stop = feed ? feed : end;
	const char *carriage = memchr(at, '\r', (size_t)(stop - at));

	return carriage ? carriage : stop;
}

/* A line break with the white space after it becomes one space. */
static size_t unfold(const char *at, const char *end, char *out)
{
	size_t used = 0;

	while (at < end && used < TOKENIZER_MAX_HEADER_BYTES) {
		const char *stop = find_break(at, end);
		size_t room = TOKENIZER_MAX_HEADER_BYTES - used;
		size_t size = (size_t)(stop - at) < room ? (size_t)(stop - at) : room;

		memcpy(out + used, at, size);
		used += size;
		at = skip_ascii_space(stop, end);
		if (stop < end && used < TOKENIZER_MAX_HEADER_BYTES)
			out[used++] = ' ';
	}
	return used;
}

bool header_read(struct header *header, const struct mime_header *raw, char *room)
{
	const char *end = raw->value + raw->length;

	if (raw->name_length > HEADER_MAX_NAME)
		return false;
	header->raw = raw;
	header->name = raw->name;
	header->name_length = raw->name_length;
	ascii_lower_copy(header->lower, raw->name, raw->name_length);
	header->lower[raw->name_length] = '\0';

	const char *start = skip_ascii_space(raw->value, end);
	const char *stop = find_break(start, end);
	if (skip_ascii_space(stop, end) == end) { /* one line: it can stay where it is */
		size_t size = (size_t)(stop - start) + (stop < end);
		header->value = start;
		header->untrimmed =
			size < TOKENIZER_MAX_HEADER_BYTES ? size : TOKENIZER_MAX_HEADER_BYTES;
	} else {
		header->value = room;
		header->untrimmed = unfold(start, end, room);
	}
	header->length = ascii_trim(header->value, header->untrimmed);
	return true;
}

static void emit_words(
	struct emit *emit, const struct field *words, const char *value, size_t length)
{
	struct text text;

	text_begin(&text, emit, words);
	text_feed(&text, value, length);
	text_break(&text);
}

/* Every "@host" of an address list. */
static void emit_address_hosts(
	struct header_state *state, const struct field *words, const char *value, size_t length)
{
	const char *end = value + length;
	const char *at = value;

	for (size_t hosts = 0; hosts < 8; hosts++) {
		char host[128];
		size_t used = 0;

		at = memchr(at, '@', (size_t)(end - at));
		if (!at)
			break;
		for (const char *from = at + 1; from < end && ascii_is(*from, ASCII_HOST); from++) {
			if (used < sizeof(host))
				host[used++] = ascii_lower(*from);
		}
		url_host_tokens(state->emit, words, words, host, used);
		at++;
	}
}

static void emit_subject(
	struct header_state *state, const struct field *words, const char *value, size_t length)
{
	struct text text;

	text_begin(&text, state->emit, words);
	text.pairs = &state->fields->subject_pairs;
	text.shouts = &state->fields->subject_shouts;
	text_feed(&text, value, length);
	text_break(&text);
}

static void emit_zone(struct header_state *state, const char *value, size_t length)
{
	size_t zone = length;

	while (zone > 0 && value[zone - 1] != '+' && value[zone - 1] != '-')
		zone--;
	if (zone > 0 && length - zone >= 4)
		emit_token(state->emit, &state->fields->zone, value + zone - 1, 5);
}

static void emit_value(struct header_state *state, const struct header *header,
	enum treatment treatment, const char *value, size_t length)
{
	struct field words = emit_named_field(state->emit, header->lower, header->name_length);

	switch (treatment) {
	case SUBJECT:
		emit_subject(state, &words, value, length);
		break;
	case ADDRESS:
		emit_words(state->emit, &words, value, length);
		emit_address_hosts(state, &words, value, length);
		break;
	case RECEIVED:
		trace_received(state, value, length);
		return;
	case IDENTITY:
		emit_address_hosts(state, &words, value, length);
		break;
	case DATE:
		header_emit_shape(state, header->name, header->name_length, value, length);
		emit_zone(state, value, length);
		return;
	case TRACE:
		emit_words(state->emit, &words, value, length);
		return;
	case WORDS:
		emit_words(state->emit, &words, value, length);
		break;
	case AUTH:
		trace_results(state, &words, value, length);
		return;
	case SIGNATURE:
		trace_signer(state, &words, value, length);
		return;
	case OPAQUE:
	case DROP:
		return;
	}
	header_emit_shape(state, header->name, header->name_length, value, length);
}

/* What tells one message from another in every copy of it. */
static void identify_message(
	struct header_state *state, const char *lower, const char *value, size_t length)
{
	if (strcmp(lower, "message-id") == 0 || strcmp(lower, "date") == 0 ||
		strcmp(lower, "from") == 0 || strcmp(lower, "subject") == 0)
		emit_identify(state->emit, value, length);
}

/* Which field comes after which. */
static void emit_order(struct header_state *state, const struct header *header)
{
	char order[2 * HEADER_MAX_NAME + 1];
	size_t used = state->previous_length;

	memcpy(order, state->previous, used);
	order[used++] = '>';
	memcpy(order + used, header->name, header->name_length);
	emit_token(state->emit, &state->fields->order, order, used + header->name_length);
	memcpy(state->previous, header->name, header->name_length);
	state->previous_length = header->name_length;
}

void header_tokens(struct header_state *state, const struct header *header)
{
	enum treatment treatment = find_treatment(header->lower);
	const char *value = header->value;
	size_t length = header->length;
	char decoded[TOKENIZER_MAX_HEADER_BYTES];

	if (header->name_length == 0 || treatment == DROP)
		return;
	if (encoded_word_begins(value, length)) {
		length = mime_decode_words(state->reader, value, length, decoded, sizeof(decoded));
		value = decoded;
	}
	if (header->raw->nested) {
		if (treatment == SUBJECT || treatment == ADDRESS)
			emit_words(state->emit, &state->fields->words, value, length);
	} else {
		identify_message(state, header->lower, value, length);
		emit_token(state->emit, &state->fields->name, header->name, header->name_length);
		emit_value(state, header, treatment, value, length);
		if (treatment != TRACE && treatment != RECEIVED)
			emit_order(state, header);
	}
}
