/* Gray mail: messages that some users call spam and others ham, each being right for
 * himself (Yih, McCann and Kolcz, Improving Spam Filtering by Detecting Gray Mail, CEAS
 * 2007). One opinion for all must be wrong for some. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trainer/measure/metrics.h"

/* One user's label of a message, and the verdict for that user. */
struct opinion {
	uint64_t identity; /* of the message */
	size_t user;
	bool spam, called_spam;
};

struct gray {
	size_t messages; /* that have both labels, from different users */
	size_t opinions; /* on these */
	size_t spam; /* of the opinions */
	size_t ham_lost, spam_missed; /* verdicts that are against the user's own label */
	size_t minority; /* opinions against the majority's: the errors of the best single
			  * opinion for all */
	size_t other_opinions, other_wrong; /* on all other mail */
};

/* Sorts the opinions. */
void gray_measure(struct gray *gray, struct opinion *opinions, size_t count);
