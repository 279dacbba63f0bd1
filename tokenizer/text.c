/* Cuts text into words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/text.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/ascii.h"
#include "tokenizer/fold.h"

enum { LONGEST = 1 << 20 }; /* bytes of a word, counted no further */

/* What a byte below 0x80 that is no character of a word does to it. A joint belongs to
 * it only between two characters of it: "don't", "example.com", "1,000". */
enum mark { BREAK, JOINT, BANG };

static const unsigned char MARKS[128] = {['\''] = JOINT,
	['-'] = JOINT,
	['_'] = JOINT,
	['.'] = JOINT,
	[','] = JOINT,
	['@'] = JOINT,
	['!'] = BANG};

/* A character of a word in lower case: letters, digits, money and percent; 0 = none. */
/* clang-format off */
static const unsigned char WORD[256] = {
	['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
	['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
		'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
		'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
	['$'] = '$', ['%'] = '%'};
/* clang-format on */

/* What only ends a word; not the colon, before which there may be a link's scheme. */
/* clang-format off */
static const bool PLAIN_BREAK[256] = {
	[0 ... ' '] = true, ['"'] = true, ['#'] = true, ['&'] = true, ['('] = true, [')'] = true,
	['*'] = true, ['+'] = true, ['/'] = true, [';'] = true, ['<'] = true, ['='] = true,
	['>'] = true, ['?'] = true, ['['] = true, ['\\'] = true, [']'] = true, ['^'] = true,
	['`'] = true, ['{'] = true, ['|'] = true, ['}'] = true, ['~'] = true, [0x7F] = true};

/* White space, control characters, brackets and quotes end a link in plain text. */
static const bool LINK_END[256] = {
	[0 ... ' '] = true, ['<'] = true, ['>'] = true, ['"'] = true, ['\''] = true, ['('] = true,
	[')'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true};
/* clang-format on */

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
		if (text->pairs) {
			memcpy(text->previous, text->word, text->length);
			text->previous_length = text->length;
		}
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

static void put_joint(struct text *text)
{
	if (text->joint && text->length < TEXT_MAX_WORD)
		text->word[text->length++] = text->joint;
	text->joint = 0;
}

/* Past the end of a word only its length is counted. */
static void put_more(struct text *text, size_t count)
{
	if (text->length < LONGEST)
		text->length =
			(text->length < TEXT_MAX_WORD ? TEXT_MAX_WORD : text->length) + count;
}

static void put_text(struct text *text, const char *bytes, size_t count)
{
	put_joint(text);
	if (text->length + count <= TEXT_MAX_WORD) {
		memcpy(text->word + text->length, bytes, count);
		text->length += count;
	} else {
		put_more(text, count);
	}
}

/* A run of characters of a word; returns its end. */
static const unsigned char *feed_run(
	struct text *text, const unsigned char *at, const unsigned char *end)
{
	text->ideograph = 0;
	if (text->bangs)
		end_bangs(text);
	put_joint(text);

	size_t used = text->length, capitals = 0;
	size_t room = used < TEXT_MAX_WORD ? TEXT_MAX_WORD - used : 0;
	const unsigned char *stop = (size_t)(end - at) < room ? end : at + room;
	for (unsigned char lower; at < stop && (lower = WORD[*at]); at++) {
		text->word[used++] = (char)lower;
		capitals += (lower ^ *at) >> 5; /* the bit that tells them apart */
	}
	text->length = used;
	text->capitals += capitals;
	for (; at < end && WORD[*at]; at++)
		put_more(text, 1);
	return at;
}

/* A whole word of these bytes; nothing is open. */
static void emit_whole_word(struct text *text, const char *word, size_t length)
{
	char lower[TEXT_MAX_WORD];

	if (length > 1) {
		ascii_lower_copy(lower, word, length);
		emit_token(text->emit, text->words, lower, length);
	}
	if (text->shouts && length >= 3 && ascii_is(word[0], ASCII_UPPER)) {
		size_t i = 1;
		while (i < length && ascii_is(word[i], ASCII_UPPER))
			i++;
		if (i == length)
			emit_token(text->emit, text->shouts, lower, length);
	}
}

/* The highest bit of each of eight bytes that is a character of a word. */
static uint64_t are_word(uint64_t bytes)
{
	return ascii_alnum_eight(bytes) | (ascii_between(bytes, '$', '%') & ~bytes);
}

/* As emit_whole_word for fewer than eight bytes, with others after them. */
static void emit_short_word(struct text *text, uint64_t bytes, size_t length)
{
	const uint64_t marks = ascii_first(UINT64_C(0x8080808080808080), length);
	uint64_t lower = ascii_first(ascii_lower_eight(bytes), length);

	if (length > 1)
		emit_short(text->emit, text->words, lower, length);
	if (text->shouts && length >= 3 && (ascii_between(bytes, 'A', 'Z') & marks) == marks)
		emit_short(text->emit, text->shouts, lower, length);
}

/* Most words stand between two breaks and need no state: goes over as many as follow
 * each other, and returns where something else begins. */
static const unsigned char *feed_plain(
	struct text *text, const unsigned char *at, const unsigned char *end)
{
	if (text->length > 0 || text->bangs > 0 || text->pairs)
		return at;
	while (end - at > 8) {
		uint64_t bytes = ascii_load_eight((const char *)at);
		size_t size = ascii_run(are_word(bytes));

		if (size == 8) {
			while (at + size < end && WORD[at[size]])
				size++;
			if (at + size == end || !PLAIN_BREAK[at[size]] || size > TEXT_MAX_WORD)
				break;
			emit_whole_word(text, (const char *)at, size);
		} else if (PLAIN_BREAK[at[size]]) {
			emit_short_word(text, bytes, size);
		} else {
			break;
		}
		text->ideograph = 0;
		at += size + 1;
	}
	return at;
}

static void feed_mark(struct text *text, unsigned char byte)
{
	enum mark mark = (enum mark)MARKS[byte];

	text->ideograph = 0;
	if (mark != BANG && text->bangs)
		end_bangs(text);
	if (mark == JOINT && text->length > 0 && !text->joint) {
		text->joint = (char)byte;
		return;
	}
	end_word(text);
	text->bangs += mark == BANG;
}

static void feed_ascii(struct text *text, unsigned char byte)
{
	if (WORD[byte])
		feed_run(text, &byte, &byte + 1);
	else
		feed_mark(text, byte);
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
	struct folded folded = fold_character(&text->emit->folds, character);
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
		put_text(text, bytes, fold_encode(folded.character, bytes));
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
	size_t used = text->length, size = 0;

	while (size < left && !LINK_END[(unsigned char)at[size]])
		size++;
	memcpy(url, text->word, used);
	size_t room = sizeof(url) - used;
	memcpy(url + used, at, size < room ? size : room);
	used += size < room ? size : room;
	while (used > 0 && strchr(".,;:!?", url[used - 1])) /* of the sentence, not the link */
		used--;
	url_tokens(text->emit, text->links, url, used);
	text->length = 0;
	text_break(text);
	return size;
}

void text_feed(struct text *text, const char *data, size_t length)
{
	const unsigned char *at = (const unsigned char *)data;
	const unsigned char *end = at + length;

	while (at < end) {
		at = feed_plain(text, at, end);
		size_t left = (size_t)(end - at);

		if (left == 0) {
			break;
		} else if (WORD[*at]) {
			at = feed_run(text, at, end);
		} else if (*at >= 0x80) {
			uint32_t character;
			at += fold_decode(at, left, &character);
			feed_wide(text, character);
		} else if (*at == ':' && at_link(text, (const char *)at, left)) {
			at += feed_link(text, (const char *)at, left);
		} else {
			feed_mark(text, *at++);
		}
	}
}
