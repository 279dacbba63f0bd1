/* Makes a test's folder, and removes it with all that is in it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <glib.h>

char folder[64];

void make_folder(void)
{
	strcpy(folder, "/tmp/hamlet-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

void remove_folder(void)
{
	char command[128];

	if (!*folder)
		return;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
	*folder = '\0';
}

const char *in_folder(const char *name)
{
	char path[256];

	if (!*folder)
		make_folder();
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return g_intern_string(path);
}
