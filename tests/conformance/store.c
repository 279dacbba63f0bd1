/* What every store promises, run against each driver; and what the SQLite one promises of its
 * file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/fixture.h"

static Suite *suite(void)
{
	Suite *suite = suite_create("store");
	TCase *every = tcase_create("every driver"), *sqlite = tcase_create("sqlite");

	tcase_add_checked_fixture(every, NULL, remove_store);
	tcase_set_timeout(every, 60);
	add_reports(every);
	add_entries(every);
	add_changes(every);
	add_rows(every);
	add_alike(every, sqlite);
	suite_add_tcase(suite, every);
	tcase_add_checked_fixture(sqlite, NULL, remove_store);
	tcase_set_timeout(sqlite, 60);
	add_sqlite(sqlite);
	add_sqlite_trouble(sqlite);
	suite_add_tcase(suite, sqlite);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
