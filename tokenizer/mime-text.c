/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime-text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/decode.h"
#include "tokenizer/mime-charset.h"
#include "tokenizer/tokenizer.h"

/* A conversion to UTF-8; opening one loads a file. */
struct converter {
	char *charset; /* NULL = none */
	iconv_t descriptor;
};

enum {
	CONVERTERS = 4,
	DECODE_SLACK = 64,
	CONVERT_SIZE = 2 * TOKENIZER_MAX_TEXT,
	STRAY_MAX = 4096, /* bytes that cannot be converted; each costs as much as a line */
};

struct mime_decoder {
	char *decoded;   /* of TOKENIZER_MAX_TEXT bytes and some room */
	char *converted; /* of CONVERT_SIZE */
	struct converter converters[CONVERTERS]; /* the last ones */
	size_t next_converter;
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
	for (size_t i = 0; i < CONVERTERS; i++) {
		if ((*decoder)->converters[i].charset)
			g_mime_iconv_close((*decoder)->converters[i].descriptor);
		g_free((*decoder)->converters[i].charset);
	}
	free((*decoder)->converted);
	free((*decoder)->decoded);
	free(*decoder);
	*decoder = NULL;
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

/* The converter from a charset, at its beginning; -1 when the charset is unknown. */
static iconv_t find_converter(struct mime_decoder *decoder, const char *charset)
{
	for (size_t i = 0; i < CONVERTERS; i++) {
		struct converter *known = &decoder->converters[i];

		if (known->charset && strcmp(known->charset, charset) == 0) {
			iconv(known->descriptor, NULL, NULL, NULL, NULL);
			return known->descriptor;
		}
	}
	if (!charset_is_possible(charset, strlen(charset)))
		return (iconv_t)-1;
	iconv_t descriptor = g_mime_iconv_open("UTF-8", charset);
	if (descriptor == (iconv_t)-1)
		return descriptor;
	struct converter *oldest = &decoder->converters[decoder->next_converter];
	if (oldest->charset)
		g_mime_iconv_close(oldest->descriptor);
	g_free(oldest->charset);
	*oldest = (struct converter){.charset = g_strdup(charset), .descriptor = descriptor};
	decoder->next_converter = (decoder->next_converter + 1) % CONVERTERS;
	return descriptor;
}

/* Converts into decoder->converted and returns the bytes. A byte that cannot be converted
 * becomes a space; after STRAY_MAX of them no more is tried, and all but ASCII does. */
static size_t convert(struct mime_decoder *decoder, iconv_t cd, const char *text, size_t length)
{
	char *in = (char *)text;
	char *out = decoder->converted;
	size_t out_left = CONVERT_SIZE;

	for (size_t stray = 0; length > 0 && stray < STRAY_MAX; stray++) {
		if (iconv(cd, &in, &length, &out, &out_left) != (size_t)-1 || length == 0)
			break;
		if (out_left < 8)
			break;
		*out++ = ' ';
		out_left--;
		in++;
		length--;
	}
	size_t rest = MIN(length, out_left);
	for (size_t i = 0; i < rest; i++)
		out[i] = (char)((unsigned char)in[i] < 0x80 ? in[i] : ' ');
	return (size_t)(out - decoder->converted) + rest;
}

/* --- Transfer encoding ------------------------------------------------------------ */

static const GMimeContentEncoding ENCODINGS[] = {
	[MIME_BASE64] = GMIME_CONTENT_ENCODING_BASE64,
	[MIME_QUOTED_PRINTABLE] = GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
	[MIME_UUENCODE] = GMIME_CONTENT_ENCODING_UUENCODE};

/* Decodes into decoder->decoded and returns the bytes. */
static size_t decode(struct mime_decoder *decoder, enum mime_encoding encoding, const char *bytes,
	size_t length)
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
		g_mime_encoding_step(&state, bytes + taken, length - taken, decoder->decoded + used);
}

const char *mime_text(struct mime_decoder *decoder, const struct mime_content *content,
	const char *bytes, size_t length, size_t *room, size_t *size)
{
	const char *text = bytes;

	if (content->encoding != MIME_IDENTITY) {
		/* Each of the three decodes to at most as many bytes as went in. */
		size_t encoded = content->encoding == MIME_BASE64 ? *room / 3 * 4 : *room;
		length = decode(decoder, content->encoding, bytes, MIN(length, encoded));
		text = decoder->decoded;
	}
	*size = MIN(length, *room);
	*room -= *size;
	if (fits_without_conversion(content->charset))
		return text;
	iconv_t cd = find_converter(decoder, content->charset);
	if (cd == (iconv_t)-1)
		return text;
	*size = convert(decoder, cd, text, *size);
	return decoder->converted;
}
