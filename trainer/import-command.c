/* hamlet-train import.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "engine/base/account.h"
#include "engine/client/mail-walk.h"
#include "engine/settings/budget.h"
#include "trainer/commands.h"
#include "trainer/import.h"

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
	       "%zu empty, %zu gone",
		counts->learned, counts->rate, counts->known, counts->flipped, counts->empty,
		counts->gone);
	if (counts->skipped > 0)
		printf(", %zu skipped", counts->skipped);
	putchar('\n');
	if (status == STATUS_INTERRUPTED) {
		puts("interrupted: run the same command again to go on where it stopped");
		return EXIT_INTERRUPTED;
	}
	if (status != STATUS_OK)
		return fail(failure);
	/* One of many Junk folders may be empty; only all of them are a mistake. */
	bool found = counts->learned + counts->known + counts->flipped + counts->empty > 0;
	return found && counts->mistaken == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Before anything is made or waited for. */
static enum status check_sources(const GArray *sources, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (guint i = 0; i < sources->len && status == STATUS_OK; i++)
		status = mail_walk_check(
			g_array_index(sources, struct import_source, i).path, failure);
	return status;
}

static int import_into(const char *database, const struct settings *settings, const char *user,
	const GArray *sources)
{
	struct service_settings service = settings_of_service(settings);
	struct import_counts counts;
	struct store *store;
	struct failure failure = {0};

	if (check_sources(sources, &failure) != STATUS_OK ||
		account_begin(database, &failure) != STATUS_OK ||
		store_open(&store, database, STORE_WRITE, &failure) != STATUS_OK)
		return fail(&failure);
	enum status status = import_run(store, &service, (struct import_source *)sources->data,
		sources->len, user, stop_on_signals(), &counts, &failure);
	store_close(&store);
	return report_import(status, &counts, &failure);
}

int run_import(int argc, char **argv)
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
			"teach this user's fold; otherwise the global one", "USER"},
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
		database = settings_database(&settings);
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
