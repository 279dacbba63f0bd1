/* How often each reporter is wrong: a Beta posterior over the reporter's error rate
 * (Beta-Bernoulli with soft counts, as in Dawid and Skene, Applied Statistics 28,
 * 1979). A report counts as much as the model is sure of its message without it, so
 * that taste, where people differ, costs nobody anything.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct reporter {
	char *name; /* "" = the site, which is never judged */
	size_t reports; /* that are shared and count */
	double wrong; /* soft counts since reporters_forget */
	double right;
	double error; /* expected error rate, in [0, 0.5] */
};

struct reporters;

/* `error` = what is expected of one of whom nothing is known. */
struct reporters *reporters_new(double error);
void reporters_free(struct reporters **reporters);

/* The reporter's number, made at first sight. */
size_t reporters_find(struct reporters *reporters, const char *name);
struct reporter *reporters_at(struct reporters *reporters, size_t number);
size_t reporters_count(const struct reporters *reporters);

/* One report: the others and the model hold its message to be spam with this
 * probability. */
void reporters_judge(struct reporters *reporters, size_t number, double probability, bool spam);

/* From the counts to the error rates; and new counts. */
void reporters_settle(struct reporters *reporters);
void reporters_forget(struct reporters *reporters);
