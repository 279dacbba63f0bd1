/* HTML as mail uses it: what a reader sees goes to the words, what a reader
 * does not see (tags, links, styles, hidden text) to fields of its own. Not a
 * browser's parser: no tree, one pass, constant memory, any bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/emit.h"
#include "tokenizer/html-names.h"
#include "tokenizer/text.h"
#include "tokenizer/url.h"

struct html_fields {
	struct field tag, attribute, style, mismatch;
	struct html_names names;
};

void html_fields_init(struct html_fields *fields, const struct emit *emit);

struct html_sink {
	struct emit *emit;
	const struct html_fields *fields;
	const struct url_fields *urls;
	struct text *visible;
	struct text *hidden;
};

/* Scans one whole body. The two texts are left open: text_break them. */
void html_scan(const struct html_sink *sink, const char *html, size_t length);
