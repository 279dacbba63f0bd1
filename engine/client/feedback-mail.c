/* Finds the reported messages among the parts of a mail, with GMime.
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

static enum feedback_kind look_up_report(const struct word *words, size_t count, const char *text)
{
	for (size_t i = 0; text && i < count; i++) {
		if (g_ascii_strcasecmp(words[i].text, text) == 0)
			return words[i].kind;
	}
	return FEEDBACK_UNSAID;
}

/* --- The report around the messages ------------------------------------------------ */

/* The part's content with its transfer encoding undone. */
static GBytes *content_of(GMimePart *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes = g_byte_array_new();

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	if (content)
		g_mime_data_wrapper_write_to_stream(content, stream);
	g_object_unref(stream);
	return g_byte_array_free_to_bytes(bytes);
}

/* A field's value without comments (RFC 5322 section 3.2.2) and blanks around it. */
static void strip_comments(char *value)
{
	char *out = value;
	int depth = 0;

	for (const char *at = value; *at; at++) {
		depth += *at == '(';
		if (depth == 0)
			*out++ = *at;
		depth -= *at == ')' && depth > 0;
	}
	*out = '\0';
	g_strstrip(value);
}

/* The value of a field at the beginning of a line, folded or not; NULL = none. */
static char *find_report_field(char *text, const char *name)
{
	GRegex *fold = g_regex_new("\\r?\\n[ \t]+", 0, 0, NULL);
	char *unfolded = g_regex_replace_literal(fold, text, -1, 0, " ", 0, NULL);
	char **lines = g_strsplit(unfolded ? unfolded : "", "\n", -1);
	size_t length = strlen(name);
	char *value = NULL;

	for (char **line = lines; *line && !value; line++) {
		char *colon = strchr(*line, ':');

		if (!colon || g_ascii_strncasecmp(*line, name, length) != 0)
			continue;
		*colon = '\0';
		g_strchomp(*line);
		if (strlen(*line) == length)
			value = g_strdup(colon + 1);
	}
	if (value)
		strip_comments(value);
	g_strfreev(lines);
	g_free(unfolded);
	g_regex_unref(fold);
	return value;
}

/* Reads the Feedback-Type of a message/feedback-report (RFC 5965 section 3.1). */
static void read_arf(struct feedback_mail *mail, GMimePart *part)
{
	GBytes *content = content_of(part);
	size_t length;
	const char *data = g_bytes_get_data(content, &length);
	char *text = g_strndup(data ? data : "", MIN(length, (size_t)ARF_MAX_BYTES));
	char *valid = g_utf8_make_valid(text, -1);
	char *type = find_report_field(valid, "feedback-type");

	g_free(mail->report);
	mail->report = type ? type : g_strdup("");
	mail->kind = look_up_report(feedback_types, G_N_ELEMENTS(feedback_types), type);
	g_free(valid);
	g_free(text);
	g_bytes_unref(content);
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

	mail->kind = look_up_report(report_types, G_N_ELEMENTS(report_types),
		header(message, "X-Zimbra-Spam-Report-Type"));
	if (mail->kind == FEEDBACK_UNSAID)
		mail->kind = look_up_report(
			subjects, G_N_ELEMENTS(subjects), g_mime_message_get_subject(message));
	if (!sender && first && INTERNET_ADDRESS_IS_MAILBOX(first))
		sender = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first));
	mail->reporter = g_strdup(sender);
}

/* --- The messages -------------------------------------------------------------------- */

/* Takes the bytes over. What has no content was blanked out by who reported it. */
static void take_bytes(struct feedback_mail *mail, GBytes *bytes)
{
	size_t length;
	const char *data = g_bytes_get_data(bytes, &length);
	bool blank = true;

	for (size_t i = 0; i < length && blank; i++)
		blank = g_ascii_isspace(data[i]);
	if (blank)
		g_bytes_unref(bytes);
	else if (mail->messages->len < FEEDBACK_MESSAGES_MAX)
		g_ptr_array_add(mail->messages, bytes);
	else {
		mail->left_out++;
		g_bytes_unref(bytes);
	}
}

static void take_message(struct feedback_mail *mail, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	GMimeStream *stream = g_mime_stream_mem_new();
	GByteArray *bytes = g_byte_array_new();

	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(stream), bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	if (message)
		g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, stream);
	take_bytes(mail, g_byte_array_free_to_bytes(bytes));
	g_object_unref(stream);
}

static bool is_eml(GMimePart *part)
{
	const char *name = g_mime_part_get_filename(part);
	size_t length = name ? strlen(name) : 0;

	return length > 4 && g_ascii_strcasecmp(name + length - 4, ".eml") == 0;
}

/* A message that GMime does not take for one: encoded, or with another type. */
static bool is_message_type(GMimePart *part, GMimeContentType *type)
{
	static const char *const types[][2] = {{"message", "rfc822"}, {"message", "global"},
		{"message", "rfc2822"}, {"message", "news"}, {"text", "rfc822-headers"},
		{"message", "rfc822-headers"}, {"message", "global-headers"}};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		if (g_mime_content_type_is_type(type, types[i][0], types[i][1]))
			return true;
	}
	return is_eml(part);
}

/* GMime walks into multiparts, not into attached messages, whose own attachments are
 * part of what was reported. */
static void visit_part(GMimeObject *parent, GMimeObject *part, gpointer context)
{
	struct feedback_mail *mail = context;
	GMimeContentType *type = g_mime_object_get_content_type(part);
	(void)parent;

	if (GMIME_IS_MESSAGE_PART(part))
		take_message(mail, GMIME_MESSAGE_PART(part));
	else if (!GMIME_IS_PART(part) || !type)
		return;
	else if (g_mime_content_type_is_type(type, "message", "feedback-report"))
		read_arf(mail, GMIME_PART(part));
	else if (is_message_type(GMIME_PART(part), type))
		take_bytes(mail, content_of(GMIME_PART(part)));
}

static void read_mail(struct feedback_mail *mail, GMimeMessage *message)
{
	GMimeObject *root = g_mime_message_get_mime_part(message);

	read_headers(mail, message);
	if (root && GMIME_IS_MULTIPART(root))
		g_mime_multipart_foreach(GMIME_MULTIPART(root), visit_part, mail);
	else if (root)
		visit_part(NULL, root, mail);
}

static bool is_blank_char(char c)
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
	while (size > 0 && is_blank_char(line[size - 1]))
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
		if (!is_blank_char(*line)) {
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
	enum status status = STATUS_OK;

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
		read_mail(mail, message);
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
	g_free(mail->report);
	if (mail->messages)
		g_ptr_array_unref(mail->messages);
	*mail = (struct feedback_mail){0};
}
