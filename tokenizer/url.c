/* Takes links apart into tokens for host, domain and path.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/url.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/ascii.h"

enum { MAX_LABELS = 4, MAX_PATH_WORDS = 16 };

_Static_assert(15 + URL_MAX_BYTES / 16 < 160, "the length of a word has a place");

void url_fields_init(struct url_fields *fields, const struct emit *emit)
{
	fields->host = emit_body_field(emit, "url-host");
	fields->domain = emit_body_field(emit, "url-domain");
	fields->path = emit_body_field(emit, "url-path");
	fields->shape = emit_body_field(emit, "url-shape");
}

static bool is_ipv4(const char *name, size_t length)
{
	size_t dots = 0;

	for (size_t i = 0; i < length; i++) {
		if (name[i] == '.')
			dots++;
		else if (!ascii_is(name[i], ASCII_DIGIT))
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
	if (is_ipv4(name, length)) {
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

	for (const char *p = url; p + 1 < end && (ascii_is(*p, ASCII_ALNUM) || *p == ':'); p++) {
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

/* The host within an authority: its place and length. */
static size_t find_host(const char *authority, size_t size, const char **host)
{
	const char *at = memrchr(authority, '@', size);

	if (at) {
		size -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	const char *colon = memchr(authority, ':', size);
	*host = authority;
	return colon ? (size_t)(colon - authority) : size;
}

size_t url_find_host(const char *url, size_t length, const char **host)
{
	size_t size;
	const char *authority = find_authority(url, length, &size);

	return find_host(authority, size, host);
}

static unsigned hex_value(char c)
{
	return ascii_is(c, ASCII_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Is none of eight bytes '%' or a control character? May say no too often. */
static bool are_plain(uint64_t bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t percent = bytes ^ '%' * ones;

	return !(((percent - ones) | (bytes - 0x20 * ones)) & (0x80 * ones));
}

/* Lower case without percent encoding and line breaks; returns the length. */
static size_t normalise(const char *url, size_t length, char *out, size_t *escapes)
{
	size_t used = 0;

	*escapes = 0;
	for (size_t i = 0; i < length && used < URL_MAX_BYTES; i++) {
		uint64_t bytes;

		while (i + 8 <= length && used + 8 <= URL_MAX_BYTES) {
			memcpy(&bytes, url + i, 8);
			if (!are_plain(bytes))
				break;
			bytes = ascii_lower_eight(bytes);
			memcpy(out + used, &bytes, 8);
			i += 8;
			used += 8;
		}
		if (i == length || used == URL_MAX_BYTES)
			break;
		char c = url[i];
		if (c == '%' && i + 2 < length && ascii_is(url[i + 1], ASCII_HEXADECIMAL) &&
			ascii_is(url[i + 2], ASCII_HEXADECIMAL)) {
			c = (char)(hex_value(url[i + 1]) << 4 | hex_value(url[i + 2]));
			i += 2;
			(*escapes)++;
		}
		out[used] = ascii_lower(c);
		used += c != '\r' && c != '\n' && c != '\t';
	}
	return used;
}

/* "<a0N>": letters, digits, and the length, roughly. */
static void emit_shape(struct emit *emit, const struct field *field, unsigned classes, size_t size)
{
	unsigned kinds = (classes & ASCII_ALPHA ? 2 : 0) | (classes & ASCII_DIGIT ? 1 : 0);
	bool *told = &emit->told.shapes[kinds][size < 16 ? size : 15 + size / 16];
	char shape[32];

	if (*told)
		return;
	*told = true;
	snprintf(shape, sizeof(shape), "<%s%s%zu>", kinds & 2 ? "a" : "", kinds & 1 ? "0" : "",
		size < 16 ? size : size / 16 * 16);
	emit_string(emit, field, shape);
}

/* The end of a run of letters and digits, and what it has of them. */
static const char *end_of_run(const char *at, const char *end, unsigned *classes)
{
	*classes = 0;
	while (end - at >= 8) {
		uint64_t bytes = ascii_load_eight(at);
		size_t size = ascii_run(ascii_alnum_eight(bytes));
		uint64_t run = size < 8 ? ascii_first(bytes, size) : bytes;

		*classes |= ascii_between(run, '0', '9') ? ASCII_DIGIT : 0;
		*classes |= ascii_between(run, 'A', 'z') ? ASCII_ALPHA : 0;
		at += size;
		if (size < 8)
			return at;
	}
	for (; at < end && ascii_is(*at, ASCII_ALNUM); at++)
		*classes |= ascii_classes[(unsigned char)*at];
	return at;
}

/* Words of path and query: runs of letters; runs with digits become a shape. */
static void path_tokens(
	struct emit *emit, const struct field *field, const char *path, size_t length)
{
	const char *end = path + length;

	for (size_t words = 0; path < end && words < MAX_PATH_WORDS; words++) {
		unsigned classes;

		while (path < end && !ascii_is(*path, ASCII_ALNUM))
			path++;
		const char *start = path;
		path = end_of_run(start, end, &classes);
		size_t size = (size_t)(path - start);
		if (size == 0)
			continue;
		if ((classes & ASCII_DIGIT && size > 4) || size > 24)
			emit_shape(emit, field, classes, size);
		else
			emit_token(emit, field, start, size);
	}
}

/* Newsletters lead to one host, and take their pictures from another. */
static void emit_host(
	struct emit *emit, const struct url_fields *fields, const char *host, size_t length)
{
	struct emit_told *told = &emit->told;

	for (size_t i = 0; i < 2; i++) {
		if (told->host_lengths[i] == length && memcmp(told->hosts[i], host, length) == 0)
			return;
	}
	if (length <= sizeof(told->hosts[0])) {
		told->next_host ^= 1;
		told->host_lengths[told->next_host] = length;
		memcpy(told->hosts[told->next_host], host, length);
	}
	url_host_tokens(emit, &fields->host, &fields->domain, host, length);
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
	const char *authority = find_authority(text, length, &authority_size);
	size_t host_length = find_host(authority, authority_size, &host);
	if (host_length == 0) {
		if (colon && strncmp(text, "mailto:", 7) == 0)
			emit_token(emit, &fields->host, text, length < 80 ? length : 80);
		return;
	}
	emit_host(emit, fields, host, host_length);
	if (is_ipv4(host, host_length))
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
