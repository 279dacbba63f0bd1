/* One form of an address: no quotes that it does not need, one form of the domain.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/origin/address.h"

#include <string.h>

#include <glib.h>

#include "engine/base/domain.h"

/* A dot-atom (RFC 5322 section 3.2.3, with UTF-8) needs no quotes. */
static bool is_dot_atom(const char *text, size_t length)
{
	if (length == 0 || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] <= ' ' || strchr("()<>[]:;@\\,\"\x7f", text[i]) ||
			(text[i] == '.' && text[i - 1] == '.'))
			return false;
	}
	return true;
}

/* What a quoted string of `length` bytes stands for (RFC 5322 section 3.2.4): "b\ad" is
 * bad. Returns its length. */
static size_t unquote_address(const char *quoted, size_t length, char out[ADDRESS_MAX + 1])
{
	size_t used = 0;

	for (size_t i = 1; i + 1 < length; i++) {
		i += quoted[i] == '\\' && i + 2 < length;
		out[used++] = quoted[i];
	}
	return used;
}

static void lower_address(char *text)
{
	for (; *text; text++)
		*text = g_ascii_tolower(*text);
}

bool address_canonical(const char *text, char out[ADDRESS_MAX + 1])
{
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : 0;
	char domain[DOMAIN_MAX + 1];

	*out = '\0';
	if (length == 0 || !domain_canonical(at + 1, strlen(at + 1), domain))
		return false;
	if (length + 1 + strlen(domain) > ADDRESS_MAX)
		return false;
	size_t plain = length > 2 && *text == '"' && at[-1] == '"'
		? unquote_address(text, length, out)
		: 0;
	if (is_dot_atom(out, plain))
		length = plain;
	else
		memcpy(out, text, length);
	out[length] = '@';
	strcpy(out + length + 1, domain);
	lower_address(out);
	return true;
}
