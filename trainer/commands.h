/* What the commands of hamlet-train share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include <glib.h>

#include "engine/base/status.h"
#include "engine/settings/settings.h"

enum { EXIT_USAGE = 2, EXIT_KEPT = 3, EXIT_INTERRUPTED = 130 };

/* Prints and returns the exit status. */
int fail(const struct failure *failure);
int fail_usage(const char *message);

/* Parses the options of a command; prints what is wrong. */
bool parse_options(const char *arguments, const GOptionEntry *entries, GOptionGroup *group,
	int *argc, char ***argv);

/* The configuration; one that was not asked for may be missing. */
enum status load_settings(
	struct settings *settings, const char *config, bool required, struct failure *failure);

/* Set when the user or the system wants the program to end. */
const volatile sig_atomic_t *stop_on_signals(void);

/* The commands, each in a file of its own: NAME-command.c; rollback is beside retrain. One
 * may return between account_begin and account_end (engine/base/account.h). */
int run_evaluate(int argc, char **argv);
int run_import(int argc, char **argv);
int run_jig(int argc, char **argv);
int run_retrain(int argc, char **argv);
int run_rollback(int argc, char **argv);

/* expire-command.c */
int run_expire(int argc, char **argv);
