/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/decode.h"
#include "tokenizer/multipart.h"
#include "tokenizer/section.h"
#include "tokenizer/tokenizer.h"

/* A node of the MIME tree of a message that is plain to see. */
struct entity {
	GMimeContentType *type; /* NULL = text/plain */
	GMimeContentDisposition *disposition;
	GMimeContentEncoding encoding;
	bool multipart;
	unsigned depth;
	const char *content;
	size_t length;
};

/* A conversion to UTF-8; opening one loads a file. */
struct converter {
	char *charset; /* NULL = none */
	iconv_t descriptor;
};

enum { CONVERTERS = 4 };

struct mime_reader {
	char *decoded;   /* of TOKENIZER_MAX_TEXT bytes and some room */
	char *converted; /* the same, in UTF-8 */
	struct section section; /* of the message */
	struct section part; /* of the part looked at */
	struct entity entities[TOKENIZER_MAX_PARTS];
	size_t entity_count;
	struct converter converters[CONVERTERS]; /* the last ones */
	size_t next_converter;
};

enum { DECODE_SLACK = 64, CONVERT_SIZE = 2 * TOKENIZER_MAX_TEXT };

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
	for (size_t i = 0; i < CONVERTERS; i++) {
		if ((*reader)->converters[i].charset)
			g_mime_iconv_close((*reader)->converters[i].descriptor);
		g_free((*reader)->converters[i].charset);
	}
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

/* The converter from a charset, at its beginning; -1 when the charset is unknown. */
static iconv_t find_converter(struct mime_reader *reader, const char *charset)
{
	for (size_t i = 0; i < CONVERTERS; i++) {
		struct converter *known = &reader->converters[i];

		if (known->charset && strcmp(known->charset, charset) == 0) {
			iconv(known->descriptor, NULL, NULL, NULL, NULL);
			return known->descriptor;
		}
	}
	iconv_t descriptor = g_mime_iconv_open("UTF-8", charset);
	if (descriptor == (iconv_t)-1)
		return descriptor;
	struct converter *oldest = &reader->converters[reader->next_converter];
	if (oldest->charset)
		g_mime_iconv_close(oldest->descriptor);
	g_free(oldest->charset);
	*oldest = (struct converter){.charset = g_strdup(charset), .descriptor = descriptor};
	reader->next_converter = (reader->next_converter + 1) % CONVERTERS;
	return descriptor;
}

/* Converts to UTF-8 into reader->converted; a byte that cannot be converted
 * becomes a space. False when the charset is unknown. */
static bool convert(struct walk *walk, const char *charset, const char **text, size_t *length)
{
	iconv_t cd = find_converter(walk->reader, charset);
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

static void send_text(struct walk *walk, const struct mime_part *part,
	GMimeContentEncoding encoding, const char *bytes, size_t length)
{
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

/* Tells of a leaf and its text. */
static void send_leaf(struct walk *walk, struct mime_part *part, GMimeContentType *type,
	GMimeContentEncoding encoding, const char *disposition, const char *bytes)
{
	part->charset = type ? g_mime_content_type_get_parameter(type, "charset") : NULL;
	part->kind = part_kind(type, disposition);
	walk->handler->part(walk->handler->context, part);
	if (bytes && part->kind != MIME_OTHER && walk->text_left > 0)
		send_text(walk, part, encoding, bytes, part->size);
}

static void walk_leaf(struct walk *walk, GMimePart *leaf, struct mime_part *part)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(leaf);
	const char *bytes = content_bytes(wrapper, &part->size);

	part->file_name = g_mime_part_get_filename(leaf);
	send_leaf(walk, part, g_mime_object_get_content_type(GMIME_OBJECT(leaf)),
		wrapper ? g_mime_data_wrapper_get_encoding(wrapper) : GMIME_CONTENT_ENCODING_DEFAULT,
		g_mime_object_get_disposition(GMIME_OBJECT(leaf)), bytes);
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

/* A field's value as GMime reads it. */
static char *read_value(const struct section_field *field)
{
	char *raw = g_strndup(field->value, field->length);
	char *unfolded = g_mime_utils_header_unfold(raw);
	char *value = g_mime_utils_header_decode_text(NULL, unfolded);

	g_free(unfolded);
	g_free(raw);
	return value;
}

static bool is_named(const struct section_field *field, const char *name)
{
	return field->name_length == strlen(name) &&
		strncasecmp(field->name, name, field->name_length) == 0;
}

/* Reads the fields about the content. False when one is there twice. */
static bool read_entity(struct entity *entity, const struct section *section)
{
	bool encoded = false;

	for (size_t i = 0; i < section->count; i++) {
		const struct section_field *field = &section->fields[i];
		bool type = is_named(field, "Content-Type");
		bool disposition = is_named(field, "Content-Disposition");

		if (!type && !disposition && !is_named(field, "Content-Transfer-Encoding"))
			continue;
		if (type ? entity->type != NULL : disposition ? entity->disposition != NULL : encoded)
			return false;
		char *value = read_value(field);
		if (type)
			entity->type = g_mime_content_type_parse(NULL, value);
		else if (disposition)
			entity->disposition = g_mime_content_disposition_parse(NULL, value);
		else
			entity->encoding = g_mime_content_encoding_from_string(value);
		encoded |= !type && !disposition;
		g_free(value);
	}
	return true;
}

static bool plan_parts(struct mime_reader *reader, const struct entity *multipart);

/* Adds the entity with this header section and content, and all below it, to the
 * reader's list. False when anything is doubtful. */
static bool plan_entity(struct mime_reader *reader, const struct section *section,
	const char *content, size_t length, unsigned depth)
{
	if (reader->entity_count == TOKENIZER_MAX_PARTS || depth > TOKENIZER_MAX_DEPTH)
		return false;
	struct entity *entity = &reader->entities[reader->entity_count++];
	*entity = (struct entity){.encoding = GMIME_CONTENT_ENCODING_DEFAULT,
		.depth = depth,
		.content = content,
		.length = length};
	if (!read_entity(entity, section))
		return false;
	if (!entity->type)
		return true;
	if (g_mime_content_type_is_type(entity->type, "message", "*"))
		return false;
	entity->multipart = g_mime_content_type_is_type(entity->type, "multipart", "*");
	return !entity->multipart || plan_parts(reader, entity);
}

/* A part without a type of its own is a message in a digest. */
static bool plan_parts(struct mime_reader *reader, const struct entity *multipart)
{
	struct multipart_part parts[TOKENIZER_MAX_PARTS];
	const char *boundary = g_mime_content_type_get_parameter(multipart->type, "boundary");
	size_t count = 0;

	if (boundary && !g_mime_content_type_is_type(multipart->type, "multipart", "digest"))
		count = multipart_split(multipart->content, multipart->length, boundary, parts,
			TOKENIZER_MAX_PARTS);
	for (size_t i = 0; i < count; i++) {
		const char *start = parts[i].start;
		size_t length = parts[i].length;

		if (!section_read(&reader->part, start, length))
			return false;
		start += reader->part.content;
		length -= reader->part.content;
		if (length > 0 && length < parts[i].cut)
			return false;
		length -= length > 0 ? parts[i].cut : 0;
		if (!plan_entity(reader, &reader->part, start, length, multipart->depth + 1))
			return false;
	}
	return count > 0;
}

/* Lists the entities of a message whose header section has been read. */
static bool plan(struct mime_reader *reader, const char *message, size_t length)
{
	size_t start = reader->section.content;

	return plan_entity(reader, &reader->section, message + start, length - start, 0);
}

static void clear_plan(struct mime_reader *reader)
{
	for (size_t i = 0; i < reader->entity_count; i++) {
		g_clear_object(&reader->entities[i].type);
		g_clear_object(&reader->entities[i].disposition);
	}
	reader->entity_count = 0;
}

/* As g_mime_part_get_filename. */
static const char *entity_file_name(const struct entity *entity)
{
	const char *name = NULL;

	if (entity->disposition)
		name = g_mime_content_disposition_get_parameter(entity->disposition, "filename");
	if (!name && entity->type)
		name = g_mime_content_type_get_parameter(entity->type, "name");
	return name;
}

static void walk_plan(struct walk *walk, const struct mime_reader *reader)
{
	for (size_t i = 0; i < reader->entity_count; i++) {
		const struct entity *entity = &reader->entities[i];
		char *name = entity->type ? g_mime_content_type_get_mime_type(entity->type) : NULL;
		struct mime_part part = {.kind = MIME_MULTIPART,
			.type = name ? name : "text/plain",
			.depth = entity->depth};

		walk->parts++;
		if (entity->multipart) {
			walk->handler->part(walk->handler->context, &part);
		} else {
			part.size = entity->length;
			part.file_name = entity_file_name(entity);
			send_leaf(walk, &part, entity->type, entity->encoding,
				entity->disposition ? g_mime_content_disposition_get_disposition(
							      entity->disposition)
						    : NULL,
				entity->content);
		}
		g_free(name);
	}
}

/* All by GMime: what makes no sense at all makes sense to it. */
static void walk_message(struct walk *walk, const char *data, size_t length)
{
	/* The stream only reads, and it does not own the array. */
	GByteArray bytes = {.data = (guint8 *)data, .len = (guint)length};
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message) {
		walk_headers(walk, GMIME_OBJECT(message), false);
		walk_object(walk, g_mime_message_get_mime_part(message), 0);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

void mime_walk(struct mime_reader *reader, const char *message, size_t length,
	const struct mime_handler *handler)
{
	struct walk walk = {
		.reader = reader, .handler = handler, .text_left = TOKENIZER_MAX_TEXT};

	skip_mbox_line(&message, &length);
	if (length == 0 || length > G_MAXINT)
		return;
	if (section_read(&reader->section, message, length) && plan(reader, message, length)) {
		walk_section(&walk, &reader->section);
		walk_plan(&walk, reader);
	} else {
		walk_message(&walk, message, length);
	}
	clear_plan(reader);
	if (walk.headers == 0) { /* not a message, but its words are there to see */
		size_t seen = length < TOKENIZER_MAX_TEXT ? length : TOKENIZER_MAX_TEXT;
		handler->text(handler->context, MIME_PLAIN, message, seen);
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
