/* Encoded words in header fields (RFC 2047, with RFC 2231 section 5), read as leniently
 * as mail programs do: also within other words, with blanks in them, and with characters
 * that are split between two.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/charset-convert.h"

/* Is there anything that may be one? */
bool encoded_word_begins(const char *value, size_t length);

/* Writes the unfolded value with its encoded words decoded to UTF-8 into `out` and returns
 * the length, at most `size`. Adjacent words of one charset are converted together. A
 * word of a charset that cannot be converted gives its bytes; what is no word stays as it
 * is. Work is linear in `length`. */
size_t encoded_words_decode(
	struct converters *converters, const char *value, size_t length, char *out, size_t size);
