/* Characters as a reader sees them: UTF-8 decoding that survives anything, case
 * and compatibility folding (Unicode NFKD by way of GLib), lookalikes.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum fold_class {
	FOLD_BREAK, /* white space, punctuation: ends a word */
	FOLD_LETTER, /* of a script that writes words apart */
	FOLD_DIGIT,
	FOLD_IDEOGRAPH, /* of a script that does not: CJK, Thai, ... */
	FOLD_INVISIBLE, /* not there for a reader: zero width, combining accent */
};

struct folded {
	enum fold_class class;
	uint32_t character; /* folded; 0 when invisible */
};

/* Decodes one character at `text` (`length` > 0) into *character and returns
 * the bytes it takes. A byte that is not UTF-8 is taken as windows-1252. */
size_t fold_decode(const unsigned char *text, size_t length, uint32_t *character);

/* Characters folded before; all zero = none. */
struct fold_cache {
	struct {
		uint32_t character;
		struct folded folded;
	} entries[256];
};

/* Folds one character: lower case, without accents, fullwidth and mathematical
 * forms as plain letters, Cyrillic and Greek lookalikes as Latin. */
struct folded fold_character(struct fold_cache *cache, uint32_t character);

/* Writes the character as UTF-8 (at most 4 bytes) and returns the bytes. */
size_t fold_encode(uint32_t character, char *out);
