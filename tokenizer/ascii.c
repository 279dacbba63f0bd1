/* The table of the classes of bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/ascii.h"

enum {
	WORD = ASCII_HOST | ASCII_NAME,
	DIGIT = ASCII_DIGIT | ASCII_HEXADECIMAL | WORD,
	LOWER = ASCII_LOWER | WORD,
	UPPER = ASCII_UPPER | WORD,
};

const unsigned char ascii_classes[256] = {[' '] = ASCII_SPACE,
	['\t' ... '\r'] = ASCII_SPACE,
	['0' ... '9'] = DIGIT,
	['a' ... 'f'] = LOWER | ASCII_HEXADECIMAL,
	['g' ... 'z'] = LOWER,
	['A' ... 'F'] = UPPER | ASCII_HEXADECIMAL,
	['G' ... 'Z'] = UPPER,
	['.'] = ASCII_HOST,
	['-'] = WORD,
	['_'] = ASCII_NAME,
	[':'] = ASCII_NAME,
	['('] = ASCII_BRACKET,
	[')'] = ASCII_BRACKET,
	['['] = ASCII_BRACKET,
	[']'] = ASCII_BRACKET,
	['<'] = ASCII_BRACKET,
	['>'] = ASCII_BRACKET,
	['='] = ASCII_BRACKET,
	[','] = ASCII_BRACKET};

#define ROW(at)                                                                                    \
	at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7, at + 8, at + 9, at + 10,       \
		at + 11, at + 12, at + 13, at + 14, at + 15

/* Letters are 0x41 to 0x5A; the rest of their rows is as it is. */
const unsigned char ascii_lower_case[256] = {ROW(0x00), ROW(0x10), ROW(0x20), ROW(0x30), '@', 'a',
	'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's',
	't', 'u', 'v', 'w', 'x', 'y', 'z', '[', '\\', ']', '^', '_', ROW(0x60), ROW(0x70),
	ROW(0x80), ROW(0x90), ROW(0xA0), ROW(0xB0), ROW(0xC0), ROW(0xD0), ROW(0xE0), ROW(0xF0)};

#define TEN(c)     c, c, c, c, c, c, c, c, c, c
#define LETTERS(c) TEN(c), TEN(c), c, c, c, c, c, c
#define HIGH(c)    TEN(c), TEN(c), TEN(c), c, c

const unsigned char ascii_shape[256] = {ROW(0x00), ROW(0x10), ROW(0x20), TEN('0'), ':', ';', '<',
	'=', '>', '?', '@', LETTERS('A'), '[', '\\', ']', '^', '_', '`', LETTERS('a'), '{', '|',
	'}', '~', 0x7F, HIGH('~'), HIGH('~'), HIGH('~'), HIGH('~')};
