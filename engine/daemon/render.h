/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Verdicts and answers for people (text) and programs (JSON). Any thread. */
#pragma once

#include "engine/service/service.h"

/* Comma list: HAMLET_SPAM or HAMLET_HAM; HAMLET_PERSONAL when the user's own
 * reports took part; HAMLET_UNSURE when the score is nearer to the threshold
 * than one standard deviation. A constant. */
const char *render_symbols(const struct verdict *verdict);

/* A few lines of printable ASCII, the strongest reasons among them: well below
 * 32,000 bytes, each below 500, so that Exim and spamc take it. To be freed with
 * free; NULL when out of memory. */
char *render_report(const struct verdict *verdict);

/* To be freed with free; NULL when out of memory. */
char *render_verdict_json(const struct verdict *verdict, const char *user);
char *render_answer_json(const struct answer *answer);
