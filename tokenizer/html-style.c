/* Finds what a style attribute hides.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/html-style.h"

#include <stdint.h>
#include <string.h>

#include "tokenizer/ascii.h"

enum { MAX_DECLARATION = 48 };

static bool style_begins(const char *text, size_t length, const char *with)
{
	size_t size = strlen(with);

	return length >= size && memcmp(text, with, size) == 0;
}

static bool equals(const char *text, size_t length, const char *other)
{
	return length == strlen(other) && memcmp(text, other, length) == 0;
}

/* Does "property:value" stand around the colon? */
static bool surround(const char *declaration, size_t length, size_t colon, const char *property,
	const char *value)
{
	size_t size = strlen(property);

	return colon >= size && memcmp(declaration + colon - size, property, size) == 0 &&
		style_begins(declaration + colon + 1, length - colon - 1, value);
}

static bool style_hides(const char *declaration, size_t length)
{
	const char *end = declaration + (length = strnlen(declaration, length));
	const char *at = declaration;

	while ((at = memchr(at, ':', (size_t)(end - at)))) {
		size_t colon = (size_t)(at - declaration);

		switch (++at < end ? *at : '\0') {
		case 'n':
			if (surround(declaration, length, colon, "display", "none"))
				return true;
			break;
		case 'h':
			if (surround(declaration, length, colon, "visibility", "hidden"))
				return true;
			break;
		case 'a':
			if (surround(declaration, length, colon, "mso-hide", "all"))
				return true;
			break;
		default:
			break;
		}
	}
	switch (length ? *declaration : '\0') {
	case 'f':
		return equals(declaration, length, "font-size:0") ||
			style_begins(declaration, length, "font-size:0p") ||
			style_begins(declaration, length, "font-size:1p");
	case 'o':
		return equals(declaration, length, "opacity:0");
	case 'm':
		return equals(declaration, length, "max-height:0") ||
			equals(declaration, length, "max-height:0px");
	default:
		return false;
	}
}

/* Copies in lower case without white space until `room` is full; returns the bytes. */
static size_t squeeze(const char *at, const char *end, char *out, size_t room)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t used = 0;

	while (at < end && used < room) {
		if (end - at >= 8 && used + 8 <= room) {
			uint64_t bytes = ascii_load_eight(at);
			/* Each of them is printable ASCII. */
			if (!(((bytes - 0x21 * ones) | bytes) & (0x80 * ones))) {
				bytes = ascii_lower_eight(bytes);
				memcpy(out + used, &bytes, sizeof(bytes));
				used += 8;
				at += 8;
				continue;
			}
		}
		out[used] = ascii_lower(*at);
		used += !ascii_is(*at++, ASCII_SPACE);
	}
	return used;
}

bool html_style_scan(struct emit *emit, const struct field *field, const char *style, size_t length)
{
	const char *end = style + length;
	bool hides = false;

	while (style < end) {
		char declaration[MAX_DECLARATION];
		const char *stop = memchr(style, ';', (size_t)(end - style));

		stop = stop ? stop : end;
		size_t size = squeeze(style, stop, declaration, sizeof(declaration));
		style = stop < end ? stop + 1 : end;
		if (size > 0)
			emit_token(emit, field, declaration, size);
		hides |= style_hides(declaration, size);
	}
	return hides;
}
