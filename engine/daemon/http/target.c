/* The target of a request: its path and parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/http/target.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* A recipient's name may have any byte, and with this one it is nobody's. */
static const char NUL_IN_VALUE = '\x01';

/* In place; false when it is malformed. `nul` stands for a NUL byte, which would end the
 * text; 0 = that is malformed. */
static bool decode(char *text, char nul)
{
	char *out = text;

	for (; *text; text++) {
		char c = *text;

		if (c == '%') {
			if (!g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]))
				return false;
			c = (char)(g_ascii_xdigit_value(text[1]) << 4 |
				g_ascii_xdigit_value(text[2]));
			text += 2;
		}
		if (c == '\0' && !(c = nul))
			return false;
		*out++ = c;
	}
	*out = '\0';
	return true;
}

static bool has_blank_or_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

/* Where the path of the absolute form begins; NULL = it has none. */
static char *skip_authority(char *text)
{
	size_t scheme = g_ascii_strncasecmp(text, "http://", 7) == 0 ? 7
		: g_ascii_strncasecmp(text, "https://", 8) == 0      ? 8
								     : 0;
	size_t host = scheme ? strcspn(text + scheme, "/?#") : 0;

	return host > 0 ? text + scheme + host : NULL;
}

/* Parts that are empty are none. */
static const char *take_parameters(struct target *target, char *query)
{
	size_t most = 1;
	char *next;

	for (const char *c = query; *c; c++)
		most += *c == '&';
	if (most > TARGET_PARAMETERS_MAX)
		return "the request has too many parameters: it may have 1100, of which 1000 recipients";
	target->parameters = g_new0(struct parameter, most);
	for (char *name = query; name; name = next) {
		char *end = strchr(name, '&'), *value;

		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		if (!*name)
			continue;
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		if (!decode(name, 0) || (value && !decode(value, NUL_IN_VALUE)))
			return "a parameter is malformed: % is followed by two hexadecimal digits, not 00";
		target->parameters[target->count++] = (struct parameter){name, value ? value : ""};
	}
	return NULL;
}

static const char *parse(struct target *target)
{
	char *path = target->text, *query;

	if (has_blank_or_control(path))
		return "the request's target has a blank or a control character";
	if (*path != '/' && strcmp(path, "*") != 0)
		path = skip_authority(path);
	if (!path)
		return "the request's target is no path and no http URI";
	path[strcspn(path, "#")] = '\0';
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	if (!decode(path, 0))
		return "the path is malformed: % is followed by two hexadecimal digits, not 00";
	target->path = *path ? path : "/";
	return query ? take_parameters(target, query) : NULL;
}

void target_parse(struct target *target, const char *text)
{
	*target = (struct target){.text = g_strdup(text), .length = strlen(text), .path = ""};
	target->refusal = parse(target);
	if (target->refusal) {
		target->path = "";
		target->count = 0;
	}
}

void target_free(struct target *target)
{
	g_free(target->parameters);
	g_free(target->text);
	*target = (struct target){0};
}
