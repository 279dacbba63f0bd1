/* Unfolds the fields that mail servers on the way wrote.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/trace.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/ascii.h"
#include "tokenizer/url.h"

enum { MAX_RECEIVED = 12, MAX_RECEIVED_WORDS = 40, MAX_RESULTS = 32 };

/* Words of a Received field in lower case, split at white space and brackets;
 * hosts and addresses are told from their looks. */
static void emit_received_words(struct header_state *state, const char *value, size_t length)
{
	const char *semicolon = memchr(value, ';', length); /* before the date */
	const char *end = semicolon ? semicolon : value + length;
	const char *at = value;

	for (size_t words = 0; words < MAX_RECEIVED_WORDS; words++) {
		char word[128];
		bool dot = false, name = true;

		while (at < end && ascii_is(*at, ASCII_SPACE | ASCII_BRACKET))
			at++;
		const char *start = at;
		for (; at < end && !ascii_is(*at, ASCII_SPACE | ASCII_BRACKET); at++) {
			if (at - start < (ptrdiff_t)sizeof(word)) {
				word[at - start] = ascii_lower(*at);
				dot |= *at == '.';
				name &= *at != '@';
			}
		}
		if (at == start || (at == end && semicolon))
			return;
		size_t used =
			(size_t)(at - start) < sizeof(word) ? (size_t)(at - start) : sizeof(word);
		if (dot && name)
			url_host_tokens(state->emit, &state->fields->host, &state->fields->domain,
				word, used);
	}
}

static bool starts_clause(const char *word, size_t length)
{
	switch (length) {
	case 2:
		return memcmp(word, "by", 2) == 0 || memcmp(word, "id", 2) == 0;
	case 3:
		return memcmp(word, "via", 3) == 0 || memcmp(word, "for", 3) == 0;
	case 4:
		return memcmp(word, "from", 4) == 0 || memcmp(word, "with", 4) == 0;
	default:
		return false;
	}
}

/* One clause: its keyword as it is, the rest as a shape. */
static void emit_clause(struct header_state *state, const char *clause, size_t length)
{
	char shape[96];
	size_t keyword = 0;

	while (keyword < length && ascii_is(clause[keyword], ASCII_ALPHA))
		keyword++;
	if (keyword > 8)
		keyword = 0;
	length = ascii_trim(clause, length);
	memcpy(shape, clause, keyword);
	size_t used = keyword < length ? header_shape(clause + keyword, length - keyword,
						 shape + keyword, sizeof(shape) - keyword)
				       : 0;
	emit_token(state->emit, &state->fields->route, shape, keyword + used);
}

/* The shape of each clause (RFC 5321 section 4.4): "from a.a (a.a [0.0.0.0])",
 * "with A", "id A0": how the program that wrote it writes. */
static void emit_received_shapes(struct header_state *state, const char *value, size_t length)
{
	const char *semicolon = memchr(value, ';', length);
	size_t end = semicolon ? (size_t)(semicolon - value) : length;
	size_t start = 0, i = 0;

	while (i < end) {
		size_t word = i;
		while (i < end && !ascii_is(value[i], ASCII_SPACE))
			i++;
		if (word > start && starts_clause(value + word, i - word)) {
			emit_clause(state, value + start, word - start);
			start = word;
		}
		while (i < end && ascii_is(value[i], ASCII_SPACE))
			i++;
	}
	if (end > start)
		emit_clause(state, value + start, end - start);
	if (semicolon)
		header_emit_shape(state, "Received;", strlen("Received;"), semicolon, length - end);
}

void trace_received(struct header_state *state, const char *value, size_t length)
{
	if (state->received++ >= MAX_RECEIVED)
		return;
	emit_received_words(state, value, length);
	emit_received_shapes(state, value, length);
}

static bool is_of_result(char c)
{
	return ascii_is(c, ASCII_HOST) || c == '=' || c == '_';
}

/* RFC 8601: "authserv-id; method=result reason; ...". Each result counts under
 * the name of the server that claims it, and apart when the field stands below a
 * Received line: our own mail server writes above its own, and a stranger can
 * write what he likes below. */
void trace_results(
	struct header_state *state, const struct field *words, const char *value, size_t length)
{
	char text[EMIT_MAX_TEXT];
	size_t server = 0, i = 0, results = 0;

	while (server < length && server < 100 && value[server] != ';' &&
		!ascii_is(value[server], ASCII_SPACE))
		server++;
	if (server >= length || value[server] != ';')
		server = 0; /* Received-SPF (RFC 7208 section 9.1) begins with its result */
	size_t used = (size_t)snprintf(text, sizeof(text), "%s%.*s%s",
		state->received ? "below " : "", (int)server, value, server ? " " : "");
	for (i = server; i < length && results < MAX_RESULTS; i++) {
		size_t start = i;
		while (i < length && is_of_result(value[i]))
			i++;
		bool result = start == 0 || memchr(value + start, '=', i - start);
		if (i == start || !result || used + (i - start) > sizeof(text))
			continue;
		ascii_lower_copy(text + used, value + start, i - start);
		emit_token(state->emit, words, text, used + i - start);
		results++;
	}
}

/* RFC 6376 section 3.5: the signing domain is the tag "d=". */
void trace_signer(
	struct header_state *state, const struct field *words, const char *value, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if (value[i] != 'd' || value[i + 1] != '=' ||
			(i > 0 && value[i - 1] != ';' && value[i - 1] != ' ' &&
				value[i - 1] != '\t'))
			continue;
		size_t end = i + 2;
		while (end < length && (ascii_is(value[end], ASCII_HOST) || value[end] == '_'))
			end++;
		url_host_tokens(state->emit, words, words, value + i + 2, end - i - 2);
		return;
	}
}
