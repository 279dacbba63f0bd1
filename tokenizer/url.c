/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/url.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LABELS = 4, MAX_PATH_WORDS = 16 };

void url_fields_init(struct url_fields *fields, const struct emit *emit)
{
	fields->host = emit_body_field(emit, "url-host");
	fields->domain = emit_body_field(emit, "url-domain");
	fields->path = emit_body_field(emit, "url-path");
	fields->shape = emit_body_field(emit, "url-shape");
}

static bool is_address(const char *name, size_t length)
{
	size_t dots = 0;

	for (size_t i = 0; i < length; i++) {
		if (name[i] == '.')
			dots++;
		else if (!isdigit((unsigned char)name[i]))
			return false;
	}
	return dots == 3;
}

void url_host_tokens(struct emit *emit, const struct field *host, const struct field *domain,
	const char *name, size_t length)
{
	while (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0)
		return;
	emit_token(emit, host, name, length);
	if (is_address(name, length)) {
		/* The networks /24 and /16. */
		for (int labels = 0; labels < 2; labels++) {
			while (length > 0 && name[length - 1] != '.')
				length--;
			if (length > 1)
				emit_token(emit, domain, name, --length);
		}
		return;
	}
	size_t at = length;
	for (int labels = 0; labels < MAX_LABELS && at > 0; labels++) {
		do
			at--;
		while (at > 0 && name[at - 1] != '.');
		emit_token(emit, domain, name + at, length - at);
		if (at > 0)
			at--;
	}
}

/* "http://user@host:80/path": what stands between "//" and the end of the
 * authority. */
static const char *find_authority(const char *url, size_t length, size_t *size)
{
	const char *end = url + length;
	const char *start = url;

	for (const char *p = url; p + 1 < end && (isalnum((unsigned char)*p) || *p == ':'); p++) {
		if (*p == ':') {
			start = p + 1;
			break;
		}
	}
	if (start + 1 < end && start[0] == '/' && start[1] == '/')
		start += 2;
	else
		start = end; /* relative, or mailto:, cid:, javascript: */
	const char *stop = start;
	while (stop < end && *stop != '/' && *stop != '?' && *stop != '#' && *stop != '\\')
		stop++;
	*size = (size_t)(stop - start);
	return start;
}

size_t url_find_host(const char *url, size_t length, const char **host)
{
	size_t size;
	const char *authority = find_authority(url, length, &size);

	for (size_t i = size; i > 0; i--) {
		if (authority[i - 1] == '@') {
			authority += i;
			size -= i;
			break;
		}
	}
	const char *colon = memchr(authority, ':', size);
	*host = authority;
	return colon ? (size_t)(colon - authority) : size;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Lower case without percent encoding; returns the length. */
static size_t normalise(const char *url, size_t length, char *out, size_t *escapes)
{
	size_t used = 0;

	*escapes = 0;
	for (size_t i = 0; i < length && used < URL_MAX_BYTES; i++) {
		char c = url[i];

		if (c == '%' && i + 2 < length && hex_value(url[i + 1]) >= 0 && hex_value(url[i + 2]) >= 0) {
			c = (char)(hex_value(url[i + 1]) << 4 | hex_value(url[i + 2]));
			i += 2;
			(*escapes)++;
		}
		if (c == '\r' || c == '\n' || c == '\t')
			continue;
		out[used++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	return used;
}

/* Words of path and query: runs of letters; runs with digits become a shape. */
static void path_tokens(struct emit *emit, const struct field *field, const char *path, size_t length)
{
	size_t words = 0;

	for (size_t i = 0; i < length && words < MAX_PATH_WORDS; words++) {
		size_t start;
		bool digits = false, letters = false;

		while (i < length && !isalnum((unsigned char)path[i]))
			i++;
		for (start = i; i < length && isalnum((unsigned char)path[i]); i++) {
			digits |= isdigit((unsigned char)path[i]) != 0;
			letters |= isalpha((unsigned char)path[i]) != 0;
		}
		size_t size = i - start;
		if (size == 0)
			continue;
		if ((digits && size > 4) || size > 24) {
			char shape[32];
			snprintf(shape, sizeof(shape), "<%s%s%zu>", letters ? "a" : "", digits ? "0" : "",
				size < 16 ? size : size / 16 * 16);
			emit_string(emit, field, shape);
		} else {
			emit_token(emit, field, path + start, size);
		}
	}
}

void url_tokens(struct emit *emit, const struct url_fields *fields, const char *url, size_t length)
{
	char text[URL_MAX_BYTES];
	size_t escapes, authority_size;

	length = normalise(url, length, text, &escapes);
	const char *colon = memchr(text, ':', length);
	if (colon && colon - text < 12 && strncmp(text, "http:", 5) != 0)
		emit_token(emit, &fields->shape, text, (size_t)(colon - text));

	const char *host;
	size_t host_length = url_find_host(text, length, &host);
	const char *authority = find_authority(text, length, &authority_size);
	if (host_length == 0) {
		if (colon && strncmp(text, "mailto:", 7) == 0)
			emit_token(emit, &fields->host, text, length < 80 ? length : 80);
		return;
	}
	url_host_tokens(emit, &fields->host, &fields->domain, host, host_length);
	if (is_address(host, host_length))
		emit_string(emit, &fields->shape, "address");
	if (host > authority)
		emit_string(emit, &fields->shape, "userinfo");
	if (authority_size > (size_t)(host - authority) + host_length)
		emit_string(emit, &fields->shape, "port");
	if (escapes > 0)
		emit_string(emit, &fields->shape, escapes > 8 ? "escapes+" : "escapes");
	const char *path = authority + authority_size;
	path_tokens(emit, &fields->path, path, length - (size_t)(path - text));
}
