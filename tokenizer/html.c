/* Scans tags, text and comments of HTML in one pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/html.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "tokenizer/ascii.h"
#include "tokenizer/entity.h"
#include "tokenizer/fold.h"
#include "tokenizer/html-style.h"

enum { MAX_VALUE = 512, MAX_CHOICE = 48 };

struct attribute {
	struct html_name name;
	const char *value; /* raw: with character references */
	size_t length;
};

struct scan {
	const struct html_sink *sink;
	const char *at;
	const char *end;
	struct html_name hider; /* the open element that hides text; length 0 = none */
	unsigned hider_depth;
	char link[256]; /* host of the open anchor */
	size_t link_length;
	/* Which known elements, and attributes of them that are told of without their
	 * value, have been told of: once is enough. */
	bool told[HTML_NAMES];
	bool told_attributes[HTML_NAMES][HTML_NAMES];
};

void html_fields_init(struct html_fields *fields, const struct emit *emit)
{
	fields->tag = emit_body_field(emit, "html-tag");
	fields->attribute = emit_body_field(emit, "html-attribute");
	fields->style = emit_body_field(emit, "html-style");
	fields->mismatch = emit_body_field(emit, "html-link");
	html_names_init(&fields->names);
}

static bool is_same(const struct html_name *name, const struct html_name *other)
{
	return name->length == other->length && memcmp(name->text, other->text, name->length) == 0;
}

static struct text *current_text(const struct scan *scan)
{
	return scan->hider.length ? scan->sink->hidden : scan->sink->visible;
}

static void read_tag_name(struct scan *scan, struct html_name *name)
{
	scan->at = html_names_read(&scan->sink->fields->names, scan->at, scan->end, name);
}

static void skip_html_space(struct scan *scan)
{
	while (scan->at < scan->end && (ascii_is(*scan->at, ASCII_SPACE) || *scan->at == '/'))
		scan->at++;
}

static void read_attribute_value(struct scan *scan, struct attribute *attribute)
{
	skip_html_space(scan);
	char quote =
		scan->at < scan->end && (*scan->at == '"' || *scan->at == '\'') ? *scan->at++ : 0;
	attribute->value = scan->at;
	if (quote) {
		const char *close = memchr(scan->at, quote, (size_t)(scan->end - scan->at));
		attribute->length = (size_t)((close ? close : scan->end) - scan->at);
		scan->at = close ? close + 1 : scan->end;
		return;
	}
	while (scan->at < scan->end && *scan->at != '>' && !ascii_is(*scan->at, ASCII_SPACE))
		scan->at++;
	attribute->length = (size_t)(scan->at - attribute->value);
}

/* The next attribute of a tag; false at its end, which is passed. */
static bool read_attribute(struct scan *scan, struct attribute *attribute)
{
	attribute->value = "";
	attribute->length = 0;
	for (;;) {
		skip_html_space(scan);
		if (scan->at >= scan->end)
			return false;
		if (*scan->at == '>') {
			scan->at++;
			return false;
		}
		read_tag_name(scan, &attribute->name);
		if (attribute->name.length > 0)
			break;
		scan->at++; /* rubbish */
	}
	const char *mark = scan->at;
	skip_html_space(scan);
	if (scan->at < scan->end && *scan->at == '=') {
		scan->at++;
		read_attribute_value(scan, attribute);
	} else {
		scan->at = mark;
	}
	return true;
}

/* Character references decoded, into at most `size` bytes of `out` if there are any.
 * Returns where the value is then. */
static const char *decode_value(
	const struct attribute *attribute, char *out, size_t size, size_t *length)
{
	const char *at = attribute->value;
	const char *end = at + attribute->length;
	size_t used = 0;

	size -= 4; /* room for a character is left */
	if (!memchr(at, '&', attribute->length)) {
		*length = attribute->length < size ? attribute->length : size;
		return at;
	}
	while (at < end && used < size) {
		const char *mark = memchr(at, '&', (size_t)(end - at));
		size_t run = (size_t)((mark ? mark : end) - at);
		uint32_t character;

		run = run < size - used ? run : size - used;
		memcpy(out + used, at, run);
		used += run;
		at += run;
		if (at != mark || used >= size)
			continue;
		size_t taken = entity_decode(at, (size_t)(end - at), &character);
		if (taken)
			used += fold_encode(character, out + used);
		else
			out[used++] = '&';
		at += taken ? taken : 1;
	}
	*length = used;
	return out;
}

/* "font color=#ff0000" where the value is a design choice, else "font color". */
static void emit_attribute(
	struct scan *scan, const struct html_name *tag, const struct attribute *attribute)
{
	char text[2 * HTML_NAME_SIZE + MAX_CHOICE + 3];
	size_t used = tag->length;
	bool choice = attribute->name.traits & HTML_CHOICE;

	if (!choice && tag->number && attribute->name.number) {
		bool *told = &scan->told_attributes[tag->number][attribute->name.number];
		if (*told)
			return;
		*told = true;
	}
	memcpy(text, tag->text, HTML_NAME_SIZE);
	text[used++] = ' ';
	memcpy(text + used, attribute->name.text, HTML_NAME_SIZE);
	used += attribute->name.length;
	if (choice) {
		size_t size = attribute->length < MAX_CHOICE ? attribute->length : MAX_CHOICE;
		text[used++] = '=';
		ascii_lower_copy(text + used, attribute->value, size);
		used += size;
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

static void scan_link(
	struct scan *scan, const struct html_name *tag, const char *url, size_t length)
{
	url_tokens(scan->sink->emit, scan->sink->urls, url, length);
	if (tag->traits & HTML_ANCHOR)
		open_link(scan, url, length);
}

static void scan_shown(struct scan *scan, const char *value, size_t length)
{
	text_break(scan->sink->visible);
	text_feed(scan->sink->visible, value, length);
	text_break(scan->sink->visible);
}

/* Returns whether it hides the element. */
static bool scan_attribute(
	struct scan *scan, const struct html_name *tag, const struct attribute *attribute)
{
	unsigned traits = attribute->name.traits;
	const char *value = NULL;
	char room[MAX_VALUE];
	bool hides = false;
	size_t length = 0;

	if (traits & (HTML_LINK | HTML_STYLE | HTML_TEXT))
		value = decode_value(attribute, room, sizeof(room), &length);
	if (traits & HTML_TEXT) {
		scan_shown(scan, value, length);
		return false;
	}
	if (traits & HTML_LINK)
		scan_link(scan, tag, value, length);
	else if (traits & HTML_STYLE)
		hides = html_style_scan(
			scan->sink->emit, &scan->sink->fields->style, value, length);
	else if (traits & HTML_HIDDEN)
		hides = true;
	emit_attribute(scan, tag, attribute);
	return hides;
}

/* Nested elements of the hider's name are counted, so that its own end tag is
 * found. */
static void track_hider(struct scan *scan, const struct html_name *tag, bool hides)
{
	if (scan->hider.length) {
		if (is_same(tag, &scan->hider))
			scan->hider_depth++;
	} else if (hides && !(tag->traits & HTML_VOID)) {
		text_break(scan->sink->visible);
		scan->hider = *tag;
		scan->hider_depth = 1;
	}
}

static void skip_to_end_tag(struct scan *scan, const struct html_name *name)
{
	while (scan->at < scan->end) {
		const char *open = memchr(scan->at, '<', (size_t)(scan->end - scan->at));
		if (!open || (size_t)(scan->end - open) < name->length + 2) {
			scan->at = scan->end;
			return;
		}
		scan->at = open + 1;
		if (open[1] == '/' && strncasecmp(open + 2, name->text, name->length) == 0) {
			scan->at = open;
			return;
		}
	}
}

static void scan_start_tag(struct scan *scan)
{
	struct html_name tag;
	struct attribute attribute;
	bool hides = false;

	read_tag_name(scan, &tag);
	if (!scan->told[tag.number] || !tag.number)
		emit_token(scan->sink->emit, &scan->sink->fields->tag, tag.text, tag.length);
	scan->told[tag.number] = true;
	if (!(tag.traits & HTML_INLINE))
		text_break(current_text(scan));
	if (tag.traits & HTML_ANCHOR)
		scan->link_length = 0;
	while (read_attribute(scan, &attribute))
		hides |= scan_attribute(scan, &tag, &attribute);
	track_hider(scan, &tag, hides);
	if (tag.traits & HTML_RAW)
		skip_to_end_tag(scan, &tag);
}

static void scan_end_tag(struct scan *scan)
{
	struct html_name tag;

	read_tag_name(scan, &tag);
	if (!(tag.traits & HTML_INLINE))
		text_break(current_text(scan));
	if (tag.traits & HTML_ANCHOR)
		scan->link_length = 0;
	if (scan->hider.length && is_same(&tag, &scan->hider) && --scan->hider_depth == 0) {
		text_break(scan->sink->hidden);
		scan->hider.length = 0;
	}
	const char *close = memchr(scan->at, '>', (size_t)(scan->end - scan->at));
	scan->at = close ? close + 1 : scan->end;
}

/* What follows the first "-->". */
static const char *find_comment_end(const char *start, const char *end)
{
	for (const char *at = start; (at = memchr(at, '>', (size_t)(end - at))); at++) {
		if (at - start >= 2 && at[-1] == '-' && at[-2] == '-')
			return at + 1;
	}
	return end;
}

/* "<!-- ... -->", "<!DOCTYPE ...>", "<?xml ...>": seen by nobody. */
static void scan_declaration(struct scan *scan)
{
	size_t left = (size_t)(scan->end - scan->at);

	if (left >= 3 && memcmp(scan->at, "!--", 3) == 0) {
		emit_string(scan->sink->emit, &scan->sink->fields->tag, "!--");
		scan->at = find_comment_end(scan->at + 1, scan->end);
		return;
	}
	const char *close = memchr(scan->at, '>', left);
	scan->at = close ? close + 1 : scan->end;
}

/* Link text that names a host other than the one it leads to. */
static void check_link_text(struct scan *scan, const char *text, size_t length)
{
	const char *host = text;
	size_t size = length;

	while (size > 0 && ascii_is(*host, ASCII_SPACE)) {
		host++;
		size--;
	}
	if (memmem(host, size, "://", 3))
		size = url_find_host(host, size, &host);
	else if (size <= 4 || strncasecmp(host, "www.", 4) != 0)
		return;
	if (size == 0 || scan->link_length == 0)
		return;
	bool same =
		size >= scan->link_length && strncasecmp(host, scan->link, scan->link_length) == 0;
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
		if (ascii_is(next, ASCII_ALPHA)) {
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
