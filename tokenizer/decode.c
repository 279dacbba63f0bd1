/* Decodes base64 and quoted-printable in one pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/decode.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tokenizer/ascii.h"

enum { NONE = 64 };

/* Values of the characters of base64 (RFC 4648 section 4). */
/* clang-format off */
static const unsigned char SEXTETS[256] = {
	[0 ... '+' - 1] = NONE, ['+'] = 62, ['+' + 1 ... '/' - 1] = NONE, ['/'] = 63,
	['0'] = 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, ['9' + 1 ... 'A' - 1] = NONE,
	['A'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, ['Z' + 1 ... 'a' - 1] = NONE,
	['a'] = 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
	47, 48, 49, 50, 51, ['z' + 1 ... 255] = NONE};

/* Value of a hexadecimal digit plus one; 0 = none. */
static const unsigned char HEXADECIMAL[256] = {
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['A'] = 11, 12, 13, 14, 15, 16,
	['a'] = 11, 12, 13, 14, 15, 16};
/* clang-format on */

size_t decode_base64(const char *in, size_t length, char *out, size_t *taken)
{
	const unsigned char *bytes = (const unsigned char *)in;
	size_t i = 0, used = 0;

	for (;;) {
		for (; length - i >= 4; i += 4, used += 3) {
			uint32_t a = SEXTETS[bytes[i]], b = SEXTETS[bytes[i + 1]];
			uint32_t c = SEXTETS[bytes[i + 2]], d = SEXTETS[bytes[i + 3]];
			uint32_t triple = a << 18 | b << 12 | c << 6 | d;

			if ((a | b | c | d) & NONE)
				break;
			out[used] = (char)(triple >> 16);
			out[used + 1] = (char)(triple >> 8);
			out[used + 2] = (char)triple;
		}
		if (i == length || (bytes[i] != '\n' && bytes[i] != '\r'))
			break;
		i++;
	}
	*taken = i;
	return used;
}

/* The escape at `at`, which begins with '=': a byte of it into *byte, or a soft line
 * break. Returns the bytes it takes, 0 when it is none of these. */
static size_t read_escape(const char *at, size_t left, char *byte, bool *broken)
{
	*broken = true;
	if (left >= 2 && at[1] == '\n')
		return 2;
	if (left < 3)
		return 0;
	if (at[1] == '\r' && at[2] == '\n')
		return 3;
	unsigned high = HEXADECIMAL[(unsigned char)at[1]];
	unsigned low = HEXADECIMAL[(unsigned char)at[2]];
	*broken = false;
	*byte = (char)((high - 1) << 4 | (low - 1));
	return high && low ? 3 : 0;
}

/* Copies what stands before the first '=' and returns how much. Escapes are frequent: a
 * call for each run would cost more. */
static size_t copy_run(const char *in, size_t left, char *out)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t size = 0;

	for (; left - size >= 8; size += 8) {
		uint64_t bytes = ascii_load_eight(in + size);
		uint64_t marks = bytes ^ '=' * ones;

		memcpy(out + size, &bytes, sizeof(bytes));
		marks = ((marks & (0x7F * ones)) + 0x7F * ones) | marks; /* 0x80 where it is none */
		if (ascii_run(marks) < 8)
			return size + ascii_run(marks);
	}
	for (; size < left && in[size] != '='; size++)
		out[size] = in[size];
	return size;
}

size_t decode_quoted_printable(const char *in, size_t length, char *out, size_t *taken)
{
	size_t i = 0, used = 0;

	while (i < length) {
		size_t run = copy_run(in + i, length - i, out + used);
		bool broken;

		used += run;
		i += run;
		if (i == length)
			break;
		size_t size = read_escape(in + i, length - i, out + used, &broken);
		if (size == 0)
			break;
		used += !broken;
		i += size;
	}
	*taken = i;
	return used;
}

/* --- Encoded words --------------------------------------------------------------- */

size_t decode_base64_word(const char *in, size_t length, char *out)
{
	uint32_t bits = 0;
	unsigned count = 0;
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned sextet = SEXTETS[(unsigned char)in[i]];

		if (in[i] == '=')
			count = 0;
		if (sextet & NONE)
			continue;
		bits = bits << 6 | sextet;
		count += 6;
		if (count >= 8) {
			count -= 8;
			out[used++] = (char)(bits >> count);
		}
	}
	return used;
}

size_t decode_q_word(const char *in, size_t length, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < length;) {
		bool broken;
		size_t size =
			in[i] == '=' ? read_escape(in + i, length - i, out + used, &broken) : 0;

		if (size == 0) {
			out[used++] = (char)(in[i] == '_' ? ' ' : in[i]);
			size = 1;
		} else {
			used += !broken;
		}
		i += size;
	}
	return used;
}
