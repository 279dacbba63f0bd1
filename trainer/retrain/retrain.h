/* Rebuilds the global evidence from the journal in several passes, and tells whether the
 * result is better.
 *
 * A pass walks the reports that count and are shared, oldest first. First they are
 * learned as online, each with its reporter's error rate e and a weight for its age
 * and class. Then each is looked at again without its own part (leave one out): what
 * the others and the model hold of it says how far its reporter can be believed; and
 * in the refining passes it teaches a second and third time, at the margin that all
 * the others give it. Without leaving it out a report would confirm itself, and a
 * wrong label with it: measured, see docs/retraining.md.
 *
 * Champion (what is in the store) and challenger are compared on the newest reports,
 * after one retraining on those that came since: both begin with what older reports
 * taught and go through them in order, score, then learn (progressive validation: Blum,
 * Kalai and Langford, COLT 1999). Reports of people who are found to be wrong often are
 * no measure and left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "engine/store/store.h"
#include "trainer/measure/metrics.h"
#include "trainer/retrain/proposal.h"
#include "trainer/retrain/reporters.h"

struct retrain_options {
	double half_life; /* days after which a report counts half; 0 = age is nothing */
	double class_balance; /* 0 = as they come, 1 = spam and ham weigh the same in all */
	bool reputation; /* judge the reporters; otherwise all are alike */
	double validation; /* share of the newest reports that is for the comparison; of few, more */
	bool quiet;
	double ham_lost; /* percent that the proposed thresholds may lose */
	const volatile sig_atomic_t *stop;
	const struct service_settings *settings;
};

extern const struct retrain_options retrain_defaults;

/* A difference between challenger and champion, with its 95 % interval (paired
 * bootstrap); below 0 the challenger is better. */
struct difference {
	double champion, challenger;
	double low, high; /* of challenger - champion */
};

enum verdict_of_comparison {
	COMPARISON_NOT_WORSE,
	COMPARISON_WORSE,
	COMPARISON_TOO_FEW, /* reports to tell */
};

struct comparison {
	enum verdict_of_comparison verdict;
	char reason[200];
	struct result *champion, *challenger; /* of the same reports, in order */
	int64_t *times; /* of the reports */
	size_t count;
	size_t left_out; /* reports of those who are wrong too often */
	struct difference differences[METRICS];
};

struct token_change {
	uint64_t key;
	double before, after; /* mean weights */
};

struct retraining {
	struct generation generation; /* of all reports */
	struct comparison comparison;
	struct proposal proposal; /* of the site's thresholds with it */
	bool laid_down; /* it was, by the caller */
	struct reporters *reporters;
	struct token_change *changes; /* strongest first */
	size_t change_count;
	size_t reports, spam;
	size_t tokens; /* that more than one report has */
	size_t peak_bytes; /* of the tables and the lists of reports */
	double seconds;
};

/* Reads the journal only, with readers and threads of its own: two that work, two that
 * read ahead for them. STATUS_INTERRUPTED when *options->stop was set;
 * STATUS_NOTFOUND: nothing is shared, so there is nothing to train. `retraining` is
 * freed by the caller whatever happens. */
enum status retrain_run(struct retraining *retraining, struct store *store,
	const struct retrain_options *options, struct failure *failure);
void retrain_free(struct retraining *retraining);
