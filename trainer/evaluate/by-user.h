/* Whose the scored messages are, and how each user fares. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "trainer/corpus.h"
#include "trainer/evaluate/evaluate.h"
#include "trainer/measure/metrics.h"

/* Users by number; 0 is nobody: the line of the index names no user. */
struct user_numbers {
	size_t *of; /* of each result */
	const char **names; /* of 0 .. count; borrowed from the index */
	size_t count; /* without nobody */
};

void user_numbers_make(struct user_numbers *users, const struct evaluation *evaluation,
	const struct corpus_index *index);
void user_numbers_free(struct user_numbers *users);

/* Clusters for a bootstrap over users, one of each result; nobody's messages stand each
 * alone. NULL when there are too few users to draw from. To be freed with g_free. */
size_t *user_numbers_clusters(
	const struct user_numbers *users, size_t count, size_t *cluster_count);

enum { BY_USER_LISTED = 50 };

struct user_figures {
	size_t user;
	size_t messages, spam;
	double values[METRICS];
};

struct by_user {
	struct user_figures listed[BY_USER_LISTED]; /* most messages first */
	size_t listed_count;
	struct user_figures rest; /* the messages of all others together */
	size_t rest_count; /* of users */
	size_t nobody; /* messages that are nobody's, and in no figure here */
	double mean[METRICS]; /* over users; NaN when no user has it */
	double worst[METRICS]; /* over the tenth of the users with the worst figures, which
				 * are others for each measure */
};

void by_user_measure(struct by_user *by_user, const struct user_numbers *users,
	const struct result *results, size_t count);
