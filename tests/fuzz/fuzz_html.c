/* The HTML scanner, links and character references, on a whole body.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tokenizer/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_token(
	void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	(void)context;
	(void)key;
	(void)field;
	if (length > EMIT_MAX_TEXT || !text)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct emit emit; /* too large for the stack */
	struct html_fields fields;
	struct url_fields urls;
	struct text visible, hidden;

	emit_reset(&emit);
	emit.watch = on_token;
	html_fields_init(&fields, &emit);
	url_fields_init(&urls, &emit);
	struct field words = emit_body_field(&emit, "body");
	text_begin(&visible, &emit, &words);
	visible.shouts = &words;
	visible.links = &urls;
	text_begin(&hidden, &emit, &words);
	struct html_sink sink = {.emit = &emit,
		.fields = &fields,
		.urls = &urls,
		.visible = &visible,
		.hidden = &hidden};
	html_scan(&sink, (const char *)data, size);
	text_break(&visible);
	text_break(&hidden);
	return 0;
}
