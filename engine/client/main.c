/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * hamlet: the client of hamletd. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "config.h"
#include "engine/base/buffer.h"
#include "engine/client/commands.h"

enum { MESSAGE_MAX = 256 << 20 };

static enum exit_code fail_usage(const char *message)
{
	fprintf(stderr, "hamlet: %s (hamlet --help lists the commands)\n", message);
	return EXIT_USAGE;
}

static char *command_list(void)
{
	GString *text = g_string_new("Commands:\n");

	for (size_t i = 0; i < commands_count; i++) {
		char *words = g_strjoin(" ", commands[i].name, commands[i].argument, NULL);
		g_string_append_printf(text, "  %-12s %s%s\n", words, commands[i].summary,
			commands[i].takes_message ? " [FILE...]" : "");
		g_free(words);
	}
	return g_string_free(text, FALSE);
}

/* The command that the words name; *used is how many they are. */
static const struct command *find_command(int argc, char **argv, int *used)
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

static bool read_input(const char *name, struct buffer *data)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
	bool good = file != NULL;

	*data = BUFFER_INIT(MESSAGE_MAX);
	while (good) {
		char *room = buffer_reserve(data, 65536);
		if (!room) {
			errno = EFBIG;
			good = false;
			break;
		}
		size_t size = fread(room, 1, 65536, file);
		data->length += size;
		good = !ferror(file);
		if (size == 0)
			break;
	}
	int reason = errno;
	if (file && file != stdin)
		fclose(file);
	if (!good)
		fprintf(stderr, "hamlet: reading %s: %s\n", name, strerror(reason));
	return good;
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
		struct buffer data;
		enum exit_code code = EXIT_FAILED;

		if (read_input(names[i], &data)) {
			struct input input = {.name = names[i],
				.data = data.data ? data.data : "",
				.length = data.length,
				.several = count > 1};
			code = command->run(options, &input);
		}
		buffer_free(&data);
		if (code > worst)
			worst = code;
	}
	return worst;
}

static enum exit_code run(const struct options *options, int argc, char **argv)
{
	int used = 0;
	const struct command *command = find_command(argc, argv, &used);

	if (!command)
		return fail_usage(argc < 2 ? "say what to do" : "no such command");
	if (command->takes_message)
		return run_inputs(command, options, argv + used, argc - used);
	if (argc > used)
		return fail_usage("this command takes no file");
	return command->run(options, NULL);
}

int main(int argc, char **argv)
{
	char *socket = NULL, *user = NULL;
	gboolean json = FALSE, version = FALSE;
	const GOptionEntry entries[] = {
		{"user", 'u', 0, G_OPTION_ARG_STRING, &user,
			"whose mail it is; otherwise everybody's opinion alone", "USER"},
		{"socket", 's', 0, G_OPTION_ARG_FILENAME, &socket,
			"of hamletd [$HAMLET_SOCKET, " DEFAULT_SOCKET "]", "PATH"},
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "answers as JSON, one line each", NULL},
		{"version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version", NULL},
		{0},
	};
	GError *error = NULL;
	GOptionContext *context = g_option_context_new("COMMAND [FILE...]");
	char *list = command_list();
	enum exit_code code;

	g_option_context_set_description(context, list);
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		code = fail_usage(error->message);
		g_error_free(error);
	} else if (version) {
		puts("hamlet " PACKAGE_VERSION);
		code = EXIT_DONE;
	} else {
		const char *from_environment = getenv("HAMLET_SOCKET");
		struct options options = {.user = user ? user : "", .json = json};
		options.socket = socket ? socket : from_environment ? from_environment : DEFAULT_SOCKET;
		code = run(&options, argc, argv);
	}
	g_free(list);
	g_free(socket);
	g_free(user);
	g_option_context_free(context);
	return code;
}
