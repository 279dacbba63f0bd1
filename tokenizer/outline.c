/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/outline.h"

#include <string.h>
#include <strings.h>

/* --- Header section --------------------------------------------------------- */

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the name at the beginning of a line, and where its colon is; 0 = it
 * is no field. */
static size_t name_length(const char *at, const char *end, const char **colon)
{
	const char *c = at;

	while (c < end && (unsigned char)*c > ' ' && *c != 0x7F && *c != ':')
		c++;
	*colon = c;
	while (*colon < end && is_blank(**colon)) /* RFC 5322 section 4.5 */
		(*colon)++;
	return *colon < end && **colon == ':' ? (size_t)(c - at) : 0;
}

static bool is_named(const struct outline_field *field, const char *name)
{
	return field->name_length == strlen(name) &&
		strncasecmp(field->name, name, field->name_length) == 0;
}

const struct outline_field *outline_find(const struct outline_section *section, const char *name)
{
	for (size_t i = section->count; i > 0; i--) {
		if (is_named(&section->fields[i - 1], name))
			return &section->fields[i - 1];
	}
	return NULL;
}

/* The separator line of an mbox file. */
static bool is_envelope(const char *at, const char *next)
{
	return next - at >= 5 && memcmp(at, "From ", 5) == 0;
}

/* Adds the field that begins at `at`; where there is no room it is passed over.
 * Returns the place for its continuation lines. */
static struct outline_field *add_field(
	struct outline_section *section, const char *at, size_t name, struct outline_range value)
{
	struct outline_field *field = &section->fields[section->count];

	if (section->count == TOKENIZER_MAX_HEADERS)
		return NULL;
	section->count++;
	*field = (struct outline_field){.name = at,
		.name_length = name,
		.value = value.at,
		.length = (size_t)(value.end - value.at)};
	return field;
}

bool outline_section(struct outline_section *section, struct outline_range range, bool message)
{
	struct outline_field *field = NULL;
	const char *at = range.at, *next, *colon;

	section->count = 0;
	section->content = range.end;
	for (; at < range.end; at = next) {
		next = line_end(at, range.end);
		if (*at == '\n' || (*at == '\r' && next - at == 2)) {
			section->content = next;
			return true;
		}
		if (is_blank(*at) && at > range.at) {
			if (field)
				field->length += (size_t)(next - at);
			continue;
		}
		size_t name = name_length(at, next, &colon);
		if (name == 0 && section->count == 0 && message && !is_envelope(at, next))
			return false;
		/* A line that is no field is ignored with what continues it. */
		field = name ? add_field(section, at, name, (struct outline_range){colon + 1, next})
			     : NULL;
	}
	return true;
}

/* --- Multipart -------------------------------------------------------------- */

struct delimiter {
	const char *at, *next; /* its line */
	size_t line_break; /* bytes: so long is the one before it, which is part of it */
	bool closing;
};

/* Whether the line at `at`, which begins with dashes and boundary, has nothing else
 * but space. */
static bool read_delimiter(struct delimiter *delimiter, const char *at, const char *end, size_t size)
{
	const char *next = line_end(at, end);
	const char *stop = next, *rest = at + size;

	if (stop > rest && stop[-1] == '\n')
		stop--;
	delimiter->line_break = 1;
	if (stop > rest && stop < next && stop[-1] == '\r') {
		stop--;
		delimiter->line_break = 2;
	}
	delimiter->closing = stop - rest >= 2 && rest[0] == '-' && rest[1] == '-';
	rest += delimiter->closing ? 2 : 0;
	while (rest < stop && is_blank(*rest))
		rest++;
	delimiter->at = at;
	delimiter->next = next;
	return rest == stop;
}

static bool find_delimiter(
	struct delimiter *delimiter, const struct outline_range *range, const char *boundary)
{
	char text[256] = "--";
	size_t size = 2 + strlen(boundary);
	const char *at = range->at;

	if (size >= sizeof(text))
		return false;
	strcpy(text + 2, boundary);
	while ((at = memmem(at, (size_t)(range->end - at), text, size))) {
		if ((at == range->at || at[-1] == '\n') &&
			read_delimiter(delimiter, at, range->end, size))
			return true;
		at += size;
	}
	return false;
}

/* The line break before a delimiter belongs to it. */
static const char *before(const struct delimiter *delimiter, const char *start)
{
	size_t room = (size_t)(delimiter->at - start);

	return delimiter->at - (room < delimiter->line_break ? room : delimiter->line_break);
}

bool outline_part(
	struct outline_range *rest, const char *boundary, bool *begun, struct outline_range *part)
{
	struct delimiter delimiter;
	bool found = false;

	if (!*begun) {
		if (!find_delimiter(&delimiter, rest, boundary) || delimiter.closing)
			return false;
		rest->at = delimiter.next;
		*begun = true;
	}
	/* Where not even an empty line is between two of them there is no part. */
	while (rest->at && (found = find_delimiter(&delimiter, rest, boundary)) &&
		delimiter.at == rest->at)
		rest->at = delimiter.closing ? NULL : delimiter.next;
	if (!rest->at || rest->at == rest->end)
		return false;
	*part = *rest;
	if (found)
		part->end = before(&delimiter, rest->at);
	rest->at = found && !delimiter.closing ? delimiter.next : NULL;
	return true;
}
