/* How good a filter's answers were. Pure: numbers in, numbers out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* One message that was scored before its label was known. */
struct result {
	double score; /* larger = more spam; any monotone measure */
	double probability; /* of spam, in [0, 1] */
	bool spam; /* what it was */
	bool called_spam; /* the verdict */
};

/* Area above the ROC curve in percent, ties counted half (Cormack and Lynam,
 * TREC 2005 spam track). 0 when one of the classes is missing. Sorts a copy;
 * NaN when out of memory. */
double metrics_one_minus_roca(const struct result *results, size_t count);

/* Percent of spam below the lowest threshold at which at most `ham_lost`
 * percent of ham is at or above it. */
double metrics_spam_missed_at(const struct result *results, size_t count, double ham_lost);

/* Expected calibration error: mean over messages of |mean probability - share
 * of spam| of their bin, 20 bins of equal width. In [0, 1]. */
double metrics_calibration_error(const struct result *results, size_t count);

/* Mean of -ln P(what it was), probabilities kept 1e-6 away from 0 and 1; in nats. 0
 * without messages. */
double metrics_log_loss(const struct result *results, size_t count);

/* One message's part in it. */
double metrics_loss(const struct result *result);

/* Percent of ham called spam, and of spam called ham. */
double metrics_ham_lost(const struct result *results, size_t count);
double metrics_spam_missed(const struct result *results, size_t count);

size_t metrics_spam(const struct result *results, size_t count);

/* Points of the ROC curve, thresholds falling: `lost` and `caught` in percent
 * of ham and of spam, room for count + 1. Returns the number of points. */
size_t metrics_curve(const struct result *results, size_t count, double *lost, double *caught);

/* The figures that are given with intervals, for each user, fold and database. */
enum metric {
	METRIC_ROCA, /* area above the ROC curve, percent */
	METRIC_HAM_LOST, /* percent */
	METRIC_SPAM_MISSED, /* percent */
	METRIC_LOG_LOSS, /* nats a message */
	METRICS
};

/* As a JSON key, and as people read it: name and unit. */
const char *metrics_key(enum metric metric);
const char *metrics_name(enum metric metric);
const char *metrics_unit(enum metric metric);

/* All of them; NaN where there is no message of a class that the measure is about. */
void metrics_measure(const struct result *results, size_t count, double values[METRICS]);
