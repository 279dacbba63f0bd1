/* hamlet-train evaluate.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "trainer/commands.h"
#include "trainer/evaluate/evaluate.h"
#include "trainer/evaluate/findings.h"
#include "trainer/measure/plot.h"
#include "trainer/evaluate/results-file.h"

/* For a comparison, which says nothing without; and the most that make sense. */
enum { RESAMPLES = 1000, MOST_RESAMPLES = 100000 };

struct arguments {
	char *plot, *results, *database, *against, *group_by;
	gboolean json, retrain, per_user, gray_mail;
	gint64 seed, delay, folds, resamples; /* resamples < 0 = not said */
	struct evaluate_options options;
	struct findings_options findings;
};

/* --- What goes together --------------------------------------------------------------- */

static const char *complain_of_numbers(const struct arguments *arguments)
{
	const struct evaluate_options *options = &arguments->options;

	if (!(options->held_out >= 0 && options->held_out < 100 && options->wrong_labels >= 0 &&
		    options->wrong_labels <= 100 && options->labelled >= 0 &&
		    options->labelled <= 100))
		return "percentages go from 0 to 100, --held-out to less than that";
	if (arguments->delay < 0)
		return "--delay is a number of messages";
	if (arguments->folds < 0 || arguments->folds == 1)
		return "--folds is at least 2";
	if (arguments->resamples > MOST_RESAMPLES)
		return "--bootstrap is at most 100000";
	return NULL;
}

static const char *complain_of_the_rest(const struct arguments *arguments)
{
	const struct evaluate_options *options = &arguments->options;
	int ways = (options->held_out > 0) + (arguments->delay > 0) + (arguments->folds > 0) +
		(arguments->database != NULL);

	if (ways > 1)
		return "choose one of --held-out, --delay, --folds and --database";
	if (arguments->retrain && options->held_out <= 0 && !arguments->folds)
		return "--retrain wants a part --held-out to measure on, or --folds";
	if (arguments->group_by && !arguments->folds)
		return "--group-by is for --folds";
	if (arguments->group_by && strcmp(arguments->group_by, "user") != 0 &&
		strcmp(arguments->group_by, "message") != 0)
		return "--group-by is message or user";
	if (arguments->against && !arguments->database)
		return "--against wants a --database to compare with";
	if (arguments->against && arguments->resamples == 0)
		return "--against cannot tell without --bootstrap";
	if (arguments->database && (options->wrong_labels > 0 || options->labelled < 100))
		return "nothing is learned with --database";
	return NULL;
}

static void settle(struct arguments *arguments)
{
	arguments->options.retrain = arguments->retrain;
	arguments->options.seed = (uint64_t)arguments->seed;
	arguments->options.delay = (size_t)arguments->delay;
	arguments->options.folds = (size_t)arguments->folds;
	arguments->options.folds_by_user =
		arguments->group_by && strcmp(arguments->group_by, "user") == 0;
	arguments->options.database = arguments->database;
	arguments->options.quiet = arguments->json;
	if (arguments->resamples < 0)
		arguments->resamples = arguments->against ? RESAMPLES : 0;
	arguments->findings = (struct findings_options){.folds = arguments->options.folds,
		.per_user = arguments->per_user,
		.gray_mail = arguments->gray_mail,
		.resamples = (size_t)arguments->resamples,
		.seed = (uint64_t)arguments->seed,
		.names = {arguments->database, arguments->against}};
}

/* --- Evaluating ------------------------------------------------------------------------ */

static enum status tell(const struct arguments *arguments, const struct evaluation *evaluation,
	const struct corpus_index *index, struct failure *failure)
{
	struct findings findings;
	enum status status =
		findings_make(&findings, evaluation, index, &arguments->findings, failure);

	if (status == STATUS_OK && arguments->json)
		status = findings_print_json(&findings);
	else if (status == STATUS_OK)
		findings_print(&findings);
	if (status == STATUS_OK && arguments->plot)
		status = plot_roc(arguments->plot, evaluation->results, evaluation->count, failure);
	if (status == STATUS_OK && arguments->results)
		status = results_write(arguments->results, evaluation, index, failure);
	findings_free(&findings);
	return status;
}

static enum status evaluate_index(
	struct arguments *arguments, const struct corpus_index *index, struct failure *failure)
{
	struct evaluate_options other = arguments->options;
	struct evaluation evaluation = {0}, against = {0};
	enum status status = evaluate_run(&evaluation, index, &arguments->options, failure);

	other.database = arguments->against;
	if (status == STATUS_OK && arguments->against) {
		status = evaluate_run(&against, index, &other, failure);
		arguments->findings.against = &against;
	}
	if (status == STATUS_OK)
		status = tell(arguments, &evaluation, index, failure);
	evaluate_free(&against);
	evaluate_free(&evaluation);
	return status;
}

static int evaluate(struct arguments *arguments, const char *path)
{
	struct corpus_index index;
	struct failure failure = {0};
	enum status status = corpus_read_index(&index, path, &failure);

	if (status == STATUS_OK) {
		status = evaluate_index(arguments, &index, &failure);
		corpus_free_index(&index);
	}
	return status == STATUS_OK ? EXIT_SUCCESS : fail(&failure);
}

/* --- The command line ------------------------------------------------------------------- */

static bool parse_evaluate(struct arguments *arguments, int *argc, char ***argv)
{
	const GOptionEntry learning[] = {
		{"wrong-labels", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->options.wrong_labels,
			"learn so many with the other label", "PERCENT"},
		{"labelled", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->options.labelled,
			"learn only so many", "PERCENT"},
		{"delay", 0, 0, G_OPTION_ARG_INT64, &arguments->delay,
			"labels come after so many further messages", "N"},
		{"held-out", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->options.held_out,
			"measure on the last so many alone, and do not learn them", "PERCENT"},
		{"folds", 0, 0, G_OPTION_ARG_INT64, &arguments->folds,
			"score each of so many parts with what the others teach", "K"},
		{"group-by", 0, 0, G_OPTION_ARG_STRING, &arguments->group_by,
			"what stays in one fold: message (the same) or user", "WHAT"},
		{"retrain", 0, 0, G_OPTION_ARG_NONE, &arguments->retrain,
			"retrain before these are scored", NULL},
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &arguments->database,
			"score with this database, learn nothing", "FILE"},
		{"against", 0, 0, G_OPTION_ARG_FILENAME, &arguments->against,
			"compare with this one", "FILE"},
		{"seed", 0, 0, G_OPTION_ARG_INT64, &arguments->seed, "which messages these are",
			"N"},
		{0},
	};
	const GOptionEntry telling[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "figures as JSON", NULL},
		{"bootstrap", 0, 0, G_OPTION_ARG_INT64, &arguments->resamples,
			"95 % intervals from so many resamples", "N"},
		{"per-user", 0, 0, G_OPTION_ARG_NONE, &arguments->per_user, "figures of each user",
			NULL},
		{"gray-mail", 0, 0, G_OPTION_ARG_NONE, &arguments->gray_mail,
			"figures of mail that users label differently", NULL},
		{"print-results", 0, 0, G_OPTION_ARG_FILENAME, &arguments->results,
			"write each result, as the TREC toolkit does", "FILE"},
		{"plot", 0, 0, G_OPTION_ARG_FILENAME, &arguments->plot, "draw the ROC curve",
			"FILE.svg"},
		{0},
	};
	GOptionGroup *group = g_option_group_new("evaluate", "", "", NULL, NULL);

	g_option_group_add_entries(group, learning);
	return parse_options("INDEX - score labelled mail, and learn it in its order", telling,
		group, argc, argv);
}

int run_evaluate(int argc, char **argv)
{
	struct arguments arguments = {.seed = 1,
		.resamples = -1,
		.options = {.labelled = 100, .settings = service_defaults()}};
	int result = EXIT_USAGE;

	if (!parse_evaluate(&arguments, &argc, &argv))
		goto out;
	if (argc != 2) {
		result = fail_usage("evaluate takes one index file");
		goto out;
	}
	const char *complaint = complain_of_numbers(&arguments);
	if (!complaint)
		complaint = complain_of_the_rest(&arguments);
	if (complaint) {
		result = fail_usage(complaint);
		goto out;
	}
	settle(&arguments);
	result = evaluate(&arguments, argv[1]);
out:
	g_free(arguments.group_by);
	g_free(arguments.against);
	g_free(arguments.database);
	g_free(arguments.results);
	g_free(arguments.plot);
	return result;
}
