/* The table of charsets that are asked of GMime.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/mime-charset.h"

#include <string.h>
#include <strings.h>

enum { MOST_DIGITS = 5 };

/* A number follows, and perhaps the order of bytes. */
static const char *const FAMILIES[] = {"iso-8859-", "iso8859-", "iso_8859-", "iso8859", "8859-",
	"windows-", "x-windows-", "win-", "cp", "cp-", "x-cp", "ibm", "ibm-", "utf-", "utf", "utf_",
	"ucs-", "latin", "latin-", "dos-", "tis-", "tis", "iso-ir-"};

static const char *const NAMES[] = {"us-ascii", "ascii", "ansi_x3.4-1968", "ansi_x3.4-1986",
	"iso646-us", "iso_8859-1:1987", "gb2312", "gb_2312-80", "gbk", "gb18030", "x-gbk", "cn-gb",
	"euc-cn", "hz", "hz-gb-2312", "big5", "big-5", "big5-hkscs", "big5hkscs", "cn-big5",
	"x-x-big5", "chinesebig5", "euc-tw", "shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji",
	"windows-31j", "euc-jp", "eucjp", "x-euc-jp", "iso-2022-jp", "iso-2022-jp-1",
	"iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "iso-2022-kr", "iso-2022-cn",
	"iso-2022-cn-ext", "euc-kr", "euckr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "ksc_5601",
	"uhc", "johab", "koi8-r", "koi8-u", "koi8-ru", "koi8-t", "koi8", "viscii", "tcvn",
	"macintosh", "mac", "mac-roman", "x-mac-roman", "x-mac-cyrillic", "x-mac-ce", "x-mac-greek",
	"x-mac-turkish", "armscii-8", "georgian-ps", "georgian-academy", "geostd8", "hp-roman8",
	"iso-8859-8-i", "iso-8859-8-e", "iso-8859-6-i", "iso-8859-6-e", "unicode-1-1-utf-7",
	"unicode-1-1-utf-8", "unicode", "utf-7-imap", "unknown-8bit", "x-unknown", "unknown",
	"default", "x-user-defined", "none"};

static bool is_end_of_number(const char *text, size_t length)
{
	return length == 0 ||
		(length == 2 &&
			(strncasecmp(text, "le", 2) == 0 || strncasecmp(text, "be", 2) == 0));
}

static bool is_numbered(const char *name, size_t length, const char *family)
{
	size_t prefix = strlen(family), digits = 0;

	if (length <= prefix || strncasecmp(name, family, prefix) != 0)
		return false;
	name += prefix;
	length -= prefix;
	while (digits < length && digits < MOST_DIGITS && name[digits] >= '0' &&
		name[digits] <= '9')
		digits++;
	return digits > 0 && is_end_of_number(name + digits, length - digits);
}

/* Most names are told apart by this: a sender may ask after thousands. */
static bool begins_alike(const char *name, const char *other)
{
	return (name[0] | 0x20) == (other[0] | 0x20);
}

bool charset_is_possible(const char *name, size_t length)
{
	bool possible = false;

	if (length == 0)
		return false;
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]) && !possible; i++)
		possible = begins_alike(name, NAMES[i]) && strlen(NAMES[i]) == length &&
			strncasecmp(name, NAMES[i], length) == 0;
	for (size_t i = 0; i < sizeof(FAMILIES) / sizeof(FAMILIES[0]) && !possible; i++)
		possible =
			begins_alike(name, FAMILIES[i]) && is_numbered(name, length, FAMILIES[i]);
	return possible;
}

/* `length` bytes of a name, a language after * not among them (RFC 2231 section 5). `mark`
 * makes it the name of a charset. */
static void hide(char *name, size_t length, char *mark, size_t *budget)
{
	char *language = memchr(name, '*', length);

	if (language)
		length = (size_t)(language - name);
	if (length == 5 && strncasecmp(name, "utf-8", length) == 0)
		return;
	if (*budget == 0) {
		*mark = '_';
		return;
	}
	(*budget)--;
	if (!charset_is_possible(name, length))
		memset(name, 'x', length);
}

void charset_hide(char *value, size_t *budget)
{
	for (char *at = value; (at = strchr(at, '=')) != NULL; at++) {
		bool parameter = at > value && at[-1] == '*' && at[1] != '?';
		char *name = at + (at[1] == '?' ? 2 : 1);
		size_t length = strcspn(name, parameter ? "'; \t\r\n" : "? \t\r\n");

		if (parameter && *name == '"' && length > 0) {
			name++;
			length--;
		}
		if (parameter && name[length] == '\'')
			hide(name, length, at - 1, budget);
		else if (at[1] == '?' && name[length] == '?')
			hide(name, length, at, budget);
	}
}
