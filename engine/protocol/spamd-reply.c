/* Writes the reply of each SPAMD command.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/spamd.h"

#include <stdlib.h>
#include <string.h>

#include "engine/protocol/spamd-rewrite.h"

/* libspamc reads reply lines into 8192 - 4 bytes and gives up on a longer one;
 * this leaves room for the status in front. */
static const size_t ERROR_TEXT_MAX = 8000;

/* libspamc reads at most 20 characters of a score. */
static const double POINTS_MAX = 99999.9;

/* As many stars as SpamAssassin writes, so that filters find what they know. */
static const long STARS_MAX = 50;

/* RFC 5322 allows 998 characters a line; what follows the list must fit too. */
static const size_t TESTS_COLUMN_MAX = 900;

/* spamc allows a reply 16384 bytes more than the message; the rest is for the
 * fixed headers. */
static const size_t ADDED_MAX = 16384;
static const size_t TESTS_MAX = 12288;

/* Scores in tenths. Integers print alike in every locale, and without an
 * exponent, which clients would misread. */
struct points {
	long score;
	long threshold;
};

static const char *text_or_nothing(const char *text)
{
	return text ? text : "";
}

static const char *symbols_of_verdict(const struct spamd_verdict *verdict)
{
	return text_or_nothing(verdict->symbols);
}

static const char *report_of_verdict(const struct spamd_verdict *verdict)
{
	return text_or_nothing(verdict->report);
}

static const char *report_if_spam(const struct spamd_verdict *verdict)
{
	return verdict->spam ? report_of_verdict(verdict) : "";
}

/* For each command how it names the verdict and what text it answers, with
 * what after it for clients before 1.3; or that it answers the message. */
static const struct {
	const char *spam;
	const char *ham;
	const char *(*body)(const struct spamd_verdict *verdict);
	const char *old_end;
	bool rewrites;
} FORMS[] = {
	[SPAMD_CHECK] = {"True", "False", NULL, "", false},
	[SPAMD_SYMBOLS] = {"True", "False", symbols_of_verdict, "\r\n", false},
	[SPAMD_REPORT] = {"True", "False", report_of_verdict, "", false},
	[SPAMD_REPORT_IFSPAM] = {"Yes", "No", report_if_spam, "", false},
	[SPAMD_PROCESS] = {"True", "False", NULL, "", true},
	[SPAMD_HEADERS] = {"True", "False", NULL, "", true},
};

static long tenths(double value)
{
	if (!(value > -POINTS_MAX)) /* also when not a number */
		return value < 0 ? (long)(-POINTS_MAX * 10) : 0;
	if (value > POINTS_MAX)
		value = POINTS_MAX;
	return (long)(value * 10 + (value < 0 ? -0.5 : 0.5));
}

/* Exim, among others, compares the printed numbers instead of reading the
 * verdict: a score below the threshold must not be rounded up to it. */
static struct points points_of(const struct spamd_verdict *verdict)
{
	struct points points = {tenths(verdict->score), tenths(verdict->threshold)};

	if (verdict->score < verdict->threshold && points.score >= points.threshold)
		points.score = points.threshold - 1;
	return points;
}

static void append_points(struct buffer *output, long value)
{
	buffer_printf(
		output, "%s%ld.%ld", value < 0 ? "-" : "", labs(value) / 10, labs(value) % 10);
}

/* Text that might hold a line end, kept within its line. */
static void append_clean(struct buffer *output, const char *text, size_t length)
{
	char *room = buffer_reserve(output, length);

	if (!room)
		return;
	for (size_t i = 0; i < length; i++) {
		unsigned char octet = (unsigned char)text[i];

		room[i] = octet < 0x20 || octet == 0x7F ? ' ' : text[i];
	}
	output->length += length;
}

static void append_status(struct buffer *output)
{
	buffer_append_string(output, "SPAMD/1.1 0 EX_OK\r\n");
}

/* The names are in the case that clients look for: "Content-length". */
static void append_content_length(struct buffer *output, size_t length)
{
	buffer_printf(output, "Content-length: %zu\r\n", length);
}

static void append_spam(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict)
{
	struct points points = points_of(verdict);
	enum spamd_command command = request->command;

	buffer_printf(
		output, "Spam: %s ; ", verdict->spam ? FORMS[command].spam : FORMS[command].ham);
	append_points(output, points.score);
	buffer_append_string(output, " / ");
	append_points(output, points.threshold);
	buffer_append_string(output, "\r\n");
}

/* Before 1.3 there is no Content-length: Exim (1.2) would not understand the
 * reply. A CHECK has none in any version. */
static void reply_text(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict)
{
	enum spamd_command command = request->command;
	const char *body = FORMS[command].body ? FORMS[command].body(verdict) : NULL;

	append_status(output);
	if (body && request->version >= 13)
		append_content_length(output, strlen(body));
	append_spam(output, request, verdict);
	buffer_append_string(output, "\r\n");
	buffer_append_string(output, text_or_nothing(body));
	if (request->version < 13)
		buffer_append_string(output, FORMS[command].old_end);
}

static void reply_verdict_json(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict)
{
	append_status(output);
	append_content_length(output, strlen(verdict->json));
	append_spam(output, request, verdict);
	buffer_append_string(output, "\r\n");
	buffer_append_string(output, verdict->json);
}

/* "A,B,C", folded after a comma where the line would get too long, and without
 * the rest where the list would. */
static void append_tests(struct buffer *added, const char *symbols, const char *ending)
{
	size_t start = added->length;
	size_t line = start;

	if (!*symbols)
		symbols = "none";
	while (*symbols) {
		size_t length = strcspn(symbols, ",");

		length += symbols[length] == ',';
		if (added->length - start + length > TESTS_MAX)
			break;
		if (added->length > line && added->length - line + length > TESTS_COLUMN_MAX) {
			buffer_printf(added, "%s\t", ending);
			line = added->length;
		}
		append_clean(added, symbols, length);
		symbols += length;
	}
}

/* In the form that SpamAssassin writes and filters parse: the flag only on
 * spam, because some filters test no more than its presence. */
static void append_headers(
	struct buffer *added, const struct spamd_verdict *verdict, const char *ending)
{
	struct points points = points_of(verdict);

	if (verdict->spam)
		buffer_printf(added, "X-Spam-Flag: YES%s", ending);
	buffer_append_string(added, "X-Spam-Level: ");
	for (long i = 0; i < points.score / 10 && i < STARS_MAX; i++)
		buffer_append_string(added, "*");
	buffer_printf(added, "%sX-Spam-Status: %s, score=", ending, verdict->spam ? "Yes" : "No");
	append_points(added, points.score);
	buffer_append_string(added, " required=");
	append_points(added, points.threshold);
	buffer_append_string(added, " tests=");
	append_tests(added, text_or_nothing(verdict->symbols), ending);
	buffer_printf(added, " autolearn=no%sX-Hamlet-Score: ", ending);
	append_points(added, points.score);
	buffer_append_string(added, ending);
}

/* Clients before 1.2 take everything after the status line for the message,
 * those before 1.3 know no header but Content-length. */
static void reply_message(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict)
{
	struct buffer added = BUFFER_INIT(ADDED_MAX);

	append_headers(&added, verdict, spamd_line_ending(request));
	if (added.failed) {
		output->failed = true;
		goto out;
	}
	if (request->version < 12) {
		buffer_append_string(output, "SPAMD/1.0 0 EX_OK\r\n");
	} else {
		append_status(output);
		append_content_length(output, spamd_rewrite(NULL, request, &added));
		if (request->version >= 13)
			append_spam(output, request, verdict);
		buffer_append_string(output, "\r\n");
	}
	spamd_rewrite(output, request, &added);
out:
	buffer_free(&added);
}

/* Each further line becomes part of Exim's $spam_report. */
static void reply_rspamc(struct buffer *output, const struct spamd_verdict *verdict)
{
	struct points points = points_of(verdict);
	const char *symbols = text_or_nothing(verdict->symbols);

	buffer_printf(output, "RSPAMD/1.3 0 EX_OK\r\nMetric: default; %s; ",
		verdict->spam ? "True" : "False");
	append_points(output, points.score);
	buffer_append_string(output, " / ");
	append_points(output, points.threshold);
	buffer_append_string(output, " / ");
	append_points(output, tenths(verdict->reject));
	buffer_printf(output, "\r\nAction: %s\r\n", text_or_nothing(verdict->action));
	while (*symbols) {
		size_t length = strcspn(symbols, ",");

		buffer_append_string(output, "Symbol: ");
		append_clean(output, symbols, length);
		buffer_append_string(output, "\r\n");
		symbols += length + (symbols[length] == ',');
	}
}

void spamd_reply_verdict(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict)
{
	if (request->rspamc)
		reply_rspamc(output, verdict);
	else if (request->json && verdict->json)
		reply_verdict_json(output, request, verdict);
	else if (FORMS[request->command].rewrites)
		reply_message(output, request, verdict);
	else
		reply_text(output, request, verdict);
}

void spamd_reply_told(
	struct buffer *output, const struct spamd_request *request, const struct spamd_told *told)
{
	const char *json = request->json ? told->json : NULL;

	append_status(output);
	if (told->set)
		buffer_append_string(output, "DidSet: local\r\n");
	if (told->removed)
		buffer_append_string(output, "DidRemove: local\r\n");
	if (json)
		append_content_length(output, strlen(json));
	buffer_append_string(output, "\r\n");
	if (json)
		buffer_append_string(output, json);
}

void spamd_reply_pong(struct buffer *output)
{
	buffer_append_string(output, "SPAMD/1.5 0 PONG\r\n");
}

void spamd_reply_json(struct buffer *output, const char *json)
{
	append_status(output);
	append_content_length(output, strlen(json));
	buffer_append_string(output, "\r\n");
	buffer_append_string(output, json);
}

void spamd_reply_error(struct buffer *output, enum spamd_code code, const char *text)
{
	buffer_printf(output, "SPAMD/1.0 %d ", (int)code);
	append_clean(output, text, strnlen(text, ERROR_TEXT_MAX));
	buffer_append_string(output, "\r\n");
}
