/* hamlet-train retrain and rollback.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib.h>

#include "engine/base/account.h"
#include "engine/base/private-file.h"
#include "engine/settings/budget.h"
#include "trainer/adopt.h"
#include "trainer/commands.h"
#include "trainer/retrain/summary.h"
#include "trainer/retrain/retrain.h"

enum { LOWEST_PRIORITY = 19 };

struct arguments {
	char *config, *database, *socket, *report, *json;
	gboolean dry_run, quiet, alike;
	struct settings settings;
	struct service_settings service;
	struct retrain_options options;
};

/* --- One at a time ---------------------------------------------------------------- */

/* The lock is held until the program ends, however it does; -1 after a failure. */
static int take_training_lock(const char *database, struct failure *failure)
{
	char *path = g_strconcat(database, "-retrain-lock", NULL);
	int lock = private_file_open(path, failure);

	if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
		failure_set(failure, STATUS_BUSY,
			"another retraining of %s is at work: wait for it", database);
		close(lock);
		lock = -1;
	}
	g_free(path);
	return lock;
}

/* The lowest of the processors is left to queries where there are more, and on the others
 * who wakes up goes first. Not the scheduler's idle class: a processor that runs only that
 * counts as free, so that queries would be sent to where the trainer works. What is not
 * possible is left out. */
static void give_way(void)
{
	const struct sched_param parameter = {0};
	cpu_set_t processors;
	int first = 0;

	(void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
	(void)sched_setscheduler(0, SCHED_BATCH, &parameter);
	if (sched_getaffinity(0, sizeof(processors), &processors) != 0 ||
		CPU_COUNT(&processors) < 2)
		return;
	while (!CPU_ISSET(first, &processors))
		first++;
	CPU_CLR(first, &processors);
	(void)sched_setaffinity(0, sizeof(processors), &processors);
}

/* --- Retraining --------------------------------------------------------------------- */

static enum status train(
	const struct arguments *arguments, struct retraining *retraining, struct failure *failure)
{
	struct store *store = NULL;
	enum status status = store_open(&store, arguments->database, STORE_READ, failure);

	if (status == STATUS_OK)
		status = retrain_run(retraining, store, &arguments->options, failure);
	if (store)
		store_close(&store);
	return status;
}

static enum status keep_generation(const struct arguments *arguments,
	const struct retraining *retraining, struct failure *failure)
{
	char *path = generation_path(arguments->database, "challenger");
	enum status status = generation_write(&retraining->generation, path, failure);

	g_free(path);
	return status;
}

static enum status write_reports(const struct arguments *arguments,
	const struct retraining *retraining, bool adopted, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (arguments->report)
		status = summary_write_html(arguments->report, retraining, adopted, failure);
	if (status == STATUS_OK && arguments->json)
		status = summary_write_json(arguments->json, retraining, adopted, failure);
	return status;
}

/* What is proposed becomes the site's policy, where the configuration wants it. */
static enum status lay_down_policy(
	const struct arguments *arguments, struct retraining *retraining, struct failure *failure)
{
	const struct proposal_point *proposed = &retraining->proposal.proposed;
	char values[3][G_ASCII_DTOSTR_BUF_SIZE];
	const struct {
		const char *name;
		double value;
	} points[] = {{POLICY_JUNK_SCORE, proposed->junk}, {POLICY_REJECT_SCORE, proposed->reject},
		{POLICY_SCORE_SCALE, proposed->scale}};
	struct store_entry entries[3];

	if (!arguments->settings.adopt_thresholds || !retraining->proposal.made)
		return STATUS_OK;
	for (size_t i = 0; i < 3; i++) {
		entries[i] = (struct store_entry){.scope = "",
			.kind = ENTRY_POLICY,
			.name = points[i].name,
			.value = g_ascii_formatd(
				values[i], sizeof(values[i]), "%.4g", points[i].value),
			.time = g_get_real_time() / G_USEC_PER_SEC};
	}
	enum status status = adopt_policy(
		arguments->database, arguments->socket, entries, 3, &arguments->service, failure);
	retraining->laid_down = status == STATUS_OK;
	return status;
}

static int conclude_retraining(const struct arguments *arguments, struct retraining *retraining)
{
	const struct comparison *comparison = &retraining->comparison;
	bool adopts = comparison->verdict == COMPARISON_NOT_WORSE && !arguments->dry_run;
	struct failure failure = {0};
	enum status status = keep_generation(arguments, retraining, &failure);

	if (status == STATUS_OK && adopts)
		status = adopt_generation(arguments->database, arguments->socket, "challenger",
			&arguments->service, &failure);
	if (status == STATUS_OK && adopts)
		status = lay_down_policy(arguments, retraining, &failure);
	if (status != STATUS_OK)
		return fail(&failure);
	if (!arguments->quiet || !adopts)
		printf("%s: %s\n", adopts ? "adopted" : "kept aside", comparison->reason);
	if (!arguments->quiet)
		summary_print(retraining);
	if (write_reports(arguments, retraining, adopts, &failure) != STATUS_OK)
		return fail(&failure);
	return adopts || arguments->dry_run ? EXIT_SUCCESS : EXIT_KEPT;
}

/* What would fail in the end, before anything is made or waited for. */
static enum status check_paths(const struct arguments *arguments, struct failure *failure)
{
	const char *const pages[] = {arguments->report, arguments->json};
	enum status status = STATUS_OK;

	if (access(arguments->database, F_OK) != 0)
		return failure_set(failure, STATUS_NOTFOUND, "opening %s: %s", arguments->database,
			strerror(errno));
	for (size_t i = 0; i < G_N_ELEMENTS(pages) && status == STATUS_OK; i++) {
		char *folder = pages[i] ? g_path_get_dirname(pages[i]) : NULL;
		if (folder && access(folder, W_OK | X_OK) != 0)
			status = failure_set(failure, STATUS_DENIED, "writing %s: %s", pages[i],
				strerror(errno));
		g_free(folder);
	}
	return status;
}

static int retrain(const struct arguments *arguments)
{
	struct retraining retraining = {0};
	struct failure failure = {0};
	int result = EXIT_FAILURE;

	if (account_become(arguments->database, &failure) != STATUS_OK ||
		check_paths(arguments, &failure) != STATUS_OK)
		return fail(&failure);
	int lock = take_training_lock(arguments->database, &failure);
	if (lock < 0)
		return fail(&failure);
	give_way();
	enum status status = train(arguments, &retraining, &failure);
	if (status == STATUS_INTERRUPTED) {
		fprintf(stderr, "hamlet-train: interrupted; nothing was changed\n");
		result = EXIT_INTERRUPTED;
	} else if (status == STATUS_NOTFOUND) { /* as on a new site, night after night */
		if (!arguments->quiet)
			puts(failure.detail);
		result = EXIT_KEPT;
	} else {
		result = status == STATUS_OK ? conclude_retraining(arguments, &retraining)
					     : fail(&failure);
	}
	retrain_free(&retraining);
	close(lock);
	return result;
}

/* --- Arguments ---------------------------------------------------------------------- */

static void free_arguments(struct arguments *arguments)
{
	settings_free(&arguments->settings);
	g_free(arguments->config);
	g_free(arguments->database);
	g_free(arguments->socket);
	g_free(arguments->report);
	g_free(arguments->json);
}

/* Fills in what was not given, from the configuration. */
static enum status complete_options(struct arguments *arguments, struct failure *failure)
{
	enum status status = load_settings(&arguments->settings,
		arguments->config ? arguments->config : DEFAULT_CONFIG, arguments->config != NULL,
		failure);

	if (status != STATUS_OK)
		return status;
	if (!arguments->database)
		arguments->database = settings_database(&arguments->settings);
	arguments->socket =
		g_build_filename(arguments->settings.runtime_directory, "spamd.sock", NULL);
	arguments->service = settings_of_service(&arguments->settings);
	arguments->options.settings = &arguments->service;
	arguments->options.ham_lost = arguments->settings.ham_lost_target;
	arguments->options.stop = stop_on_signals();
	arguments->options.quiet = arguments->quiet;
	arguments->options.reputation = !arguments->alike;
	return STATUS_OK;
}

static bool are_possible(const struct retrain_options *options)
{
	return options->half_life >= 0 && options->class_balance >= 0 &&
		options->class_balance <= 1 && options->validation >= 0.01 &&
		options->validation <= 0.5;
}

static int run_retraining(const char *words, const GOptionEntry *entries,
	struct arguments *arguments, int argc, char **argv,
	int (*work)(const struct arguments *arguments))
{
	struct failure failure = {0};
	int result = EXIT_USAGE;

	if (!parse_options(words, entries, NULL, &argc, &argv))
		result = EXIT_USAGE;
	else if (argc > 1)
		result = fail_usage("this command takes options alone");
	else if (!are_possible(&arguments->options))
		result = fail_usage(
			"half-life from 0, class-balance from 0 to 1, validation from 0.01 "
			"to 0.5");
	else
		result = complete_options(arguments, &failure) == STATUS_OK ? work(arguments)
									    : fail(&failure);
	free_arguments(arguments);
	return result;
}

int run_retrain(int argc, char **argv)
{
	struct arguments arguments = {.options = retrain_defaults};
	const GOptionEntry entries[] = {
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &arguments.config,
			"configuration of hamletd", "FILE"},
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &arguments.database,
			"database, in place of the configuration's", "FILE"},
		{"half-life", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.options.half_life,
			"days after which a report counts half; 0: never [180]", "DAYS"},
		{"class-balance", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.options.class_balance,
			"1: spam and ham weigh the same in all; 0: as they come [0]", "SHARE"},
		{"validation", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.options.validation,
			"share of the newest reports to compare on [0.1]", "SHARE"},
		{"no-reputation", 0, 0, G_OPTION_ARG_NONE, &arguments.alike,
			"all reporters are alike", NULL},
		{"dry-run", 'n', 0, G_OPTION_ARG_NONE, &arguments.dry_run,
			"compare and report, adopt nothing", NULL},
		{"report", 0, 0, G_OPTION_ARG_FILENAME, &arguments.report, "page for people",
			"FILE.html"},
		{"json", 0, 0, G_OPTION_ARG_FILENAME, &arguments.json, "the same as JSON", "FILE"},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &arguments.quiet,
			"say only what is not as it should be", NULL},
		{0},
	};

	return run_retraining("- train the global evidence anew from the journal", entries,
		&arguments, argc, argv, retrain);
}

static int roll_back_generation(const struct arguments *arguments)
{
	struct failure failure = {0};

	if (account_become(arguments->database, &failure) != STATUS_OK ||
		adopt_generation(arguments->database, arguments->socket, "previous",
			&arguments->service, &failure) != STATUS_OK)
		return fail(&failure);
	puts("the generation before is in place; the same command goes forth again");
	return EXIT_SUCCESS;
}

int run_rollback(int argc, char **argv)
{
	struct arguments arguments = {.options = retrain_defaults};
	const GOptionEntry entries[] = {
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &arguments.config,
			"configuration of hamletd", "FILE"},
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &arguments.database,
			"database, in place of the configuration's", "FILE"},
		{0},
	};

	return run_retraining("- go back to the generation before", entries, &arguments, argc, argv,
		roll_back_generation);
}
