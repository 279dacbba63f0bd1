/* hamlet: the client of hamletd.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "config.h"
#include "engine/base/mail-file.h"
#include "engine/client/commands.h"

static enum exit_code fail_usage_of(const char *message)
{
	fprintf(stderr, "hamlet: %s (hamlet --help lists the commands)\n", message);
	return EXIT_USAGE;
}

static char *command_list(void)
{
	GString *text = g_string_new("Commands:\n");

	for (size_t i = 0; i < commands_count; i++) {
		char *words = g_strjoin(" ", commands[i].name, commands[i].argument, NULL);
		g_string_append_printf(text, "  %-14s %-13s %s\n", words,
			commands[i].words         ? commands[i].words
				: commands[i].run ? "[FILE...]"
						  : "",
			commands[i].summary);
		g_free(words);
	}
	return g_string_free(text, FALSE);
}

/* The command that the words name; *used is how many they are. */
static const struct command *find_subcommand(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (argc < 2 || strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!commands[i].argument) {
			*used = 2;
			return &commands[i];
		}
		if (argc >= 3 && strcmp(argv[2], commands[i].argument) == 0) {
			*used = 3;
			return &commands[i];
		}
	}
	return NULL;
}

static enum exit_code worse(enum exit_code one, enum exit_code other)
{
	return one > other ? one : other;
}

static bool holds_several(struct mail_file *file)
{
	struct mail_cursor cursor = mail_file_begin(file, MAIL_DETECT);
	struct mail_place place;

	return mail_file_next(file, &cursor, &place) && mail_file_next(file, &cursor, &place);
}

/* Of an mbox file each message by itself, with a number behind the file's name. */
static enum exit_code run_messages(const struct command *command, const struct options *options,
	struct mail_file *file, struct input input)
{
	bool numbered = holds_several(file);
	struct mail_cursor cursor = mail_file_begin(file, MAIL_DETECT);
	enum exit_code worst = EXIT_DONE;
	struct mail_place place;
	char *name = NULL;

	for (unsigned number = 1; mail_file_next(file, &cursor, &place); number++) {
		if (numbered) {
			g_free(name);
			name = g_strdup_printf("%s:%u", input.name, number);
		}
		struct input message = {
			.name = name ? name : input.name, .several = input.several || numbered};
		enum status status =
			mail_file_message(file, &place, &message.data, &message.length);
		if (status == STATUS_OK) {
			worst = worse(worst, command->run(options, &message));
		} else {
			fprintf(stderr, "hamlet: %s: %s\n", message.name, status_text(status));
			worst = EXIT_FAILED;
		}
	}
	g_free(name);
	return worst;
}

static enum exit_code run_file(const struct command *command, const struct options *options,
	int descriptor, struct input input)
{
	const char *name = descriptor == STDIN_FILENO ? "standard input" : input.name;
	enum exit_code code = EXIT_FAILED;
	struct failure failure = {0};
	struct mail_file file;
	enum status status = mail_file_read(&file, descriptor, name, &failure);

	if (status != STATUS_OK)
		fprintf(stderr, "hamlet: %s\n", failure.detail);
	else if (file.length == 0)
		fprintf(stderr, "hamlet: %s is empty: give the message as the mail server has it\n",
			name);
	else
		code = run_messages(command, options, &file, input);
	mail_file_close(&file);
	return code;
}

/* The worst exit code of all: failed before spam before done. */
static enum exit_code run_inputs(
	const struct command *command, const struct options *options, char **names, int count)
{
	static char standard_input[] = "-";
	char *one[] = {standard_input};
	enum exit_code worst = EXIT_DONE;

	if (count == 0) {
		names = one;
		count = 1;
	}
	for (int i = 0; i < count; i++) {
		bool is_stdin = strcmp(names[i], "-") == 0;
		int descriptor = is_stdin ? STDIN_FILENO : open(names[i], O_RDONLY | O_CLOEXEC);
		const struct input input = {.name = names[i], .several = count > 1};

		if (descriptor < 0) {
			fprintf(stderr, "hamlet: reading %s: %s\n", names[i], strerror(errno));
			worst = EXIT_FAILED;
			continue;
		}
		worst = worse(worst, run_file(command, options, descriptor, input));
		if (!is_stdin)
			close(descriptor);
	}
	return worst;
}

/* Of a command in two words the second may be what is wrong. */
static enum exit_code fail_unknown(int argc, char **argv)
{
	GString *text = g_string_new(argc < 2 ? "say what to do" : "no such command");
	bool first = true;

	for (size_t i = 0; i < commands_count && argc >= 2; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		g_string_append_printf(text, "%s %s %s", first ? "; there is" : ",", argv[1],
			commands[i].argument);
		first = false;
	}
	enum exit_code code = fail_usage_of(text->str);
	g_string_free(text, TRUE);
	return code;
}

static enum exit_code run_command(const struct options *options, int argc, char **argv)
{
	int used = 0;
	const struct command *command = find_subcommand(argc, argv, &used);

	if (!command)
		return fail_unknown(argc, argv);
	if (command->run)
		return run_inputs(command, options, argv + used, argc - used);
	if (argc > used && !command->words)
		return fail_usage_of("nothing may follow this command");
	if (argc == used && command->words)
		return fail_usage_of("something is to follow this command");
	return command->run_words(options, argv + used, argc - used);
}

/* Values of the options as they come from the command line. */
struct given {
	char *socket, *user, *domain, *consent, *event, *from, *to;
	gboolean json, version, site;
	gint selected;
};

static void free_given(struct given *given)
{
	g_free(given->socket);
	g_free(given->user);
	g_free(given->domain);
	g_free(given->consent);
	g_free(given->event);
	g_free(given->from);
	g_free(given->to);
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

static struct options options_of(const struct given *given)
{
	const char *from_environment = getenv("HAMLET_SOCKET");

	return (struct options){.socket = given->socket ? given->socket
			: from_environment              ? from_environment
							: DEFAULT_SOCKET,
		.user = text_or_empty(given->user),
		.json = given->json,
		.domain = text_or_empty(given->domain),
		.site = given->site,
		.consent = text_or_empty(given->consent),
		.event = text_or_empty(given->event),
		.from = text_or_empty(given->from),
		.to = text_or_empty(given->to),
		.selected = given->selected};
}

/* GLib leaves the "--" that ends the options where it is when what follows begins with a
 * dash. */
static void drop_dashes(int *argc, char **argv)
{
	int at = 1;

	while (at < *argc && strcmp(argv[at], "--") != 0)
		at++;
	if (at == *argc)
		return;
	memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof(*argv));
	--*argc;
}

static bool parse_command(struct given *given, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{"user", 'u', 0, G_OPTION_ARG_STRING, &given->user,
			"whose mail it is; otherwise everybody's opinion alone", "USER"},
		{"domain", 'd', 0, G_OPTION_ARG_STRING, &given->domain,
			"of list and policy: for all users of a domain", "DOMAIN"},
		{"site", 0, 0, G_OPTION_ARG_NONE, &given->site,
			"of list and policy: for the whole site", NULL},
		{"consent", 0, 0, G_OPTION_ARG_STRING, &given->consent,
			"of a report: what the person answered, granted or declined", "ANSWER"},
		{"event", 0, 0, G_OPTION_ARG_STRING, &given->event,
			"of a report: what the person did, button, move or flag", "KIND"},
		{"from", 0, 0, G_OPTION_ARG_STRING, &given->from,
			"folder it was in: inbox, junk, trash or other", "FOLDER"},
		{"to", 0, 0, G_OPTION_ARG_STRING, &given->to, "folder it went to", "FOLDER"},
		{"selected", 0, 0, G_OPTION_ARG_INT, &given->selected,
			"messages that were selected together", "NUMBER"},
		{"socket", 's', 0, G_OPTION_ARG_FILENAME, &given->socket,
			"of hamletd [$HAMLET_SOCKET, " DEFAULT_SOCKET "]", "PATH"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &given->json, "answers as JSON, one line each",
			NULL},
		{"version", 0, 0, G_OPTION_ARG_NONE, &given->version, "print the version", NULL},
		{0},
	};
	GOptionContext *context = g_option_context_new("COMMAND [...]");
	GError *error = NULL;
	char *list = command_list();

	g_option_context_set_description(context, list);
	g_option_context_add_main_entries(context, entries, NULL);
	bool valid = g_option_context_parse(context, argc, argv, &error);
	if (!valid) {
		fail_usage_of(error->message);
		g_error_free(error);
	} else if (given->selected < 0) {
		valid = false;
		fail_usage_of("--selected is a number of messages");
	}
	drop_dashes(argc, *argv);
	g_free(list);
	g_option_context_free(context);
	return valid;
}

int main(int argc, char **argv)
{
	struct given given = {0};
	enum exit_code code = EXIT_USAGE;

	setlocale(LC_CTYPE, "C.UTF-8"); /* names of users in options are UTF-8 */

	if (!parse_command(&given, &argc, &argv)) {
		code = EXIT_USAGE;
	} else if (given.version) {
		puts("hamlet " PACKAGE_VERSION);
		code = EXIT_DONE;
	} else {
		struct options options = options_of(&given);
		code = run_command(&options, argc, argv);
	}
	free_given(&given);
	return code;
}
