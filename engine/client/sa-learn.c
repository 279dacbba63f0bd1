/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * hamlet-sa-learn: takes the common arguments of SpamAssassin's sa-learn, for the
 * scripts that call it, and reports to hamletd. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <jansson.h>

#include "engine/client/exchange.h"
#include "engine/client/messages.h"

enum { EXIT_USAGE = 64, EXIT_NO_DAEMON = 74 };

struct learn {
	struct exchange exchange;
	unsigned examined, learned;
};

struct arguments {
	gboolean spam, ham, forget, mbox, sync, ignored;
	char *username, *dump;
	char **paths;
	char *unused;
};

/* What became of a report: did it change anything? */
static bool changed(const struct buffer *body)
{
	json_t *json = json_loadb(body->data ? body->data : "", body->length, 0, NULL);
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	bool result = outcome && (strcmp(outcome, "new") == 0 || strcmp(outcome, "flip") == 0 ||
					 strcmp(outcome, "forgotten") == 0);

	json_decref(json);
	return result;
}

static bool learn(void *context, const char *message, size_t length)
{
	struct learn *learn = context;
	struct failure failure = {0};
	struct buffer body;
	enum status status;

	learn->examined++;
	learn->exchange.message = message;
	learn->exchange.length = length;
	status = exchange_run(&learn->exchange, &body, &failure);
	if (status == STATUS_OK)
		learn->learned += changed(&body);
	else
		fprintf(stderr, "ERROR: %s\n", failure.detail);
	buffer_free(&body);
	/* A message that cannot be learned does not stop the others. */
	return status != STATUS_IO && status != STATUS_DENIED;
}

static bool parse(struct arguments *arguments, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{"spam", 0, 0, G_OPTION_ARG_NONE, &arguments->spam, "learn as spam", NULL},
		{"ham", 0, 0, G_OPTION_ARG_NONE, &arguments->ham, "learn as not spam", NULL},
		{"forget", 0, 0, G_OPTION_ARG_NONE, &arguments->forget, "undo", NULL},
		{"username", 'u', 0, G_OPTION_ARG_STRING, &arguments->username,
			"whose mail it is [$HAMLET_USER, the login]", "USER"},
		{"mbox", 0, 0, G_OPTION_ARG_NONE, &arguments->mbox, "files are mailboxes", NULL},
		{"sync", 0, 0, G_OPTION_ARG_NONE, &arguments->sync, "needless here", NULL},
		{"no-sync", 0, 0, G_OPTION_ARG_NONE, &arguments->ignored, "needless here", NULL},
		{"dir", 0, 0, G_OPTION_ARG_NONE, &arguments->ignored, "needless here", NULL},
		{"file", 0, 0, G_OPTION_ARG_NONE, &arguments->ignored, "needless here", NULL},
		{"showdots", 0, 0, G_OPTION_ARG_NONE, &arguments->ignored, "ignored", NULL},
		{"progress", 0, 0, G_OPTION_ARG_NONE, &arguments->ignored, "ignored", NULL},
		{"local", 'L', 0, G_OPTION_ARG_NONE, &arguments->ignored, "ignored", NULL},
		{"dbpath", 0, 0, G_OPTION_ARG_STRING, &arguments->unused, "ignored", "PATH"},
		{"prefspath", 'p', 0, G_OPTION_ARG_STRING, &arguments->unused, "ignored", "PATH"},
		{"dump", 0, 0, G_OPTION_ARG_STRING, &arguments->dump, "only: magic", "WHAT"},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->paths, NULL,
			"[FILE OR FOLDER...]"},
		{0},
	};
	GOptionContext *context = g_option_context_new("- sa-learn's arguments, for hamletd");
	GError *error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	bool valid = g_option_context_parse(context, argc, argv, &error);
	if (!valid)
		fprintf(stderr, "ERROR: %s\n", error->message);
	g_clear_error(&error);
	g_option_context_free(context);
	if (valid && !arguments->sync && !arguments->dump &&
		arguments->spam + arguments->ham + arguments->forget != 1) {
		fprintf(stderr, "ERROR: say one of --spam, --ham and --forget\n");
		valid = false;
	}
	return valid;
}

/* The two lines of `--dump magic` that scripts look at. */
static int dump(const char *socket)
{
	struct exchange exchange = {
		.socket = socket, .command = "STATS", .headers = "", .user = ""};
	struct failure failure = {0};
	struct buffer body;
	int code = EXIT_SUCCESS;

	if (exchange_run(&exchange, &body, &failure) == STATUS_OK) {
		json_t *json = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
		const json_t *engine = json_object_get(json, "engine");
		printf("0.000          0 %10lld          0  non-token data: nreports\n"
		       "0.000          0 %10lld          0  non-token data: ntokens\n",
			(long long)json_integer_value(json_object_get(engine, "last_seq")),
			(long long)json_integer_value(json_object_get(engine, "global_tokens")));
		json_decref(json);
	} else {
		fprintf(stderr, "ERROR: %s\n", failure.detail);
		code = EXIT_NO_DAEMON;
	}
	buffer_free(&body);
	return code;
}

static int run(const struct arguments *arguments, const char *socket)
{
	static char input[] = "-";
	char *standard[] = {input, NULL};
	char **paths = arguments->paths ? arguments->paths : standard;
	struct learn state = {.exchange = {.socket = socket,
				      .command = "TELL",
				      .user = arguments->username ? arguments->username
								  : messages_user()}};
	bool good = true;

	state.exchange.headers = arguments->spam ? "Message-class: spam\r\nSet: local\r\n"
		: arguments->ham ? "Message-class: ham\r\nSet: local\r\n"
				 : "Remove: local\r\n";
	for (size_t i = 0; paths[i] && good; i++)
		good = messages_at(paths[i], arguments->mbox, learn, &state);
	printf("%s tokens from %u message(s) (%u message(s) examined)\n",
		arguments->forget ? "Forgot" : "Learned", state.learned, state.examined);
	return good ? EXIT_SUCCESS : EXIT_NO_DAEMON;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	const char *given = getenv("HAMLET_SOCKET");
	const char *socket = given ? given : DEFAULT_SOCKET;
	int code = EXIT_SUCCESS;

	setlocale(LC_CTYPE, "C.UTF-8"); /* names of users in options are UTF-8 */
	if (!parse(&arguments, &argc, &argv))
		code = EXIT_USAGE;
	else if (arguments.dump)
		code = dump(socket);
	else if (arguments.spam || arguments.ham || arguments.forget)
		code = run(&arguments, socket);
	g_free(arguments.username);
	g_free(arguments.dump);
	g_free(arguments.unused);
	g_strfreev(arguments.paths);
	return code;
}
