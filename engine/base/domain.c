/* A domain name becomes lower case, with its A-labels (libidn2).
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/domain.h"

#include <idn2.h>
#include <string.h>

/* UTF-8 takes up to four bytes where an A-label takes one. */
enum { MOST_BYTES = 4 * DOMAIN_MAX };

static bool is_ascii(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return false;
	}
	return true;
}

static bool has_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return true;
	}
	return false;
}

static void lower_ascii(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

/* Mapping makes ASCII out of other characters, such as a full-width "@", comma or bracket:
 * what is no letter, digit, hyphen, underscore or dot would mean something to whoever
 * reads the name next. */
static bool is_host_name(const char *name)
{
	return name[strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "0123456789-._")] == '\0';
}

/* Takes `ascii` when it fits. */
static bool take_label(char out[DOMAIN_MAX + 1], const char *ascii)
{
	size_t length = strlen(ascii);

	if (length > 0 && ascii[length - 1] == '.')
		length--;
	if (length == 0 || length > DOMAIN_MAX)
		return false;
	memcpy(out, ascii, length);
	out[length] = '\0';
	lower_ascii(out);
	return true;
}

bool domain_canonical(const char *domain, size_t length, char out[DOMAIN_MAX + 1])
{
	char name[MOST_BYTES + 1];
	char *ascii = NULL;
	bool taken = false;

	*out = '\0';
	if (length == 0 || length > MOST_BYTES || has_blank(domain, length))
		return false;
	memcpy(name, domain, length);
	name[length] = '\0';
	if (is_ascii(name))
		return take_label(out, name);
	if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
		is_host_name(ascii))
		taken = take_label(out, ascii);
	idn2_free(ascii);
	return taken;
}
