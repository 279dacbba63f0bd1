/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/header.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tokenizer/mime.h"
#include "tokenizer/text.h"
#include "tokenizer/trace.h"
#include "tokenizer/url.h"

/* What is done with a field's value. */
enum treatment {
	DROP,     /* added after the sender: filters, mail stores */
	TRACE,    /* as DROP for the order, words all the same */
	WORDS,    /* words under the field's name, shape of the value */
	SUBJECT,  /* words and pairs of them */
	ADDRESS,  /* words, hosts and shape */
	RECEIVED, /* hosts, addresses and shapes */
	IDENTITY, /* Message-ID and its kin: host and shape */
	DATE,     /* shape and zone: the day itself says nothing of tomorrow */
	AUTH,     /* what a mail server found out: who says so, and what */
	SIGNATURE, /* whose it is, not what it says */
	OPAQUE,   /* random to us: that it is there, not what it says */
};

static const struct {
	const char *name; /* lower case; a final * stands for anything */
	enum treatment treatment;
} TREATMENTS[] = {
	{"subject", SUBJECT},
	{"from", ADDRESS},
	{"to", ADDRESS},
	{"cc", ADDRESS},
	{"reply-to", ADDRESS},
	{"sender", ADDRESS},
	{"errors-to", ADDRESS},
	{"received", RECEIVED},
	{"message-id", IDENTITY},
	{"in-reply-to", IDENTITY},
	{"references", IDENTITY},
	{"resent-message-id", IDENTITY},
	{"content-id", IDENTITY},
	{"date", DATE},
	{"resent-date", DATE},
	{"authentication-results", AUTH},
	{"received-spf", AUTH},
	{"x-he-dkim-result", AUTH},
	{"dkim-signature", SIGNATURE},
	{"domainkey-signature", SIGNATURE},
	{"arc-*", OPAQUE},
	{"x-google-dkim-signature", OPAQUE},
	{"x-gm-message-state", OPAQUE},
	{"x-google-smtp-source", OPAQUE},
	{"x-ms-exchange-*", OPAQUE},
	{"x-microsoft-antispam*", OPAQUE},
	{"x-forefront-antispam-report", OPAQUE},
	{"return-path", TRACE},
	{"delivered-to", TRACE},
	{"x-original-to", TRACE},
	{"envelope-to", TRACE},
	{"x-envelope-from", TRACE},
	{"x-spam*", DROP},
	{"x-bogosity", DROP},
	{"x-rspamd*", DROP},
	{"x-dspam*", DROP},
	{"x-hamlet*", DROP},
	{"x-spamprobe*", DROP},
	{"x-crm114*", DROP},
	{"x-virus-*", DROP},
	{"x-amavis-*", DROP},
	{"x-envelope-to", DROP},
	{"status", DROP},
	{"x-status", DROP},
	{"x-uid*", DROP},
	{"x-imap*", DROP},
	{"x-keywords", DROP},
	{"x-mozilla-*", DROP},
	{"content-length", DROP},
	{"lines", DROP},
	{"x-evolution*", DROP},
	{"x-gmail-labels", DROP},
	{"x-gm-thrid", DROP},
};

void header_fields_init(struct header_fields *fields, const struct emit *emit)
{
	fields->name = emit_head_field(emit, "header-name");
	fields->order = emit_head_field(emit, "header-order");
	fields->shape = emit_head_field(emit, "header-shape");
	fields->received = emit_head_field(emit, "received");
	fields->host = emit_head_field(emit, "received-host");
	fields->domain = emit_head_field(emit, "received-domain");
	fields->route = emit_head_field(emit, "received-shape");
	fields->zone = emit_head_field(emit, "date-zone");
	fields->words = emit_head_field(emit, "attached-header");
}

void header_begin(struct header_state *state, struct emit *emit, const struct header_fields *fields)
{
	*state = (struct header_state){.emit = emit, .fields = fields};
}

static enum treatment find_treatment(const char *name)
{
	for (size_t i = 0; i < sizeof(TREATMENTS) / sizeof(TREATMENTS[0]); i++) {
		const char *pattern = TREATMENTS[i].name;
		size_t length = strlen(pattern);

		if (pattern[length - 1] == '*' ? strncmp(name, pattern, length - 1) == 0
					       : strcmp(name, pattern) == 0)
			return TREATMENTS[i].treatment;
	}
	return WORDS;
}

static char run_class(char c)
{
	return isdigit((unsigned char)c) ? '0' : islower((unsigned char)c) ? 'a'
		: isupper((unsigned char)c) ? 'A' : (unsigned char)c >= 0x80 ? '~' : c;
}

size_t header_shape(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length && used < size; i++) {
		char class = run_class(text[i]);
		if (used == 0 || class != out[used - 1])
			out[used++] = class;
	}
	return used;
}

/* Unfolds and trims: a line break with the white space after it is one space. */
static size_t unfold(const char *value, char *out)
{
	size_t used = 0;

	while (*value && isspace((unsigned char)*value))
		value++;
	while (*value && used < TOKENIZER_MAX_HEADER_BYTES) {
		if (*value == '\r' || *value == '\n') {
			while (isspace((unsigned char)*value))
				value++;
			out[used++] = ' ';
		} else {
			out[used++] = *value++;
		}
	}
	while (used > 0 && isspace((unsigned char)out[used - 1]))
		used--;
	return used;
}

static void emit_words(struct emit *emit, const struct field *words, const char *value, size_t length)
{
	struct text text;

	text_begin(&text, emit, words);
	text_feed(&text, value, length);
	text_break(&text);
}

void header_emit_shape(struct header_state *state, const char *name, const char *value, size_t length)
{
	char shape[HEADER_MAX_NAME + 1 + 64];
	size_t used = strlen(name);

	memcpy(shape, name, used);
	shape[used++] = ' ';
	used += header_shape(value, length < 200 ? length : 200, shape + used, 64);
	emit_token(state->emit, &state->fields->shape, shape, used);
}

/* Every "@host" of an address list. */
static void emit_address_hosts(struct header_state *state, const struct field *words,
	const char *value, size_t length)
{
	size_t hosts = 0;

	for (size_t i = 0; i < length && hosts < 8; i++) {
		if (value[i] != '@')
			continue;
		size_t start = i + 1;
		size_t end = start;
		char host[128];
		size_t used = 0;
		for (; end < length && (isalnum((unsigned char)value[end]) || value[end] == '.' ||
			       value[end] == '-'); end++) {
			if (used < sizeof(host))
				host[used++] = (char)tolower((unsigned char)value[end]);
		}
		url_host_tokens(state->emit, words, words, host, used);
		hosts++;
	}
}

static void emit_subject(struct header_state *state, const struct field *words, const char *value,
	size_t length)
{
	struct field pairs = emit_head_field(state->emit, "subject-pair");
	struct field shouts = emit_head_field(state->emit, "subject-shout");
	struct text text;

	text_begin(&text, state->emit, words);
	text.pairs = &pairs;
	text.shouts = &shouts;
	text_feed(&text, value, length);
	text_break(&text);
}

static void emit_date(struct header_state *state, const char *name, const char *value, size_t length)
{
	size_t zone = length;

	header_emit_shape(state, name, value, length);
	while (zone > 0 && value[zone - 1] != '+' && value[zone - 1] != '-')
		zone--;
	if (zone > 0 && length - zone >= 4)
		emit_token(state->emit, &state->fields->zone, value + zone - 1, 5);
}

static void emit_value(struct header_state *state, const char *name, const char *lower,
	enum treatment treatment, const char *value, size_t length)
{
	struct field words = emit_head_field(state->emit, lower);

	switch (treatment) {
	case SUBJECT:
		emit_subject(state, &words, value, length);
		header_emit_shape(state, name, value, length);
		break;
	case ADDRESS:
		emit_words(state->emit, &words, value, length);
		emit_address_hosts(state, &words, value, length);
		header_emit_shape(state, name, value, length);
		break;
	case RECEIVED:
		trace_received(state, value, length);
		break;
	case IDENTITY:
		emit_address_hosts(state, &words, value, length);
		header_emit_shape(state, name, value, length);
		break;
	case DATE:
		emit_date(state, name, value, length);
		break;
	case TRACE:
		emit_words(state->emit, &words, value, length);
		break;
	case WORDS:
		emit_words(state->emit, &words, value, length);
		header_emit_shape(state, name, value, length);
		break;
	case AUTH:
		trace_results(state, lower, value, length);
		break;
	case SIGNATURE:
		trace_signer(state, &words, value, length);
		break;
	case OPAQUE:
	case DROP:
		break;
	}
}

/* What tells one message from another in every copy of it. */
static void identify(struct header_state *state, const char *lower, const char *value, size_t length)
{
	if (strcmp(lower, "message-id") == 0 || strcmp(lower, "date") == 0 ||
		strcmp(lower, "from") == 0 || strcmp(lower, "subject") == 0)
		emit_identify(state->emit, value, length);
}

void header_tokens(struct header_state *state, const char *name, const char *value, bool nested)
{
	char lower[HEADER_MAX_NAME + 1];
	char unfolded[TOKENIZER_MAX_HEADER_BYTES];
	size_t name_length = strlen(name);

	if (name_length == 0 || name_length > HEADER_MAX_NAME)
		return;
	for (size_t i = 0; i <= name_length; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	enum treatment treatment = find_treatment(lower);
	if (treatment == DROP)
		return;

	size_t length = unfold(value, unfolded);
	char *decoded = memmem(unfolded, length, "=?", 2) ? mime_decode_header(value) : NULL;
	const char *text = decoded ? decoded : unfolded;
	length = decoded ? strnlen(decoded, TOKENIZER_MAX_HEADER_BYTES) : length;

	if (nested) {
		if (treatment == SUBJECT || treatment == ADDRESS)
			emit_words(state->emit, &state->fields->words, text, length);
	} else {
		identify(state, lower, text, length);
		emit_token(state->emit, &state->fields->name, name, name_length);
		emit_value(state, name, lower, treatment, text, length);
		if (treatment != TRACE && treatment != RECEIVED) {
			char order[2 * HEADER_MAX_NAME + 1];
			size_t used = strlen(state->previous);
			memcpy(order, state->previous, used);
			order[used++] = '>';
			memcpy(order + used, name, name_length);
			emit_token(state->emit, &state->fields->order, order, used + name_length);
			memcpy(state->previous, name, name_length + 1);
		}
	}
	mime_free(decoded);
}
