/* What every check program shares: its main, printing TAP.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdlib.h>

/* Of a call that sets the `failure` at hand. */
#define assert_ok(call) ck_assert_msg((call) == STATUS_OK, "%s: %s", #call, failure.detail)

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
