/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/outline.h"
#include "tokenizer/tokenizer.h"

struct mime_reader {
	char *decoded;   /* of TOKENIZER_MAX_TEXT bytes and some room */
	char *converted; /* the same, in UTF-8 */
	struct outline_section section; /* the last one */
	char value[TOKENIZER_MAX_HEADER_BYTES + 1];
};

enum { DECODE_SLACK = 64, CONVERT_SIZE = 2 * TOKENIZER_MAX_TEXT };
enum { HEADER_NAME_MAX = 256, CONTENT_FIELD_MAX = 2048, CONTENT_FIELDS_MAX = 65536 };

struct walk {
	struct mime_reader *reader;
	const struct mime_handler *handler;
	size_t parts;
	size_t headers;
	size_t text_left; /* budget of decoded bytes */
	size_t fields_left; /* and of those of fields about the content */
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

static bool is_encoded(GMimeContentEncoding encoding)
{
	return encoding == GMIME_CONTENT_ENCODING_BASE64 ||
		encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
		encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

static void send_text(struct walk *walk, const struct mime_part *part,
	GMimeContentEncoding encoding, struct outline_range content)
{
	const char *text = content.at;
	size_t length = part->size;

	if (is_encoded(encoding)) {
		GMimeEncoding state;
		/* Each of the three decodes to at most as many bytes as went in. */
		size_t room = encoding == GMIME_CONTENT_ENCODING_BASE64
			? walk->text_left / 3 * 4 : walk->text_left;
		if (length > room)
			length = room;
		g_mime_encoding_init_decode(&state, encoding);
		length = g_mime_encoding_step(&state, content.at, length, walk->reader->decoded);
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

/* --- The fields about the content ---------------------------------------------- */

struct entity {
	GMimeContentType *type; /* NULL = not told */
	GMimeContentDisposition *disposition; /* likewise */
	GMimeContentEncoding encoding;
	char *name; /* of the type; NULL like it */
};

/* A field's value as GMime reads it; NULL when it is missing. Parameters cost much,
 * so that there is a bound for one field and one for all of them. */
static char *read_value(struct walk *walk, const struct outline_section *section, const char *name)
{
	const struct outline_field *field = outline_find(section, name);
	size_t length = field ? field->length : 0;

	if (length > CONTENT_FIELD_MAX)
		length = CONTENT_FIELD_MAX;
	if (!field || length > walk->fields_left)
		return NULL;
	walk->fields_left -= length;
	char *raw = g_strndup(field->value, length);
	char *unfolded = g_mime_utils_header_unfold(raw);
	char *value = g_mime_utils_header_decode_text(NULL, unfolded);
	g_free(unfolded);
	g_free(raw);
	return value;
}

static void read_entity(struct walk *walk, struct entity *entity, bool digest)
{
	const struct outline_section *section = &walk->reader->section;
	char *type = read_value(walk, section, "Content-Type");
	char *disposition = read_value(walk, section, "Content-Disposition");
	char *encoding = read_value(walk, section, "Content-Transfer-Encoding");

	*entity = (struct entity){.encoding = GMIME_CONTENT_ENCODING_DEFAULT};
	if (type)
		entity->type = g_mime_content_type_parse(NULL, type);
	else if (digest) /* RFC 2046 section 5.1.5 */
		entity->type = g_mime_content_type_new("message", "rfc822");
	if (disposition)
		entity->disposition = g_mime_content_disposition_parse(NULL, disposition);
	if (encoding)
		entity->encoding = g_mime_content_encoding_from_string(encoding);
	if (entity->type)
		entity->name = g_mime_content_type_get_mime_type(entity->type);
	g_free(encoding);
	g_free(disposition);
	g_free(type);
}

static void release_entity(struct entity *entity)
{
	g_free(entity->name);
	g_clear_object(&entity->disposition);
	g_clear_object(&entity->type);
}

static bool is_type(const struct entity *entity, const char *type, const char *subtype)
{
	return entity->type && g_mime_content_type_is_type(entity->type, type, subtype);
}

/* An encoded one, which RFC 2046 section 5.2.1 does not allow, is an attachment. */
static bool is_message(const struct entity *entity)
{
	static const char *const subtypes[] = {"rfc822", "rfc2822", "global", "news"};
	bool found = false;

	for (size_t i = 0; i < G_N_ELEMENTS(subtypes); i++)
		found |= is_type(entity, "message", subtypes[i]);
	return found && !is_encoded(entity->encoding);
}

static const char *file_name(const struct entity *entity)
{
	const char *name = NULL;

	if (entity->disposition)
		name = g_mime_content_disposition_get_parameter(entity->disposition, "filename");
	if (!name && entity->type)
		name = g_mime_content_type_get_parameter(entity->type, "name");
	return name;
}

/* --- The tree ----------------------------------------------------------------------- */

/* Fields about the content are the part's. */
static void walk_headers(struct walk *walk, bool nested)
{
	const struct outline_section *section = &walk->reader->section;
	char name[HEADER_NAME_MAX + 1];
	char *value = walk->reader->value;

	for (size_t i = 0; i < section->count && walk->headers < TOKENIZER_MAX_HEADERS; i++) {
		const struct outline_field *field = &section->fields[i];
		size_t length = MIN(field->length, (size_t)TOKENIZER_MAX_HEADER_BYTES);

		if (field->name_length >= 8 && strncasecmp(field->name, "Content-", 8) == 0)
			continue;
		walk->headers++;
		if (field->name_length > HEADER_NAME_MAX)
			continue;
		memcpy(name, field->name, field->name_length);
		name[field->name_length] = '\0';
		memcpy(value, field->value, length);
		value[length] = '\0';
		walk->handler->header(walk->handler->context, name, value, nested);
	}
}

static void walk_leaf(struct walk *walk, const struct entity *entity, struct outline_range content,
	struct mime_part *part)
{
	part->size = (size_t)(content.end - content.at);
	part->charset =
		entity->type ? g_mime_content_type_get_parameter(entity->type, "charset") : NULL;
	part->disposition = entity->disposition
		? g_mime_content_disposition_get_disposition(entity->disposition)
		: NULL;
	part->file_name = file_name(entity);
	part->kind = part_kind(entity->type, part->disposition);
	walk->handler->part(walk->handler->context, part);
	if (part->size > 0 && part->kind != MIME_OTHER && walk->text_left > 0)
		send_text(walk, part, entity->encoding, content);
}

static void walk_entity(struct walk *walk, struct outline_range range, unsigned depth, bool digest);

static void walk_children(struct walk *walk, const struct entity *entity,
	struct outline_range content, struct mime_part *part)
{
	const char *boundary = g_mime_content_type_get_parameter(entity->type, "boundary");
	bool digest = is_type(entity, "multipart", "digest");
	struct outline_range child;
	bool begun = false;

	part->kind = MIME_MULTIPART;
	walk->handler->part(walk->handler->context, part);
	while (boundary && part->depth < TOKENIZER_MAX_DEPTH && walk->parts < TOKENIZER_MAX_PARTS &&
		outline_part(&content, boundary, &begun, &child)) {
		outline_section(&walk->reader->section, child, false);
		walk_entity(walk, child, part->depth + 1, digest);
	}
}

static void walk_message_part(struct walk *walk, struct outline_range content, struct mime_part *part)
{
	part->kind = MIME_MESSAGE;
	walk->handler->part(walk->handler->context, part);
	if (content.at == content.end)
		return;
	outline_section(&walk->reader->section, content, false);
	walk_headers(walk, true);
	walk_entity(walk, content, part->depth + 1, false);
}

/* What has the header section that was read last. */
static void walk_entity(struct walk *walk, struct outline_range range, unsigned depth, bool digest)
{
	struct outline_range content = {walk->reader->section.content, range.end};
	struct entity entity;

	if (depth > TOKENIZER_MAX_DEPTH || walk->parts >= TOKENIZER_MAX_PARTS)
		return;
	walk->parts++;
	read_entity(walk, &entity, digest);
	struct mime_part part = {.type = entity.name ? entity.name : "text/plain", .depth = depth};

	if (is_type(&entity, "multipart", "*"))
		walk_children(walk, &entity, content, &part);
	else if (is_message(&entity))
		walk_message_part(walk, content, &part);
	else
		walk_leaf(walk, &entity, content, &part);
	release_entity(&entity);
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

void mime_walk(struct mime_reader *reader, const char *message, size_t length,
	const struct mime_handler *handler)
{
	struct walk walk = {.reader = reader,
		.handler = handler,
		.text_left = TOKENIZER_MAX_TEXT,
		.fields_left = CONTENT_FIELDS_MAX};

	skip_mbox_line(&message, &length);
	if (length == 0)
		return;
	struct outline_range range = {message, message + length};

	if (outline_section(&reader->section, range, true)) {
		walk_headers(&walk, false);
		walk_entity(&walk, range, 0, false);
	}
	if (walk.headers == 0) { /* not a message, but its words are there to see */
		size_t seen = length < TOKENIZER_MAX_TEXT ? length : TOKENIZER_MAX_TEXT;
		handler->text(handler->context, MIME_PLAIN, message, seen);
	}
}

char *mime_decode_header(const char *value)
{
	if (!strstr(value, "=?"))
		return NULL;
	return g_mime_utils_header_decode_text(NULL, value);
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
