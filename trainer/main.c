/* hamlet-train: the trainer.
 * SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "config.h"
#include "engine/base/account.h"
#include "trainer/commands.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} COMMANDS[] = {
	{"import", run_import, "learn existing mail into the database"},
	{"evaluate", run_evaluate, "measure the accuracy on labelled mail"},
	{"jig", run_jig, "be a filter of the TREC spam track's toolkit"},
	{"retrain", run_retrain, "train the global evidence anew, adopt it unless it is worse"},
	{"rollback", run_rollback, "go back to the generation before"},
	{"expire", run_expire, "take out what is past its time"},
};

static void print_help(void)
{
	puts("Usage: hamlet-train COMMAND [OPTION...]\n");
	for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
		printf("  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
	puts("\nhamlet-train COMMAND --help lists the options; see also hamlet-train(1).");
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "C.UTF-8"); /* names of users in options are UTF-8 */
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		puts("hamlet-train " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_help();
		return argc < 2 ? EXIT_USAGE : EXIT_SUCCESS;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
		if (strcmp(argv[1], COMMANDS[i].name) != 0)
			continue;
		int code = COMMANDS[i].run(argc - 1, argv + 1);
		account_end();
		return code;
	}
	return fail_usage("no such command");
}
