/* A From value that is one mailbox beyond doubt: the grammar of RFC 5322 section 3.4
 * without its obsolete forms, but with dots in display names, which programs write, and
 * with UTF-8 (RFC 6532).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tokenizer/ascii.h"
#include "tokenizer/tokenizer.h"

struct scan {
	const char *at;
};

/* What lies between two places of the value. */
struct span {
	const char *start, *end;
};

static bool is_atext(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* A quoted string or a comment, up to its end. False when that is missing. */
static bool skip_enclosed(struct scan *scan, char open, char close)
{
	size_t depth = 0;

	do {
		if (!*scan->at)
			return false;
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		else if (*scan->at == close && (open != close || depth > 0))
			depth--;
		else if (*scan->at == open)
			depth++;
		scan->at++;
	} while (depth > 0);
	return true;
}

/* Comments and blanks. */
static bool skip_cfws(struct scan *scan)
{
	for (;;) {
		if (ascii_is(*scan->at, ASCII_SPACE))
			scan->at++;
		else if (*scan->at != '(')
			return true;
		else if (!skip_enclosed(scan, '(', ')'))
			return false;
	}
}

/* One atom, or several with a dot between two. */
static bool read_dotted(struct scan *scan)
{
	const char *start;

	do {
		start = scan->at;
		while (is_atext(*scan->at))
			scan->at++;
		if (scan->at == start)
			return false;
	} while (*scan->at == '.' && scan->at++);
	return true;
}

static bool read_domain_literal(struct scan *scan)
{
	while (*++scan->at != ']') {
		if (!*scan->at || strchr("[\\ \t", *scan->at))
			return false;
	}
	scan->at++;
	return true;
}

static bool read_address(struct scan *scan, struct span *address)
{
	address->start = scan->at;
	if (*scan->at == '"' ? !skip_enclosed(scan, '"', '"') : !read_dotted(scan))
		return false;
	if (*scan->at++ != '@')
		return false;
	if (*scan->at == '[' ? !read_domain_literal(scan) : !read_dotted(scan))
		return false;
	address->end = scan->at;
	return true;
}

static bool read_display_name(struct scan *scan)
{
	for (;;) {
		if (!skip_cfws(scan))
			return false;
		if (*scan->at == '"') {
			if (!skip_enclosed(scan, '"', '"'))
				return false;
		} else if (is_atext(*scan->at) || *scan->at == '.') {
			scan->at++;
		} else {
			return true;
		}
	}
}

static bool read_named(struct scan *scan, struct span *address)
{
	if (!read_display_name(scan) || *scan->at++ != '<')
		return false;
	return skip_cfws(scan) && read_address(scan, address) && skip_cfws(scan) &&
		*scan->at++ == '>';
}

bool tokenizer_mailbox(const char *value, char *address, size_t size)
{
	struct scan scan = {value};
	struct span span;
	bool good = skip_cfws(&scan);
	const char *start = scan.at;

	good = good && read_address(&scan, &span) && skip_cfws(&scan) && !*scan.at;
	if (!good) {
		scan.at = start;
		good = read_named(&scan, &span) && skip_cfws(&scan) && !*scan.at;
	}
	good = good && (size_t)(span.end - span.start) < size;
	*address = '\0';
	if (good) {
		memcpy(address, span.start, (size_t)(span.end - span.start));
		address[span.end - span.start] = '\0';
	}
	return good;
}
