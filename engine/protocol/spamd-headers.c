/* Reads the header lines of a SPAMD request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/spamd-headers.h"

#include <stdint.h>

/* In the manner of spamd, whose words people search for. */
#define BAD_HEADER(why) "Bad header line: (" why ")"

static enum spamd_code refuse_header(enum spamd_code code, const char *words, const char **text)
{
	*text = words;
	return code;
}

/* Terminated. Whose name it is, if anybody's, is not decided here: who sends mail chooses it.
 * A NUL byte would end it, so another control character takes its place. */
static enum spamd_code take_value(struct buffer *buffer, struct slice value, const char **text)
{
	size_t start = buffer->length;

	buffer_append(buffer, value.data, value.length);
	buffer_append(buffer, "", 1);
	if (buffer->failed)
		return refuse_header(SPAMD_TEMPFAIL, "Out of memory", text);
	for (size_t i = start; i < start + value.length; i++) {
		if (!buffer->data[i])
			buffer->data[i] = '\x01';
	}
	return SPAMD_OK;
}

static enum spamd_code on_user(struct spamd_headers *headers, struct slice value, const char **text)
{
	return take_value(&headers->user, value, text);
}

static enum spamd_code on_context(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	for (size_t i = 0; i < value.length; i++) {
		if ((unsigned char)value.data[i] < 0x20)
			return refuse_header(SPAMD_PROTOCOL,
				BAD_HEADER("Context contains control characters"), text);
	}
	return take_value(&headers->context, value, text);
}

static enum spamd_code on_recipient(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	if (value.length >= 2 && value.data[0] == '<' && value.data[value.length - 1] == '>')
		value = (struct slice){value.data + 1, value.length - 2};
	if (headers->recipient_count == headers->recipients_max) {
		headers->recipients_lost++;
		return SPAMD_OK;
	}
	headers->recipient_count++;
	return take_value(&headers->recipients, value, text);
}

static enum spamd_code on_content_length(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	size_t number = 0;

	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return refuse_header(
				SPAMD_PROTOCOL, BAD_HEADER("Content-length is not a number"), text);
		size_t digit = (size_t)(value.data[i] - '0');
		number = number > (SIZE_MAX - digit) / 10 ? SIZE_MAX : number * 10 + digit;
	}
	if (value.length == 0)
		return refuse_header(SPAMD_PROTOCOL, BAD_HEADER("Content-length is empty"), text);
	headers->has_length = true;
	headers->content_length = number;
	return SPAMD_OK;
}

static enum spamd_code on_compress(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	(void)headers;
	if (value.length == 0)
		return SPAMD_OK;
	if (slice_equals_nocase(value, "zlib"))
		return refuse_header(SPAMD_UNAVAILABLE,
			"Service Unavailable: Compress: zlib is not supported, "
			"send the message uncompressed",
			text);
	return refuse_header(SPAMD_UNAVAILABLE,
		"Service Unavailable: Compress is not supported, send the message uncompressed",
		text);
}

static enum spamd_code on_message_class(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	(void)text;
	if (slice_equals_nocase(value, "spam"))
		headers->class = SPAMD_CLASS_SPAM;
	else if (slice_equals_nocase(value, "ham"))
		headers->class = SPAMD_CLASS_HAM;
	else
		headers->class = SPAMD_CLASS_OTHER;
	return SPAMD_OK;
}

static struct spamd_places places_in(struct slice value)
{
	return (struct spamd_places){
		.local = slice_contains_nocase(value, "local"),
		.remote = slice_contains_nocase(value, "remote"),
	};
}

static enum spamd_code on_set(struct spamd_headers *headers, struct slice value, const char **text)
{
	(void)text;
	headers->set = places_in(value);
	return SPAMD_OK;
}

static enum spamd_code on_remove(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	(void)text;
	headers->remove = places_in(value);
	return SPAMD_OK;
}

static enum spamd_code on_accept(
	struct spamd_headers *headers, struct slice value, const char **text)
{
	(void)text;
	headers->json = slice_contains_nocase(value, "application/json");
	return SPAMD_OK;
}

static const struct field {
	const char *name;
	enum spamd_code (*take)(
		struct spamd_headers *headers, struct slice value, const char **text);
	bool repeats;
} FIELDS[] = {
	{"User", on_user, false},
	{"Content-length", on_content_length, false},
	{"Compress", on_compress, false},
	{"Message-class", on_message_class, false},
	{"Set", on_set, false},
	{"Remove", on_remove, false},
	{"Accept", on_accept, false},
	{"Context", on_context, false},
	{"Rcpt", on_recipient, true},
};

/* A name with white space in it must not pass as an unknown header: "User :"
 * would be read as no user at all. */
static bool is_header_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++) {
		unsigned char octet = (unsigned char)name.data[i];

		if (octet <= 0x20 || octet == 0x7F)
			return false;
	}
	return name.length > 0;
}

enum spamd_code spamd_headers_line(
	struct spamd_headers *headers, struct slice line, const char **text)
{
	const char *colon = memchr(line.data, ':', line.length);
	if (!colon)
		return refuse_header(SPAMD_PROTOCOL, BAD_HEADER("header without a colon"), text);

	struct slice name = {line.data, (size_t)(colon - line.data)};
	struct slice value = {colon + 1, line.length - name.length - 1};

	if (!is_header_name(name))
		return refuse_header(
			SPAMD_PROTOCOL, BAD_HEADER("header without a proper name"), text);
	for (unsigned int i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
		if (!slice_equals_nocase(name, FIELDS[i].name))
			continue;
		/* Two values for one thing are a mistake or an injection: no
		 * choice between them would be safe. */
		if (headers->seen & 1u << i && !FIELDS[i].repeats)
			return refuse_header(
				SPAMD_PROTOCOL, BAD_HEADER("header given twice"), text);
		headers->seen |= 1u << i;
		return FIELDS[i].take(headers, slice_trim(value), text);
	}
	return SPAMD_OK;
}

enum spamd_code spamd_headers_tell(
	const struct spamd_headers *headers, enum spamd_tell *tell, const char **text)
{
	*tell = SPAMD_TELL_NOTHING;
	if ((headers->set.local && headers->remove.local) ||
		(headers->set.remote && headers->remove.remote))
		return refuse_header(
			SPAMD_PROTOCOL, BAD_HEADER("Set and Remove name the same place"), text);
	if (headers->remove.local)
		*tell = SPAMD_TELL_FORGET;
	if (!headers->set.local)
		return SPAMD_OK;
	if (headers->class != SPAMD_CLASS_SPAM && headers->class != SPAMD_CLASS_HAM)
		return refuse_header(SPAMD_PROTOCOL,
			BAD_HEADER("Set: local needs a Message-class of spam or ham"), text);
	*tell = headers->class == SPAMD_CLASS_SPAM ? SPAMD_TELL_SPAM : SPAMD_TELL_HAM;
	return SPAMD_OK;
}

void spamd_headers_free(struct spamd_headers *headers)
{
	buffer_free(&headers->user);
	buffer_free(&headers->context);
	buffer_free(&headers->recipients);
}
