/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/html.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "tokenizer/entity.h"
#include "tokenizer/fold.h"

enum { MAX_NAME = 24, MAX_VALUE = 512, MAX_STYLE = 48 };

/* A name in lower case, cut at MAX_NAME. */
struct name {
	char text[MAX_NAME + 1];
	size_t length;
};

struct attribute {
	struct name name;
	const char *value; /* raw: with character references */
	size_t length;
};

struct scan {
	const struct html_sink *sink;
	const char *at;
	const char *end;
	struct name hider; /* the open element that hides text; length 0 = none */
	unsigned hider_depth;
	char link[256]; /* host of the open anchor */
	size_t link_length;
};

void html_fields_init(struct html_fields *fields, const struct emit *emit)
{
	fields->tag = emit_body_field(emit, "html-tag");
	fields->attribute = emit_body_field(emit, "html-attribute");
	fields->style = emit_body_field(emit, "html-style");
	fields->mismatch = emit_body_field(emit, "html-link");
}

static bool name_is(const struct name *name, const char *text)
{
	return strcmp(name->text, text) == 0;
}

static bool name_in(const struct name *name, const char *const *list)
{
	for (; *list; list++) {
		if (name_is(name, *list))
			return true;
	}
	return false;
}

/* Elements within a line: their tags do not end a word. */
static bool is_inline(const struct name *name)
{
	static const char *const names[] = {"a", "abbr", "b", "big", "em", "font", "i", "ins", "s",
		"small", "span", "strike", "strong", "sub", "sup", "tt", "u", "wbr", NULL};
	return name_in(name, names);
}

static bool is_void(const struct name *name)
{
	static const char *const names[] = {"area", "base", "br", "col", "embed", "hr", "img", "input",
		"link", "meta", "param", "wbr", NULL};
	return name_in(name, names);
}

static struct text *current_text(const struct scan *scan)
{
	return scan->hider.length ? scan->sink->hidden : scan->sink->visible;
}

static struct name read_name(struct scan *scan)
{
	struct name name = {.length = 0};

	while (scan->at < scan->end) {
		char c = *scan->at;
		if (!isalnum((unsigned char)c) && c != '-' && c != '_' && c != ':')
			break;
		if (name.length < MAX_NAME)
			name.text[name.length++] = (char)tolower((unsigned char)c);
		scan->at++;
	}
	return name;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end && (isspace((unsigned char)*scan->at) || *scan->at == '/'))
		scan->at++;
}

static void read_value(struct scan *scan, struct attribute *attribute)
{
	skip_space(scan);
	char quote = scan->at < scan->end && (*scan->at == '"' || *scan->at == '\'') ? *scan->at++ : 0;
	attribute->value = scan->at;
	if (quote) {
		const char *close = memchr(scan->at, quote, (size_t)(scan->end - scan->at));
		attribute->length = (size_t)((close ? close : scan->end) - scan->at);
		scan->at = close ? close + 1 : scan->end;
		return;
	}
	while (scan->at < scan->end && *scan->at != '>' && !isspace((unsigned char)*scan->at))
		scan->at++;
	attribute->length = (size_t)(scan->at - attribute->value);
}

/* The next attribute of a tag; false at its end, which is passed. */
static bool read_attribute(struct scan *scan, struct attribute *attribute)
{
	*attribute = (struct attribute){.value = ""};
	for (;;) {
		skip_space(scan);
		if (scan->at >= scan->end)
			return false;
		if (*scan->at == '>') {
			scan->at++;
			return false;
		}
		attribute->name = read_name(scan);
		if (attribute->name.length > 0)
			break;
		scan->at++; /* rubbish */
	}
	const char *mark = scan->at;
	skip_space(scan);
	if (scan->at < scan->end && *scan->at == '=') {
		scan->at++;
		read_value(scan, attribute);
	} else {
		scan->at = mark;
	}
	return true;
}

/* Character references decoded, into at most `size` bytes. */
static size_t decode_value(const struct attribute *attribute, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < attribute->length && used + 4 < size;) {
		uint32_t character;
		size_t taken = attribute->value[i] == '&'
			? entity_decode(attribute->value + i, attribute->length - i, &character) : 0;
		if (taken) {
			used += fold_encode(character, out + used);
			i += taken;
		} else {
			out[used++] = attribute->value[i++];
		}
	}
	return used;
}

static bool contains(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static bool style_hides(const char *declaration)
{
	return contains(declaration, "display:none") || contains(declaration, "visibility:hidden") ||
		contains(declaration, "mso-hide:all") || strcmp(declaration, "font-size:0") == 0 ||
		strncmp(declaration, "font-size:0p", 12) == 0 ||
		strncmp(declaration, "font-size:1p", 12) == 0 || strcmp(declaration, "opacity:0") == 0 ||
		strcmp(declaration, "max-height:0") == 0 || strcmp(declaration, "max-height:0px") == 0;
}

/* Each declaration "property:value" in lower case without white space. Returns
 * whether one of them hides the element. */
static bool scan_style(const struct scan *scan, const char *style, size_t length)
{
	bool hides = false;
	size_t i = 0;

	while (i < length) {
		char declaration[MAX_STYLE + 1];
		size_t size = 0;

		for (; i < length && style[i] != ';'; i++) {
			if (size < MAX_STYLE && !isspace((unsigned char)style[i]))
				declaration[size++] = (char)tolower((unsigned char)style[i]);
		}
		i++;
		declaration[size] = '\0';
		if (size > 0)
			emit_token(scan->sink->emit, &scan->sink->fields->style, declaration, size);
		hides |= style_hides(declaration);
	}
	return hides;
}

/* "font color=#ff0000": attributes whose value is a design choice. */
static void emit_attribute(const struct scan *scan, const struct name *tag,
	const struct attribute *attribute)
{
	static const char *const telling[] = {"align", "bgcolor", "border", "cellpadding",
		"cellspacing", "color", "face", "height", "size", "target", "type", "valign", "width",
		"http-equiv", "content", "name", "lang", "class", NULL};
	char text[2 * MAX_NAME + MAX_STYLE + 3];
	size_t used = 0;

	memcpy(text, tag->text, tag->length);
	used = tag->length;
	text[used++] = ' ';
	memcpy(text + used, attribute->name.text, attribute->name.length);
	used += attribute->name.length;
	if (name_in(&attribute->name, telling)) {
		text[used++] = '=';
		for (size_t i = 0; i < attribute->length && i < MAX_STYLE; i++)
			text[used++] = (char)tolower((unsigned char)attribute->value[i]);
	}
	emit_token(scan->sink->emit, &scan->sink->fields->attribute, text, used);
}

static void open_link(struct scan *scan, const char *url, size_t length)
{
	const char *host;
	size_t size = url_find_host(url, length, &host);

	scan->link_length = size < sizeof(scan->link) ? size : 0;
	memcpy(scan->link, host, scan->link_length);
}

static bool scan_attribute(struct scan *scan, const struct name *tag, const struct attribute *attribute)
{
	static const char *const links[] = {"href", "src", "action", "background", NULL};
	char value[MAX_VALUE];
	bool hides = false;

	if (name_in(&attribute->name, links)) {
		size_t length = decode_value(attribute, value, sizeof(value));
		url_tokens(scan->sink->emit, scan->sink->urls, value, length);
		if (name_is(tag, "a"))
			open_link(scan, value, length);
	} else if (name_is(&attribute->name, "style")) {
		size_t length = decode_value(attribute, value, sizeof(value));
		hides = scan_style(scan, value, length);
	} else if (name_is(&attribute->name, "hidden")) {
		hides = true;
	} else if (name_is(&attribute->name, "alt") || name_is(&attribute->name, "title")) {
		size_t length = decode_value(attribute, value, sizeof(value));
		text_break(scan->sink->visible);
		text_feed(scan->sink->visible, value, length);
		text_break(scan->sink->visible);
		return false;
	}
	emit_attribute(scan, tag, attribute);
	return hides;
}

/* Nested elements of the hider's name are counted, so that its own end tag is
 * found. */
static void track_hider(struct scan *scan, const struct name *tag, bool hides)
{
	if (scan->hider.length) {
		if (name_is(tag, scan->hider.text))
			scan->hider_depth++;
	} else if (hides && !is_void(tag)) {
		text_break(scan->sink->visible);
		scan->hider = *tag;
		scan->hider_depth = 1;
	}
}

static void skip_to_end_tag(struct scan *scan, const char *name)
{
	size_t length = strlen(name);

	while (scan->at < scan->end) {
		const char *open = memchr(scan->at, '<', (size_t)(scan->end - scan->at));
		if (!open || (size_t)(scan->end - open) < length + 2) {
			scan->at = scan->end;
			return;
		}
		scan->at = open + 1;
		if (open[1] == '/' && strncasecmp(open + 2, name, length) == 0) {
			scan->at = open;
			return;
		}
	}
}

static void scan_start_tag(struct scan *scan)
{
	struct name tag = read_name(scan);
	struct attribute attribute;
	bool hides = false;

	emit_token(scan->sink->emit, &scan->sink->fields->tag, tag.text, tag.length);
	if (!is_inline(&tag))
		text_break(current_text(scan));
	if (name_is(&tag, "a"))
		scan->link_length = 0;
	while (read_attribute(scan, &attribute))
		hides |= scan_attribute(scan, &tag, &attribute);
	track_hider(scan, &tag, hides);
	if (name_is(&tag, "script") || name_is(&tag, "style"))
		skip_to_end_tag(scan, tag.text);
}

static void scan_end_tag(struct scan *scan)
{
	struct name tag = read_name(scan);

	if (!is_inline(&tag))
		text_break(current_text(scan));
	if (name_is(&tag, "a"))
		scan->link_length = 0;
	if (scan->hider.length && name_is(&tag, scan->hider.text) && --scan->hider_depth == 0) {
		text_break(scan->sink->hidden);
		scan->hider.length = 0;
		scan->hider.text[0] = '\0';
	}
	const char *close = memchr(scan->at, '>', (size_t)(scan->end - scan->at));
	scan->at = close ? close + 1 : scan->end;
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...>": seen by nobody. */
static void scan_declaration(struct scan *scan)
{
	size_t left = (size_t)(scan->end - scan->at);
	const char *close;

	if (left >= 3 && memcmp(scan->at, "!--", 3) == 0) {
		emit_string(scan->sink->emit, &scan->sink->fields->tag, "!--");
		close = memmem(scan->at + 1, left - 1, "-->", 3);
		scan->at = close ? close + 3 : scan->end;
		return;
	}
	close = memchr(scan->at, '>', left);
	scan->at = close ? close + 1 : scan->end;
}

/* Link text that names a host other than the one it leads to. */
static void check_link_text(struct scan *scan, const char *text, size_t length)
{
	const char *host = text;
	size_t size = length;

	while (size > 0 && isspace((unsigned char)*host)) {
		host++;
		size--;
	}
	if (memmem(host, size, "://", 3))
		size = url_find_host(host, size, &host);
	else if (size <= 4 || strncasecmp(host, "www.", 4) != 0)
		return;
	if (size == 0 || scan->link_length == 0)
		return;
	bool same = size >= scan->link_length &&
		strncasecmp(host, scan->link, scan->link_length) == 0;
	emit_string(scan->sink->emit, &scan->sink->fields->mismatch, same ? "same" : "mismatch");
}

static void scan_text(struct scan *scan)
{
	struct text *text = current_text(scan);
	const char *open = memchr(scan->at, '<', (size_t)(scan->end - scan->at));
	const char *end = open ? open : scan->end;

	if (scan->link_length)
		check_link_text(scan, scan->at, (size_t)(end - scan->at));
	while (scan->at < end) {
		const char *reference = memchr(scan->at, '&', (size_t)(end - scan->at));
		uint32_t character;
		char bytes[8];

		text_feed(text, scan->at, (size_t)((reference ? reference : end) - scan->at));
		scan->at = reference ? reference : end;
		if (!reference)
			break;
		size_t taken = entity_decode(reference, (size_t)(end - reference), &character);
		if (taken)
			text_feed(text, bytes, fold_encode(character, bytes));
		else
			text_feed(text, "&", 1);
		scan->at += taken ? taken : 1;
	}
}

void html_scan(const struct html_sink *sink, const char *html, size_t length)
{
	struct scan scan = {.sink = sink, .at = html, .end = html + length};

	while (scan.at < scan.end) {
		if (*scan.at != '<') {
			scan_text(&scan);
			continue;
		}
		char next = scan.at + 1 < scan.end ? scan.at[1] : 0;
		scan.at++;
		if (isalpha((unsigned char)next)) {
			scan_start_tag(&scan);
		} else if (next == '/') {
			scan.at++;
			scan_end_tag(&scan);
		} else if (next == '!' || next == '?') {
			scan_declaration(&scan);
		} else {
			text_feed(current_text(&scan), "<", 1);
		}
	}
}
