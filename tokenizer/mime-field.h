/* Values of single header fields, as GMime reads them, each within a bound: neither its
 * length nor what is nested in it makes one cost more than others.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tokenizer/mime.h"
#include "tokenizer/section.h"

struct mime_decoder;

/* What may still be looked at of one message's fields about the content. Parameters cost
 * more than other bytes, and each with a charset (RFC 2231) opens a conversion. */
struct mime_budget {
	size_t bytes;
	size_t charsets;
};
enum { MIME_BUDGET_BYTES = 1 << 14, MIME_BUDGET_CHARSETS = 24 };

/* Reads the fields about the content. `digest`: a part of a multipart/digest, which is
 * a message where it has no type (RFC 2046 section 5.1.5). Once the budget of bytes is
 * spent only the beginning of a field is read. */
void mime_content_read(struct mime_content *content, struct mime_decoder *decoder,
	const struct section *section, bool digest, struct mime_budget *budget);
void mime_content_clear(struct mime_content *content);
