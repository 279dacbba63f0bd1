/* Copies a message and puts our fields in place of those that it brought.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/spamd-rewrite.h"

#include <stdbool.h>
#include <string.h>

#include "engine/protocol/forged-fields.h"

/* A part of the message. */
struct piece {
	const char *data;
	size_t length;
};

struct sink {
	struct buffer *output; /* NULL: only measure */
	size_t length;
};

static void emit(struct sink *sink, const char *data, size_t length)
{
	sink->length += length;
	if (sink->output)
		buffer_append(sink->output, data, length);
}

static bool ends_in(struct piece line, char last)
{
	return line.length > 0 && line.data[line.length - 1] == last;
}

/* Emits a line, completed if the message broke off within it, or within its end:
 * something may follow. */
static void emit_line(struct sink *sink, struct piece line, const char *ending)
{
	emit(sink, line.data, line.length);
	if (ends_in(line, '\r'))
		emit(sink, "\n", 1);
	else if (!ends_in(line, '\n'))
		emit(sink, ending, strlen(ending));
}

/* Splits the first line, with its end, from the rest. */
static struct piece next_piece_line(struct piece *rest)
{
	const char *newline = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
	struct piece line = {
		rest->data, newline ? (size_t)(newline - rest->data) + 1 : rest->length};

	rest->data += line.length;
	rest->length -= line.length;
	return line;
}

static bool is_empty_line(struct piece line)
{
	return (line.length == 1 && line.data[0] == '\n') ||
		(line.length == 2 && memcmp(line.data, "\r\n", 2) == 0);
}

static bool is_continuation(struct piece line)
{
	return line.length > 0 && (line.data[0] == ' ' || line.data[0] == '\t');
}

static bool is_mbox_line(struct piece line)
{
	return line.length >= 5 && memcmp(line.data, "From ", 5) == 0;
}

/* Takes the header block and its blank line from *rest and emits what stays. A
 * message that ends in its headers gets the blank line that it lacks. */
static void copy_headers(struct sink *sink, struct piece *rest, const char *ending)
{
	bool dropping = false;

	while (rest->length > 0) {
		struct piece line = next_piece_line(rest);

		if (is_empty_line(line)) {
			emit(sink, line.data, line.length);
			return;
		}
		if (!is_continuation(line))
			dropping = forged_fields_named(line.data, line.length);
		if (!dropping)
			emit_line(sink, line, ending);
	}
	emit(sink, ending, strlen(ending));
}

const char *spamd_line_ending(const struct spamd_request *request)
{
	struct piece rest = {request->message, request->length};
	struct piece line = next_piece_line(&rest);

	line.length -= ends_in(line, '\n');
	return ends_in(line, '\r') ? "\r\n" : "\n";
}

size_t spamd_rewrite(
	struct buffer *output, const struct spamd_request *request, const struct buffer *added)
{
	struct sink sink = {.output = output};
	struct piece rest = {request->message, request->length};
	const char *ending = spamd_line_ending(request);

	if (is_mbox_line(rest))
		emit_line(&sink, next_piece_line(&rest), ending);
	emit(&sink, added->data, added->length);
	/* Text folded from nowhere would be read as a part of our last header:
	 * such a message is taken to be all body. */
	if (is_continuation(rest))
		emit(&sink, ending, strlen(ending));
	else
		copy_headers(&sink, &rest, ending);
	if (request->command == SPAMD_PROCESS)
		emit(&sink, rest.data, rest.length);
	return sink.length;
}
