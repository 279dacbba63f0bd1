/* The table of sa-learn's options, and what each sets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/sa-learn-options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* As sa-learn's. */
enum { MAX_SIZE = 500 << 10 };

enum {
	WORD = 1, /* an argument that is no option: getopt_long says so */
	LABEL_SPAM = 256,
	LABEL_HAM,
	LABEL_FORGET,
	SITE,
	MBOX,
	FOLDERS,
	SIZE,
	DUMP,
	SYNC,
	EXPIRE, /* in place of learning, with a word */
	SILENT, /* taken without a word */
	MEANINGLESS, /* taken with a word */
	DEBUG,
	HARMFUL, /* refused */
	QUIET,
	USER,
	HELP,
	VERSION,
};

static const char SHORT[] = "-c:C:D::f:hLp:qu:V?";

/* clang-format off */
static const struct option LONG[] = {
	{"spam", no_argument, NULL, LABEL_SPAM},
	{"ham", no_argument, NULL, LABEL_HAM},
	{"nonspam", no_argument, NULL, LABEL_HAM},
	{"forget", no_argument, NULL, LABEL_FORGET},
	{"username", required_argument, NULL, USER},
	{"site", no_argument, NULL, SITE},
	{"mbox", no_argument, NULL, MBOX},
	{"folders", required_argument, NULL, FOLDERS},
	{"max-size", required_argument, NULL, SIZE},
	{"dump", optional_argument, NULL, DUMP},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
	{"version", no_argument, NULL, VERSION},
	{"sync", no_argument, NULL, SYNC},
	{"rebuild", no_argument, NULL, EXPIRE},
	{"force-expire", no_argument, NULL, EXPIRE},
	{"expire", no_argument, NULL, EXPIRE},
	{"no-sync", no_argument, NULL, SILENT},
	{"nosync", no_argument, NULL, SILENT},
	{"local", no_argument, NULL, SILENT},
	{"progress", no_argument, NULL, SILENT},
	{"showdots", no_argument, NULL, SILENT},
	{"dir", no_argument, NULL, SILENT},
	{"file", no_argument, NULL, SILENT},
	{"single", no_argument, NULL, SILENT},
	{"no-rebuild", no_argument, NULL, MEANINGLESS},
	{"norebuild", no_argument, NULL, MEANINGLESS},
	{"mbx", no_argument, NULL, MEANINGLESS},
	{"use-ignores", no_argument, NULL, MEANINGLESS},
	{"re", required_argument, NULL, MEANINGLESS},
	{"regexp", required_argument, NULL, MEANINGLESS},
	{"randseed", required_argument, NULL, MEANINGLESS},
	{"stopafter", required_argument, NULL, MEANINGLESS},
	{"learnprob", required_argument, NULL, MEANINGLESS},
	{"configpath", required_argument, NULL, MEANINGLESS},
	{"config-file", required_argument, NULL, MEANINGLESS},
	{"config-dir", required_argument, NULL, MEANINGLESS},
	{"prefspath", required_argument, NULL, MEANINGLESS},
	{"prefs-file", required_argument, NULL, MEANINGLESS},
	{"siteconfigpath", required_argument, NULL, MEANINGLESS},
	{"cf", required_argument, NULL, MEANINGLESS},
	{"pre", required_argument, NULL, MEANINGLESS},
	{"db", required_argument, NULL, MEANINGLESS},
	{"dbpath", required_argument, NULL, MEANINGLESS},
	{"debug", optional_argument, NULL, DEBUG},
	{"debug-level", optional_argument, NULL, DEBUG},
	{"clear", no_argument, NULL, HARMFUL},
	{"backup", no_argument, NULL, HARMFUL},
	{"restore", required_argument, NULL, HARMFUL},
	{"import", no_argument, NULL, HARMFUL},
	{0},
};
/* clang-format on */

/* What has been read so far. */
struct reading {
	struct learn_options *options;
	enum learn_label label;
	const char *user, *folders;
	bool used; /* the label: a path followed it */
	bool forget, mbox, site, nothing;
};

/* Tells what is wrong. */
static int usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("hamlet-sa-learn: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return EX_USAGE;
}

static void add_path(struct reading *reading, const char *path, enum learn_label label)
{
	struct learn_target target = {.path = g_strdup(path), .label = label};

	g_array_append_val(reading->options->targets, target);
	reading->used = true;
}

/* --- Single options -------------------------------------------------------------------- */

/* It counts for the paths after it. */
static void set_label(struct reading *reading, enum learn_label label)
{
	if (reading->label != LEARN_NONE && reading->label != label && !reading->used)
		usage("the last one of --spam and --ham counts");
	reading->label = label;
	reading->used = false;
}

static int set_size(struct reading *reading, const char *value)
{
	char *end;

	errno = 0;
	unsigned long long size = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || size > SIZE_MAX)
		return usage("--max-size %s: say a number of bytes, 0 = no limit", value);
	reading->options->max_size = (size_t)size;
	return 0;
}

/* An option whose value may stand apart, as the next word. */
static const char *value_apart(int argc, char **argv)
{
	return !optarg && optind < argc && argv[optind][0] != '-' ? argv[optind] : NULL;
}

static int set_dump(struct reading *reading, int argc, char **argv)
{
	const char *apart = value_apart(argc, argv);
	const char *what = optarg ? optarg : apart ? apart : "";

	optind += apart != NULL;
	if (*what == '\0')
		what = "all";
	if (strcmp(what, "magic") != 0 && strcmp(what, "data") != 0 && strcmp(what, "all") != 0)
		return usage("--dump %s: say magic, data or all", what);
	reading->options->dump = what;
	reading->options->task = TASK_DUMP;
	return 0;
}

/* Areas may stand apart, and so may the first path: what is there is a path. */
static void take_areas(int argc, char **argv)
{
	const char *apart = value_apart(argc, argv);

	if (apart && strspn(apart, "abcdefghijklmnopqrstuvwxyz_-,") == strlen(apart) &&
		access(apart, F_OK) != 0)
		optind++;
}

static int refuse_option(const char *name)
{
	if (strcmp(name, "clear") == 0)
		return usage("--%s: `hamlet user erase USER` erases what a user has taught", name);
	if (strcmp(name, "backup") == 0)
		return usage("--%s: `hamlet user export USER` writes what is kept of a user", name);
	return usage("--%s: other programs' data cannot be read; `hamlet-train import` learns from "
		     "the mail itself",
		name);
}

static void say_meaningless(int code, int index)
{
	if (code == MEANINGLESS || code == EXPIRE || code == DEBUG)
		fprintf(stderr, "hamlet-sa-learn: --%s means nothing here\n", LONG[index].name);
	else
		fprintf(stderr, "hamlet-sa-learn: -%c means nothing here\n", code);
}

/* --- All of them ----------------------------------------------------------------------- */

static int take_other(struct reading *reading, int code, int index)
{
	switch (code) {
	case 'h':
	case HELP:
		reading->options->task = TASK_HELP;
		return 0;
	case 'V':
	case VERSION:
		reading->options->task = TASK_VERSION;
		return 0;
	case 'q':
	case QUIET:
		reading->options->quiet = true;
		return 0;
	case 'L':
	case SILENT:
		return 0;
	case MBOX:
		reading->mbox = true;
		return 0;
	case SYNC:
		reading->nothing = true;
		return 0;
	case EXPIRE:
		reading->nothing = true;
		say_meaningless(code, index);
		return 0;
	case HARMFUL:
		return refuse_option(LONG[index].name);
	default:
		say_meaningless(code, index);
		return 0;
	}
}

static int take_option(struct reading *reading, int code, int index, int argc, char **argv)
{
	switch (code) {
	case WORD:
		add_path(reading, optarg, reading->label);
		return 0;
	case LABEL_SPAM:
		set_label(reading, LEARN_SPAM);
		return 0;
	case LABEL_HAM:
		set_label(reading, LEARN_HAM);
		return 0;
	case LABEL_FORGET:
		reading->forget = true;
		return 0;
	case 'u':
	case USER:
		reading->user = optarg;
		return 0;
	case SITE:
		reading->site = true;
		return 0;
	case 'f':
	case FOLDERS:
		reading->folders = optarg;
		return 0;
	case SIZE:
		return set_size(reading, optarg);
	case DUMP:
		return set_dump(reading, argc, argv);
	case 'D':
	case DEBUG:
		say_meaningless(code, index);
		take_areas(argc, argv);
		return 0;
	case '?': /* asked for, or getopt_long has told what is wrong */
		reading->options->task = TASK_HELP;
		return strcmp(argv[optind - 1], "-?") == 0 ? 0 : EX_USAGE;
	default:
		return take_other(reading, code, index);
	}
}

/* "spam:FORM:PATH" and "ham:FORM:PATH" say what is there; other lines are paths. */
static void add_path_line(struct reading *reading, const char *line)
{
	bool spam = g_str_has_prefix(line, "spam:"), ham = g_str_has_prefix(line, "ham:");
	const char *form = strchr(line, ':');
	const char *path = form ? strchr(form + 1, ':') : NULL;

	if (!(spam || ham) || !path) {
		add_path(reading, line, reading->label);
		return;
	}
	add_path(reading, path + 1, spam ? LEARN_SPAM : LEARN_HAM);
	g_array_index(
		reading->options->targets, struct learn_target, reading->options->targets->len - 1)
		.mbox = g_str_has_prefix(form, ":mbox:");
}

static int read_folders(struct reading *reading)
{
	const char *path = strcmp(reading->folders, "-") == 0 ? "/dev/stdin" : reading->folders;
	GError *error = NULL;
	char *text, *line, *rest;

	if (!g_file_get_contents(path, &text, NULL, &error)) {
		usage("--folders: %s", error->message);
		g_error_free(error);
		return EX_NOINPUT;
	}
	for (line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
		if (line[strspn(line, " \t")] != '\0')
			add_path_line(reading, line);
	}
	g_free(text);
	return 0;
}

/* --- What they ask for together -------------------------------------------------------- */

/* Whose filter is taught: never that of root because a job of root's did not say. */
static int decide_user(struct reading *reading)
{
	const char *given = getenv("HAMLET_USER");
	bool learns = reading->options->task == TASK_LEARN;

	if (reading->site && reading->user)
		return usage("say one of -u %s and --site", reading->user);
	if (reading->user && !*reading->user)
		return usage("-u: say a name, or --site for everybody's filter");
	if (reading->site)
		reading->options->user = "";
	else if (reading->user)
		reading->options->user = reading->user;
	else if (given && *given)
		reading->options->user = given;
	else if (geteuid() != 0)
		reading->options->user = g_get_user_name();
	else if (learns)
		return usage("root has to say whose filter learns: -u USER, or --site for "
			     "everybody's filter");
	return 0;
}

static int decide_targets(struct reading *reading)
{
	GArray *targets = reading->options->targets;

	if (reading->label == LEARN_NONE && !reading->forget && !reading->folders) {
		if (!reading->nothing)
			return usage("say one of --spam, --ham, --forget, --folders, --sync "
				     "and --dump");
		reading->options->task = TASK_NOTHING;
		return 0;
	}
	if (targets->len == 0 && !reading->folders)
		add_path(reading, "-", reading->label);
	for (guint i = 0; i < targets->len; i++) {
		struct learn_target *target = &g_array_index(targets, struct learn_target, i);

		if (target->label == LEARN_NONE)
			target->label = reading->label;
		if (reading->forget)
			target->label = LEARN_FORGET;
		if (target->label == LEARN_NONE)
			return usage("say --spam, --ham or --forget for %s", target->path);
		target->mbox |= reading->mbox;
	}
	reading->options->forget = reading->forget;
	return 0;
}

int learn_options_parse(struct learn_options *options, int argc, char **argv)
{
	struct reading reading = {.options = options};
	int code, index = 0, result = 0;

	*options = (struct learn_options){.user = "",
		.max_size = MAX_SIZE,
		.targets = g_array_new(FALSE, FALSE, sizeof(struct learn_target))};
	while (result == 0 && (code = getopt_long(argc, argv, SHORT, LONG, &index)) != -1)
		result = take_option(&reading, code, index, argc, argv);
	for (; result == 0 && optind < argc; optind++) /* after "--" */
		add_path(&reading, argv[optind], reading.label);
	if (result != 0 || options->task == TASK_HELP || options->task == TASK_VERSION)
		return result;
	if (reading.folders)
		result = read_folders(&reading);
	if (result == 0 && options->task == TASK_LEARN)
		result = decide_targets(&reading);
	return result == 0 ? decide_user(&reading) : result;
}

void learn_options_free(struct learn_options *options)
{
	for (guint i = 0; i < options->targets->len; i++)
		g_free(g_array_index(options->targets, struct learn_target, i).path);
	g_array_unref(options->targets);
}
