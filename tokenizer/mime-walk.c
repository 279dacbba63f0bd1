/* Walks header sections and parts of a message in one pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/boundary.h"
#include "tokenizer/mime-field.h"
#include "tokenizer/mime-text.h"
#include "tokenizer/section.h"
#include "tokenizer/tokenizer.h"

struct mime_reader {
	struct mime_decoder *decoder;
	struct section section; /* the last one */
};

struct walk {
	struct mime_reader *reader;
	const struct mime_handler *handler;
	const char *end; /* of the message */
	struct boundaries open;
	size_t parts;
	size_t headers;
	size_t text_left; /* budget of decoded bytes */
	struct mime_budget budget;
};

struct mime_reader *mime_reader_new(void)
{
	struct mime_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return NULL;
	reader->decoder = mime_decoder_new();
	if (!reader->decoder)
		mime_reader_free(&reader);
	return reader;
}

void mime_reader_free(struct mime_reader **reader)
{
	if (!*reader)
		return;
	mime_decoder_free(&(*reader)->decoder);
	free(*reader);
	*reader = NULL;
}

size_t mime_decode_words(
	struct mime_reader *reader, const char *value, size_t length, char *out, size_t size)
{
	return mime_decoder_words(reader->decoder, value, length, out, size);
}

/* Tells of the fields of the section read last, but for those about the content. */
static void walk_section(struct walk *walk, bool nested)
{
	const struct section *section = &walk->reader->section;

	for (size_t i = 0; i < section->count && walk->headers < TOKENIZER_MAX_HEADERS; i++) {
		const struct section_field *field = &section->fields[i];
		struct mime_header header = {.name = field->name,
			.name_length = field->name_length,
			.value = field->value,
			.length = strnlen(field->value, field->length), /* as in C */
			.cut = memchr(field->value, '\0', field->length) != NULL,
			.nested = nested};

		walk->headers++;
		walk->handler->header(walk->handler->context, &header);
	}
}

/* Each of the functions below begins where the content does and sets *end to the
 * delimiter of an open multipart that ends the entity. */

static void tell_text(struct walk *walk, const struct mime_content *content, enum mime_kind kind,
	const char *at, size_t length)
{
	size_t size;
	const char *text;

	if (length == 0 || walk->text_left == 0)
		return;
	text = mime_text(walk->reader->decoder, content, at, length, &walk->text_left, &size);
	walk->handler->text(walk->handler->context, kind, text, size);
}

static void walk_leaf(struct walk *walk, const struct mime_content *content, struct mime_part *part,
	const char *at, struct delimiter *end)
{
	boundary_find(&walk->open, at, walk->end, end);
	part->size = (size_t)(boundary_content_end(end, at) - at);
	walk->handler->part(walk->handler->context, part);
	if (part->kind != MIME_OTHER)
		tell_text(walk, content, part->kind, at, part->size);
}

static void walk_entity(struct walk *walk, unsigned depth, bool digest, struct delimiter *end);

/* The next part, which begins after the delimiter *end. False when there is none: where
 * not even an empty line is between two delimiters there is no part. */
static bool begin_part(struct walk *walk, size_t level, struct delimiter *end)
{
	while (end->level == level && !end->closing && end->next < walk->end) {
		if (boundary_match(&walk->open, end->next, walk->end, end))
			continue;
		section_read(&walk->reader->section, &walk->open, end->next, walk->end);
		return true;
	}
	return false;
}

/* Without a part there is all the more to see: mail programs show it as it stands, when the
 * boundary is missing or nowhere in the content. */
static void walk_multipart(struct walk *walk, const struct mime_content *content, unsigned depth,
	const char *at, struct delimiter *end)
{
	size_t level = walk->open.count;

	if (content->boundary && depth < TOKENIZER_MAX_DEPTH) {
		walk->open.list[level].text = content->boundary;
		walk->open.list[level].length = strlen(content->boundary);
		walk->open.count++;
	}
	boundary_find(&walk->open, at, walk->end, end);
	if (end->level != level)
		tell_text(walk, content, MIME_PLAIN, at,
			(size_t)(boundary_content_end(end, at) - at));
	while (walk->parts < TOKENIZER_MAX_PARTS && begin_part(walk, level, end))
		walk_entity(walk, depth + 1, content->digest, end);
	walk->open.count = level;
	if (end->level == level) /* closed: what follows belongs to nobody */
		boundary_find(&walk->open, end->next, walk->end, end);
}

/* Nothing but the line break that belongs to the delimiter? */
static bool is_empty(const struct walk *walk, const char *at)
{
	struct delimiter delimiter;

	if (at == walk->end || boundary_match(&walk->open, at, walk->end, &delimiter))
		return true;
	at += *at == '\r' && at + 1 < walk->end;
	return *at == '\n' && boundary_match(&walk->open, at + 1, walk->end, &delimiter);
}

static void walk_message(struct walk *walk, unsigned depth, const char *at, struct delimiter *end)
{
	if (is_empty(walk, at)) {
		boundary_find(&walk->open, at, walk->end, end);
		return;
	}
	section_read(&walk->reader->section, &walk->open, at, walk->end);
	walk_section(walk, true);
	walk_entity(walk, depth + 1, false, end);
}

/* The entity whose header section was read last. */
static void walk_entity(struct walk *walk, unsigned depth, bool digest, struct delimiter *end)
{
	const char *at = walk->reader->section.content;
	struct mime_content content;

	if (depth > TOKENIZER_MAX_DEPTH || walk->parts == TOKENIZER_MAX_PARTS) {
		boundary_find(&walk->open, at, walk->end, end);
		return;
	}
	mime_content_read(
		&content, walk->reader->decoder, &walk->reader->section, digest, &walk->budget);
	struct mime_part part = {.kind = content.kind,
		.type = content.type ? content.type : "text/plain",
		.charset = content.charset,
		.file_name = content.file_name,
		.depth = depth};
	walk->parts++;
	switch (content.kind) {
	case MIME_MULTIPART:
		walk->handler->part(walk->handler->context, &part);
		walk_multipart(walk, &content, depth, at, end);
		break;
	case MIME_MESSAGE:
		walk->handler->part(walk->handler->context, &part);
		walk_message(walk, depth, at, end);
		break;
	case MIME_PLAIN:
	case MIME_HTML:
	case MIME_OTHER:
		walk_leaf(walk, &content, &part, at, end);
		break;
	}
	mime_content_clear(&content);
}

/* The separator line of an mbox file is not part of the message, nor is one that was
 * quoted when the message went from one file into another. */
static void skip_mbox_lines(const char **message, size_t *length)
{
	const char *at = *message, *end = at + *length;

	while (at < end) {
		const char *from = *at == '>' ? at + 1 : at;

		if (end - from < 5 || memcmp(from, "From ", 5) != 0)
			break;
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		at = newline ? newline + 1 : end;
	}
	*message = at;
	*length = (size_t)(end - at);
}

void mime_walk(struct mime_reader *reader, const char *message, size_t length,
	const struct mime_handler *handler)
{
	struct walk walk = {.reader = reader,
		.handler = handler,
		.text_left = TOKENIZER_MAX_TEXT,
		.budget = {MIME_BUDGET_BYTES, MIME_BUDGET_CHARSETS}};
	struct delimiter end;

	skip_mbox_lines(&message, &length);
	if (length == 0)
		return;
	walk.end = message + length;
	mime_decoder_begin(reader->decoder);
	if (section_read(&reader->section, &walk.open, message, walk.end)) {
		walk_section(&walk, false);
		walk_entity(&walk, 0, false, &end);
	}
	if (walk.headers == 0) { /* not a message, but its words are there to see */
		size_t seen = length < TOKENIZER_MAX_TEXT ? length : TOKENIZER_MAX_TEXT;
		handler->text(handler->context, MIME_PLAIN, message, seen);
	}
}
