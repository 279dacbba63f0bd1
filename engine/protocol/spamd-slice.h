/* Private to the SPAMD session: parts of a line, which are not terminated and
 * may hold any octet.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *data; /* never NULL */
	size_t length;
};

static inline bool slice_equals(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && memcmp(slice.data, string, slice.length) == 0;
}

static inline bool slice_equals_nocase(struct slice slice, const char *string)
{
	return slice.length == strlen(string) && strncasecmp(slice.data, string, slice.length) == 0;
}

static inline bool slice_contains_nocase(struct slice slice, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= slice.length; i++) {
		if (strncasecmp(slice.data + i, word, length) == 0)
			return true;
	}
	return false;
}

/* Without spaces and tabs at both ends. */
static inline struct slice slice_trim(struct slice slice)
{
	while (slice.length > 0 && (slice.data[0] == ' ' || slice.data[0] == '\t')) {
		slice.data++;
		slice.length--;
	}
	while (slice.length > 0) {
		char last = slice.data[slice.length - 1];

		if (last != ' ' && last != '\t')
			break;
		slice.length--;
	}
	return slice;
}
