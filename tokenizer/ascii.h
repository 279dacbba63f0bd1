/* Classes of bytes by table, the same in every locale. Bytes from 0x80 are in none
 * and are their own lower case.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ascii_class {
	ASCII_SPACE = 1, /* as isspace */
	ASCII_DIGIT = 2,
	ASCII_LOWER = 4,
	ASCII_UPPER = 8,
	ASCII_HEXADECIMAL = 16, /* digits, a to f, A to F */
	ASCII_HOST = 32, /* letters, digits, '.', '-' */
	ASCII_NAME = 64, /* of HTML: letters, digits, '-', '_', ':' */
	ASCII_BRACKET = 128, /* ( ) [ ] < > = , : what parts the words of a Received field */
	ASCII_ALPHA = ASCII_LOWER | ASCII_UPPER,
	ASCII_ALNUM = ASCII_ALPHA | ASCII_DIGIT,
};

extern const unsigned char ascii_classes[256];
extern const unsigned char ascii_lower_case[256];

/* '0' for a digit, 'a' and 'A' for letters, '~' from 0x80, others themselves. */
extern const unsigned char ascii_shape[256];

static inline bool ascii_is(char c, unsigned classes)
{
	return ascii_classes[(unsigned char)c] & classes;
}

static inline char ascii_lower(char c)
{
	return (char)ascii_lower_case[(unsigned char)c];
}

static inline uint64_t ascii_load_eight(const char *text)
{
	uint64_t bytes;

	memcpy(&bytes, text, sizeof(bytes));
	return bytes;
}

/* At most eight bytes, in memory's order; the rest is zero. */
static inline uint64_t ascii_load(const char *text, size_t length)
{
	uint64_t bytes = 0;

	if (length >= 8)
		return ascii_load_eight(text);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (length >= 4) {
		uint32_t first, last;
		memcpy(&first, text, 4);
		memcpy(&last, text + length - 4, 4);
		return first | (uint64_t)last << 8 * (length - 4);
	}
	if (length > 0) { /* the middle one may be the first or the last as well */
		bytes = (unsigned char)text[0];
		bytes |= (uint64_t)(unsigned char)text[length / 2] << 8 * (length / 2);
		bytes |= (uint64_t)(unsigned char)text[length - 1] << 8 * (length - 1);
	}
#else
	memcpy(&bytes, text, length);
#endif
	return bytes;
}

/* The highest bit of each of eight bytes that is `first` to `last`; those from 0x80 are
 * taken as 0x80 less. */
static inline uint64_t ascii_between(uint64_t bytes, unsigned char first, unsigned char last)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low = bytes & (0x7F * ones);

	return (low + (0x80u - first) * ones) & ~(low + (0x7Fu - last) * ones) & (0x80 * ones);
}

/* The highest bit of each of eight bytes that is a letter or a digit. */
static inline uint64_t ascii_alnum_eight(uint64_t bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	return (ascii_between(bytes | 0x20 * ones, 'a', 'z') | ascii_between(bytes, '0', '9')) &
		~bytes;
}

/* How many of eight bytes from the first one on have their highest bit set. */
static inline size_t ascii_run(uint64_t marks)
{
	uint64_t gaps = ~marks & UINT64_C(0x8080808080808080);

	if (!gaps)
		return 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(gaps) / 8;
#else
	return (size_t)__builtin_clzll(gaps) / 8;
#endif
}

/* The first `count` < 8 of eight bytes, zeros for the rest. */
static inline uint64_t ascii_first(uint64_t bytes, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return bytes & ((UINT64_C(1) << 8 * count) - 1);
#else
	return count ? bytes & ~UINT64_C(0) << 8 * (8 - count) : 0;
#endif
}

/* Eight bytes at once: a byte's highest bit is set where the sum passes 0x80. */
static inline uint64_t ascii_lower_eight(uint64_t bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low = bytes & (0x7F * ones);
	uint64_t from_a = low + (0x80 - 'A') * ones;
	uint64_t past_z = low + (0x7F - 'Z') * ones;

	return bytes | (from_a & ~past_z & ~bytes & (0x80 * ones)) >> 2;
}

/* Writes `length` bytes in lower case; `out` may be `text`. */
static inline void ascii_lower_copy(char *out, const char *text, size_t length)
{
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		uint64_t bytes;
		memcpy(&bytes, text + i, 8);
		bytes = ascii_lower_eight(bytes);
		memcpy(out + i, &bytes, 8);
	}
	for (; i < length; i++)
		out[i] = ascii_lower(text[i]);
}

/* Leaves out white space at the end. */
static inline size_t ascii_trim(const char *text, size_t length)
{
	while (length > 0 && ascii_is(text[length - 1], ASCII_SPACE))
		length--;
	return length;
}
