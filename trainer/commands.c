/* Options, failures and signals that the commands of hamlet-train share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/commands.h"

#include <stdio.h>
#include <stdlib.h>

/* Set by the signal handler, which can be handed nothing. */
static volatile sig_atomic_t stop_requested;

static void on_interrupt(int number)
{
	(void)number;
	stop_requested = 1;
}

const volatile sig_atomic_t *stop_on_signals(void)
{
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
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

enum status load_settings(
	struct settings *settings, const char *config, bool required, struct failure *failure)
{
	settings_defaults(settings);
	enum status status = settings_load(settings, config, failure);
	return status == STATUS_NOTFOUND && !required ? STATUS_OK : status;
}
