/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What every check program shares: its main, printing TAP. */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Runs the suite and returns the exit status of main(). */
static inline int unit_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
