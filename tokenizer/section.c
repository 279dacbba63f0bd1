/* Finds the fields of a header section.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/section.h"

#include <string.h>
#include <strings.h>

static bool is_blank_byte(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the name at the beginning of a line, and where its colon is; 0 = the
 * line is no field. */
static size_t read_field_name(const char *at, const char *end, const char **colon)
{
	const char *stop = at;

	while (stop < end && (unsigned char)*stop > ' ' && *stop != 0x7F && *stop != ':')
		stop++;
	*colon = stop;
	while (*colon < end && is_blank_byte(**colon)) /* RFC 5322 section 4.5 */
		(*colon)++;
	return *colon < end && **colon == ':' ? (size_t)(stop - at) : 0;
}

/* The separator line of an mbox file. */
static bool is_envelope(const char *at, const char *next)
{
	return next - at >= 5 && memcmp(at, "From ", 5) == 0;
}

/* Where a field about the content is kept; NULL = it says nothing of how to read it. */
static struct section_field *find_about(struct section *section, const char *name, size_t length)
{
	static const struct {
		const char *name;
		size_t length;
	} names[SECTION_CONTENTS] = {[SECTION_TYPE] = {"Content-Type", 12},
		[SECTION_DISPOSITION] = {"Content-Disposition", 19},
		[SECTION_ENCODING] = {"Content-Transfer-Encoding", 25}};

	for (size_t i = 0; i < SECTION_CONTENTS; i++) {
		if (length == names[i].length && strncasecmp(name, names[i].name, length) == 0)
			return &section->about[i];
	}
	return NULL;
}

/* The place for a field; NULL where there is none. */
static struct section_field *place_field(struct section *section, const char *name, size_t length)
{
	if (length >= 8 && (*name | 0x20) == 'c' && strncasecmp(name, "Content-", 8) == 0)
		return find_about(section, name, length);
	if (section->count == TOKENIZER_MAX_HEADERS)
		return NULL;
	return &section->fields[section->count++];
}

bool section_read(
	struct section *section, const struct boundaries *open, const char *at, const char *end)
{
	struct section_field *field = NULL;
	const char *next, *colon;
	struct delimiter delimiter;
	bool valid = true, seen = false;

	section->count = 0;
	memset(section->about, 0, sizeof(section->about));
	for (const char *start = at; at < end; at = next) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		next = newline ? newline + 1 : end;

		if (*at == '\n' || (*at == '\r' && newline == at + 1)) {
			section->content = next;
			return valid;
		}
		if (*at == '-' && boundary_match(open, at, end, &delimiter))
			break;
		if (is_blank_byte(*at) && at > start) {
			if (field)
				field->length += (size_t)(next - at);
			continue;
		}
		size_t name = read_field_name(at, next, &colon);
		field = name ? place_field(section, at, name) : NULL;
		if (field)
			*field = (struct section_field){.name = at,
				.name_length = name,
				.value = colon + 1,
				.length = (size_t)(next - colon) - 1};
		seen |= name > 0;
		valid &= seen || is_envelope(at, next);
	}
	section->content = at;
	return valid;
}
