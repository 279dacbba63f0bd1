/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/feedback-mail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gmime/gmime.h>

enum { ARF_MAX_BYTES = 65536 };

/* Groups within groups of addresses ("a:b:c:") are read by GMime with one call in
 * another, so that enough of them are the end of the stack. */
enum { COLONS_MAX = 1000 };

struct word {
	const char *text;
	enum feedback_kind kind;
};

/* Zimbra's values and the last words of the other programs' subjects. */
static const struct word report_types[] = {{"spam", FEEDBACK_SPAM}, {"ham", FEEDBACK_HAM}};
static const struct word subjects[] = {
	{"learn as junk", FEEDBACK_SPAM},
	{"learn as not junk", FEEDBACK_HAM},
	{"learn this message as spam", FEEDBACK_SPAM},
	{"learn this message as ham", FEEDBACK_HAM},
};
/* RFC 5965 section 7.3, RFC 6430. */
static const struct word feedback_types[] = {
	{"abuse", FEEDBACK_SPAM},
	{"fraud", FEEDBACK_SPAM},
	{"virus", FEEDBACK_SPAM},
	{"not-spam", FEEDBACK_HAM},
};

static enum feedback_kind look_up(const struct word *words, size_t count, const char *text)
{
	for (size_t i = 0; text && i < count; i++) {
		if (g_ascii_strcasecmp(words[i].text, text) == 0)
			return words[i].kind;
	}
	return FEEDBACK_UNSAID;
}

/* --- The report around the messages ------------------------------------------------ */

static char *text_of(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	char *text = NULL;

	if (content && g_mime_data_wrapper_write_to_stream(content, stream) >= 0)
		text = g_strndup((const char *)bytes->data, MIN(bytes->len, ARF_MAX_BYTES));
	g_object_unref(stream);
	return text;
}

/* Reads the Feedback-Type of a message/feedback-report. */
static enum status read_arf(struct feedback_mail *mail, GMimePart *part, struct failure *failure)
{
	static const char name[] = "feedback-type:";
	char *text = text_of(part);
	char **lines = g_strsplit(text ? text : "", "\n", -1);
	const char *type = NULL;
	enum status status = STATUS_OK;

	for (char **line = lines; *line && !type; line++) {
		if (g_ascii_strncasecmp(*line, name, sizeof(name) - 1) == 0)
			type = g_strstrip(*line + sizeof(name) - 1);
	}
	mail->kind = look_up(feedback_types, G_N_ELEMENTS(feedback_types), type);
	if (mail->kind == FEEDBACK_UNSAID)
		status = failure_set(failure, STATUS_INVALID,
			"a feedback report of type \"%.40s\" says nothing of spam",
			type ? type : "");
	g_strfreev(lines);
	g_free(text);
	return status;
}

static const char *header(GMimeMessage *message, const char *name)
{
	return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

/* What the headers say; an ARF report may say more later. */
static void read_headers(struct feedback_mail *mail, GMimeMessage *message)
{
	const char *sender = header(message, "X-Zimbra-Spam-Report-Sender");
	InternetAddressList *from = g_mime_message_get_from(message);
	InternetAddress *first = from && internet_address_list_length(from) == 1
					 ? internet_address_list_get_address(from, 0)
					 : NULL;

	mail->kind = look_up(report_types, G_N_ELEMENTS(report_types),
		header(message, "X-Zimbra-Spam-Report-Type"));
	if (mail->kind == FEEDBACK_UNSAID)
		mail->kind = look_up(
			subjects, G_N_ELEMENTS(subjects), g_mime_message_get_subject(message));
	if (!sender && first && INTERNET_ADDRESS_IS_MAILBOX(first))
		sender = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
	mail->reporter = g_strdup(sender);
}

/* --- The messages -------------------------------------------------------------------- */

static void take_message(struct feedback_mail *mail, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes = g_byte_array_new();

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	if (message)
		g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
	if (bytes->len > 0)
		g_ptr_array_add(mail->messages, g_byte_array_free_to_bytes(bytes));
	else
		g_byte_array_unref(bytes);
	g_object_unref(stream);
}

struct walk {
	struct feedback_mail *mail;
	struct failure *failure;
	enum status status;
};

/* GMime walks into multiparts, not into attached messages, whose own attachments are
 * part of what was reported. */
static void visit(GMimeObject *parent, GMimeObject *part, gpointer context)
{
	struct walk *walk = context;
	GMimeContentType *type = g_mime_object_get_content_type(part);
	(void)parent;

	if (walk->status != STATUS_OK)
		return;
	if (GMIME_IS_MESSAGE_PART(part)) {
		if (walk->mail->messages->len == FEEDBACK_MESSAGES_MAX)
			walk->status = failure_set(walk->failure, STATUS_INVALID,
				"more than %d messages are attached", FEEDBACK_MESSAGES_MAX);
		else
			take_message(walk->mail, GMIME_MESSAGE_PART(part));
	} else if (GMIME_IS_PART(part) && type &&
		   g_mime_content_type_is_type(type, "message", "feedback-report")) {
		walk->status = read_arf(walk->mail, GMIME_PART(part), walk->failure);
	}
}

static enum status read_mail(
	struct feedback_mail *mail, GMimeMessage *message, struct failure *failure)
{
	GMimeObject *root = g_mime_message_get_mime_part(message);
	struct walk walk = {.mail = mail, .failure = failure, .status = STATUS_OK};

	read_headers(mail, message);
	if (root && GMIME_IS_MULTIPART(root))
		g_mime_multipart_foreach(GMIME_MULTIPART(root), visit, &walk);
	else if (root)
		visit(NULL, root, &walk);
	if (walk.status == STATUS_OK && mail->messages->len == 0)
		walk.status = failure_set(failure, STATUS_INVALID,
			"no message is attached: forward it as an attachment");
	return walk.status;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool begins_address_field(const char *line, size_t length)
{
	static const char *const names[] = {"to", "cc", "bcc", "from", "sender", "reply-to"};
	static const char prefix[] = "resent-";
	const char *colon = memchr(line, ':', length);
	size_t size = colon ? (size_t)(colon - line) : 0;
	bool found = false;

	if (size > sizeof(prefix) - 1 &&
		g_ascii_strncasecmp(line, prefix, sizeof(prefix) - 1) == 0) {
		line += sizeof(prefix) - 1;
		size -= sizeof(prefix) - 1;
	}
	while (size > 0 && is_blank(line[size - 1]))
		size--;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		found |= size == strlen(names[i]) && g_ascii_strncasecmp(line, names[i], size) == 0;
	return found;
}

/* Looked for on all lines: an attached message has such fields, too. */
static bool nests_too_deep(const char *data, size_t length)
{
	const char *end = data + length, *next;
	size_t colons = 0;
	bool counts = false;

	for (const char *line = data; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		next = newline ? newline + 1 : end;
		if (!is_blank(*line)) {
			counts = begins_address_field(line, (size_t)(next - line));
			colons = 0;
		}
		for (const char *at = line; counts && at < next; at++)
			colons += *at == ':';
		if (colons > COLONS_MAX)
			return true;
	}
	return false;
}

enum status feedback_mail_parse(
	struct feedback_mail *mail, const char *data, size_t length, struct failure *failure)
{
	enum status status;

	*mail = (struct feedback_mail){
		.messages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
	if (nests_too_deep(data, length))
		return failure_set(failure, STATUS_INVALID,
			"an address field with more than %d groups", COLONS_MAX);
	g_mime_init(); /* counted by GMime itself */
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, length);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message)
		status = read_mail(mail, message, failure);
	else
		status = failure_set(failure, STATUS_INVALID, "this is not a mail");
	if (message)
		g_object_unref(message);
	g_object_unref(parser);
	g_object_unref(stream);
	return status;
}

void feedback_mail_free(struct feedback_mail *mail)
{
	g_free(mail->reporter);
	if (mail->messages)
		g_ptr_array_unref(mail->messages);
	*mail = (struct feedback_mail){0};
}
