/* A folder of the test's own, below /tmp.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

extern char folder[64]; /* "" = there is none */

void make_folder(void);
void remove_folder(void); /* with all that is in it */

/* The path of a file in it, for good; makes the folder when there is none. */
const char *in_folder(const char *name);
