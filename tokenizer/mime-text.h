/* The content of a text part and the words of a header field as UTF-8: transfer
 * encodings (RFC 2045 section 6), encoded words (RFC 2047) and charsets are undone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/mime.h"

struct mime_decoder; /* scratch memory */

struct mime_decoder *mime_decoder_new(void); /* NULL when out of memory */
void mime_decoder_free(struct mime_decoder **decoder);

/* A message begins: see converters_begin. */
void mime_decoder_begin(struct mime_decoder *decoder);

/* Decodes the encoded words of an unfolded header value into `out` and returns the
 * length, at most `size`. */
size_t mime_decoder_words(
	struct mime_decoder *decoder, const char *value, size_t length, char *out, size_t size);

/* Decodes `length` bytes of content, as far as `room` bytes, TOKENIZER_MAX_TEXT at most,
 * before the charset is converted, and takes what it needed from *room. Returns the text,
 * which lies in `bytes` or in the decoder's memory, and sets *size. Charsets that are
 * nearly UTF-8 to us (see struct mime_handler) and unknown ones are left as they are. */
const char *mime_text(struct mime_decoder *decoder, const struct mime_content *content,
	const char *bytes, size_t length, size_t *room, size_t *size);
