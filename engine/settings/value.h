/* One value of the configuration: from text, to text, and what is allowed.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is in memory is said after each. */
enum value_type {
	TYPE_TEXT, /* char * */
	TYPE_PATH, /* char *, absolute */
	TYPE_ADDRESS, /* char *, loopback address and port, or empty */
	TYPE_WORD, /* enum: the index of one of the words, from `minimum` to `maximum` */
	TYPE_CHARACTERS, /* char[maximum + 1]: each one of words[0] */
	TYPE_LIST, /* char **, ends in NULL */
	TYPE_NUMBER, /* uint64_t or int64_t */
	TYPE_BYTES, /* uint64_t; the text may end in K, M or G */
	TYPE_ROOM, /* uint64_t: as TYPE_BYTES, a percentage, or "auto" */
	TYPE_OCTAL, /* uint64_t */
	TYPE_REAL, /* double */
	TYPE_BOOL, /* bool; the words for false and true, or NULL for these two */
};

/* A TYPE_ROOM beside its bytes. */
#define VALUE_AUTO             UINT64_MAX
#define VALUE_PERCENT(percent) (UINT64_MAX - (percent))

/* 1 to 100; 0 = it is no percentage. */
static inline unsigned value_percent(uint64_t value)
{
	return value != VALUE_AUTO && value >= VALUE_PERCENT(100) ? (unsigned)(UINT64_MAX - value)
								  : 0;
}

struct value_rule {
	enum value_type type;
	double minimum; /* of a number */
	double maximum;
	const char *unit; /* of a number, for people; NULL = none */
	const char *const *words;
};

/* False when the text is not allowed: *value is as it was then. A former string
 * or list is released. */
bool value_read(const struct value_rule *rule, void *value, const char *text);

/* The value as a file would write it; to be freed with g_free. */
char *value_format(const struct value_rule *rule, const void *value);

/* What is allowed, in words that follow "is not"; to be freed with g_free. */
char *value_allowed(const struct value_rule *rule);

size_t value_size(const struct value_rule *rule);

/* Releases what *value owns, which is NULL then; what owns nothing stays. */
void value_free(const struct value_rule *rule, void *value);
