/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/address.h"

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

static void lower(char *text)
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
	if (length > 2 && *text == '"' && at[-1] == '"' && is_dot_atom(text + 1, length - 2)) {
		text++;
		length -= 2;
	}
	if (length + 1 + strlen(domain) > ADDRESS_MAX)
		return false;
	memcpy(out, text, length);
	out[length] = '@';
	strcpy(out + length + 1, domain);
	lower(out);
	return true;
}
