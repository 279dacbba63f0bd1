/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/section.h"

#include <string.h>

/* The name at `at`, up to its colon; 0 when there is none. */
static size_t name_length(const char *at, const char *end)
{
	const char *start = at;

	if (end - at > SECTION_MAX_NAME + 1)
		end = at + SECTION_MAX_NAME + 1;
	while (at<end && * at> ' ' && *at < 0x7F && *at != ':')
		at++;
	return at < end && *at == ':' ? (size_t)(at - start) : 0;
}

bool section_read(struct section *section, const char *message, size_t length)
{
	const char *end = message + length;
	const char *at = message;
	struct section_field *field = NULL;

	section->count = 0;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			return false;
		const char *next = newline + 1;

		if (newline == at || (newline == at + 1 && *at == '\r')) {
			section->content = (size_t)(next - message);
			return !memchr(message, '\0', section->content);
		}
		if (*at == ' ' || *at == '\t') {
			if (!field)
				return false;
			field->length += (size_t)(next - at);
		} else {
			size_t name = name_length(at, newline);
			if (name == 0 || section->count == SECTION_MAX_FIELDS)
				return false;
			field = &section->fields[section->count++];
			*field = (struct section_field){.name = at,
				.name_length = name,
				.value = at + name + 1,
				.length = (size_t)(next - at) - name - 1};
		}
		at = next;
	}
	return false;
}
