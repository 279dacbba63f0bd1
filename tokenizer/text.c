/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/text.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/fold.h"

enum ascii_class { BREAK, LETTER, CAPITAL, DIGIT, MONEY, JOINT, BANG };

/* What a byte below 0x80 is to a word. A joint belongs to it only between two
 * characters of it: "don't", "example.com", "1,000". */
static const unsigned char ASCII[128] = {
	['a' ... 'z'] = LETTER, ['A' ... 'Z'] = CAPITAL, ['0' ... '9'] = DIGIT, ['$'] = MONEY,
	['\''] = JOINT, ['-'] = JOINT, ['_'] = JOINT, ['.'] = JOINT, [','] = JOINT, ['@'] = JOINT,
	['%'] = MONEY, ['!'] = BANG};

void text_begin(struct text *text, struct emit *emit, const struct field *words)
{
	*text = (struct text){.emit = emit, .words = words};
}

static void emit_pair(struct text *text)
{
	char pair[2 * TEXT_MAX_WORD + 1];

	memcpy(pair, text->previous, text->previous_length);
	pair[text->previous_length] = ' ';
	memcpy(pair + text->previous_length + 1, text->word, text->length);
	emit_token(text->emit, text->pairs, pair, text->previous_length + 1 + text->length);
}

/* A word too long to be one keeps its beginning and a measure of its length. */
static void emit_long_word(struct text *text)
{
	char shape[32];
	int length = snprintf(shape, sizeof(shape), "%.4s+%zu", text->word, text->length / 16);

	emit_token(text->emit, text->words, shape, (size_t)length);
}

static void end_word(struct text *text)
{
	if (text->length > TEXT_MAX_WORD) {
		emit_long_word(text);
		text->previous_length = 0;
	} else if (text->length > 0) {
		if (text->length > 1)
			emit_token(text->emit, text->words, text->word, text->length);
		if (text->links && text->length > 4 && memcmp(text->word, "www.", 4) == 0)
			url_host_tokens(text->emit, &text->links->host, &text->links->domain,
				text->word, text->length);
		if (text->shouts && text->capitals >= 3 && text->capitals == text->length)
			emit_token(text->emit, text->shouts, text->word, text->length);
		if (text->pairs && text->previous_length > 0)
			emit_pair(text);
		memcpy(text->previous, text->word, text->length);
		text->previous_length = text->length;
	}
	text->length = 0;
	text->capitals = 0;
	text->joint = 0;
}

static void end_bangs(struct text *text)
{
	if (text->bangs > 0 && text->shouts) {
		char run[16];
		size_t count = text->bangs > 5 ? 5 : text->bangs;

		memset(run, '!', count);
		emit_token(text->emit, text->shouts, run, count);
	}
	text->bangs = 0;
}

void text_break(struct text *text)
{
	end_word(text);
	end_bangs(text);
	text->ideograph = 0;
}

static void put(struct text *text, const char *bytes, size_t count)
{
	if (text->joint && text->length < TEXT_MAX_WORD)
		text->word[text->length++] = text->joint;
	text->joint = 0;
	if (text->length + count <= TEXT_MAX_WORD) {
		memcpy(text->word + text->length, bytes, count);
		text->length += count;
	} else if (text->length < (1 << 20)) {
		/* Past the end only the length is counted. */
		text->length = (text->length < TEXT_MAX_WORD ? TEXT_MAX_WORD : text->length) + count;
	}
}

static void feed_ascii(struct text *text, unsigned char byte)
{
	enum ascii_class class = (enum ascii_class)ASCII[byte];
	char lower = class == CAPITAL ? (char)(byte | 0x20) : (char)byte;

	text->ideograph = 0;
	if (class != BANG && text->bangs)
		end_bangs(text);
	switch (class) {
	case CAPITAL:
		text->capitals++;
		put(text, &lower, 1);
		break;
	case LETTER:
	case DIGIT:
	case MONEY:
		put(text, &lower, 1);
		break;
	case JOINT:
		if (text->length > 0 && !text->joint)
			text->joint = lower;
		else
			end_word(text);
		break;
	case BANG:
		end_word(text);
		text->bangs++;
		break;
	case BREAK:
		end_word(text);
		break;
	}
}

static void feed_ideograph(struct text *text, uint32_t character)
{
	char pair[8];

	end_word(text);
	if (text->ideograph) {
		size_t length = fold_encode(text->ideograph, pair);
		length += fold_encode(character, pair + length);
		emit_token(text->emit, text->words, pair, length);
	}
	text->ideograph = character;
}

static void feed_wide(struct text *text, uint32_t character)
{
	struct folded folded = fold_character(character);
	char bytes[8];

	switch (folded.class) {
	case FOLD_INVISIBLE:
		break;
	case FOLD_IDEOGRAPH:
		feed_ideograph(text, folded.character);
		break;
	case FOLD_LETTER:
	case FOLD_DIGIT:
		text->ideograph = 0;
		put(text, bytes, fold_encode(folded.character, bytes));
		break;
	case FOLD_BREAK:
		/* A fullwidth dot or a typographic apostrophe folds to its ASCII form. */
		if (folded.character < 0x80)
			feed_ascii(text, (unsigned char)folded.character);
		else if (folded.character == 0x2019)
			feed_ascii(text, '\'');
		else
			text_break(text);
		break;
	}
}

static bool at_link(const struct text *text, const char *at, size_t left)
{
	return text->links && left > 3 && at[0] == ':' && at[1] == '/' && at[2] == '/' &&
		((text->length == 4 && memcmp(text->word, "http", 4) == 0) ||
			(text->length == 5 && memcmp(text->word, "https", 5) == 0) ||
			(text->length == 3 && memcmp(text->word, "ftp", 3) == 0));
}

/* A link whose scheme is the word so far and whose "://" is at `at`. Returns the
 * bytes it takes. */
static size_t feed_link(struct text *text, const char *at, size_t left)
{
	char url[URL_MAX_BYTES];
	size_t used = text->length, i = 0;

	memcpy(url, text->word, used);
	for (; i < left && (unsigned char)at[i] > ' ' && !strchr("<>\"'()[]{}", at[i]); i++) {
		if (used < sizeof(url))
			url[used++] = at[i];
	}
	while (used > 0 && strchr(".,;:!?", url[used - 1])) /* of the sentence, not the link */
		used--;
	url_tokens(text->emit, text->links, url, used);
	text->length = 0;
	text_break(text);
	return i;
}

void text_feed(struct text *text, const char *data, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)data;
	size_t i = 0;

	while (i < length) {
		if (bytes[i] == ':' && at_link(text, data + i, length - i)) {
			i += feed_link(text, data + i, length - i);
		} else if (bytes[i] < 0x80) {
			feed_ascii(text, bytes[i++]);
		} else {
			uint32_t character;
			i += fold_decode(bytes + i, length - i, &character);
			feed_wide(text, character);
		}
	}
}
