/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The commands of hamlet(1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum exit_code { EXIT_DONE = 0, EXIT_SPAM = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

struct options {
	const char *socket;
	const char *user;
	bool json;
};

struct input {
	const char *name; /* for messages; "-" = standard input */
	const char *data;
	size_t length;
	bool several; /* one of several: say which */
};

struct command {
	const char *name;
	const char *argument;  /* second word, as in "report spam"; NULL = none */
	const char *summary;
	bool takes_message;
	/* Returns an exit code; prints its own errors. `input` is NULL for a
	 * command that takes no message. */
	enum exit_code (*run)(const struct options *options, const struct input *input);
};

extern const struct command commands[];
extern const size_t commands_count;
