/* hamlet-intake: reads a mail that carries feedback from standard input, as a mail
 * server's pipe gives it, and reports the attached messages to hamletd. It ends with
 * the codes of sysexits.h: while hamletd is not there the mail stays in the queue.
 * SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib.h>

#include "engine/base/mail-file.h"
#include "engine/client/exchange.h"
#include "engine/client/feedback-mail.h"

struct arguments {
	char *user, *label, *socket;
	gboolean trust;
};

static bool parse_arguments(struct arguments *arguments, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{"user", 'u', 0, G_OPTION_ARG_STRING, &arguments->user, "who reports", "USER"},
		{"user-from-mail", 0, 0, G_OPTION_ARG_NONE, &arguments->trust,
			"the mail says who reports: only where no stranger can send to", NULL},
		{"label", 'l', 0, G_OPTION_ARG_STRING, &arguments->label,
			"what the messages are, whatever the mail says", "spam|ham"},
		{"socket", 's', 0, G_OPTION_ARG_FILENAME, &arguments->socket,
			"of hamletd [$HAMLET_SOCKET, " DEFAULT_SOCKET "]", "PATH"},
		{0},
	};
	GOptionContext *context = g_option_context_new("- feedback that arrives as mail");
	GError *error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	bool valid = g_option_context_parse(context, argc, argv, &error);
	if (!valid)
		fprintf(stderr, "hamlet-intake: %s\n", error->message);
	g_clear_error(&error);
	g_option_context_free(context);
	if (valid && (arguments->user != NULL) == arguments->trust) {
		fprintf(stderr, "hamlet-intake: say one of --user and --user-from-mail\n");
		valid = false;
	}
	if (valid && arguments->label && strcmp(arguments->label, "spam") != 0 &&
		strcmp(arguments->label, "ham") != 0) {
		fprintf(stderr, "hamlet-intake: --label is spam or ham\n");
		valid = false;
	}
	return valid;
}

static enum feedback_kind kind_of_feedback(
	const struct arguments *arguments, const struct feedback_mail *mail)
{
	if (!arguments->label)
		return mail->kind;
	return strcmp(arguments->label, "spam") == 0 ? FEEDBACK_SPAM : FEEDBACK_HAM;
}

/* One message; a refusal for its own sake does not stop the others. */
static int report(struct exchange *exchange, GBytes *message)
{
	struct failure failure = {0};
	struct buffer body;
	enum status status;

	exchange->message = g_bytes_get_data(message, &exchange->length);
	status = exchange_run(exchange, &body, &failure);
	buffer_free(&body);
	if (status == STATUS_OK)
		return EX_OK;
	fprintf(stderr, "hamlet-intake: %s\n", failure.detail);
	return status == STATUS_INVALID ? EX_DATAERR : EX_TEMPFAIL;
}

/* A bounce, or what a mail server makes of its null sender (Postfix' pipe(8): MAILER-DAEMON). */
static bool is_null_sender(const char *user)
{
	static const char daemon[] = "mailer-daemon";
	size_t length = strlen(daemon);

	return !*user || strcmp(user, "<>") == 0 ||
		(g_ascii_strncasecmp(user, daemon, length) == 0 &&
			(!user[length] || user[length] == '@'));
}

/* What teaches nothing and is nobody's mistake: who sends reports by the thousand wants
 * no mail back. */
static bool teaches_nothing(
	const struct feedback_mail *mail, const char *user, enum feedback_kind kind)
{
	if (user && is_null_sender(user))
		fprintf(stderr, "hamlet-intake: nothing is learned: the sender is nobody\n");
	else if (mail->report && mail->messages->len == 0)
		fprintf(stderr, "hamlet-intake: nothing is learned: the report has no message\n");
	else if (mail->report && kind == FEEDBACK_UNSAID)
		fprintf(stderr,
			"hamlet-intake: nothing is learned: a report of type \"%.40s\" says nothing "
			"of spam; --label would\n",
			mail->report);
	else
		return false;
	return true;
}

/* What the person who sent it is to mend. */
static bool is_refused(const struct feedback_mail *mail, const char *user, enum feedback_kind kind)
{
	if (mail->messages->len == 0)
		fprintf(stderr,
			"hamlet-intake: no message is attached: forward it as an attachment\n");
	else if (kind == FEEDBACK_UNSAID)
		fprintf(stderr, "hamlet-intake: the mail does not say whether this is spam\n");
	else if (!user)
		fprintf(stderr, "hamlet-intake: the mail does not say who reports\n");
	else
		return false;
	return true;
}

/* The reports are idempotent: after a temporary failure all of them are sent again. */
static int report_all(const struct arguments *arguments, const struct feedback_mail *mail)
{
	const char *given = getenv("HAMLET_SOCKET");
	enum feedback_kind kind = kind_of_feedback(arguments, mail);
	struct exchange exchange = {.command = "TELL",
		.socket = arguments->socket ? arguments->socket
			: given             ? given
					    : DEFAULT_SOCKET,
		.user = arguments->trust ? mail->reporter : arguments->user,
		.headers = kind == FEEDBACK_SPAM ? "Message-class: spam\r\nSet: local\r\n"
						 : "Message-class: ham\r\nSet: local\r\n"};
	int code = EX_OK;

	if (teaches_nothing(mail, exchange.user, kind))
		return EX_OK;
	if (is_refused(mail, exchange.user, kind))
		return EX_DATAERR;
	for (guint i = 0; i < mail->messages->len && code != EX_TEMPFAIL; i++) {
		int one = report(&exchange, g_ptr_array_index(mail->messages, i));
		code = one > code ? one : code;
	}
	if (mail->left_out > 0)
		fprintf(stderr, "hamlet-intake: of %u messages the first %d were taken\n",
			mail->messages->len + mail->left_out, FEEDBACK_MESSAGES_MAX);
	return code;
}

static int take_reported(const struct arguments *arguments, const char *data, size_t length)
{
	struct feedback_mail mail;
	struct failure failure = {0};
	int code = EX_DATAERR;

	if (feedback_mail_parse(&mail, data, length, &failure) == STATUS_OK)
		code = report_all(arguments, &mail);
	else
		fprintf(stderr, "hamlet-intake: %s\n", failure.detail);
	feedback_mail_free(&mail);
	return code;
}

static int take_input(const struct arguments *arguments)
{
	struct mail_file file;
	struct failure failure = {0};
	enum status status = mail_file_read(&file, STDIN_FILENO, "the mail", &failure);
	int code;

	if (status == STATUS_OK) {
		code = take_reported(arguments, file.data, file.length);
	} else {
		fprintf(stderr, "hamlet-intake: %s\n", failure.detail);
		code = status == STATUS_IO ? EX_TEMPFAIL : EX_DATAERR;
	}
	mail_file_close(&file);
	return code;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	int code = EX_USAGE;

	setlocale(LC_CTYPE, "C.UTF-8"); /* names of users in options are UTF-8 */

	if (parse_arguments(&arguments, &argc, &argv))
		code = take_input(&arguments);
	g_free(arguments.user);
	g_free(arguments.label);
	g_free(arguments.socket);
	return code;
}
