/* The two usual transfer encodings (RFC 2045 section 6), as far as they are well
 * formed: what is odd is left to a decoder that knows what to make of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* Decode from the beginning of `in` and set *taken to the bytes that are done with;
 * what follows them decodes as if it stood at the beginning. `out` has room for
 * `length` bytes (base64: for 3 of 4). Return the bytes written. */
size_t decode_base64(const char *in, size_t length, char *out, size_t *taken);
size_t decode_quoted_printable(const char *in, size_t length, char *out, size_t *taken);

/* The text of an encoded word (RFC 2047 section 4), whatever its bytes: what does not
 * belong to base64 is passed over, and after padding it begins anew; a '=' of Q that is no
 * escape stays. Return the bytes written, at most `length`. */
size_t decode_base64_word(const char *in, size_t length, char *out);
size_t decode_q_word(const char *in, size_t length, char *out);
