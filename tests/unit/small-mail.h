/* Small messages by number, presses and scores of them, and what must hold whatever was pressed:
 * the rows are the sum of what the reports that count add.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tests/unit/fixture.h"

/* Writes the text; its length. */
size_t mail(char *text, size_t size, unsigned number);

struct answer press_as(
	const char *user, unsigned number, enum label label, enum consent consent, int64_t time);
struct answer press(const char *user, unsigned number, enum label label); /* shared; at 1000 */

struct verdict judge(const char *user, unsigned number);
double score(unsigned number); /* the margin that everybody's reports give */

/* The rows are what the reports that count add, to the bit. */
void assert_exact(void);
