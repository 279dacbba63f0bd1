/* Finds and decodes encoded words between other text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/encoded-word.h"

#include <string.h>
#include <strings.h>

#include "tokenizer/ascii.h"
#include "tokenizer/decode.h"
#include "tokenizer/tokenizer.h"

enum { CHARSET_MAX = 63 };

/* "=?charset?B?text?=" */
struct word {
	char charset[CHARSET_MAX + 1];
	bool base64;
	const char *text;
	size_t length;
	const char *end; /* after it */
};

/* What is being written. Bytes of adjacent words gather until their charset ends. */
struct output {
	struct converters *converters;
	char *text;
	size_t used, size;
	char charset[CHARSET_MAX + 1];
	char bytes[TOKENIZER_MAX_HEADER_BYTES];
	size_t gathered;
};

/* --- One word ---------------------------------------------------------------- */

static const char *find_start(const char *at, const char *end)
{
	for (; (at = memchr(at, '=', (size_t)(end - at))) != NULL; at++) {
		if (at + 1 < end && at[1] == '?')
			return at;
	}
	return NULL;
}

bool encoded_word_begins(const char *value, size_t length)
{
	return find_start(value, value + length) != NULL;
}

/* The name up to '?'; a language after '*' is left out. NULL when there is none. */
static const char *read_charset(const char *at, const char *end, char charset[CHARSET_MAX + 1])
{
	size_t used = 0;
	bool language = false;

	for (; at < end && *at != '?'; at++) {
		if ((unsigned char)*at <= ' ' || used == CHARSET_MAX)
			return NULL;
		language = language || *at == '*';
		if (!language)
			charset[used++] = *at;
	}
	charset[used] = '\0';
	return used > 0 && at < end ? at + 1 : NULL;
}

/* The next "?=", unless another word seems to begin before it; NULL = none. So each
 * byte is looked at once, whatever begins again and again. */
static const char *find_end(const char *at, const char *end)
{
	for (const char *text = at; (at = memchr(at, '?', (size_t)(end - at))) != NULL; at++) {
		if (at + 1 < end && at[1] == '=')
			return at;
		if (at > text && at[-1] == '=')
			return NULL;
	}
	return NULL;
}

/* `at` is where it seems to begin. */
static bool read_encoded(struct word *word, const char *at, const char *end)
{
	at = read_charset(at + 2, end, word->charset);
	if (!at || end - at < 2 || at[1] != '?')
		return false;
	word->base64 = ascii_lower(at[0]) == 'b';
	if (!word->base64 && ascii_lower(at[0]) != 'q')
		return false;
	word->text = at + 2;
	const char *stop = find_end(word->text, end);
	if (!stop)
		return false;
	word->length = (size_t)(stop - word->text);
	word->end = stop + 2;
	return true;
}

/* --- Gathering ----------------------------------------------------------------- */

static void put_decoded(struct output *output, const char *text, size_t length)
{
	size_t room = output->size - output->used;

	length = length < room ? length : room;
	memcpy(output->text + output->used, text, length);
	output->used += length;
}

static bool is_utf8(const char *charset)
{
	return strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0 ||
		strcasecmp(charset, "us-ascii") == 0;
}

static void flush(struct output *output)
{
	size_t used;

	if (output->gathered == 0)
		return;
	if (!is_utf8(output->charset) &&
		converters_run(output->converters, output->charset, output->bytes, output->gathered,
			output->text + output->used, output->size - output->used, &used))
		output->used += used;
	else
		put_decoded(output, output->bytes, output->gathered);
	output->gathered = 0;
}

/* Decoding never makes it longer, so all words of a value fit into `bytes`. */
static void gather_words(struct output *output, const struct word *word)
{
	char *bytes;

	if (strcasecmp(output->charset, word->charset) != 0)
		flush(output);
	strcpy(output->charset, word->charset);
	bytes = output->bytes + output->gathered;
	output->gathered += word->base64 ? decode_base64_word(word->text, word->length, bytes)
					 : decode_q_word(word->text, word->length, bytes);
}

static bool is_blank_between(const char *at, const char *end)
{
	while (at < end && ascii_is(*at, ASCII_SPACE))
		at++;
	return at == end;
}

size_t encoded_words_decode(
	struct converters *converters, const char *value, size_t length, char *out, size_t size)
{
	const char *end =
		value + (length < TOKENIZER_MAX_HEADER_BYTES ? length : TOKENIZER_MAX_HEADER_BYTES);
	const char *rest = value; /* that is not written yet */
	struct output output;
	struct word word;

	output.converters = converters;
	output.text = out;
	output.size = size;
	output.used = output.gathered = 0;
	*output.charset = '\0';
	for (const char *at = value; (at = find_start(at, end)) != NULL;) {
		if (!read_encoded(&word, at, end)) {
			at += 2;
			continue;
		}
		if (rest == value ||
			!is_blank_between(rest, at)) { /* blanks between words do not count */
			flush(&output);
			put_decoded(&output, rest, (size_t)(at - rest));
		}
		gather_words(&output, &word);
		at = rest = word.end;
	}
	flush(&output);
	put_decoded(&output, rest, (size_t)(end - rest));
	return output.used;
}
