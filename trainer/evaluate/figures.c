/* The table of figures: names, units, and how each is computed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/figures.h"

void figures_of(const struct evaluation *evaluation, struct figure figures[FIGURES])
{
	const struct result *results = evaluation->results;
	size_t count = evaluation->count, half = count / 2;
	double spam = (double)metrics_spam(results, count);
	const struct figure all[FIGURES] = {
		{"messages", "messages", (double)count, true},
		{"spam", "spam", spam, true},
		{"ham", "ham", (double)count - spam, true},
		{"one_minus_roca_percent", "area above the ROC curve, percent",
			metrics_one_minus_roca(results, count), false},
		{"one_minus_roca_percent_second_half", "the same, second half",
			metrics_one_minus_roca(results + half, count - half), false},
		{"spam_missed_percent_at_0_1_percent_ham_lost",
			"spam missed at 0.1 % ham lost, percent",
			metrics_spam_missed_at(results, count, 0.1), false},
		{"ham_lost_percent", "ham lost, percent", metrics_ham_lost(results, count), false},
		{"spam_missed_percent", "spam missed, percent", metrics_spam_missed(results, count),
			false},
		{"log_loss", "log loss, nats a message", metrics_log_loss(results, count), false},
		{"calibration_error", "calibration error",
			metrics_calibration_error(results, count), false},
		{"messages_per_second", "messages a second", evaluation->messages_per_second,
			false},
	};

	for (size_t i = 0; i < FIGURES; i++)
		figures[i] = all[i];
}
