/* Requests that two programs may read in two ways are refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/strict.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

static bool is_token_character(char c)
{
	return g_ascii_isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_value_character(char c)
{
	return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

/* --- Field lines ------------------------------------------------------------------ */

const char *strict_scan(const char *fields, size_t length, size_t *count)
{
	size_t at = 0, begin;

	for (*count = 0; at < length && fields[at]; (*count)++) {
		if (fields[at] == ' ' || fields[at] == '\t')
			return "a header field is folded over several lines";
		for (begin = at; at < length && is_token_character(fields[at]);)
			at++;
		if (at == begin || at == length || fields[at++] != '\0')
			return "the name of a header field has a character that is not allowed";
		while (at < length && is_value_character(fields[at]))
			at++;
		if (at == length || fields[at] != '\0')
			return "a header field has a control character";
		if (++at == length || fields[at++] != '\0')
			return "a header line has a NUL, or does not end with CR and LF";
	}
	if (length - at != 2 || fields[at + 1] != '\0')
		return "the header does not end with an empty line of CR and LF";
	return NULL;
}

/* libmicrohttpd before 1.0 hands on what a NUL cut short and what was folded, and takes LF
 * for CRLF, but says how long the header was, and its method and version are where they
 * were received. From 1.0 on it refuses all of that itself: see listening.c. */
static const char *check_lines(struct MHD_Connection *connection, const char *method,
	const char *version, size_t target, size_t fields)
{
	enum { VERSION = 8, LINE_END = 2 }; /* "HTTP/1.1" */
	size_t size = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			      ->header_size;
	size_t line = strlen(method) + 1 + target + 1 + VERSION;
	const char *refusal;
	size_t count;

	if (MHD_get_version()[0] != '0')
		return NULL;
	if (version != method + line - VERSION || size < line + LINE_END || method[line] != '\0' ||
		method[line + 1] != '\0')
		return "the request line is malformed, or does not end with CR and LF";
	refusal = strict_scan(method + line + LINE_END, size - line - LINE_END, &count);
	return refusal || count == fields ? refusal : "the header has a NUL";
}

/* --- Where the request ends ---------------------------------------------------------- */

struct framing {
	size_t fields, lengths, encodings, hosts;
	bool odd; /* a field's name or value has what it may not */
	bool digits; /* the length is one number */
	bool chunked; /* the encoding is */
};

static bool all(const char *text, size_t length, bool (*allowed)(char c))
{
	for (size_t i = 0; i < length; i++) {
		if (!allowed(text[i]))
			return false;
	}
	return true;
}

static bool is_digit(char c)
{
	return g_ascii_isdigit(c);
}

static enum MHD_Result look_at(void *context, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	struct framing *framing = context;
	(void)kind;

	framing->fields++;
	framing->odd |= name_size == 0 || !all(name, name_size, is_token_character) ||
		!all(value, value_size, is_value_character);
	if (g_ascii_strcasecmp(name, "Content-Length") == 0) {
		framing->lengths++;
		framing->digits = value_size > 0 && all(value, value_size, is_digit);
	} else if (g_ascii_strcasecmp(name, "Transfer-Encoding") == 0) {
		framing->encodings++;
		framing->chunked = g_ascii_strcasecmp(value, "chunked") == 0;
	} else if (g_ascii_strcasecmp(name, "Host") == 0) {
		framing->hosts++;
	}
	return MHD_YES;
}

static const char *check_framing(const struct framing *framing, const char *version)
{
	if (framing->odd)
		return "a header field has a character that is not allowed";
	if (framing->encodings > 0 && framing->lengths > 0)
		return "the request has both Content-Length and Transfer-Encoding";
	if (framing->lengths > 1 || (framing->lengths == 1 && !framing->digits))
		return "Content-Length is given once, as one decimal number";
	if (framing->encodings > 1 || (framing->encodings == 1 && !framing->chunked))
		return "the only Transfer-Encoding that is taken is chunked";
	if (framing->encodings == 1 && strcmp(version, "HTTP/1.0") == 0)
		return "HTTP/1.0 has no Transfer-Encoding";
	if (framing->hosts > 1)
		return "the request has several Host fields";
	return NULL;
}

const char *strict_refusal(
	struct MHD_Connection *connection, const char *method, const char *version, size_t target)
{
	struct framing framing = {0};
	const char *refusal;

	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at, &framing);
	refusal = check_framing(&framing, version);
	return refusal ? refusal : check_lines(connection, method, version, target, framing.fields);
}
