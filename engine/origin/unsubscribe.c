/* Where a message says that its recipient can unsubscribe (RFC 2369, RFC 8058).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/origin/authentication.h"
#include "engine/origin/origin.h"

enum { TAG_MAX = 2048 };

static bool is_field(const struct tokenizer_field *field, const char *name)
{
	return strcmp(field->name, name) == 0;
}

/* --- One click -------------------------------------------------------------------- */

/* Does a list of names with colons have this one? */
static bool lists(const char *names, const char *name)
{
	size_t length = strlen(name);

	while (*names) {
		size_t item = strcspn(names, ":");
		if (item == length && memcmp(names, name, length) == 0)
			return true;
		names += item + (names[item] == ':');
	}
	return false;
}

/* Is it the signature that the stamp is about? What the stamp does not tell may be any. */
static bool is_of(const struct origin_signature *stamp, const char *value)
{
	char text[TAG_MAX];

	results_tag(value, "d", text, sizeof(text));
	if (strcmp(text, stamp->domain) != 0)
		return false;
	results_tag(value, "s", text, sizeof(text));
	if (*stamp->selector && strcmp(text, stamp->selector) != 0)
		return false;
	results_tag(value, "b", text, sizeof(text));
	return strncmp(text, stamp->value, strlen(stamp->value)) == 0;
}

static bool covers(const char *signature)
{
	char names[TAG_MAX];

	results_tag(signature, "h", names, sizeof(names));
	return lists(names, "list-unsubscribe") && lists(names, "list-unsubscribe-post");
}

/* Where several signatures may be meant each has to cover the fields. One that is cut may
 * be meant, and so may one that there was no room for, which there is for as many as are
 * believed. */
static bool is_covered_by(
	const struct origin_signature *stamp, const struct tokenizer_field *fields, size_t count)
{
	size_t signatures = 0;
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		if (!is_field(&fields[i], "dkim-signature"))
			continue;
		if (fields[i].cut || ++signatures > ORIGIN_MAX_SIGNATURES)
			return false;
		if (!is_of(stamp, fields[i].value))
			continue;
		if (!covers(fields[i].value))
			return false;
		found = true;
	}
	return found;
}

/* RFC 8058 section 4: a valid signature covers both fields. It is the author's, or anybody
 * could put fields on top of a message and sign them with the own name. */
static bool is_signed(
	const struct origin *origin, const struct tokenizer_field *fields, size_t count)
{
	for (size_t i = 0; i < origin->signature_count; i++) {
		const struct origin_signature *stamp = &origin->signatures[i];
		if (origin_is_within(origin->domain, stamp->domain) &&
			is_covered_by(stamp, fields, count))
			return true;
	}
	return false;
}

/* --- Targets ------------------------------------------------------------------------- */

static bool is_target(const char *url, size_t length)
{
	static const char *const schemes[] = {"mailto:", "https://", "http://"};

	for (size_t i = 0; i < length; i++) {
		if (url[i] <= ' ' || url[i] > '~' || strchr("<>\"", url[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t scheme = strlen(schemes[i]);
		if (length > scheme && strncasecmp(url, schemes[i], scheme) == 0)
			return true;
	}
	return false;
}

static void add_targets(struct origin_targets *targets, const char *value, bool one_click)
{
	size_t used = 0;

	for (const char *at = strchr(value, '<'); at && targets->count < ORIGIN_MAX_TARGETS;
		at = strchr(at, '<')) {
		size_t length = strcspn(++at, ">");
		if (!at[length] || used + length >= sizeof(targets->text))
			return;
		if (!is_target(at, length))
			continue;
		char *url = targets->text + used;
		memcpy(url, at, length);
		url[length] = '\0';
		used += length + 1;
		targets->list[targets->count++] = (struct origin_target){
			.url = url, .one_click = one_click && strncasecmp(url, "https:", 6) == 0};
	}
}

/* A signature covers the lowest of several fields of a name (RFC 6376 section 5.4.2), so
 * with two of them it would not be clear which one it speaks of. */
void origin_unsubscribe(struct origin_targets *targets, const struct origin *origin,
	const struct tokenizer_field *fields, size_t count)
{
	const char *value = NULL, *post = NULL;
	size_t values = 0, posts = 0;

	targets->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_field(&fields[i], "list-unsubscribe") && values++ == 0)
			value = fields[i].value;
		if (is_field(&fields[i], "list-unsubscribe-post") && posts++ == 0)
			post = fields[i].value;
	}
	if (value)
		add_targets(targets, value,
			values == 1 && posts == 1 &&
				strcasecmp(post, "List-Unsubscribe=One-Click") == 0 &&
				is_signed(origin, fields, count));
}
