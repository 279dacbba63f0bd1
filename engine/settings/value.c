/* One value of the configuration: from text, to text, and what is allowed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

/* --- Text to value ------------------------------------------------------- */

static char **split_list(const char *text)
{
	GStrv parts = g_strsplit_set(text, " \t\r\n\v\f,;", -1);
	size_t kept = 0;

	for (size_t i = 0; parts[i]; i++) {
		if (*parts[i])
			parts[kept++] = parts[i];
		else
			g_free(parts[i]);
	}
	parts[kept] = NULL;
	return parts;
}

/* Splits "127.0.0.1:783" or "[::1]:783" in place. NULL when it has no port. */
static char *split_port(char *address)
{
	char *colon = strrchr(address, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	if (address[0] == '[') {
		if (colon[-1] != ']')
			return NULL;
		colon[-1] = '\0';
	}
	return colon + 1;
}

static bool is_loopback(const char *text)
{
	char *copy = g_strdup(text);
	char *port_text = split_port(copy);
	const char *host = copy[0] == '[' ? copy + 1 : copy;
	struct in_addr four;
	struct in6_addr six;
	guint64 port;
	bool valid = port_text && g_ascii_string_to_unsigned(port_text, 10, 1, 65535, &port, NULL);

	if (copy[0] == '[')
		valid = valid && inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
	else
		valid = valid && inet_pton(AF_INET, host, &four) == 1 &&
			ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	g_free(copy);
	return valid;
}

static bool read_text(const struct value_rule *rule, const char *text, char **value)
{
	if (rule->type == TYPE_PATH && !g_path_is_absolute(text))
		return false;
	if (rule->type == TYPE_ADDRESS && *text && !is_loopback(text))
		return false;
	g_free(*value);
	*value = g_strdup(text);
	return true;
}

static bool read_word_value(const struct value_rule *rule, const char *text, unsigned *value)
{
	for (unsigned i = (unsigned)rule->minimum; i <= (unsigned)rule->maximum; i++) {
		if (strcmp(rule->words[i], text) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

static bool read_characters(const struct value_rule *rule, const char *text, char *value)
{
	size_t length = strlen(text);

	if (length > (size_t)rule->maximum || strspn(text, rule->words[0]) < length)
		return false;
	memcpy(value, text, length + 1);
	return true;
}

static bool in_range(const struct value_rule *rule, double value)
{
	return value >= rule->minimum && value <= rule->maximum;
}

static bool read_number_value(const struct value_rule *rule, const char *text, uint64_t *value)
{
	static const char SUFFIXES[] = "KMG";
	char *end = NULL;
	unsigned shift = 0;

	if (rule->type == TYPE_ROOM && strcmp(text, "auto") == 0) {
		*value = VALUE_AUTO;
		return true;
	}
	if (!g_ascii_isdigit(*text)) /* strtoull takes white space and signs */
		return false;
	errno = 0;
	guint64 number = g_ascii_strtoull(text, &end, rule->type == TYPE_OCTAL ? 8 : 10);
	if (errno != 0)
		return false;
	if (rule->type == TYPE_ROOM && strcmp(end, "%") == 0 && number >= 1 && number <= 100) {
		*value = VALUE_PERCENT(number);
		return true;
	}
	if (rule->type != TYPE_NUMBER && rule->type != TYPE_OCTAL && *end &&
		strchr(SUFFIXES, *end)) {
		shift = 10 * (unsigned)(strchr(SUFFIXES, *end) - SUFFIXES + 1);
		end++;
	}
	if (*end || number > UINT64_MAX >> shift || !in_range(rule, (double)(number << shift)))
		return false;
	*value = number << shift;
	return true;
}

static bool read_real(const struct value_rule *rule, const char *text, double *value)
{
	char *end = NULL;
	double number = g_ascii_strtod(text, &end);

	if (end == text || *end || !in_range(rule, number)) /* NaN is in no range */
		return false;
	*value = number;
	return true;
}

static const char *bool_word(const struct value_rule *rule, bool value)
{
	static const char *const USUAL[] = {"false", "true"};

	return (rule->words ? rule->words : USUAL)[value];
}

static bool read_bool(const struct value_rule *rule, const char *text, bool *value)
{
	bool is_true = strcmp(text, bool_word(rule, true)) == 0;

	if (!is_true && strcmp(text, bool_word(rule, false)) != 0)
		return false;
	*value = is_true;
	return true;
}

bool value_read(const struct value_rule *rule, void *value, const char *text)
{
	switch (rule->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_ADDRESS:
		return read_text(rule, text, value);
	case TYPE_WORD:
		return read_word_value(rule, text, value);
	case TYPE_CHARACTERS:
		return read_characters(rule, text, value);
	case TYPE_LIST:
		g_strfreev(*(char ***)value);
		*(char ***)value = split_list(text);
		return true;
	case TYPE_NUMBER:
	case TYPE_BYTES:
	case TYPE_ROOM:
	case TYPE_OCTAL:
		return read_number_value(rule, text, value);
	case TYPE_REAL:
		return read_real(rule, text, value);
	case TYPE_BOOL:
		return read_bool(rule, text, value);
	}
	return false;
}

/* --- Value to text ------------------------------------------------------- */

static char *format_bytes(uint64_t value)
{
	static const char SUFFIXES[] = "\0KMG";
	size_t i = 0;

	while (value && value % 1024 == 0 && i < 3) {
		value /= 1024;
		i++;
	}
	return g_strdup_printf("%" PRIu64 "%.1s", value, &SUFFIXES[i]);
}

static char *format_room(uint64_t value)
{
	if (value == VALUE_AUTO)
		return g_strdup("auto");
	return value_percent(value) > 0 ? g_strdup_printf("%u%%", value_percent(value))
					: format_bytes(value);
}

char *value_format(const struct value_rule *rule, const void *value)
{
	char real[G_ASCII_DTOSTR_BUF_SIZE];

	switch (rule->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_ADDRESS:
		return g_strdup(*(char *const *)value);
	case TYPE_WORD:
		return g_strdup(rule->words[*(const unsigned *)value]);
	case TYPE_CHARACTERS:
		return g_strdup(value);
	case TYPE_LIST:
		return g_strjoinv(" ", *(char **const *)value);
	case TYPE_NUMBER:
		return g_strdup_printf("%" PRIu64, *(const uint64_t *)value);
	case TYPE_BYTES:
		return format_bytes(*(const uint64_t *)value);
	case TYPE_ROOM:
		return format_room(*(const uint64_t *)value);
	case TYPE_OCTAL:
		return g_strdup_printf("%04" PRIo64, *(const uint64_t *)value);
	case TYPE_REAL:
		return g_strdup(
			g_ascii_formatd(real, sizeof(real), "%.15g", *(const double *)value));
	case TYPE_BOOL:
		return g_strdup(bool_word(rule, *(const bool *)value));
	}
	return NULL;
}

/* A rule's bound as value_format would write it. */
static char *format_bound(const struct value_rule *rule, double bound)
{
	uint64_t whole = (uint64_t)bound;

	return value_format(rule, rule->type == TYPE_REAL ? (const void *)&bound : &whole);
}

static char *allowed_range(const struct value_rule *rule)
{
	char *least = format_bound(rule, rule->minimum);
	char *most = format_bound(rule, rule->maximum);
	char *unit = rule->unit ? g_strdup_printf(" (%s)", rule->unit) : g_strdup("");
	char *text = g_strdup_printf("%s from %s to %s%s%s",
		rule->type == TYPE_NUMBER          ? "a whole number"
			: rule->type == TYPE_OCTAL ? "an octal number"
						   : "a number",
		least, most, unit,
		rule->type == TYPE_ROOM ? ", a percentage such as 25%, or auto" : "");

	g_free(unit);
	g_free(most);
	g_free(least);
	return text;
}

static char *allowed_words(const struct value_rule *rule)
{
	GString *text = g_string_new("one of ");

	for (unsigned i = (unsigned)rule->minimum; i <= (unsigned)rule->maximum; i++)
		g_string_append_printf(
			text, "%s%s", i > (unsigned)rule->minimum ? ", " : "", rule->words[i]);
	return g_string_free(text, FALSE);
}

char *value_allowed(const struct value_rule *rule)
{
	switch (rule->type) {
	case TYPE_TEXT:
	case TYPE_LIST:
		return g_strdup("text");
	case TYPE_PATH:
		return g_strdup("an absolute path");
	case TYPE_ADDRESS:
		return g_strdup("a loopback address with port such as 127.0.0.1:783, or nothing");
	case TYPE_WORD:
		return allowed_words(rule);
	case TYPE_NUMBER:
	case TYPE_OCTAL:
	case TYPE_BYTES:
	case TYPE_ROOM:
	case TYPE_REAL:
		return allowed_range(rule);
	case TYPE_BOOL:
		return g_strdup_printf("%s or %s", bool_word(rule, true), bool_word(rule, false));
	case TYPE_CHARACTERS:
		return g_strdup_printf(
			"at most %.0f of the characters %s", rule->maximum, rule->words[0]);
	}
	return NULL;
}

/* --- Memory -------------------------------------------------------------- */

size_t value_size(const struct value_rule *rule)
{
	switch (rule->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_ADDRESS:
	case TYPE_LIST:
		return sizeof(char *);
	case TYPE_WORD:
		return sizeof(unsigned);
	case TYPE_CHARACTERS:
		return (size_t)rule->maximum + 1;
	case TYPE_NUMBER:
	case TYPE_BYTES:
	case TYPE_ROOM:
	case TYPE_OCTAL:
		return sizeof(uint64_t);
	case TYPE_REAL:
		return sizeof(double);
	case TYPE_BOOL:
		return sizeof(bool);
	}
	return 0;
}

void value_free(const struct value_rule *rule, void *value)
{
	switch (rule->type) {
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_ADDRESS:
		g_clear_pointer((char **)value, g_free);
		break;
	case TYPE_LIST:
		g_clear_pointer((char ***)value, g_strfreev);
		break;
	default:
		break;
	}
}
