/* Compares lines with all open boundaries at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/boundary.h"

#include <string.h>

/* What stands behind dashes and boundary. False when it is more than the end of a
 * delimiter line. */
static bool read_rest(const char *rest, const char *end, struct delimiter *delimiter)
{
	bool closing = end - rest >= 2 && rest[0] == '-' && rest[1] == '-';

	rest += closing ? 2 : 0;
	while (rest < end && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
		rest++;
	if (rest < end && *rest != '\n')
		return false;
	delimiter->closing = closing;
	delimiter->next = rest < end ? rest + 1 : end;
	return true;
}

bool boundary_match(
	const struct boundaries *open, const char *at, const char *end, struct delimiter *delimiter)
{
	size_t left = (size_t)(end - at);

	if (left < 2 || at[0] != '-' || at[1] != '-')
		return false;
	for (size_t level = open->count; level-- > 0;) {
		const char *text = open->list[level].text;
		size_t length = open->list[level].length;

		if (left - 2 < length || (length > 0 && at[2] != *text) ||
			memcmp(at + 2, text, length) != 0 ||
			!read_rest(at + 2 + length, end, delimiter))
			continue;
		delimiter->line = at;
		delimiter->level = level;
		return true;
	}
	return false;
}

void boundary_find(
	const struct boundaries *open, const char *at, const char *end, struct delimiter *delimiter)
{
	while (open->count > 0 && at < end) {
		if (*at == '-' && boundary_match(open, at, end, delimiter))
			return;
		const char *newline = *at == '\n' ? at : memchr(at, '\n', (size_t)(end - at));
		at = newline ? newline + 1 : end;
	}
	*delimiter = (struct delimiter){.line = end, .next = end, .level = BOUNDARY_NONE};
}

const char *boundary_content_end(const struct delimiter *delimiter, const char *start)
{
	const char *end = delimiter->line;

	if (delimiter->level == BOUNDARY_NONE)
		return end;
	if (end > start && end[-1] == '\n')
		end--;
	if (end > start && end < delimiter->line && end[-1] == '\r')
		end--;
	return end;
}
