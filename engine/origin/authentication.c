/* Reads Authentication-Results, Received-SPF and DKIM-Signature fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/origin/authentication.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- Words ---------------------------------------------------------------- */

/* A word is a run without white space, ';' and '='; those two are words of their
 * own. A quoted string is (part of) a word, a comment is white space. Quoted
 * characters that mean something outside stand as '?' in the word. */
struct scan {
	const char *at;
	char word[320];
};

static void skip_comment(struct scan *scan)
{
	int depth = 0;

	do {
		depth += *scan->at == '(';
		depth -= *scan->at == ')';
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		scan->at++;
	} while (depth > 0 && *scan->at);
}

static void skip_space_and_comments(struct scan *scan)
{
	for (;;) {
		if (*scan->at == '(')
			skip_comment(scan);
		else if (isspace((unsigned char)*scan->at))
			scan->at++;
		else
			return;
	}
}

static void put_result(struct scan *scan, size_t *used, char c)
{
	if (*used + 1 < sizeof(scan->word))
		scan->word[(*used)++] = (char)tolower((unsigned char)c);
}

static void read_quoted(struct scan *scan, size_t *used)
{
	for (scan->at++; *scan->at && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
		put_result(scan, used, strchr(" \t;=()\"", *scan->at) ? '?' : *scan->at);
	}
	if (*scan->at)
		scan->at++;
}

/* False at the end. */
static bool next_result_word(struct scan *scan)
{
	size_t used = 0;

	skip_space_and_comments(scan);
	if (*scan->at == ';' || *scan->at == '=') {
		put_result(scan, &used, *scan->at++);
	} else {
		while (*scan->at && !isspace((unsigned char)*scan->at) &&
			!strchr(";=(", *scan->at)) {
			if (*scan->at == '"')
				read_quoted(scan, &used);
			else
				put_result(scan, &used, *scan->at++);
		}
	}
	scan->word[used] = '\0';
	return used > 0 || *scan->at;
}

static bool is_one_of(const char *word, const char *const *ids)
{
	for (; ids && *ids; ids++) {
		if (strcasecmp(word, *ids) == 0)
			return true;
	}
	return false;
}

bool results_claims(const char *value, const char *const *ids)
{
	struct scan scan = {.at = value};

	return next_result_word(&scan) && is_one_of(scan.word, ids);
}

/* --- Authentication-Results ------------------------------------------------ */

static const char *domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at ? at + 1 : address;
}

static bool tells_domain(const struct result *result, const char *property)
{
	if (strcmp(result->method, "dkim") == 0)
		return strcmp(property, "header.d") == 0 ||
			(strcmp(property, "header.i") == 0 && !*result->domain);
	if (strcmp(result->method, "dmarc") == 0)
		return strcmp(property, "header.from") == 0;
	return strcmp(result->method, "spf") == 0 && strcmp(property, "smtp.mailfrom") == 0;
}

static void take_pair(struct result *result, const char *name, const char *value)
{
	if (!*result->method) {
		snprintf(result->method, sizeof(result->method), "%.15s", name);
		snprintf(result->value, sizeof(result->value), "%.15s", value);
	} else if (tells_domain(result, name)) {
		snprintf(result->domain, sizeof(result->domain), "%.255s", domain_of(value));
	} else if (strcmp(name, "header.s") == 0) {
		if (strlen(value) < sizeof(result->selector)) /* else as if it were not told */
			strcpy(result->selector, value);
	} else if (strcmp(name, "header.b") == 0) {
		snprintf(result->signature, sizeof(result->signature), "%.15s", value);
	}
}

/* One result: "method=value property=value ...", up to ';'. False at the end. */
static bool read_result(struct scan *scan, struct result *result)
{
	char name[sizeof(scan->word)] = "";
	bool more, equals = false;

	*result = (struct result){0};
	while ((more = next_result_word(scan)) && strcmp(scan->word, ";") != 0) {
		if (strcmp(scan->word, "=") == 0) {
			equals = true;
		} else if (equals) {
			take_pair(result, name, scan->word);
			equals = false;
			*name = '\0';
		} else {
			strcpy(name, scan->word);
		}
	}
	return more;
}

bool results_read(const char *value, const char *const *ids, results_fn *each, void *context)
{
	struct scan scan = {.at = value};
	bool more;

	if (!next_result_word(&scan) || !is_one_of(scan.word, ids))
		return false;
	do /* a version may follow */
		more = next_result_word(&scan);
	while (more && strcmp(scan.word, ";") != 0);
	while (more) {
		struct result result;
		more = read_result(&scan, &result);
		if (*result.method)
			each(context, &result);
	}
	return true;
}

/* --- Received-SPF ------------------------------------------------------------ */

bool results_read_spf(const char *value, const char *const *ids, results_fn *each, void *context)
{
	struct scan scan = {.at = value};
	struct result result = {.method = "spf"};
	char name[sizeof(scan.word)] = "";
	bool equals = false, ours = true, helo = false;

	if (!next_result_word(&scan))
		return false;
	snprintf(result.value, sizeof(result.value), "%.15s", scan.word);
	while (next_result_word(&scan)) {
		if (equals && strcmp(name, "receiver") == 0)
			ours = is_one_of(scan.word, ids);
		if (equals && strcmp(name, "identity") == 0) /* it says nothing of the envelope */
			helo = strcmp(scan.word, "helo") == 0;
		if (equals && strcmp(name, "envelope-from") == 0)
			snprintf(result.domain, sizeof(result.domain), "%.255s",
				domain_of(scan.word));
		equals = strcmp(scan.word, "=") == 0;
		if (!equals)
			strcpy(name, scan.word);
	}
	size_t length = strlen(result.domain);
	if (length > 0 && result.domain[length - 1] == '>') /* "<bob@example.org>" */
		result.domain[length - 1] = '\0';
	if (helo)
		*result.domain = '\0';
	if (ours)
		each(context, &result);
	return ours;
}

/* --- A bare DKIM result -------------------------------------------------------- */

void results_read_bare(const char *value, struct result *result)
{
	static const char *const names[] = {"header.d", "header.i", "d"};
	char pairs[2048];
	size_t length = 0;

	while (length + 1 < sizeof(result->value) && isalpha((unsigned char)value[length])) {
		result->value[length] = (char)tolower((unsigned char)value[length]);
		length++;
	}
	result->value[length] = '\0';
	snprintf(pairs, sizeof(pairs), "%s", value + length);
	for (char *c = pairs; *c; c++) {
		if (strchr(" \t(),", *c))
			*c = ';';
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !*result->domain; i++) {
		char found[sizeof(result->domain)];
		results_tag(pairs, names[i], found, sizeof(found));
		snprintf(result->domain, sizeof(result->domain), "%s", domain_of(found));
	}
}

void results_tag(const char *value, const char *tag, char *out, size_t size)
{
	size_t used = 0, length = strlen(tag);

	*out = '\0';
	while (*value) {
		value += strspn(value, " \t;");
		size_t item = strcspn(value, ";");
		if (item > length && strncasecmp(value, tag, length) == 0 &&
			value[length + strspn(value + length, " \t")] == '=') {
			const char *at = strchr(value, '=') + 1;
			for (; at < value + item && used + 1 < size; at++) {
				if (!isspace((unsigned char)*at))
					out[used++] = (char)tolower((unsigned char)*at);
			}
			out[used] = '\0';
			return;
		}
		value += item;
	}
}
