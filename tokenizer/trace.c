/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/trace.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/url.h"

enum { MAX_RECEIVED = 12, MAX_RECEIVED_WORDS = 40, MAX_RESULTS = 32 };

/* Words of a Received field in lower case, split at white space and brackets;
 * hosts and addresses are told from their looks. */
static void emit_received_words(struct header_state *state, const char *value, size_t length)
{
	char word[128];
	size_t used = 0;
	size_t words = 0;

	for (size_t i = 0; i <= length && words < MAX_RECEIVED_WORDS; i++) {
		char c = i < length ? value[i] : ' ';
		if (c == ';')
			break; /* the date */
		if (!isspace((unsigned char)c) && !strchr("()[]<>=,", c)) {
			if (used < sizeof(word))
				word[used++] = (char)tolower((unsigned char)c);
			continue;
		}
		if (used > 0 && memchr(word, '.', used) && !memchr(word, '@', used))
			url_host_tokens(state->emit, &state->fields->host, &state->fields->domain, word, used);
		words += used > 0;
		used = 0;
	}
}

static bool starts_clause(const char *word, size_t length)
{
	static const char *const keywords[] = {"from", "by", "via", "with", "id", "for"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (length == strlen(keywords[i]) && memcmp(word, keywords[i], length) == 0)
			return true;
	}
	return false;
}

/* One clause: its keyword as it is, the rest as a shape. */
static void emit_clause(struct header_state *state, const char *clause, size_t length)
{
	char shape[96];
	size_t keyword = 0;

	while (keyword < length && isalpha((unsigned char)clause[keyword]))
		keyword++;
	if (keyword > 8)
		keyword = 0;
	while (length > 0 && isspace((unsigned char)clause[length - 1]))
		length--;
	memcpy(shape, clause, keyword);
	size_t used = keyword < length
		? header_shape(clause + keyword, length - keyword, shape + keyword, sizeof(shape) - keyword)
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
		while (i < end && !isspace((unsigned char)value[i]))
			i++;
		if (word > start && starts_clause(value + word, i - word)) {
			emit_clause(state, value + start, word - start);
			start = word;
		}
		while (i < end && isspace((unsigned char)value[i]))
			i++;
	}
	if (end > start)
		emit_clause(state, value + start, end - start);
	if (semicolon)
		header_emit_shape(state, "Received;", semicolon, length - end);
}

void trace_received(struct header_state *state, const char *value, size_t length)
{
	if (state->received++ >= MAX_RECEIVED)
		return;
	emit_received_words(state, value, length);
	emit_received_shapes(state, value, length);
}

/* RFC 8601: "authserv-id; method=result reason; ...". Each result counts under
 * the name of the server that claims it, and apart when the field stands below a
 * Received line: our own mail server writes above its own, and a stranger can
 * write what he likes below. */
void trace_results(struct header_state *state, const char *lower, const char *value, size_t length)
{
	char text[EMIT_MAX_TEXT];
	size_t server = 0, i = 0, results = 0;

	while (server < length && server < 100 && value[server] != ';' &&
		!isspace((unsigned char)value[server]))
		server++;
	if (server >= length || value[server] != ';')
		server = 0; /* Received-SPF (RFC 7208 section 9.1) begins with its result */
	size_t used = (size_t)snprintf(text, sizeof(text), "%s%.*s%s", state->received ? "below " : "",
		(int)server, value, server ? " " : "");
	struct field field = emit_head_field(state->emit, lower);
	for (i = server; i < length && results < MAX_RESULTS; i++) {
		size_t start = i;
		while (i < length && (isalnum((unsigned char)value[i]) || strchr("=.-_", value[i])))
			i++;
		bool result = start == 0 || memchr(value + start, '=', i - start);
		if (i == start || !result || used + (i - start) > sizeof(text))
			continue;
		for (size_t j = start; j < i; j++)
			text[used + j - start] = (char)tolower((unsigned char)value[j]);
		emit_token(state->emit, &field, text, used + i - start);
		results++;
	}
}

/* RFC 6376 section 3.5: the signing domain is the tag "d=". */
void trace_signer(
	struct header_state *state, const struct field *words, const char *value, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if (value[i] != 'd' || value[i + 1] != '=' ||
			(i > 0 && value[i - 1] != ';' && value[i - 1] != ' ' && value[i - 1] != '\t'))
			continue;
		size_t end = i + 2;
		while (end < length && (isalnum((unsigned char)value[end]) || strchr(".-_", value[end])))
			end++;
		url_host_tokens(state->emit, words, words, value + i + 2, end - i - 2);
		return;
	}
}
