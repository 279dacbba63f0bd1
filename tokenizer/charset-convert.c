/* Keeps iconv converters open, and bounds how many a message opens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/charset-convert.h"

#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/mime-charset.h"

/* Bytes that cannot be converted; each costs as much as a line. */
enum { STRAY_MAX = 4096, CHARACTER_MAX = 8 };

static const iconv_t NONE = (iconv_t)-1;

static void close_converter(struct converter *converter)
{
	if (converter->charset)
		g_mime_iconv_close(converter->descriptor);
	g_clear_pointer(&converter->charset, g_free);
}

void converters_begin(struct converters *converters)
{
	converters->opened = 0;
}

void converters_close(struct converters *converters)
{
	for (size_t i = 0; i < CONVERTERS_KEPT; i++)
		close_converter(&converters->list[i]);
}

static iconv_t open_converter(struct converters *converters, const char *charset)
{
	struct converter *oldest = &converters->list[converters->next];

	if (converters->opened == CONVERTERS_OPENED_MAX ||
		!charset_is_possible(charset, strlen(charset)))
		return NONE;
	converters->opened++;
	iconv_t descriptor = g_mime_iconv_open("UTF-8", charset);
	if (descriptor == NONE)
		return NONE;
	close_converter(oldest);
	*oldest = (struct converter){.charset = g_strdup(charset), .descriptor = descriptor};
	converters->next = (converters->next + 1) % CONVERTERS_KEPT;
	return descriptor;
}

/* At its beginning. */
static iconv_t find_converter(struct converters *converters, const char *charset)
{
	for (size_t i = 0; i < CONVERTERS_KEPT; i++) {
		struct converter *known = &converters->list[i];

		if (known->charset && strcasecmp(known->charset, charset) == 0) {
			iconv(known->descriptor, NULL, NULL, NULL, NULL);
			return known->descriptor;
		}
	}
	return open_converter(converters, charset);
}

/* After STRAY_MAX bytes that cannot be converted no more is tried, and all but ASCII
 * becomes a space. */
static size_t convert(iconv_t descriptor, const char *text, size_t length, char *out, size_t size)
{
	char *in = (char *)text, *at = out;
	size_t left = size;

	for (size_t stray = 0; length > 0 && stray < STRAY_MAX; stray++) {
		if (iconv(descriptor, &in, &length, &at, &left) != (size_t)-1 || length == 0)
			break;
		if (left < CHARACTER_MAX)
			break;
		*at++ = ' ';
		left--;
		in++;
		length--;
	}
	size_t rest = MIN(length, left);
	for (size_t i = 0; i < rest; i++)
		at[i] = (char)((unsigned char)in[i] < 0x80 ? in[i] : ' ');
	return (size_t)(at - out) + rest;
}

bool converters_run(struct converters *converters, const char *charset, const char *text,
	size_t length, char *out, size_t size, size_t *used)
{
	iconv_t descriptor = find_converter(converters, charset);

	if (descriptor == NONE)
		return false;
	*used = convert(descriptor, text, length, out, size);
	return true;
}
