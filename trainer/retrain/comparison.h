/* Whether a challenger is worse than the champion, from their scores of the same
 * reports. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "trainer/retrain/retrain.h"

/* Fills in the differences, the verdict and its reason. Worse is a challenger whose
 * log loss or loss of ham is higher by more than chance explains: the whole interval is
 * above 0.001 nats a message, or 0.01 percent. STATUS_NOMEM. */
enum status comparison_judge(struct comparison *comparison, struct failure *failure);
