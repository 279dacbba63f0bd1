/* Reads a SPAMD request, in whatever pieces it comes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/spamd.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/protocol/spamd-headers.h"
#include "engine/protocol/spamd-slice.h"

/* Later minor versions are compatible and get what 1.5 gets. */
static const int NEWEST_MINOR = 5;

/* Happy path: REQUEST_LINE, HEADERS (skipped where the version has none), BODY
 * (skipped where the command has none), COMPLETE. Each of the first three can
 * end in REFUSED. The last two are final. */
enum state { REQUEST_LINE, HEADERS, BODY, COMPLETE, REFUSED };

struct spamd_session {
	struct spamd_limits limits;
	enum state state;
	const struct command *command;
	struct buffer line; /* the part of a line that has come */
	struct spamd_headers headers;
	size_t header_lines;
	struct buffer message;
	struct spamd_request request;
	enum spamd_code code;
	char text[512];
};

/* `headers_from` is the first version that sends a header block. spamd reads
 * that of a TELL in any version, since without it a TELL could ask nothing;
 * and old monitors wait for the PONG without having sent a blank line. */
static const struct command {
	const char *name;
	enum spamd_command command;
	int headers_from;
	bool has_body;
} COMMANDS[] = {
	{"CHECK", SPAMD_CHECK, 11, true},
	{"SYMBOLS", SPAMD_SYMBOLS, 11, true},
	{"REPORT", SPAMD_REPORT, 11, true},
	{"REPORT_IFSPAM", SPAMD_REPORT_IFSPAM, 11, true},
	{"PROCESS", SPAMD_PROCESS, 11, true},
	{"HEADERS", SPAMD_HEADERS, 11, true},
	{"TELL", SPAMD_TELL, 10, true},
	{"PING", SPAMD_PING, 15, false},
	{"SKIP", SPAMD_SKIP, INT_MAX, false},
	{"STATS", SPAMD_STATS, 11, false},
	{"DIAGNOSE", SPAMD_DIAGNOSE, 11, true},
	{"CALL", SPAMD_CALL, 11, true},
};

/* Peers choose part of the text: no control character leaves here. What was
 * held of the message is of no more use. */
__attribute__((format(printf, 3, 4))) static void refuse(
	struct spamd_session *session, enum spamd_code code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(session->text, sizeof(session->text), format, arguments);
	va_end(arguments);
	for (char *next = session->text; *next; next++) {
		if ((unsigned char)*next < 0x20 || *next == 0x7F)
			*next = ' ';
	}
	session->code = code;
	session->state = REFUSED;
	buffer_free(&session->line);
	buffer_free(&session->message);
}

static void refuse_memory(struct spamd_session *session)
{
	refuse(session, SPAMD_TEMPFAIL, "Out of memory");
}

static void refuse_size(struct spamd_session *session)
{
	refuse(session, SPAMD_DATAERR, "Message too large: the limit is %zu bytes",
		session->limits.message);
}

static void complete_request(struct spamd_session *session)
{
	struct spamd_request *request = &session->request;

	request->command = session->command->command;
	request->user = session->headers.user.data ? session->headers.user.data : "";
	request->context = session->headers.context.data ? session->headers.context.data : "";
	request->recipients =
		session->headers.recipients.data ? session->headers.recipients.data : "";
	request->recipient_count = session->headers.recipient_count;
	request->recipients_lost = session->headers.recipients_lost;
	request->json = session->headers.json;
	request->message = session->message.data ? session->message.data : "";
	request->length = session->message.length;
	session->state = COMPLETE;
}

static void enter_body(struct spamd_session *session)
{
	buffer_free(&session->line);
	session->state = BODY;
	if (!session->command->has_body ||
		(session->headers.has_length && session->headers.content_length == 0))
		complete_request(session);
}

/* "SPAMC/1.<minor>" gives 10 to 15, "RSPAMC/1.<minor>" as well; anything else 0. */
static int parse_version(struct slice text, bool *rspamc)
{
	static const char PREFIX[] = "SPAMC/1.";
	const size_t prefix = sizeof(PREFIX) - 1;
	int minor = 0;

	*rspamc = text.length > 0 && *text.data == 'R';
	if (*rspamc)
		text = (struct slice){text.data + 1, text.length - 1};
	if (text.length <= prefix || memcmp(text.data, PREFIX, prefix) != 0)
		return 0;
	for (size_t i = prefix; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return 0;
		minor = minor * 10 + (text.data[i] - '0');
		if (minor > NEWEST_MINOR)
			minor = NEWEST_MINOR;
	}
	return 10 + minor;
}

/* As in spamd, the case of a command matters. */
static const struct command *find_spamd_command(struct slice name)
{
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
		if (slice_equals(name, COMMANDS[i].name))
			return &COMMANDS[i];
	}
	return NULL;
}

static void on_request_line(struct spamd_session *session, struct slice line)
{
	const char *space = memchr(line.data, ' ', line.length);
	struct slice name = {line.data, space ? (size_t)(space - line.data) : line.length};
	struct slice version = {line.data + name.length, line.length - name.length};

	session->command = find_spamd_command(name);
	session->request.version = parse_version(slice_trim(version), &session->request.rspamc);
	if (!session->command || session->request.version == 0 ||
		(session->request.rspamc && session->command->command != SPAMD_CHECK)) {
		size_t shown =
			line.length < sizeof(session->text) ? line.length : sizeof(session->text);
		refuse(session, SPAMD_PROTOCOL, "Bad header line: %.*s", (int)shown, line.data);
	} else if (session->request.version >= session->command->headers_from) {
		session->state = HEADERS;
	} else {
		enter_body(session);
	}
}

/* The blank line. */
static void on_headers_end(struct spamd_session *session)
{
	const char *text = NULL;
	enum spamd_code code = SPAMD_OK;

	if (session->command->command == SPAMD_TELL)
		code = spamd_headers_tell(&session->headers, &session->request.tell, &text);
	if (code != SPAMD_OK)
		refuse(session, code, "%s", text);
	else
		enter_body(session);
}

/* An announced size is judged at once, before the bytes are on their way. */
static void on_header_line(struct spamd_session *session, struct slice line)
{
	const char *text = NULL;

	if (line.length == 0) {
		on_headers_end(session);
	} else if (session->header_lines++ == session->limits.headers) {
		refuse(session, SPAMD_PROTOCOL, "Bad header line: (more than %zu headers)",
			session->limits.headers);
	} else {
		enum spamd_code code = spamd_headers_line(&session->headers, line, &text);

		if (code != SPAMD_OK)
			refuse(session, code, "%s", text);
		else if (session->command->has_body && session->headers.has_length &&
			session->headers.content_length > session->limits.message)
			refuse_size(session);
	}
}

/* Collects a line up to its LF (a CR before it belongs to the end) and hands
 * it to `on_line`. The buffer holds one byte more than the limit, which can
 * only be that CR. */
static size_t feed_line(struct spamd_session *session, struct slice input,
	void (*on_line)(struct spamd_session *session, struct slice line))
{
	struct buffer *held = &session->line;
	const char *newline = memchr(input.data, '\n', input.length);
	size_t part = newline ? (size_t)(newline - input.data) : input.length;
	bool fits = part <= held->limit - held->length;

	if (fits) {
		buffer_append(held, input.data, part);
		if (held->failed) {
			refuse_memory(session);
			return input.length;
		}
	}
	struct slice line = {held->data ? held->data : "", held->length};
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	if (!fits || line.length > session->limits.line) {
		refuse(session, SPAMD_PROTOCOL, "Bad header line: (longer than %zu bytes)",
			session->limits.line);
	} else if (newline) {
		on_line(session, line);
		held->length = 0;
	}
	return newline ? part + 1 : part;
}

static size_t feed_request_line(struct spamd_session *session, struct slice input)
{
	return feed_line(session, input, on_request_line);
}

static size_t feed_header(struct spamd_session *session, struct slice input)
{
	return feed_line(session, input, on_header_line);
}

/* Memory follows what has arrived, never what was announced. */
static size_t feed_body(struct spamd_session *session, struct slice input)
{
	const struct spamd_headers *headers = &session->headers;
	struct buffer *message = &session->message;
	size_t wanted = input.length;

	if (headers->has_length && wanted > headers->content_length - message->length)
		wanted = headers->content_length - message->length;
	if (wanted > message->limit - message->length) {
		refuse_size(session);
		return input.length;
	}
	buffer_append(message, input.data, wanted);
	if (message->failed)
		refuse_memory(session);
	else if (headers->has_length && message->length == headers->content_length)
		complete_request(session);
	return wanted;
}

static void end_headers(struct spamd_session *session)
{
	if (session->command->has_body)
		refuse(session, SPAMD_PROTOCOL, "Bad header line: (EOF during headers)");
	else
		enter_body(session);
}

static void end_body(struct spamd_session *session)
{
	if (session->headers.has_length)
		refuse(session, SPAMD_PROTOCOL,
			"Bad header line: "
			"(Content-Length mismatch: Expected %zu bytes, got %zu bytes)",
			session->headers.content_length, session->message.length);
	else
		complete_request(session);
}

/* The last line may lack its end: `printf 'PING SPAMC/1.2' | nc -N`. */
static void end_request_line(struct spamd_session *session)
{
	if (session->line.length == 0) {
		refuse(session, SPAMD_PROTOCOL, "Bad header line: (closed before headers)");
		return;
	}
	feed_request_line(session, (struct slice){"\n", 1});
	if (session->state == HEADERS)
		end_headers(session);
	else if (session->state == BODY)
		end_body(session);
}

/* What a state does with bytes (it returns how many it took) and with the end
 * of input, which always leaves it for a final state; and the event that being
 * in it means. */
static const struct {
	size_t (*feed)(struct spamd_session *session, struct slice input);
	void (*end)(struct spamd_session *session);
	enum spamd_event event;
} STATES[] = {
	[REQUEST_LINE] = {feed_request_line, end_request_line, SPAMD_NEED_MORE},
	[HEADERS] = {feed_header, end_headers, SPAMD_NEED_MORE},
	[BODY] = {feed_body, end_body, SPAMD_NEED_MORE},
	[COMPLETE] = {NULL, NULL, SPAMD_REQUEST},
	[REFUSED] = {NULL, NULL, SPAMD_ERROR},
};

struct spamd_session *spamd_session_new(const struct spamd_limits *limits)
{
	struct spamd_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->limits = *limits;
	session->line.limit = limits->line + 1;
	session->headers.user.limit = limits->line + 1;
	session->headers.context.limit = limits->line + 1;
	session->headers.recipients.limit = limits->recipients * (limits->line + 1);
	session->headers.recipients_max = limits->recipients;
	session->message.limit = limits->message;
	return session;
}

void spamd_session_free(struct spamd_session **session)
{
	if (!*session)
		return;
	buffer_free(&(*session)->line);
	buffer_free(&(*session)->message);
	spamd_headers_free(&(*session)->headers);
	free(*session);
	*session = NULL;
}

enum spamd_event spamd_session_feed(struct spamd_session *session, const char *data, size_t length)
{
	struct slice rest = {data, length};

	while (rest.length > 0 && STATES[session->state].feed) {
		size_t taken = STATES[session->state].feed(session, rest);

		rest.data += taken;
		rest.length -= taken;
	}
	return STATES[session->state].event;
}

enum spamd_event spamd_session_end(struct spamd_session *session)
{
	if (STATES[session->state].end)
		STATES[session->state].end(session);
	return STATES[session->state].event;
}

bool spamd_session_in_headers(const struct spamd_session *session)
{
	return session->state == REQUEST_LINE || session->state == HEADERS;
}

size_t spamd_session_size(const struct spamd_session *session)
{
	return sizeof(*session) + session->line.capacity + session->headers.user.capacity +
		session->headers.context.capacity + session->headers.recipients.capacity +
		session->message.capacity;
}

const struct spamd_request *spamd_session_request(const struct spamd_session *session)
{
	return session->state == COMPLETE ? &session->request : NULL;
}

enum spamd_code spamd_session_error(const struct spamd_session *session, const char **text)
{
	*text = session->text;
	return session->code;
}
