/* The table of bogofilter's options, and what each sets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/bogofilter-options.h"

#include <getopt.h>
#include <stdio.h>

/* -P took an argument in the same word once. */
static const char SHORT[] = ":snSNuptTevMbBRhVQqUWHCDlc:d:k:L:I:O:E:m:o:y:x:P::";

/* A long option that means nothing here. */
enum { IGNORED = 'W' };

static const struct option LONG[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"query", no_argument, NULL, 'Q'},
	{"passthrough", no_argument, NULL, 'p'},
	{"ham-true", no_argument, NULL, 'e'},
	{"update-as-scored", no_argument, NULL, 'u'},
	{"update", no_argument, NULL, 'u'},
	{"classify-mbox", no_argument, NULL, 'M'},
	{"mbox", no_argument, NULL, 'M'},
	{"bulk-mode", no_argument, NULL, 'b'},
	{"classify-stdin", no_argument, NULL, 'b'},
	{"classify-files", optional_argument, NULL, 'B'},
	{"dataframe", no_argument, NULL, 'R'},
	{"register-spam", no_argument, NULL, 's'},
	{"register-ham", no_argument, NULL, 'n'},
	{"register-nonspam", no_argument, NULL, 'n'},
	{"unregister-spam", no_argument, NULL, 'S'},
	{"unregister-nonspam", no_argument, NULL, 'N'},
	{"unregister-ham", no_argument, NULL, 'N'},
	{"config-file", required_argument, NULL, 'c'},
	{"no-config-file", no_argument, NULL, 'C'},
	{"bogofilter-dir", required_argument, NULL, 'd'},
	{"no-header-tags", no_argument, NULL, 'H'},
	{"db-cachesize", required_argument, NULL, 'k'},
	{"use-syslog", no_argument, NULL, 'l'},
	{"syslog-tag", required_argument, NULL, 'L'},
	{"input-file", required_argument, NULL, 'I'},
	{"output-file", required_argument, NULL, 'O'},
	{"terse", optional_argument, NULL, 't'},
	{"fixed-terse-format", no_argument, NULL, 'T'},
	{"quiet", no_argument, NULL, 'q'},
	{"report-unsure", no_argument, NULL, 'U'},
	{"verbosity", no_argument, NULL, 'v'},
	{"timestamp-date", required_argument, NULL, 'y'},
	{"debug-to-stdout", no_argument, NULL, 'D'},
	{"debug-flags", required_argument, NULL, 'x'},
	/* What may stand in bogofilter's configuration file. */
	{"block-on-subnets", required_argument, NULL, IGNORED},
	{"charset-default", required_argument, NULL, IGNORED},
	{"db-log-autoremove", required_argument, NULL, IGNORED},
	{"db-transaction", required_argument, NULL, IGNORED},
	{"ham-cutoff", required_argument, NULL, IGNORED},
	{"header-format", required_argument, NULL, IGNORED},
	{"log-header-format", required_argument, NULL, IGNORED},
	{"log-update-format", required_argument, NULL, IGNORED},
	{"min-dev", required_argument, NULL, IGNORED},
	{"min-token-len", required_argument, NULL, IGNORED},
	{"max-token-len", required_argument, NULL, IGNORED},
	{"max-multi-token-len", required_argument, NULL, IGNORED},
	{"multi-token-count", required_argument, NULL, IGNORED},
	{"ns-esf", required_argument, NULL, IGNORED},
	{"replace-nonascii-characters", required_argument, NULL, IGNORED},
	{"robs", required_argument, NULL, IGNORED},
	{"robx", required_argument, NULL, IGNORED},
	{"sp-esf", required_argument, NULL, IGNORED},
	{"spam-cutoff", required_argument, NULL, IGNORED},
	{"spam-header-name", required_argument, NULL, IGNORED},
	{"spam-subject-tag", required_argument, NULL, IGNORED},
	{"spamicity-formats", required_argument, NULL, IGNORED},
	{"spamicity-tags", required_argument, NULL, IGNORED},
	{"stats-in-header", required_argument, NULL, IGNORED},
	{"terse-format", required_argument, NULL, IGNORED},
	{"thresh-update", required_argument, NULL, IGNORED},
	{"timestamp", required_argument, NULL, IGNORED},
	{"token-count", required_argument, NULL, IGNORED},
	{"token-count-min", required_argument, NULL, IGNORED},
	{"token-count-max", required_argument, NULL, IGNORED},
	{"unicode", required_argument, NULL, IGNORED},
	{"unsure-subject-tag", required_argument, NULL, IGNORED},
	{"user-config-file", required_argument, NULL, IGNORED},
	{"wordlist", required_argument, NULL, IGNORED},
	{NULL, 0, NULL, 0},
};

void bogofilter_options_help(void)
{
	puts("Usage: hamlet-bogofilter [options] < message\n"
	     "Takes the options of bogofilter and asks hamletd; see hamlet-sa-learn(1).\n"
	     "\n"
	     "  -s, --register-spam      report as spam\n"
	     "  -n, --register-ham       report as not spam\n"
	     "  -S, --unregister-spam    undo a report of spam; -Sn corrects it\n"
	     "  -N, --unregister-nonspam undo a report of not spam; -Ns corrects it\n"
	     "  -p, --passthrough        print the message with a field X-Bogosity\n"
	     "  -e, --ham-true           with -p: exit with 0 unless there is an error\n"
	     "  -M, --classify-mbox      the input is an mbox file\n"
	     "  -b, --classify-stdin     names of files and folders are on standard input\n"
	     "  -B, --classify-files     names of files and folders are arguments\n"
	     "  -I, --input-file FILE    read FILE, not standard input\n"
	     "  -O, --output-file FILE   with -p: write to FILE\n"
	     "  -t, -T, -TT, -v          print letter and probability, or the field\n"
	     "  -h, -V, -Q               help, version, settings\n"
	     "\n"
	     "Other options of bogofilter are taken and ignored.");
}

/* Options that report, and those that say how much is printed. */
static bool take_word(struct bogofilter_options *options, int letter)
{
	switch (letter) {
	case 's':
		options->spam = true;
		return true;
	case 'n':
		options->ham = true;
		return true;
	case 'S':
		options->not_spam = true;
		return true;
	case 'N':
		options->not_ham = true;
		return true;
	case 't':
		options->terse = true;
		return true;
	case 'T':
		options->fixed++;
		return true;
	case 'v':
		options->verbose++;
		return true;
	default:
		return false;
	}
}

static bool take_task(struct bogofilter_options *options, int letter)
{
	switch (letter) {
	case 'h':
		options->task = TASK_HELP;
		return true;
	case 'V':
		options->task = TASK_VERSION;
		return true;
	case 'Q':
		options->task = TASK_QUERY;
		return true;
	default:
		return false;
	}
}

/* What is none of these means nothing here. -u: one's own verdict is no lesson. */
static void take_rest(struct bogofilter_options *options, int letter)
{
	switch (letter) {
	case 'p':
		options->passthrough = true;
		break;
	case 'e':
		options->ham_true = true;
		break;
	case 'M':
		options->mbox = true;
		break;
	case 'b':
		options->source = SOURCE_NAMES;
		break;
	case 'B':
		options->source = SOURCE_FILES;
		options->first = optarg ? optarg : options->first;
		break;
	case 'I':
		options->input = optarg;
		break;
	case 'O':
		options->output = optarg;
		break;
	default:
		break;
	}
}

static bool is_consistent(const struct bogofilter_options *options)
{
	bool both = (options->spam && (options->ham || options->not_spam)) ||
		(options->ham && options->not_ham) || (options->not_spam && options->not_ham);

	if (both)
		fprintf(stderr,
			"bogofilter: of -s, -n, -S and -N only one, -Sn or -Ns is possible\n");
	else if (options->fixed > 2)
		fprintf(stderr, "bogofilter: of -T at most two are possible\n");
	else if (options->source != SOURCE_FILES && *options->rest)
		fprintf(stderr,
			"bogofilter: %s is one argument too many: files are named after -B\n",
			*options->rest);
	else
		return true;
	return false;
}

bool bogofilter_options_read(struct bogofilter_options *options, int argc, char **argv)
{
	int letter;

	*options = (struct bogofilter_options){0};
	opterr = 0;
	while ((letter = getopt_long(argc, argv, SHORT, LONG, NULL)) != -1) {
		if (letter == ':') {
			fprintf(stderr, "bogofilter: %s needs an argument\n", argv[optind - 1]);
			return false;
		}
		if (letter == '?' && optopt != 0) {
			fprintf(stderr, "bogofilter: no option -%c; see -h\n", optopt);
			return false;
		}
		if (letter == '?') {
			fprintf(stderr, "bogofilter: no option %s; see -h\n", argv[optind - 1]);
			return false;
		}
		if (!take_word(options, letter) && !take_task(options, letter))
			take_rest(options, letter);
	}
	options->rest = argv + optind;
	return options->task != TASK_RUN || is_consistent(options);
}
