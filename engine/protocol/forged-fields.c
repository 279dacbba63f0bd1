/* Counts and names the fields that only filters write.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/forged-fields.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/protocol/milter-frame.h"

bool forged_fields_named(const char *name, size_t length)
{
	return (length >= 6 && strncasecmp(name, "X-Spam", 6) == 0) ||
		(length >= 8 && strncasecmp(name, "X-Hamlet", 8) == 0);
}

/* Bytes of the name that a line begins with; 0 = it is no field. */
static size_t name_length(const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	size_t name = colon ? (size_t)(colon - line) : 0;

	while (name > 0 && (line[name - 1] == ' ' || line[name - 1] == '\t'))
		name--;
	return name;
}

static bool ends_header(const char *line, size_t length)
{
	return *line == '\n' || (length >= 2 && line[0] == '\r' && line[1] == '\n');
}

void forged_fields_each(const char *message, size_t length,
	void (*each)(void *context, const char *name, size_t length), void *context)
{
	while (length > 0 && !ends_header(message, length)) {
		const char *newline = memchr(message, '\n', length);
		size_t line = newline ? (size_t)(newline - message) + 1 : length;
		size_t name = forged_fields_named(message, line) ? name_length(message, line) : 0;

		if (name > 0)
			each(context, message, name);
		message += line;
		length -= line;
	}
}

static int compare_field_names(const void *a, const void *b)
{
	const struct forged_name *first = a, *second = b;

	return strcasecmp(first->name, second->name);
}

static struct forged_name *new_name(const char *name)
{
	size_t length = strlen(name);
	struct forged_name *made = malloc(sizeof(*made) + length + 1);

	if (!made)
		return NULL;
	made->next = NULL;
	made->count = 0;
	memcpy(made->name, name, length + 1);
	return made;
}

/* Names are chosen by the sender, so they are kept in a balanced tree (tsearch(3)): no
 * choice makes looking one up slow. NULL when out of memory. */
static struct forged_name *find_field_name(struct forged_fields *fields, const char *name)
{
	struct forged_name *made = new_name(name);
	struct forged_name *const *found =
		made ? tsearch(made, &fields->tree, compare_field_names) : NULL;

	if (found && *found == made) {
		made->next = fields->names;
		fields->names = made;
	} else {
		free(made);
	}
	return found ? *found : NULL;
}

void forged_fields_note(struct forged_fields *fields, const char *name, size_t before)
{
	size_t length = strlen(name);
	size_t bytes = MILTER_DELETE_BYTES(length);
	struct forged_name *found = NULL;

	if (!forged_fields_named(name, length))
		return;
	if (bytes <= FORGED_MAX_BYTES - fields->bytes && before <= FORGED_MAX_READ - fields->read)
		found = find_field_name(fields, name);
	if (!found) {
		fields->uncounted = true;
		return;
	}
	found->count++;
	fields->bytes += bytes;
	fields->read += before;
}

void forged_fields_clear(struct forged_fields *fields)
{
	struct forged_name *next;

	for (struct forged_name *name = fields->names; name; name = next) {
		next = name->next;
		tdelete(name, &fields->tree, compare_field_names);
		free(name);
	}
	*fields = (struct forged_fields){0};
}
