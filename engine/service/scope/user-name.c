/* Takes a name apart as RFC 5321 and Postfix do, and writes the one form of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/scope/user-name.h"

#include <string.h>

#include <glib.h>

#include "engine/base/domain.h"

/* Form C may take a third of what was written. */
enum { LOCAL_MOST = 4 * STORE_MAX_USER };

/* A part of a text. */
struct part {
	const char *data;
	size_t length;
};

/* --- Around the mailbox -------------------------------------------------------- */

static struct part without_brackets(const char *text)
{
	struct part part = {text, strlen(text)};

	if (part.length >= 2 && *text == '<' && text[part.length - 1] == '>') {
		part.data++;
		part.length -= 2;
	}
	return part;
}

/* Where the route "@a,@[IPv6:::1]:" ends; 0 = there is none. */
static size_t route_length(struct part part)
{
	bool literal = false;

	if (part.length == 0 || *part.data != '@')
		return 0;
	for (size_t i = 0; i < part.length; i++) {
		if (part.data[i] == '[')
			literal = true;
		else if (part.data[i] == ']')
			literal = false;
		else if (part.data[i] == ':' && !literal)
			return i + 1;
	}
	return 0;
}

static struct part without_route(struct part part)
{
	size_t length;

	while ((length = route_length(part)) > 0) {
		part.data += length;
		part.length -= length;
	}
	return part;
}

/* --- The local part --------------------------------------------------------------- */

struct local {
	char text[LOCAL_MOST + 1]; /* without quotes; what is longer is left out */
	size_t length; /* of the whole */
	bool quoted_at; /* an "@" that separates nothing */
	bool has_domain;
	struct part domain;
};

static void append_char(struct local *local, char c)
{
	if (local->length < LOCAL_MOST)
		local->text[local->length] = c;
	local->length++;
}

/* The last "@" outside quotes. */
static const char *find_at(struct part part)
{
	const char *end = part.data + part.length, *at = NULL;
	bool quoted = false;

	for (const char *c = part.data; c < end; c++) {
		if (quoted && *c == '\\')
			c++;
		else if (*c == '"')
			quoted = !quoted;
		else if (*c == '@' && !quoted)
			at = c;
	}
	return at;
}

/* What follows the "@". */
static struct part after(struct part part, const char *at)
{
	return (struct part){at + 1, part.length - (size_t)(at + 1 - part.data)};
}

/* False when a quote is not closed. */
static bool unquote_local(struct local *local, struct part part)
{
	bool quoted = false;

	for (size_t i = 0; i < part.length; i++) {
		char c = part.data[i];

		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && c == '\\' && i + 1 < part.length)
			c = part.data[++i];
		local->quoted_at |= quoted && c == '@';
		append_char(local, c);
	}
	local->text[MIN(local->length, LOCAL_MOST)] = '\0';
	return !quoted;
}

static bool split(struct local *local, struct part part)
{
	const char *at = find_at(part);

	*local = (struct local){.has_domain = at != NULL};
	if (at) {
		local->domain = after(part, at);
		part.length = (size_t)(at - part.data);
	}
	return unquote_local(local, part) && (local->has_domain || !local->quoted_at);
}

/* Names that have a delimiter in them and no extension. */
static bool is_whole(const struct user_naming *naming, const char *local)
{
	size_t length = strlen(local);
	const size_t request = strlen("-request");

	if (g_ascii_strcasecmp(local, "mailer-daemon") == 0 ||
		g_ascii_strcasecmp(local, "double-bounce") == 0)
		return true;
	return strchr(naming->delimiters, '-') &&
		(g_ascii_strncasecmp(local, "owner-", strlen("owner-")) == 0 ||
			(length > request &&
				g_ascii_strcasecmp(local + length - request, "-request") == 0));
}

static void cut_extension(const struct user_naming *naming, struct local *local)
{
	size_t length = strcspn(local->text, naming->delimiters);

	if (length == 0 || !local->text[length] || is_whole(naming, local->text))
		return;
	local->text[length] = '\0';
	local->length = length;
}

static bool may_be_local(const struct local *local)
{
	if (local->length == 0 || local->length > LOCAL_MOST || strchr("@<", *local->text) ||
		strchr(local->text, '"') || !g_utf8_validate(local->text, -1, NULL))
		return false;
	for (const char *c = local->text; *c; c = g_utf8_next_char(c)) {
		gunichar letter = g_utf8_get_char(c);
		if (g_unichar_iscntrl(letter) || letter == 0xFFFD)
			return false;
	}
	return true;
}

/* The one letter whose small form Unicode has as two (SpecialCasing.txt): as "i" alone it
 * would be another name than I with a dot above, which is the same letter. */
#define SMALL_DOTTED_I "i\xcc\x87"
enum { DOTTED_I = 0x130 };

/* Letter by letter: g_utf8_strdown asks the locale. To be freed with g_free. */
static char *lower_unicode(const char *text)
{
	GString *lowered = g_string_sized_new(strlen(text));

	for (; *text; text = g_utf8_next_char(text)) {
		gunichar letter = g_utf8_get_char(text);
		if (letter == DOTTED_I)
			g_string_append(lowered, SMALL_DOTTED_I);
		else
			g_string_append_unichar(lowered, g_unichar_tolower(letter));
	}
	return g_string_free(lowered, FALSE);
}

/* To be freed with g_free. */
static char *one_form(const struct user_naming *naming, const char *text)
{
	char *composed = g_utf8_normalize(text, -1, G_NORMALIZE_DEFAULT_COMPOSE);

	if (!naming->fold)
		return composed;
	char *lowered = lower_unicode(composed);
	g_free(composed);
	composed = g_utf8_normalize(lowered, -1, G_NORMALIZE_DEFAULT_COMPOSE);
	g_free(lowered);
	return composed;
}

/* --- The domain ----------------------------------------------------------------------- */

/* Letters and digits of A-labels, and what address literals are made of. */
static bool may_be_domain(const char *domain)
{
	size_t length = strlen(domain);

	if (length == 0 || *domain == '.' || domain[length - 1] == '.' || strstr(domain, ".."))
		return false;
	for (; *domain; domain++) {
		if (!g_ascii_isalnum(*domain) && !strchr("-._[]:", *domain))
			return false;
	}
	return true;
}

static bool read_domain(struct part part, char domain[DOMAIN_MAX + 1])
{
	return domain_canonical(part.data, part.length, domain) && may_be_domain(domain);
}

/* --- Together ------------------------------------------------------------------------ */

static bool put_together(
	const char *local, const struct local *parts, char name[STORE_MAX_USER + 1])
{
	char domain[DOMAIN_MAX + 1] = "";
	size_t length = strlen(local);

	if (parts->has_domain && !read_domain(parts->domain, domain))
		return false;
	if (length + parts->has_domain + strlen(domain) > STORE_MAX_USER)
		return false;
	strcpy(name, local);
	if (parts->has_domain)
		name[length++] = '@';
	strcpy(name + length, domain);
	return true;
}

bool user_name(const struct user_naming *naming, const char *text, char name[STORE_MAX_USER + 1])
{
	struct local local;

	*name = '\0';
	if (!*text)
		return true;
	if (!split(&local, without_route(without_brackets(text))))
		return false;
	cut_extension(naming, &local);
	if (!may_be_local(&local))
		return false;
	char *form = one_form(naming, local.text);
	bool fits = put_together(form, &local, name);
	g_free(form);
	return fits;
}

static bool write_domain(struct part domain, char scope[STORE_MAX_USER + 1])
{
	bool good = read_domain(domain, scope + 1);

	*scope = good ? '@' : '\0';
	return good;
}

bool user_domain(const char *text, char scope[STORE_MAX_USER + 1])
{
	struct part part = without_route(without_brackets(text));
	const char *at = find_at(part);

	*scope = '\0';
	return at && write_domain(after(part, at), scope);
}

bool user_scope(const struct user_naming *naming, const char *text, char scope[STORE_MAX_USER + 1])
{
	const struct part part = {text, strlen(text)};

	if (*text != '@' || route_length(part) > 0)
		return user_name(naming, text, scope);
	return write_domain(after(part, text), scope);
}
