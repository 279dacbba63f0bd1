/* Folds characters by tables, and by GLib for the rest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/fold.h"

#include <stdbool.h>
#include <stdlib.h>

#include <glib.h>

/* Windows-1252 where it differs from ISO 8859-1: 0x80 to 0x9F. */
static const uint16_t WINDOWS_1252[32] = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020,
	0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018,
	0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153,
	0x009D, 0x017E, 0x0178};

/* Letters that a reader takes for Latin ones, lower case, ascending. After the
 * Unicode confusables data (UTS 39), the part that spam uses. */
static const struct {
	uint16_t from;
	char to;
} LOOKALIKES[] = {
	{0x0131, 'i'},
	{0x0138, 'k'},
	{0x0251, 'a'},
	{0x0261, 'g'},
	{0x0269, 'i'},
	{0x026A, 'i'},
	{0x0274, 'n'},
	{0x0280, 'r'},
	{0x028F, 'y'},
	{0x0299, 'b'},
	{0x029C, 'h'},
	{0x029F, 'l'},
	{0x03B1, 'a'},
	{0x03B5, 'e'},
	{0x03B7, 'n'},
	{0x03B9, 'i'},
	{0x03BA, 'k'},
	{0x03BD, 'v'},
	{0x03BF, 'o'},
	{0x03C1, 'p'},
	{0x03C2, 'c'},
	{0x03C4, 't'},
	{0x03C5, 'u'},
	{0x03C7, 'x'},
	{0x03F2, 'c'},
	{0x03F3, 'j'},
	{0x0430, 'a'},
	{0x0435, 'e'},
	{0x043A, 'k'},
	{0x043C, 'm'},
	{0x043D, 'h'},
	{0x043E, 'o'},
	{0x0440, 'p'},
	{0x0441, 'c'},
	{0x0442, 't'},
	{0x0443, 'y'},
	{0x0445, 'x'},
	{0x0455, 's'},
	{0x0456, 'i'},
	{0x0458, 'j'},
	{0x04BB, 'h'},
	{0x04CF, 'l'},
	{0x0501, 'd'},
	{0x051B, 'q'},
	{0x051D, 'w'},
	{0x0561, 'w'},
	{0x0578, 'n'},
	{0x057D, 'u'},
	{0x0585, 'o'},
	{0x1D04, 'c'},
	{0x1D05, 'd'},
	{0x1D07, 'e'},
	{0x1D0A, 'j'},
	{0x1D0B, 'k'},
	{0x1D0D, 'm'},
	{0x1D0F, 'o'},
	{0x1D18, 'p'},
	{0x1D1B, 't'},
	{0x1D1C, 'u'},
	{0x1D20, 'v'},
	{0x1D21, 'w'},
	{0x1D22, 'z'},
	{0xA731, 's'},
};

size_t fold_decode(const unsigned char *text, size_t length, uint32_t *character)
{
	unsigned char first = text[0];
	size_t size = first < 0x80 ? 1
		: first < 0xC2     ? 0
		: first < 0xE0     ? 2
		: first < 0xF0     ? 3
		: first < 0xF5     ? 4
				   : 0;

	if (size == 1) {
		*character = first;
		return 1;
	}
	if (size && size <= length) {
		uint32_t value = first & (0x7Fu >> size);
		size_t i = 1;

		for (; i < size && (text[i] & 0xC0) == 0x80; i++)
			value = value << 6 | (text[i] & 0x3F);
		if (i == size &&
			value >= (size == 4                  ? 0x10000u
						 : size == 3 ? 0x800u
							     : 0x80u) &&
			value <= 0x10FFFF && (value & ~0x7FFu) != 0xD800) {
			*character = value;
			return size;
		}
	}
	*character = first < 0xA0 ? WINDOWS_1252[first - 0x80] : first;
	return 1;
}

size_t fold_encode(uint32_t character, char *out)
{
	if (character < 0x80) {
		out[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		out[0] = (char)(0xC0 | character >> 6);
		out[1] = (char)(0x80 | (character & 0x3F));
		return 2;
	}
	return (size_t)g_unichar_to_utf8(character, out);
}

static bool is_invisible(uint32_t c)
{
	return c == 0xAD || c == 0x34F || c == 0x61C || c == 0x115F || c == 0x1160 || c == 0x17B4 ||
		c == 0x17B5 || (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
		(c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
		(c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
		(c >= 0xE0000 && c <= 0xE0FFF) || (c >= 0x300 && c <= 0x36F);
}

/* Scripts written without spaces between words: pairs of characters stand in
 * for words. Hangul has spaces, but its words carry endings that pairs split. */
static bool is_ideograph(uint32_t c)
{
	return (c >= 0x0E00 && c <= 0x0EFF) || /* Thai, Lao */
		(c >= 0x1000 && c <= 0x109F) || /* Myanmar */
		(c >= 0x1780 && c <= 0x17FF) || /* Khmer */
		(c >= 0x3041 && c <= 0x30FF) || /* Kana */
		(c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
		(c >= 0xAC00 && c <= 0xD7A3) || /* Hangul syllables */
		(c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static int compare_lookalike(const void *key, const void *element)
{
	uint32_t c = *(const uint32_t *)key;
	uint32_t from = *(const uint16_t *)element;

	return c < from ? -1 : c > from;
}

static uint32_t fold_lookalike(uint32_t c)
{
	if (c < LOOKALIKES[0].from || c > 0xFFFF)
		return c;
	const uint16_t *found = bsearch(&c, LOOKALIKES, sizeof(LOOKALIKES) / sizeof(LOOKALIKES[0]),
		sizeof(LOOKALIKES[0]), compare_lookalike);
	return found ? (uint32_t)(unsigned char)((const char *)found)[sizeof(uint16_t)] : c;
}

static struct folded fold_anew(uint32_t character)
{
	gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
	uint32_t c = character;

	if (is_invisible(c))
		return (struct folded){.class = FOLD_INVISIBLE};
	if (!is_ideograph(c)) {
		if (c >= 0x80 && g_unichar_fully_decompose(c, TRUE, parts, G_N_ELEMENTS(parts)) > 0)
			c = parts[0];
		c = fold_lookalike(g_unichar_tolower(c));
	}
	enum fold_class class = is_ideograph(c)               ? FOLD_IDEOGRAPH
		: g_unichar_isdigit(c)                        ? FOLD_DIGIT
		: g_unichar_isalpha(c) || g_unichar_ismark(c) ? FOLD_LETTER
							      : FOLD_BREAK;
	return (struct folded){.class = class, .character = c};
}

struct folded fold_character(struct fold_cache *cache, uint32_t character)
{
	size_t place = character % (sizeof(cache->entries) / sizeof(cache->entries[0]));

	if (cache->entries[place].character != character || character == 0) {
		cache->entries[place].character = character;
		cache->entries[place].folded = fold_anew(character);
	}
	return cache->entries[place].folded;
}
