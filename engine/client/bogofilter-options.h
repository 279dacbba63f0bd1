/* The options of bogofilter 1.2.5, for hamlet-bogofilter.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

enum bogofilter_task { TASK_RUN, TASK_HELP, TASK_VERSION, TASK_QUERY };

/* Where the messages come from. */
enum bogofilter_source {
	SOURCE_INPUT, /* standard input, or `input` */
	SOURCE_NAMES, /* files and folders, named there one a line (-b) */
	SOURCE_FILES, /* files and folders, named as arguments (-B) */
};

/* The strings are those of argv. */
struct bogofilter_options {
	enum bogofilter_task task;
	enum bogofilter_source source;
	bool spam, ham; /* -s, -n */
	bool not_spam, not_ham; /* -S, -N */
	bool passthrough, ham_true; /* -p, -e */
	bool mbox, terse; /* -M, -t */
	unsigned fixed, verbose; /* how often -T, -v */
	const char *input, *output; /* NULL = the standard ones */
	const char *first; /* --classify-files=PATH, or NULL */
	char **rest; /* further arguments, up to NULL */
};

/* Reads the arguments. What says how bogofilter stores, parses and logs has no meaning here
 * and is taken without a word. False, after a message on standard error: an option is
 * unknown, an argument is missing or too many, or options contradict each other. */
bool bogofilter_options_read(struct bogofilter_options *options, int argc, char **argv);

/* Prints the options that have a meaning to standard output. */
void bogofilter_options_help(void);
