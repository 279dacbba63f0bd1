/* The figures of an evaluation, in the order in which they are shown.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "trainer/evaluate/evaluate.h"

struct figure {
	const char *key; /* of JSON */
	const char *text;
	double value;
	bool whole; /* a number of messages */
};

enum { FIGURES = 11 };

void figures_of(const struct evaluation *evaluation, struct figure figures[FIGURES]);
