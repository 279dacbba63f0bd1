/* Puts readers of headers, text and HTML together to one tokenizer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/ascii.h"
#include "tokenizer/emit.h"
#include "tokenizer/fields.h"
#include "tokenizer/header.h"
#include "tokenizer/html.h"
#include "tokenizer/mime.h"
#include "tokenizer/text.h"
#include "tokenizer/url.h"

struct tokenizer {
	struct emit emit;
	struct mime_reader *reader;
	struct header_fields header_fields;
	struct html_fields html_fields;
	struct url_fields url_fields;
	struct field body, shouts, hidden, structure, attachment, file_name;
	struct header_state headers;
	struct fields kept;
};

struct tokenizer *tokenizer_new(const struct tokenizer_secret *secret)
{
	struct tokenizer *tokenizer = calloc(1, sizeof(*tokenizer));
	if (!tokenizer)
		return NULL;
	struct emit *emit = &tokenizer->emit;
	emit->secret = *secret;
	tokenizer->reader = mime_reader_new();
	if (!tokenizer->reader) {
		tokenizer_free(&tokenizer);
		return NULL;
	}
	header_fields_init(&tokenizer->header_fields, emit);
	html_fields_init(&tokenizer->html_fields, emit);
	url_fields_init(&tokenizer->url_fields, emit);
	tokenizer->body = emit_body_field(emit, "body");
	tokenizer->shouts = emit_body_field(emit, "body-shout");
	tokenizer->hidden = emit_body_field(emit, "hidden");
	tokenizer->structure = emit_head_field(emit, "structure");
	tokenizer->attachment = emit_head_field(emit, "attachment");
	tokenizer->file_name = emit_head_field(emit, "file-name");
	return tokenizer;
}

void tokenizer_free(struct tokenizer **tokenizer)
{
	if (!*tokenizer)
		return;
	mime_reader_free(&(*tokenizer)->reader);
	free(*tokenizer);
	*tokenizer = NULL;
}

static void on_mime_header(void *context, const struct mime_header *raw)
{
	struct tokenizer *tokenizer = context;
	char room[TOKENIZER_MAX_HEADER_BYTES];
	struct header header;

	if (!header_read(&header, raw, room))
		return;
	header_tokens(&tokenizer->headers, &header);
	if (!raw->nested)
		fields_add(&tokenizer->kept, &header);
}

/* Powers of four, so that a few kilobytes more or less do not matter. */
static unsigned size_class(size_t size)
{
	unsigned class = 0;

	for (; size > 0; size /= 4)
		class ++;
	return class;
}

static void emit_attachment(struct tokenizer *tokenizer, const struct mime_part *part)
{
	char text[160];
	struct text words;

	int length =
		snprintf(text, sizeof(text), "%.100s size %u", part->type, size_class(part->size));
	emit_token(&tokenizer->emit, &tokenizer->attachment, text, (size_t)length);
	if (!part->file_name)
		return;
	const char *dot = strrchr(part->file_name, '.');
	if (dot) {
		length = snprintf(text, sizeof(text), "%.100s .%.16s", part->type, dot + 1);
		emit_token(&tokenizer->emit, &tokenizer->attachment, text, (size_t)length);
	}
	text_begin(&words, &tokenizer->emit, &tokenizer->file_name);
	text_feed(&words, part->file_name, strnlen(part->file_name, 256));
	text_break(&words);
}

static void on_part(void *context, const struct mime_part *part)
{
	struct tokenizer *tokenizer = context;
	char text[160];

	int length = snprintf(text, sizeof(text), "%u %.80s %.20s",
		part->depth < 4 ? part->depth : 4, part->type, part->charset ? part->charset : "-");
	ascii_lower_copy(text, text, (size_t)length);
	emit_token(&tokenizer->emit, &tokenizer->structure, text, (size_t)length);
	if (part->kind == MIME_OTHER || part->file_name)
		emit_attachment(tokenizer, part);
}

static void on_text(void *context, enum mime_kind kind, const char *data, size_t length)
{
	struct tokenizer *tokenizer = context;
	struct text visible, hidden;

	emit_set_identifies(&tokenizer->emit, true);
	text_begin(&visible, &tokenizer->emit, &tokenizer->body);
	visible.shouts = &tokenizer->shouts;
	visible.links = &tokenizer->url_fields;
	text_begin(&hidden, &tokenizer->emit, &tokenizer->hidden);
	if (kind == MIME_HTML) {
		struct html_sink sink = {.emit = &tokenizer->emit,
			.fields = &tokenizer->html_fields,
			.urls = &tokenizer->url_fields,
			.visible = &visible,
			.hidden = &hidden};
		html_scan(&sink, data, length);
	} else {
		text_feed(&visible, data, length);
	}
	text_break(&visible);
	text_break(&hidden);
	emit_set_identifies(&tokenizer->emit, false);
}

void tokenizer_run(struct tokenizer *tokenizer, const char *message, size_t length,
	tokenizer_watch_fn *watch, void *context, struct token_set *set)
{
	struct mime_handler handler = {
		.header = on_mime_header, .part = on_part, .text = on_text, .context = tokenizer};

	emit_reset(&tokenizer->emit);
	tokenizer->emit.watch = watch;
	tokenizer->emit.context = context;
	fields_reset(&tokenizer->kept);
	header_begin(&tokenizer->headers, &tokenizer->emit, &tokenizer->header_fields,
		tokenizer->reader);
	mime_walk(tokenizer->reader, message, length, &handler);
	emit_flush(&tokenizer->emit);
	*set = (struct token_set){.keys = tokenizer->emit.keys + 1,
		.count = tokenizer->emit.count,
		/* With neither Message-ID nor text all there is must do. */
		.identity =
			tokenizer->emit.identity ? tokenizer->emit.identity : tokenizer->emit.all,
		.fields = tokenizer->kept.list,
		.field_count = tokenizer->kept.count};
}

size_t tokenizer_addresses(const char *value, tokenizer_address_fn *each, void *context)
{
	return mime_read_addresses(value, each, context);
}

uint64_t tokenizer_digest(const struct tokenizer *tokenizer, const char *name, const char *text)
{
	return emit_digest(&tokenizer->emit, name, text);
}
