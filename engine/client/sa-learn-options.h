/* What the arguments of hamlet-sa-learn ask for: all those of SpamAssassin's sa-learn,
 * and --site.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

enum learn_label { LEARN_NONE, LEARN_SPAM, LEARN_HAM, LEARN_FORGET };

/* Where messages are, and what is done with them. */
struct learn_target {
	char *path; /* "-" = standard input */
	enum learn_label label;
	bool mbox; /* files there are mbox files, even if they do not look so */
};

enum learn_task { TASK_LEARN, TASK_DUMP, TASK_NOTHING, TASK_HELP, TASK_VERSION };

struct learn_options {
	enum learn_task task;
	GArray *targets; /* struct learn_target */
	const char *user; /* "" = the site; borrowed from the arguments and the environment */
	const char *dump; /* "magic", "data" or "all" */
	size_t max_size; /* of a message in bytes, 0 = no limit */
	bool forget; /* of the whole run: for its last line */
	bool quiet;
};

/* Reads the arguments. What means nothing here is told on standard error, and so are
 * errors. Returns 0 or the code to exit with; *options is to be freed whatever happens. */
int learn_options_parse(struct learn_options *options, int argc, char **argv);

void learn_options_free(struct learn_options *options);
