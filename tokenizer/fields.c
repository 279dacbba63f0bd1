/* Keeps header fields by kind, each with room of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/fields.h"

#include <stdbool.h>
#include <string.h>

#include "tokenizer/ascii.h"

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
	{"authentication-results", FIELDS_STAMP},
	{"received-spf", FIELDS_STAMP},
	{"dkim-signature", FIELDS_SIGNATURE},
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

void fields_add(struct fields *fields, const struct header *header)
{
	enum fields_class class = class_of(header->lower);
	size_t length = header->name_length;
	size_t left = FIELDS_ROOM - fields->used[class];

	if (fields->counts[class] == FIELDS_MAX_OF_CLASS || left < length + 3 ||
		(class == FIELDS_AUTHOR && is_third(fields, header->lower)))
		return;
	char *at = fields->text[class] + fields->used[class];
	size_t room = left - length - 2 < FIELDS_MAX_VALUE ? left - length - 2 : FIELDS_MAX_VALUE;
	struct tokenizer_field *field = &fields->list[fields->count++];
	memcpy(at, header->lower, length + 1);
	field->name = at;
	at += length + 1;
	field->value = at;
	bool longer = header->untrimmed > room;
	field->cut = longer || header->raw->cut;
	size_t size = ascii_trim(header->value, longer ? room : header->untrimmed);
	memcpy(at, header->value, size);
	at[size] = '\0';
	fields->used[class] += length + 2 + size;
	fields->counts[class]++;
}
