/* Looks at the first bytes of what may be a message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/message-kind.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "engine/base/compression.h"

enum { TOP = 1024 }; /* bytes that are looked at where the top tells enough */

/* What was not looked at yet. */
struct text {
	const char *data;
	size_t length;
};

static bool is_space_char(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void skip_spaces(struct text *text, size_t length)
{
	text->data += length;
	text->length -= length;
}

static void skip_blanks(struct text *text)
{
	while (text->length > 0 && is_space_char(*text->data))
		skip_spaces(text, 1);
}

/* Whether it begins with the word, which is passed over then. */
static bool take_word(struct text *text, const char *word)
{
	size_t length = strlen(word);

	if (text->length < length || memcmp(text->data, word, length) != 0)
		return false;
	skip_spaces(text, length);
	return true;
}

static bool take_digits(struct text *text)
{
	bool any = false;

	for (; text->length > 0 && is_digit(*text->data); any = true)
		skip_spaces(text, 1);
	return any;
}

/* The line without its end, which is passed over. */
static struct text take_text_line(struct text *text)
{
	const char *end = memchr(text->data, '\n', text->length);
	struct text line = {text->data, end ? (size_t)(end - text->data) : text->length};

	skip_spaces(text, line.length + (end ? 1 : 0));
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* --- Kinds -------------------------------------------------------------------- */

/* dovecot-uidlist of version 3 ("3 V1234 N5 G...") and 1 ("1 1234 5"), which
 * courierimapuiddb has too; subscriptions of version 2; maildirsize ("1000S,10C"); the
 * index that Mozilla's programs keep beside an mbox file. */
static bool is_index(struct text text)
{
	struct text line = take_text_line(&text), size = line;

	if (take_word(&line, "3 V"))
		return take_digits(&line) && take_word(&line, " N") && take_digits(&line);
	if (take_word(&line, "1 "))
		return take_digits(&line) && take_word(&line, " ") && take_digits(&line) &&
			line.length == 0;
	if (take_word(&line, "// <!-- <mdb:mork:"))
		return true;
	if (take_word(&line, "V\t2"))
		return line.length == 0;
	return take_digits(&size) && take_word(&size, "S") &&
		(size.length == 0 ||
			(take_word(&size, ",") && take_digits(&size) && take_word(&size, "C")));
}

/* A boundary, and under it the field that only parts of a form have (RFC 7578). */
static bool is_multipart_form(struct text text)
{
	static const char FIELD[] = "Content-Disposition:";
	struct text line;

	if (!take_word(&text, "--"))
		return false;
	take_text_line(&text);
	while ((line = take_text_line(&text)).length > 0) {
		if (line.length >= strlen(FIELD) &&
			strncasecmp(line.data, FIELD, strlen(FIELD)) == 0) {
			skip_spaces(&line, strlen(FIELD));
			skip_blanks(&line);
			return line.length >= 9 && strncasecmp(line.data, "form-data", 9) == 0;
		}
	}
	return false;
}

/* name=value with a further field, or with octets in hexadecimal digits, and not one
 * blank or line end from the first byte to the last. */
static bool is_urlencoded_form(struct text text)
{
	static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.*+%[]";
	bool encoded = false;
	size_t name = 0;

	while (name < text.length && text.data[name] && strchr(NAME, text.data[name]))
		name++;
	if (name == 0 || name == text.length || text.data[name] != '=')
		return false;
	for (size_t i = name; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
		encoded |= c == '%' || c == '&';
	}
	return encoded;
}

/* An object with a quoted name, or a list that is closed with the last byte. */
static bool is_json(struct text text)
{
	skip_blanks(&text);
	while (text.length > 0 && is_space_char(text.data[text.length - 1]))
		text.length--;
	if (text.length < 2)
		return false;
	char last = text.data[text.length - 1];
	if (take_word(&text, "{")) {
		skip_blanks(&text);
		if (!take_word(&text, "\""))
			return text.length == 1 && last == '}';
		const char *end = memchr(text.data, '"', text.length < TOP ? text.length : TOP);
		if (!end)
			return false;
		skip_spaces(&text, (size_t)(end + 1 - text.data));
		skip_blanks(&text);
		return take_word(&text, ":");
	}
	if (last != ']' || !take_word(&text, "["))
		return false;
	skip_blanks(&text);
	return strchr("{[\"]", *text.data) != NULL;
}

/* The name of a field up to its colon (RFC 5322 section 2.2; blanks before the colon are
 * obsolete, and seen), or the line that an mbox or MMDF file begins a message with. */
static bool has_field(struct text text)
{
	size_t name = 0;

	if (take_word(&text, "From ") || take_word(&text, ">From ") ||
		take_word(&text, "\1\1\1\1\n"))
		return true;
	while (name < text.length && text.data[name] > ' ' && text.data[name] < 0x7f &&
		text.data[name] != ':')
		name++;
	if (name == 0)
		return false;
	while (name < text.length && (text.data[name] == ' ' || text.data[name] == '\t'))
		name++;
	return name < text.length && text.data[name] == ':';
}

static bool take_hex(struct text *text)
{
	bool any = false;

	for (; text->length > 0 && is_hex(*text->data); any = true)
		skip_spaces(text, 1);
	return any;
}

/* The header of a file of version 2: how long a message's header is, and when it was made. */
static bool is_dbox(struct text text)
{
	struct text line = take_text_line(&text);

	return take_word(&line, "2 M") && take_hex(&line) && take_word(&line, " C") &&
		take_hex(&line) && line.length == 0 && text.length > 0 && *text.data == '\1';
}

/* A folder's format that is not read; MESSAGE_MAIL: none. */
static enum message_kind folder_kind(struct text text)
{
	if (take_word(&text, "*mbx*\r\n"))
		return MESSAGE_MBX;
	if (take_word(&text, "BABYL OPTIONS:"))
		return MESSAGE_BABYL;
	return is_dbox(text) ? MESSAGE_DBOX : MESSAGE_MAIL;
}

/* NUL, or more than one control character in 25: random bytes have two and a half. Those of
 * texts do not count: tab, line ends, form feed, and ESC, of which Japanese has many. */
static bool is_binary(struct text text)
{
	size_t controls = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == '\0')
			return true;
		controls += (c < ' ' && !strchr("\t\n\f\r\033", c)) || c == 0x7f;
	}
	return controls > 3 && controls * 25 > text.length;
}

/* --- Verdict --------------------------------------------------------------------- */

enum message_kind message_kind_of(const char *data, size_t length)
{
	static const char SQLITE[] = "SQLite format 3"; /* and its NUL */
	struct text all = {data, length}, top = {data, length < TOP ? length : TOP}, rest = all;

	skip_blanks(&rest);
	if (rest.length == 0)
		return MESSAGE_EMPTY;
	if (compression_of_bytes(data, length) != COMPRESSION_NONE)
		return MESSAGE_COMPRESSED;
	if (length >= 4 && memcmp(data, "PK\3\4", 4) == 0)
		return MESSAGE_ARCHIVE;
	if (length >= sizeof(SQLITE) && memcmp(data, SQLITE, sizeof(SQLITE)) == 0)
		return MESSAGE_DATABASE;
	if (length >= 5 && memcmp(data, "%PDF-", 5) == 0)
		return MESSAGE_DOCUMENT;
	if (is_index(top))
		return MESSAGE_INDEX;
	if (is_multipart_form(top) || is_urlencoded_form(all))
		return MESSAGE_FORM;
	if (is_json(all))
		return MESSAGE_JSON;
	enum message_kind folder = folder_kind(top);
	if (folder != MESSAGE_MAIL)
		return folder;
	return is_binary(top) && !has_field(top) ? MESSAGE_BINARY : MESSAGE_MAIL;
}

const char *message_kind_text(enum message_kind kind)
{
	static const char *const TEXTS[] = {
		[MESSAGE_MAIL] = "a message",
		[MESSAGE_EMPTY] = "empty",
		[MESSAGE_COMPRESSED] = "compressed data",
		[MESSAGE_ARCHIVE] = "a zip archive",
		[MESSAGE_DATABASE] = "a database",
		[MESSAGE_DOCUMENT] = "a PDF document",
		[MESSAGE_INDEX] = "an index of a mail folder",
		[MESSAGE_FORM] = "a form",
		[MESSAGE_JSON] = "JSON",
		[MESSAGE_MBX] = "a folder in the format mbx, which mailutil(1) converts",
		[MESSAGE_BABYL] = "a folder in the format Babyl, which Emacs converts",
		[MESSAGE_DBOX] = "mail in Dovecot's format dbox, which doveadm-sync(1) converts",
		[MESSAGE_BINARY] = "binary data",
	};

	return TEXTS[kind];
}
