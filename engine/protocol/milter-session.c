/* Reads the packets of a mail server and puts the message together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/milter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/protocol/milter-frame.h"

/* Data of a frame: 65,535 bytes and the command. */
static const size_t FRAME_MAX = 65536;

/* Commands and replies of our own while a message comes in, and names. */
static const size_t OUTPUT_MAX = 65536;
static const size_t NAMES_MAX = 2 << 20;

/* Of a recipient's address: RFC 5321 section 4.5.3.1 gives it 256 and a command line
 * 512, and route addresses are long. */
static const size_t ADDRESS_MAX = 1024;

enum { VERSION = 6, OLDEST_VERSION = 2 };

/* What we may do to a message: add and change header fields. */
enum { ADD_HEADERS = 0x1, CHANGE_HEADERS = 0x10 };

/* What the mail server need not send, and where it need not wait for us. */
enum {
	NO_HELO = 0x2,
	NO_UNKNOWN = 0x100,
	NO_DATA = 0x200,
	QUIET_HEADER = 0x80,
	QUIET_CONNECT = 0x1000,
	QUIET_HELO = 0x2000,
	QUIET_MAIL = 0x4000,
	QUIET_RCPT = 0x8000,
	QUIET_DATA = 0x10000,
	QUIET_UNKNOWN = 0x20000,
	QUIET_END_OF_HEADER = 0x40000,
	QUIET_BODY = 0x80000,
	LESS = NO_HELO | NO_UNKNOWN | NO_DATA,
	WANTED = LESS | QUIET_HEADER | QUIET_CONNECT | QUIET_HELO | QUIET_MAIL | QUIET_RCPT |
		QUIET_DATA | QUIET_UNKNOWN | QUIET_END_OF_HEADER | QUIET_BODY,
};

/* GREETING until the negotiation; then IDLE, and MAIL within a message. WAITING
 * for the reply. The last two are final. */
enum state { GREETING, IDLE, MAIL, WAITING, FINISHED, FAILED };

struct milter_session {
	struct milter_limits limits;
	enum state state;
	uint32_t agreed; /* protocol flags */
	bool refused;
	const char *refusal; /* NULL = accept */
	size_t commands;
	struct buffer input; /* an unfinished frame, or what came after a message */
	struct buffer output;
	struct buffer text;
	struct buffer recipients;
	struct forged_fields forged;
	struct milter_message message;
	size_t header_cost; /* of the fields so far: see forged-fields.h */
	bool received; /* our line is written */
	char host[256]; /* of the client */
	char client[64];
	char server[256]; /* the mail server's name */
	char sender[512];
	char queue_id[64];
	char login[256];
	char resolved[1024]; /* the next recipient, as the mail server resolved it */
	char error[128];
};

/* One frame's data; strings are taken from its front. */
struct frame {
	char command;
	const char *data;
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void fail(
	struct milter_session *session, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(session->error, sizeof(session->error), format, arguments);
	va_end(arguments);
	session->state = FAILED;
}

/* NULL when there is no whole string. */
static const char *take_string(struct frame *frame)
{
	const char *string = frame->data;
	const char *end = memchr(string, '\0', frame->length);

	if (!end)
		return NULL;
	frame->length -= (size_t)(end + 1 - string);
	frame->data = end + 1;
	return string;
}

static uint32_t read_frame_number(const char *data)
{
	const unsigned char *bytes = (const unsigned char *)data;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		bytes[3];
}

/* --- A message ------------------------------------------------------------------ */

static void reset_message(struct milter_session *session)
{
	buffer_free(&session->text); /* the next one may be small */
	buffer_clear(&session->recipients);
	forged_fields_clear(&session->forged);
	session->sender[0] = session->resolved[0] = '\0';
	session->received = false;
	session->header_cost = 0;
	session->message = (struct milter_message){0};
}

/* What was told of the message before its MAIL goes, too. */
static void end_message(struct milter_session *session)
{
	reset_message(session);
	session->queue_id[0] = session->login[0] = '\0';
}

/* Keeps what there is room for. */
static void add_text(struct milter_session *session, const char *data, size_t length)
{
	size_t room = session->text.limit - session->text.length;

	if (length > room) {
		session->message.truncated = true;
		length = room;
	}
	buffer_append(&session->text, data, length);
	if (session->text.failed)
		fail(session, "out of memory");
}

/* A header field's lines end in LF, or in CRLF. */
static void add_lines(struct milter_session *session, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\r\n");

		add_text(session, text, length);
		text += length;
		if (*text == '\r')
			text++;
		if (*text == '\n') {
			add_text(session, "\r\n", 2);
			text++;
		}
	}
}

/* "<bob@example.org>" as "bob@example.org". */
static size_t strip_angles(const char **address)
{
	size_t length = strlen(*address);

	if (length >= 2 && (*address)[0] == '<' && (*address)[length - 1] == '>') {
		(*address)++;
		length -= 2;
	}
	return length;
}

static void add_recipient(struct milter_session *session, const char *address)
{
	struct milter_message *message = &session->message;
	size_t length = strip_angles(&address);
	struct buffer *names = &session->recipients;

	if (length > ADDRESS_MAX)
		length = 0;
	if (message->recipient_count == session->limits.recipients ||
		names->length + length + 1 > names->limit) {
		message->recipients_lost++;
		return;
	}
	buffer_append(names, address, length);
	buffer_append(names, "", 1);
	message->recipient_count++;
}

static void complete_frame(struct milter_session *session)
{
	struct milter_message *message = &session->message;

	message->text = session->text.data ? session->text.data : "";
	message->length = session->text.length;
	message->client = session->client;
	message->sender = session->sender;
	message->queue_id = session->queue_id;
	message->recipients = session->recipients.data ? session->recipients.data : "";
	message->login = session->login;
	message->forged = &session->forged;
	session->state = WAITING;
}

/* --- Commands --------------------------------------------------------------------- */

static void on_negotiate(struct milter_session *session, struct frame *frame)
{
	if (frame->length < 12) {
		fail(session, "negotiation is too short");
		return;
	}
	uint32_t version = read_frame_number(frame->data),
		 actions = read_frame_number(frame->data + 4),
		 protocol = read_frame_number(frame->data + 8);
	if (version < OLDEST_VERSION) {
		fail(session, "milter version %lu is too old", (unsigned long)version);
		return;
	}
	if ((actions & (ADD_HEADERS | CHANGE_HEADERS)) != (ADD_HEADERS | CHANGE_HEADERS)) {
		fail(session, "the mail server lets no header field be added or changed");
		return;
	}
	session->agreed = protocol & (session->refused ? LESS : WANTED);
	milter_put_head(&session->output, MILTER_NEGOTIATE, 12);
	milter_put_number(&session->output, version < VERSION ? version : VERSION);
	milter_put_number(&session->output, ADD_HEADERS | CHANGE_HEADERS);
	milter_put_number(&session->output, session->agreed);
	session->state = IDLE;
}

/* What the mail server makes of an address is of use when it is one: Sendmail tells a local
 * part alone of who has a mailbox here. */
static bool is_mail_address(const char *value)
{
	const char *at = strrchr(value, '@');

	return at && at > value && at[1] && *value != '@';
}

static void take_macro(struct milter_session *session, const char *name, const char *value)
{
	if (strcmp(name, "i") == 0 || strcmp(name, "{i}") == 0)
		snprintf(session->queue_id, sizeof(session->queue_id), "%s", value);
	else if (strcmp(name, "j") == 0 || strcmp(name, "{j}") == 0)
		snprintf(session->server, sizeof(session->server), "%s", value);
	else if (strcmp(name, "{auth_authen}") == 0 && *value)
		snprintf(session->login, sizeof(session->login), "%s", value);
	else if (strcmp(name, "{auth_type}") == 0 && !*session->login)
		snprintf(session->login, sizeof(session->login), "%s", value);
	else if (strcmp(name, "{rcpt_addr}") == 0 && is_mail_address(value) &&
		strlen(value) < sizeof(session->resolved))
		strcpy(session->resolved, value);
}

/* The command that they are about, then name and value in turn. What an earlier command
 * of the kind told does not hold for this one. With {rcpt_mailer} "error" the address is
 * the text of an error. */
static void on_macros(struct milter_session *session, struct frame *frame)
{
	const char *name, *value;
	bool error = false;

	if (frame->length == 0)
		return;
	if (*frame->data == MILTER_MAIL)
		session->login[0] = '\0';
	if (*frame->data == MILTER_RCPT)
		session->resolved[0] = '\0';
	frame->data++;
	frame->length--;
	while ((name = take_string(frame)) && (value = take_string(frame))) {
		take_macro(session, name, value);
		error |= strcmp(name, "{rcpt_mailer}") == 0 && strcmp(value, "error") == 0;
	}
	if (error)
		session->resolved[0] = '\0';
}

/* Host name, family, port, address. */
static void on_connect(struct milter_session *session, struct frame *frame)
{
	const char *host = take_string(frame), *address;

	session->client[0] = '\0';
	if (!host || frame->length < 1) {
		fail(session, "connect without a host");
		return;
	}
	snprintf(session->host, sizeof(session->host), "%s", host);
	char family = *frame->data;
	if ((family != '4' && family != '6') || frame->length < 3)
		return;
	frame->data += 3;
	frame->length -= 3;
	address = take_string(frame);
	if (!address) {
		fail(session, "connect without an address");
		return;
	}
	if (strncasecmp(address, "IPv6:", 5) == 0)
		address += 5;
	snprintf(session->client, sizeof(session->client), "%s", address);
}

/* The mail server puts its own Received line on top only after us: without it the
 * topmost one would be a stranger's. It goes above the first of the message's: what is
 * above that was inserted by filters that were asked before us, and is our servers' word
 * as much as if it stood above the line that will be written. */
static void add_received(struct milter_session *session)
{
	char line[640];

	if (!*session->client || session->received)
		return;
	session->received = true;
	int length = snprintf(line, sizeof(line), "Received: from %s (%s [%s]) by %s with SMTP\r\n",
		session->host, session->host, session->client, session->server);
	for (int i = 0; i + 2 < length; i++) {
		if ((unsigned char)line[i] < 0x20)
			line[i] = ' ';
	}
	add_text(session, line, (size_t)length);
}

static void on_mail(struct milter_session *session, struct frame *frame)
{
	const char *address = take_string(frame);

	if (!address) {
		fail(session, "MAIL without an address");
		return;
	}
	reset_message(session);
	size_t length = strip_angles(&address);
	snprintf(session->sender, sizeof(session->sender), "%.*s", (int)length, address);
	session->state = MAIL;
}

static void on_rcpt(struct milter_session *session, struct frame *frame)
{
	const char *address = take_string(frame);

	if (address)
		add_recipient(session, *session->resolved ? session->resolved : address);
	else
		fail(session, "RCPT without an address");
	session->resolved[0] = '\0';
}

static void on_milter_header(struct milter_session *session, struct frame *frame)
{
	const char *name = take_string(frame);
	const char *value = name ? take_string(frame) : NULL;

	if (!value) {
		fail(session, "header field without a value");
		return;
	}
	forged_fields_note(&session->forged, name, session->header_cost);
	session->header_cost += strlen(name) + strlen(value) + FORGED_FIELD_COST;
	if (strcasecmp(name, "Received") == 0)
		add_received(session);
	add_text(session, name, strlen(name));
	add_text(session, ": ", 2);
	add_lines(session, value);
	add_text(session, "\r\n", 2);
}

static void on_end_of_header(struct milter_session *session, struct frame *frame)
{
	(void)frame;
	add_received(session);
	add_text(session, "\r\n", 2);
}

static void on_body(struct milter_session *session, struct frame *frame)
{
	add_text(session, frame->data, frame->length);
}

static void on_end_of_body(struct milter_session *session, struct frame *frame)
{
	add_text(session, frame->data, frame->length);
	if (session->state == MAIL)
		complete_frame(session);
}

static void on_abort(struct milter_session *session, struct frame *frame)
{
	(void)frame;
	end_message(session);
	session->state = IDLE;
}

static void on_quit(struct milter_session *session, struct frame *frame)
{
	(void)frame;
	session->state = FINISHED;
}

static void on_quit_new(struct milter_session *session, struct frame *frame)
{
	on_abort(session, frame);
	session->client[0] = '\0';
}

static void on_nothing(struct milter_session *session, struct frame *frame)
{
	(void)session;
	(void)frame;
}

enum {
	IN_GREETING = 1 << GREETING,
	IN_IDLE = 1 << IDLE,
	IN_MAIL = 1 << MAIL,
	ANY = IN_GREETING | IN_IDLE | IN_MAIL
};

/* `quiet` is the flag with which the mail server waits for no answer; 0 = it never
 * does. */
static const struct {
	char command;
	unsigned states;
	uint32_t quiet;
	bool answered;
	void (*take)(struct milter_session *session, struct frame *frame);
} COMMANDS[] = {
	{MILTER_NEGOTIATE, IN_GREETING, 0, false, on_negotiate},
	{MILTER_MACROS, ANY, 0, false, on_macros},
	{MILTER_CONNECT, IN_IDLE, QUIET_CONNECT, true, on_connect},
	{MILTER_HELO, IN_IDLE | IN_MAIL, QUIET_HELO, true, on_nothing},
	{MILTER_MAIL, IN_IDLE | IN_MAIL, QUIET_MAIL, true, on_mail},
	{MILTER_RCPT, IN_MAIL, QUIET_RCPT, true, on_rcpt},
	{MILTER_DATA, IN_MAIL, QUIET_DATA, true, on_nothing},
	{MILTER_HEADER, IN_MAIL, QUIET_HEADER, true, on_milter_header},
	{MILTER_END_OF_HEADER, IN_MAIL, QUIET_END_OF_HEADER, true, on_end_of_header},
	{MILTER_BODY, IN_MAIL, QUIET_BODY, true, on_body},
	{MILTER_END_OF_BODY, IN_MAIL, 0, false, on_end_of_body},
	{MILTER_ABORT, ANY, 0, false, on_abort},
	{MILTER_QUIT_COMMAND, ANY, 0, false, on_quit},
	{MILTER_QUIT_NEW, ANY, 0, false, on_quit_new},
	{MILTER_UNKNOWN, IN_IDLE | IN_MAIL, QUIET_UNKNOWN, true, on_nothing},
};

/* Nothing is kept. What the mail server remembers of the first answer spares us the
 * rest of its client's session. */
static void on_frame_refused(struct milter_session *session, struct frame *frame)
{
	switch (frame->command) {
	case MILTER_NEGOTIATE:
		on_negotiate(session, frame);
		break;
	case MILTER_QUIT_COMMAND:
		session->state = FINISHED;
		break;
	case MILTER_MACROS:
	case MILTER_ABORT:
	case MILTER_QUIT_NEW:
		break;
	default:
		if (session->state == GREETING)
			fail(session, "command %c out of order", frame->command);
		else if (session->refusal)
			milter_reply(&session->output, session->refusal);
		else
			milter_accept(&session->output);
	}
}

static void on_frame(struct milter_session *session, struct frame *frame)
{
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
		if (COMMANDS[i].command != frame->command)
			continue;
		if (!(COMMANDS[i].states & 1u << session->state)) {
			fail(session, "command %c out of order", frame->command);
			return;
		}
		COMMANDS[i].take(session, frame);
		if (COMMANDS[i].answered && !(session->agreed & COMMANDS[i].quiet) &&
			session->state != FAILED)
			milter_put_head(&session->output, MILTER_CONTINUE, 0);
		return;
	}
	fail(session, "unknown command 0x%02x", (unsigned char)frame->command);
}

/* --- Frames ----------------------------------------------------------------------- */

static enum milter_event event_of(const struct milter_session *session)
{
	switch (session->state) {
	case WAITING:
		return MILTER_MESSAGE;
	case FINISHED:
		return MILTER_QUIT;
	case FAILED:
		return MILTER_ERROR;
	default:
		return MILTER_NEED_MORE;
	}
}

static bool takes_frames(const struct milter_session *session)
{
	return session->state == GREETING || session->state == IDLE || session->state == MAIL;
}

/* Takes whole frames from the front; returns the bytes taken. */
static size_t take_frames(struct milter_session *session, const char *data, size_t length)
{
	size_t used = 0;

	while (takes_frames(session) && length - used >= 4) {
		size_t size = read_frame_number(data + used);

		if (size == 0 || size > FRAME_MAX) {
			fail(session, "frame of %zu bytes", size);
		} else if (length - used < 4 + size) {
			break;
		} else {
			struct frame frame = {data[used + 4], data + used + 5, size - 1};
			if (session->refused)
				on_frame_refused(session, &frame);
			else
				on_frame(session, &frame);
			session->commands++;
			used += 4 + size;
		}
	}
	if (session->output.failed)
		fail(session, "the mail server asks more than it listens");
	return used;
}

static enum milter_event go_on(struct milter_session *session)
{
	size_t used = take_frames(session, session->input.data, session->input.length);

	buffer_consume(&session->input, used);
	return event_of(session);
}

enum milter_event milter_session_feed(
	struct milter_session *session, const char *data, size_t length)
{
	size_t used = 0;

	if (session->state == FINISHED || session->state == FAILED)
		return event_of(session);
	if (session->input.length == 0)
		used = take_frames(session, data, length);
	buffer_append(&session->input, data + used, length - used);
	if (session->input.failed)
		fail(session, "more than a message at a time");
	return session->input.length > 0 && takes_frames(session) ? go_on(session)
								  : event_of(session);
}

enum milter_event milter_session_next(struct milter_session *session)
{
	if (session->state != WAITING)
		return event_of(session);
	end_message(session);
	session->state = IDLE;
	return session->input.length > 0 ? go_on(session) : MILTER_NEED_MORE;
}

/* --- The rest ----------------------------------------------------------------------- */

struct milter_session *milter_session_new(const struct milter_limits *limits)
{
	struct milter_session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->limits = *limits;
	/* A frame that is unfinished, and what one read may bring beyond it. */
	session->input.limit = 4 * FRAME_MAX;
	session->output.limit = OUTPUT_MAX;
	session->text.limit = limits->message;
	session->recipients.limit = NAMES_MAX;
	return session;
}

void milter_session_free(struct milter_session **session)
{
	if (!*session)
		return;
	buffer_free(&(*session)->input);
	buffer_free(&(*session)->output);
	buffer_free(&(*session)->text);
	buffer_free(&(*session)->recipients);
	forged_fields_clear(&(*session)->forged);
	free(*session);
	*session = NULL;
}

void milter_session_refuse(struct milter_session *session, const char *reply)
{
	session->refused = true;
	session->refusal = reply;
}

struct buffer *milter_session_output(struct milter_session *session)
{
	return &session->output;
}

const struct milter_message *milter_session_message(const struct milter_session *session)
{
	return session->state == WAITING ? &session->message : NULL;
}

const char *milter_session_error(const struct milter_session *session)
{
	return session->error;
}

bool milter_session_unfinished(const struct milter_session *session)
{
	return session->state == GREETING || session->input.length > 0;
}

size_t milter_session_commands(const struct milter_session *session)
{
	return session->commands;
}

size_t milter_session_size(const struct milter_session *session)
{
	return sizeof(*session) + session->input.capacity + session->output.capacity +
		session->text.capacity + session->recipients.capacity + session->forged.bytes;
}
