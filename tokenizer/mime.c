/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/decode.h"
#include "tokenizer/section.h"
#include "tokenizer/tokenizer.h"

struct mime_reader {
	char *decoded;   /* of TOKENIZER_MAX_TEXT bytes and some room */
	char *converted; /* the same, in UTF-8 */
	struct section section;
	char *entity; /* what GMime is to see of the message */
	size_t entity_room;
};

enum {
	DECODE_SLACK = 64,
	CONVERT_SIZE = 2 * TOKENIZER_MAX_TEXT,
	KEPT_ENTITY = 1 << 20, /* a larger one is not kept for the next message */
};

struct walk {
	struct mime_reader *reader;
	const struct mime_handler *handler;
	size_t parts;
	size_t headers;
	size_t text_left; /* budget of decoded bytes */
};

struct mime_reader *mime_reader_new(void)
{
	struct mime_reader *reader = calloc(1, sizeof(*reader));
	if (!reader)
		return NULL;
	g_mime_init(); /* counted by GMime itself */
	reader->decoded = malloc(TOKENIZER_MAX_TEXT + DECODE_SLACK);
	reader->converted = malloc(CONVERT_SIZE);
	if (!reader->decoded || !reader->converted)
		mime_reader_free(&reader);
	return reader;
}

void mime_reader_free(struct mime_reader **reader)
{
	if (!*reader)
		return;
	free((*reader)->decoded);
	free((*reader)->converted);
	free((*reader)->entity);
	free(*reader);
	*reader = NULL;
}

static bool fits_without_conversion(const char *charset)
{
	static const char *const names[] = {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1",
		"windows-1252", "iso8859-1", "latin1", "unknown-8bit", "x-unknown", "default"};

	if (!charset || !*charset)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(charset, names[i]) == 0)
			return true;
	}
	return false;
}

/* Converts to UTF-8 into reader->converted; a byte that cannot be converted
 * becomes a space. False when the charset is unknown. */
static bool convert(struct walk *walk, const char *charset, const char **text, size_t *length)
{
	iconv_t cd = g_mime_iconv_open("UTF-8", charset);
	if (cd == (iconv_t)-1)
		return false;

	char *in = (char *)*text;
	size_t in_left = *length;
	char *out = walk->reader->converted;
	size_t out_left = CONVERT_SIZE;

	while (in_left > 0) {
		if (iconv(cd, &in, &in_left, &out, &out_left) != (size_t)-1 || in_left == 0)
			break;
		if (out_left < 8)
			break;
		*out++ = ' ';
		out_left--;
		in++;
		in_left--;
	}
	g_mime_iconv_close(cd);
	*text = walk->reader->converted;
	*length = (size_t)(out - walk->reader->converted);
	return true;
}

/* The encoded bytes of a part, in the message's own memory. */
static const char *content_bytes(GMimeDataWrapper *wrapper, size_t *length)
{
	GMimeStream *stream = wrapper ? g_mime_data_wrapper_get_stream(wrapper) : NULL;

	*length = 0;
	if (!stream || !GMIME_IS_STREAM_MEM(stream))
		return NULL;
	GByteArray *bytes = GMIME_STREAM_MEM(stream)->buffer;
	gint64 start = stream->bound_start;
	gint64 end = stream->bound_end == -1 ? (gint64)bytes->len : stream->bound_end;
	if (start < 0 || end < start || end > (gint64)bytes->len)
		return NULL;
	*length = (size_t)(end - start);
	return (const char *)bytes->data + start;
}

/* Decodes into reader->decoded; returns the bytes. */
static size_t decode(struct mime_reader *reader, GMimeContentEncoding encoding, const char *bytes,
	size_t length)
{
	size_t taken = 0, used = 0;
	GMimeEncoding state;

	if (encoding == GMIME_CONTENT_ENCODING_BASE64)
		used = decode_base64(bytes, length, reader->decoded, &taken);
	else if (encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
		used = decode_quoted_printable(bytes, length, reader->decoded, &taken);
	if (taken == length)
		return used;
	g_mime_encoding_init_decode(&state, encoding);
	return used +
		g_mime_encoding_step(&state, bytes + taken, length - taken, reader->decoded + used);
}

static void send_text(struct walk *walk, const struct mime_part *part, GMimeDataWrapper *wrapper,
	const char *bytes, size_t length)
{
	GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(wrapper);
	const char *text = bytes;

	if (encoding == GMIME_CONTENT_ENCODING_BASE64 ||
		encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
		encoding == GMIME_CONTENT_ENCODING_UUENCODE) {
		/* Each of the three decodes to at most as many bytes as went in. */
		size_t room = encoding == GMIME_CONTENT_ENCODING_BASE64
			? walk->text_left / 3 * 4 : walk->text_left;
		if (length > room)
			length = room;
		length = decode(walk->reader, encoding, bytes, length);
		text = walk->reader->decoded;
	}
	if (length > walk->text_left)
		length = walk->text_left;
	walk->text_left -= length;
	if (!fits_without_conversion(part->charset))
		convert(walk, part->charset, &text, &length);
	walk->handler->text(walk->handler->context, part->kind, text, length);
}

static enum mime_kind part_kind(GMimeContentType *type, const char *disposition)
{
	if (disposition && strcasecmp(disposition, "attachment") == 0)
		return MIME_OTHER;
	if (!type || g_mime_content_type_is_type(type, "text", "plain"))
		return MIME_PLAIN;
	if (g_mime_content_type_is_type(type, "text", "html"))
		return MIME_HTML;
	if (g_mime_content_type_is_type(type, "text", "*"))
		return MIME_PLAIN;
	return MIME_OTHER;
}

static void walk_leaf(struct walk *walk, GMimePart *leaf, struct mime_part *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
	GMimeDataWrapper *wrapper = g_mime_part_get_content(leaf);
	const char *bytes = content_bytes(wrapper, &part->size);

	part->charset = type ? g_mime_content_type_get_parameter(type, "charset") : NULL;
	part->file_name = g_mime_part_get_filename(leaf);
	part->kind = part_kind(type, g_mime_object_get_disposition(GMIME_OBJECT(leaf)));
	walk->handler->part(walk->handler->context, part);
	if (bytes && part->kind != MIME_OTHER && walk->text_left > 0)
		send_text(walk, part, wrapper, bytes, part->size);
}

static void send_header(struct walk *walk, const struct mime_header *header)
{
	if (walk->headers == TOKENIZER_MAX_HEADERS)
		return;
	walk->headers++;
	walk->handler->header(walk->handler->context, header);
}

static void walk_headers(struct walk *walk, GMimeObject *object, bool nested)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = list ? g_mime_header_list_get_count(list) : 0;

	for (int i = 0; i < count && walk->headers < TOKENIZER_MAX_HEADERS; i++) {
		GMimeHeader *field = g_mime_header_list_get_header_at(list, i);
		const char *name = field ? g_mime_header_get_name(field) : NULL;
		const char *value = field ? g_mime_header_get_raw_value(field) : NULL;
		struct mime_header header = {.name = name ? name : "",
			.name_length = name ? strlen(name) : 0,
			.value = value ? value : "",
			.length = value ? strlen(value) : 0,
			.nested = nested};

		send_header(walk, &header);
	}
}

static void walk_object(struct walk *walk, GMimeObject *object, unsigned depth);

static void walk_children(struct walk *walk, GMimeMultipart *multipart, struct mime_part *part)
{
	int count = g_mime_multipart_get_count(multipart);

	part->kind = MIME_MULTIPART;
	walk->handler->part(walk->handler->context, part);
	for (int i = 0; i < count && walk->parts < TOKENIZER_MAX_PARTS; i++)
		walk_object(walk, g_mime_multipart_get_part(multipart, i), part->depth + 1);
}

static void walk_message_part(struct walk *walk, GMimeMessagePart *object, struct mime_part *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(object);

	part->kind = MIME_MESSAGE;
	walk->handler->part(walk->handler->context, part);
	if (!message) /* an empty message/rfc822 */
		return;
	walk_headers(walk, GMIME_OBJECT(message), true);
	walk_object(walk, g_mime_message_get_mime_part(message), part->depth + 1);
}

static void walk_object(struct walk *walk, GMimeObject *object, unsigned depth)
{
	if (!object || depth > TOKENIZER_MAX_DEPTH || walk->parts >= TOKENIZER_MAX_PARTS)
		return;
	walk->parts++;

	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *name = type ? g_mime_content_type_get_mime_type(type) : NULL;
	struct mime_part part = {.type = name ? name : "text/plain", .depth = depth};

	if (GMIME_IS_MULTIPART(object))
		walk_children(walk, GMIME_MULTIPART(object), &part);
	else if (GMIME_IS_MESSAGE_PART(object))
		walk_message_part(walk, GMIME_MESSAGE_PART(object), &part);
	else if (GMIME_IS_PART(object))
		walk_leaf(walk, GMIME_PART(object), &part);
	g_free(name);
}

/* The separator line of an mbox file is not part of the message. */
static void skip_mbox_line(const char **message, size_t *length)
{
	if (*length < 5 || memcmp(*message, "From ", 5) != 0)
		return;
	const char *end = memchr(*message, '\n', *length);
	size_t skipped = end ? (size_t)(end + 1 - *message) : *length;
	*message += skipped;
	*length -= skipped;
}

static bool is_of_entity(const struct section_field *field)
{
	return field->name_length >= 8 && strncasecmp(field->name, "Content-", 8) == 0;
}

/* Fields that are not about the content; those are the MIME tree's. */
static void walk_section(struct walk *walk, const struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct section_field *field = &section->fields[i];
		struct mime_header header = {.name = field->name,
			.name_length = field->name_length,
			.value = field->value,
			.length = field->length};

		if (!is_of_entity(field))
			send_header(walk, &header);
	}
}

/* Copies the fields about the content and all after the section: the same MIME tree
 * without an object for each of the other fields. NULL when out of memory. */
static const char *make_entity(
	struct mime_reader *reader, const char *message, size_t length, size_t *size)
{
	const struct section *section = &reader->section;
	size_t used = 0;

	if (length > reader->entity_room) {
		free(reader->entity);
		reader->entity = malloc(length);
		reader->entity_room = reader->entity ? length : 0;
		if (!reader->entity)
			return NULL;
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct section_field *field = &section->fields[i];
		size_t bytes = (size_t)(field->value - field->name) + field->length;

		if (!is_of_entity(field))
			continue;
		memcpy(reader->entity + used, field->name, bytes);
		used += bytes;
	}
	memcpy(reader->entity + used, message + section->size, length - section->size);
	*size = used + length - section->size;
	return reader->entity;
}

/* Walks the MIME tree of an entity, with `whole` also the header fields of the
 * message that it is. */
static void walk_entity(struct walk *walk, const char *entity, size_t length, bool whole)
{
	/* The stream only reads, and it does not own the array. */
	GByteArray bytes = {.data = (guint8 *)entity, .len = (guint)length};
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);

	if (whole) {
		GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
		if (message) {
			walk_headers(walk, GMIME_OBJECT(message), false);
			walk_object(walk, g_mime_message_get_mime_part(message), 0);
			g_object_unref(message);
		}
	} else {
		GMimeObject *part = g_mime_parser_construct_part(parser, NULL);
		if (part) {
			walk_object(walk, part, 0);
			g_object_unref(part);
		}
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

void mime_walk(struct mime_reader *reader, const char *message, size_t length,
	const struct mime_handler *handler)
{
	struct walk walk = {
		.reader = reader, .handler = handler, .text_left = TOKENIZER_MAX_TEXT};
	const char *entity = NULL;
	size_t size = 0;

	skip_mbox_line(&message, &length);
	if (length == 0 || length > G_MAXINT)
		return;
	if (section_read(&reader->section, message, length))
		entity = make_entity(reader, message, length, &size);
	if (entity) {
		walk_section(&walk, &reader->section);
		walk_entity(&walk, entity, size, false);
	} else {
		walk_entity(&walk, message, length, true);
	}
	if (walk.headers == 0) { /* not a message, but its words are there to see */
		size_t seen = length < TOKENIZER_MAX_TEXT ? length : TOKENIZER_MAX_TEXT;
		handler->text(handler->context, MIME_PLAIN, message, seen);
	}
	if (reader->entity_room > KEPT_ENTITY) {
		free(reader->entity);
		reader->entity = NULL;
		reader->entity_room = 0;
	}
}

char *mime_decode_header(const char *value, size_t length)
{
	char *raw = g_strndup(value, length);
	char *decoded = g_mime_utils_header_decode_text(NULL, raw);

	g_free(raw);
	return decoded;
}

void mime_free(char *decoded)
{
	g_free(decoded);
}

static size_t count_mailboxes(InternetAddressList *list, unsigned depth, const char **first)
{
	size_t mailboxes = 0;
	int count = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < count && depth < 8; i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);

		if (INTERNET_ADDRESS_IS_GROUP(address)) {
			mailboxes += count_mailboxes(
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)),
				depth + 1, first);
		} else if (INTERNET_ADDRESS_IS_MAILBOX(address)) {
			if (mailboxes++ == 0 && !*first)
				*first = internet_address_mailbox_get_addr(
					INTERNET_ADDRESS_MAILBOX(address));
		}
	}
	return mailboxes;
}

size_t mime_read_address(const char *value, char *address, size_t size)
{
	InternetAddressList *list = internet_address_list_parse(NULL, value);
	const char *first = NULL;
	size_t mailboxes = count_mailboxes(list, 0, &first);

	*address = '\0';
	if (first && strlen(first) < size)
		strcpy(address, first);
	if (list)
		g_object_unref(list);
	return mailboxes;
}
