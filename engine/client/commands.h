/* The commands of hamlet(1).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum exit_code { EXIT_DONE = 0, EXIT_SPAM = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

struct options {
	const char *socket;
	const char *user;
	bool json;
	const char *domain; /* "" = none; whose entries, when there is no user */
	bool site; /* or the site's */
	/* What goes with a report; "" and 0 = not said. */
	const char *consent;
	const char *event;
	const char *from, *to;
	int selected;
};

struct input {
	const char *name; /* for messages; "-" = standard input */
	const char *data;
	size_t length;
	bool several; /* one of several: say which */
};

struct command {
	const char *name;
	const char *argument; /* second word, as in "report spam"; NULL = none */
	const char *summary;
	/* For each message; NULL for a command that takes none. Both return an
	 * exit code and print their own errors. */
	enum exit_code (*run)(const struct options *options, const struct input *input);
	/* For the words after the command. */
	enum exit_code (*run_words)(const struct options *options, char **words, int count);
	const char *words; /* what they are, for the help; NULL = none may follow */
};

extern const struct command commands[];
extern const size_t commands_count;

/* Commands of admin.c. */
enum exit_code admin_consent(const struct options *options, char **words, int count);
enum exit_code admin_list_show(const struct options *options, char **words, int count);
enum exit_code admin_list_allow(const struct options *options, char **words, int count);
enum exit_code admin_list_block(const struct options *options, char **words, int count);
enum exit_code admin_list_remove(const struct options *options, char **words, int count);
enum exit_code admin_list_import(const struct options *options, char **words, int count);
enum exit_code admin_trust_show(const struct options *options, char **words, int count);
enum exit_code admin_trust_add(const struct options *options, char **words, int count);
enum exit_code admin_trust_remove(const struct options *options, char **words, int count);
enum exit_code admin_trust_import(const struct options *options, char **words, int count);
enum exit_code admin_policy_show(const struct options *options, char **words, int count);
enum exit_code admin_policy_set(const struct options *options, char **words, int count);
enum exit_code admin_policy_unset(const struct options *options, char **words, int count);
enum exit_code admin_user_erase(const struct options *options, char **words, int count);
enum exit_code admin_user_export(const struct options *options, char **words, int count);
enum exit_code admin_user_show(const struct options *options, char **words, int count);
