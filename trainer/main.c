/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * hamlet-train: the trainer. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "config.h"
#include "engine/settings/service-settings.h"
#include "trainer/commands.h"
#include "trainer/evaluate.h"
#include "trainer/import.h"
#include "trainer/plot.h"

/* Set by the signal handler, which can be handed nothing. */
static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
	(void)number;
	stop_requested = 1;
}

const volatile sig_atomic_t *stop_on_signals(void)
{
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	return &stop_requested;
}

int fail(const struct failure *failure)
{
	fprintf(stderr, "hamlet-train: %s\n", failure->detail);
	return EXIT_FAILURE;
}

int fail_usage(const char *message)
{
	fprintf(stderr, "hamlet-train: %s (hamlet-train --help lists the options)\n", message);
	return EXIT_USAGE;
}

bool parse_options(const char *arguments, const GOptionEntry *entries, GOptionGroup *group,
	int *argc, char ***argv)
{
	GError *error = NULL;
	GOptionContext *context = g_option_context_new(arguments);

	if (group)
		g_option_context_set_main_group(context, group);
	g_option_context_add_main_entries(context, entries, NULL);
	bool good = g_option_context_parse(context, argc, argv, &error);
	if (!good) {
		fail_usage(error->message);
		g_error_free(error);
	}
	g_option_context_free(context);
	return good;
}

/* --- import --------------------------------------------------------------- */

struct import_arguments {
	GArray *sources; /* struct import_source */
	enum { NO_LABEL, SPAM_PATHS, HAM_PATHS } label;
};

static gboolean on_label(const char *name, const char *value, gpointer data, GError **error)
{
	struct import_arguments *arguments = data;
	(void)value;
	(void)error;

	arguments->label = strcmp(name, "--spam") == 0 ? SPAM_PATHS : HAM_PATHS;
	return TRUE;
}

static gboolean on_path(const char *name, const char *value, gpointer data, GError **error)
{
	struct import_arguments *arguments = data;
	(void)name;

	if (arguments->label == NO_LABEL) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			"say --spam or --ham before %s", value);
		return FALSE;
	}
	struct import_source source = {
		.spam = arguments->label == SPAM_PATHS, .path = g_strdup(value)};
	g_array_append_val(arguments->sources, source);
	return TRUE;
}

static int report_import(
	enum status status, const struct import_counts *counts, const struct failure *failure)
{
	printf("learned %zu messages (%.0f a second), %zu known before, %zu changed their label, "
	       "%zu empty, %zu gone\n",
		counts->learned, counts->rate, counts->known, counts->flipped, counts->empty,
		counts->gone);
	if (status == STATUS_INTERRUPTED) {
		puts("interrupted: run the same command again to go on where it stopped");
		return EXIT_INTERRUPTED;
	}
	return status == STATUS_OK ? EXIT_SUCCESS : fail(failure);
}

static int import_into(const char *database, const struct settings *settings, const char *user,
	const GArray *sources)
{
	struct service_settings service = settings_of_service(settings);
	struct import_counts counts;
	struct store *store;
	struct failure failure = {0};

	if (store_open_sqlite(&store, database, &failure) != STATUS_OK)
		return fail(&failure);
	enum status status = import_run(store, &service, (struct import_source *)sources->data,
		sources->len, user, &stop_requested, &counts, &failure);
	store_close(&store);
	return report_import(status, &counts, &failure);
}

enum status load_settings(
	struct settings *settings, const char *config, bool required, struct failure *failure)
{
	settings_defaults(settings);
	enum status status = settings_load(settings, config, failure);
	return status == STATUS_NOTFOUND && !required ? STATUS_OK : status;
}

static int run_import(int argc, char **argv)
{
	char *user = NULL, *config = NULL, *database = NULL;
	struct import_arguments arguments = {
		.sources = g_array_new(FALSE, FALSE, sizeof(struct import_source))};
	const GOptionEntry entries[] = {
		{"spam", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (void *)on_label,
			"the paths that follow hold spam", NULL},
		{"ham", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, (void *)on_label,
			"the paths that follow hold good mail", NULL},
		{"user", 0, 0, G_OPTION_ARG_STRING, &user,
			"teach this user's store; otherwise the global one", "USER"},
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &config, "configuration of hamletd",
			"FILE"},
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &database,
			"database, in place of the configuration's", "FILE"},
		{G_OPTION_REMAINING, 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK,
			(void *)on_path, NULL, NULL},
		{0},
	};
	GOptionGroup *group = g_option_group_new("import", "", "", &arguments, NULL);
	struct settings settings = {0};
	struct failure failure = {0};
	int result = EXIT_USAGE;

	if (!parse_options("--spam PATH... --ham PATH... - learn existing mail", entries, group,
		    &argc, &argv))
		goto out;
	if (arguments.sources->len == 0) {
		result = fail_usage("nothing to import: name folders with --spam and --ham");
		goto out;
	}
	if (load_settings(&settings, config ? config : DEFAULT_CONFIG, config != NULL, &failure) !=
		STATUS_OK) {
		result = fail(&failure);
		goto out;
	}
	if (!database)
		database = g_build_filename(settings.state_directory, "hamlet.sqlite", NULL);
	stop_on_signals();
	result = import_into(database, &settings, user ? user : "", arguments.sources);
out:
	settings_free(&settings);
	for (size_t i = 0; i < arguments.sources->len; i++)
		g_free((char *)g_array_index(arguments.sources, struct import_source, i).path);
	g_array_free(arguments.sources, TRUE);
	g_free(user);
	g_free(config);
	g_free(database);
	return result;
}

/* --- evaluate -------------------------------------------------------------- */

static enum status evaluate_index(const char *path, const struct evaluate_options *options,
	bool json, const char *plot, struct failure *failure)
{
	struct corpus_index index;
	struct evaluation evaluation = {0};
	enum status status = corpus_read_index(&index, path, failure);

	if (status != STATUS_OK)
		return status;
	status = evaluate_run(&evaluation, &index, options, failure);
	if (status == STATUS_OK && json)
		status = evaluate_print_json(&evaluation);
	else if (status == STATUS_OK)
		evaluate_print(&evaluation);
	if (status == STATUS_OK && plot)
		status = plot_roc(plot, evaluation.results, evaluation.count, failure);
	evaluate_free(&evaluation);
	corpus_free_index(&index);
	return status;
}

static int run_evaluate(int argc, char **argv)
{
	gboolean json = FALSE, retrain = FALSE;
	gint64 seed = 1;
	char *plot = NULL;
	struct evaluate_options options = {.labelled = 100, .settings = service_defaults};
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &json, "figures as JSON", NULL},
		{"wrong-labels", 0, 0, G_OPTION_ARG_DOUBLE, &options.wrong_labels,
			"learn so many with the other label", "PERCENT"},
		{"labelled", 0, 0, G_OPTION_ARG_DOUBLE, &options.labelled, "learn only so many",
			"PERCENT"},
		{"held-out", 0, 0, G_OPTION_ARG_DOUBLE, &options.held_out,
			"measure on the last so many alone, and do not learn them", "PERCENT"},
		{"retrain", 0, 0, G_OPTION_ARG_NONE, &retrain,
			"retrain before these are scored", NULL},
		{"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "which these are", "N"},
		{"plot", 0, 0, G_OPTION_ARG_FILENAME, &plot, "draw the ROC curve", "FILE.svg"},
		{0},
	};
	struct failure failure = {0};
	int result = EXIT_USAGE;

	if (!parse_options("INDEX - score, then learn, in the order of INDEX", entries, NULL, &argc,
		    &argv))
		goto out;
	if (argc != 2) {
		result = fail_usage("evaluate takes one index file");
		goto out;
	}
	options.retrain = retrain;
	if (options.retrain && options.held_out <= 0) {
		result = fail_usage("--retrain wants a part --held-out to measure on");
		goto out;
	}
	if (!(options.held_out >= 0 && options.held_out < 100 && options.wrong_labels >= 0 && options.wrong_labels <= 100 && options.labelled >= 0 &&
		    options.labelled <= 100)) {
		result = fail_usage("percentages go from 0 to 100");
		goto out;
	}
	options.seed = (uint64_t)seed;
	options.quiet = json;
	enum status status = evaluate_index(argv[1], &options, json, plot, &failure);
	result = status == STATUS_OK ? EXIT_SUCCESS : fail(&failure);
out:
	g_free(plot);
	return result;
}

/* --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} COMMANDS[] = {
	{"import", run_import, "learn existing mail into the database"},
	{"evaluate", run_evaluate, "measure the accuracy on labelled mail"},
	{"retrain", run_retrain, "train the global store anew, adopt it unless it is worse"},
	{"rollback", run_rollback, "go back to the generation before"},
	{"expire", run_expire, "take out what is past its time"},
};

static void print_help(void)
{
	puts("Usage: hamlet-train COMMAND [OPTION...]\n");
	for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
		printf("  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
	puts("\nhamlet-train COMMAND --help lists the options; see also hamlet-train(1).");
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		puts("hamlet-train " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_help();
		return argc < 2 ? EXIT_USAGE : EXIT_SUCCESS;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
		if (strcmp(argv[1], COMMANDS[i].name) == 0)
			return COMMANDS[i].run(argc - 1, argv + 1);
	}
	return fail_usage("no such command");
}
