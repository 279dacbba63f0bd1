/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/fields.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	enum fields_class class;
} NAMES[] = {
	{"from", FIELDS_AUTHOR},
	{"list-id", FIELDS_AUTHOR},
	{"list-unsubscribe", FIELDS_AUTHOR},
	{"list-unsubscribe-post", FIELDS_AUTHOR},
	{"return-path", FIELDS_AUTHOR},
	{"received", FIELDS_TRACE},
	{"authentication-results", FIELDS_TRACE},
	{"received-spf", FIELDS_TRACE},
	{"dkim-signature", FIELDS_TRACE},
};

void fields_reset(struct fields *fields)
{
	fields->count = 0;
	memset(fields->counts, 0, sizeof(fields->counts));
	memset(fields->used, 0, sizeof(fields->used));
}

static enum fields_class class_of(const char *name)
{
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (strcmp(name, NAMES[i].name) == 0)
			return NAMES[i].class;
	}
	return FIELDS_OTHER;
}

/* Two of a kind are enough to see that there is more than one. */
static bool is_third(const struct fields *fields, const char *name)
{
	size_t seen = 0;

	for (size_t i = 0; i < fields->count; i++)
		seen += strcmp(fields->list[i].name, name) == 0;
	return seen >= 2;
}

/* Copies the value, a line break with the white space around it as one space,
 * without white space at both ends. True when it was cut. */
static bool unfold(const char *value, size_t room, char *out)
{
	size_t used = 0;

	if (room > FIELDS_MAX_VALUE)
		room = FIELDS_MAX_VALUE;
	while (isspace((unsigned char)*value))
		value++;
	while (*value && used < room) {
		bool broken = *value == '\r' || *value == '\n';

		out[used++] = broken ? ' ' : *value++;
		while (broken && isspace((unsigned char)*value))
			value++;
	}
	while (used > 0 && isspace((unsigned char)out[used - 1]))
		used--;
	out[used] = '\0';
	return *value != '\0';
}

void fields_add(struct fields *fields, const char *name, const char *value)
{
	char lower[FIELDS_MAX_NAME + 1];
	size_t length = strlen(name);

	if (length > FIELDS_MAX_NAME)
		return;
	for (size_t i = 0; i <= length; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);

	enum fields_class class = class_of(lower);
	size_t left = FIELDS_ROOM - fields->used[class];
	if (fields->counts[class] == FIELDS_MAX_OF_CLASS || left < length + 3 ||
		(class == FIELDS_AUTHOR && is_third(fields, lower)))
		return;
	char *at = fields->text[class] + fields->used[class];
	struct tokenizer_field *field = &fields->list[fields->count++];
	memcpy(at, lower, length + 1);
	field->name = at;
	field->value = at + length + 1;
	field->cut = unfold(value, left - length - 2, at + length + 1);
	fields->used[class] += length + 2 + strlen(field->value);
	fields->counts[class]++;
}
