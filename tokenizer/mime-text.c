/* Decodes content and header words to UTF-8.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime-text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/charset-convert.h"
#include "tokenizer/decode.h"
#include "tokenizer/encoded-word.h"
#include "tokenizer/tokenizer.h"

enum {
	DECODE_SLACK = 64,
	CONVERT_SIZE = 2 * TOKENIZER_MAX_TEXT,
};

struct mime_decoder {
	char *decoded; /* of TOKENIZER_MAX_TEXT bytes and some room */
	char *converted; /* of CONVERT_SIZE */
	struct converters converters;
};

struct mime_decoder *mime_decoder_new(void)
{
	struct mime_decoder *decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return NULL;
	g_mime_init(); /* counted by GMime itself */
	decoder->decoded = malloc(TOKENIZER_MAX_TEXT + DECODE_SLACK);
	decoder->converted = malloc(CONVERT_SIZE);
	if (!decoder->decoded || !decoder->converted)
		mime_decoder_free(&decoder);
	return decoder;
}

void mime_decoder_free(struct mime_decoder **decoder)
{
	if (!*decoder)
		return;
	converters_close(&(*decoder)->converters);
	free((*decoder)->converted);
	free((*decoder)->decoded);
	free(*decoder);
	*decoder = NULL;
}

void mime_decoder_begin(struct mime_decoder *decoder)
{
	converters_begin(&decoder->converters);
}

size_t mime_decoder_words(
	struct mime_decoder *decoder, const char *value, size_t length, char *out, size_t size)
{
	return encoded_words_decode(&decoder->converters, value, length, out, size);
}

/* --- Charset ---------------------------------------------------------------------- */

static bool fits_without_conversion(const char *charset)
{
	static const char *const names[] = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1",
		"windows-1252", "iso8859-1", "latin1", "unknown-8bit", "x-unknown", "default"};

	if (!charset || !*charset)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(charset, names[i]) == 0)
			return true;
	}
	return false;
}

/* --- Transfer encoding ------------------------------------------------------------ */

static const GMimeContentEncoding ENCODINGS[] = {[MIME_BASE64] = GMIME_CONTENT_ENCODING_BASE64,
	[MIME_QUOTED_PRINTABLE] = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
	[MIME_UUENCODE] = GMIME_CONTENT_ENCODING_UUENCODE};

/* Decodes into decoder->decoded and returns the bytes. */
static size_t decode_content(
	struct mime_decoder *decoder, enum mime_encoding encoding, const char *bytes, size_t length)
{
	size_t taken = 0, used = 0;
	GMimeEncoding state;

	if (encoding == MIME_BASE64)
		used = decode_base64(bytes, length, decoder->decoded, &taken);
	else if (encoding == MIME_QUOTED_PRINTABLE)
		used = decode_quoted_printable(bytes, length, decoder->decoded, &taken);
	if (taken == length)
		return used;
	g_mime_encoding_init_decode(&state, ENCODINGS[encoding]);
	return used +
		g_mime_encoding_step(
			&state, bytes + taken, length - taken, decoder->decoded + used);
}

const char *mime_text(struct mime_decoder *decoder, const struct mime_content *content,
	const char *bytes, size_t length, size_t *room, size_t *size)
{
	const char *text = bytes;

	if (content->encoding != MIME_IDENTITY) {
		/* Each of the three decodes to at most as many bytes as went in. */
		size_t encoded = content->encoding == MIME_BASE64 ? *room / 3 * 4 : *room;
		length = decode_content(decoder, content->encoding, bytes, MIN(length, encoded));
		text = decoder->decoded;
	}
	*size = MIN(length, *room);
	*room -= *size;
	if (fits_without_conversion(content->charset))
		return text;
	return converters_run(&decoder->converters, content->charset, text, *size,
		       decoder->converted, CONVERT_SIZE, size)
		? decoder->converted
		: text;
}
