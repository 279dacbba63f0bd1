/* Reads Content-Type and its neighbours with GMime, within a budget.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime-field.h"

#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "tokenizer/mime-charset.h"
#include "tokenizer/mime-text.h"
#include "tokenizer/tokenizer.h"

enum {
	CONTENT_FIELD_MAX = 2048, /* bytes looked at of one about the content */
	CONTENT_FIELD_MIN = 48, /* likewise, when the budget is spent */
	VALUE_MAX = 2 * CONTENT_FIELD_MAX, /* bytes of it in UTF-8 */
	ADDRESSES_MAX = 2048, /* bytes of an address list looked at */
	COLONS_MAX = 32, /* GMime reads nested groups by recursion */
};

/* --- The fields about the content -------------------------------------------- */

/* NULL when the field is missing. */
static char *read_field_value(
	const struct section_field *field, struct mime_decoder *decoder, struct mime_budget *budget)
{
	size_t length = MIN(field->length, (size_t)CONTENT_FIELD_MAX);
	char *raw, *unfolded, *value;

	if (!field->name)
		return NULL;
	if (length > budget->bytes)
		length = MIN(length, (size_t)CONTENT_FIELD_MIN);
	budget->bytes -= MIN(length, budget->bytes);
	raw = g_strndup(field->value, length);
	unfolded = g_mime_utils_header_unfold(raw);
	value = g_malloc(VALUE_MAX + 1);
	length = mime_decoder_words(decoder, unfolded, strlen(unfolded), value, VALUE_MAX);
	value[length] = '\0';
	charset_hide(value, &budget->charsets);
	g_free(unfolded);
	g_free(raw);
	return value;
}

static enum mime_encoding read_encoding(const char *value)
{
	switch (g_mime_content_encoding_from_string(value)) {
	case GMIME_CONTENT_ENCODING_BASE64:
		return MIME_BASE64;
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		return MIME_QUOTED_PRINTABLE;
	case GMIME_CONTENT_ENCODING_UUENCODE:
		return MIME_UUENCODE;
	default:
		return MIME_IDENTITY;
	}
}

static bool is_type(const struct mime_content *content, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(content->content_type, type, subtype);
}

/* An encoded one, which RFC 2046 section 5.2.1 does not allow, is an attachment. */
static bool is_message_part(const struct mime_content *content)
{
	static const char *const subtypes[] = {"rfc822", "rfc2822", "global", "news"};

	for (size_t i = 0; i < G_N_ELEMENTS(subtypes); i++) {
		if (is_type(content, "message", subtypes[i]))
			return content->encoding == MIME_IDENTITY;
	}
	return false;
}

static enum mime_kind find_mime_kind(const struct mime_content *content)
{
	const char *disposition = content->disposition
		? g_mime_content_disposition_get_disposition(content->disposition)
		: NULL;

	if (content->content_type && is_type(content, "multipart", "*"))
		return MIME_MULTIPART;
	if (content->content_type && is_message_part(content))
		return MIME_MESSAGE;
	if (disposition && strcasecmp(disposition, "attachment") == 0)
		return MIME_OTHER;
	if (!content->content_type || is_type(content, "text", "plain"))
		return MIME_PLAIN;
	if (is_type(content, "text", "html"))
		return MIME_HTML;
	return is_type(content, "text", "*") ? MIME_PLAIN : MIME_OTHER;
}

static void read_parameters(struct mime_content *content)
{
	GMimeContentType *type = content->content_type;

	content->type = type ? g_mime_content_type_get_mime_type(type) : NULL;
	if (content->kind == MIME_MULTIPART) {
		content->boundary = g_mime_content_type_get_parameter(type, "boundary");
		content->digest = is_type(content, "multipart", "digest");
	} else if (content->kind != MIME_MESSAGE) {
		if (content->disposition)
			content->file_name = g_mime_content_disposition_get_parameter(
				content->disposition, "filename");
		if (!content->file_name && type)
			content->file_name = g_mime_content_type_get_parameter(type, "name");
		content->charset = type ? g_mime_content_type_get_parameter(type, "charset") : NULL;
	}
}

void mime_content_read(struct mime_content *content, struct mime_decoder *decoder,
	const struct section *section, bool digest, struct mime_budget *budget)
{
	char *type = read_field_value(&section->about[SECTION_TYPE], decoder, budget);
	char *disposition = read_field_value(&section->about[SECTION_DISPOSITION], decoder, budget);
	char *encoding = read_field_value(&section->about[SECTION_ENCODING], decoder, budget);

	*content = (struct mime_content){.kind = MIME_PLAIN};
	if (type)
		content->content_type = g_mime_content_type_parse(NULL, type);
	else if (digest)
		content->content_type = g_mime_content_type_new("message", "rfc822");
	if (disposition)
		content->disposition = g_mime_content_disposition_parse(NULL, disposition);
	if (encoding)
		content->encoding = read_encoding(encoding);
	content->kind = find_mime_kind(content);
	read_parameters(content);
	g_free(encoding);
	g_free(disposition);
	g_free(type);
}

void mime_content_clear(struct mime_content *content)
{
	g_free(content->type);
	g_clear_object(&content->disposition);
	g_clear_object(&content->content_type);
}

/* --- Addresses -------------------------------------------------------------------- */

/* What is done with each address. */
struct visit {
	void (*each)(void *context, const char *address);
	void *context;
};

static size_t visit_mailboxes(InternetAddressList *list, const struct visit *visit)
{
	size_t mailboxes = 0;
	int count = list ? internet_address_list_length(list) : 0;

	for (int i = 0; i < count; i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);

		if (INTERNET_ADDRESS_IS_GROUP(address)) {
			mailboxes += visit_mailboxes(
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)),
				visit);
		} else if (INTERNET_ADDRESS_IS_MAILBOX(address)) {
			const char *text = internet_address_mailbox_get_addr(
				INTERNET_ADDRESS_MAILBOX(address));
			mailboxes++;
			if (text)
				visit->each(visit->context, text);
		}
	}
	return mailboxes;
}

/* How much of a list is looked at. A group cannot be without its colon. */
static size_t bound_addresses(const char *value)
{
	size_t length = 0;

	for (size_t colons = 0; length < ADDRESSES_MAX && value[length]; length++) {
		colons += value[length] == ':';
		if (colons > COLONS_MAX)
			break;
	}
	return length;
}

size_t mime_read_addresses(
	const char *value, void (*each)(void *context, const char *address), void *context)
{
	const struct visit visit = {each, context};
	char *bounded = g_strndup(value, bound_addresses(value));
	size_t no_charsets = 0; /* names of people do not matter here */
	charset_hide(bounded, &no_charsets);
	InternetAddressList *list = internet_address_list_parse(NULL, bounded);
	size_t mailboxes = visit_mailboxes(list, &visit);

	if (list)
		g_object_unref(list);
	g_free(bounded);
	return mailboxes;
}
