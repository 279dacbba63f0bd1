/* Finds messages that users label differently.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/gray.h"

#include <stdlib.h>

static int compare_opinions(const void *a, const void *b)
{
	const struct opinion *first = a, *second = b;

	if (first->identity != second->identity)
		return first->identity > second->identity ? 1 : -1;
	return (first->user > second->user) - (first->user < second->user);
}

static size_t spam_of(const struct opinion *opinions, size_t count)
{
	size_t spam = 0;

	for (size_t i = 0; i < count; i++)
		spam += opinions[i].spam;
	return spam;
}

/* The opinions are on one message, and sorted by user. Who has had both alone has only
 * changed his mind. */
static bool is_gray(const struct opinion *opinions, size_t count)
{
	size_t spam = spam_of(opinions, count);

	return spam > 0 && spam < count && opinions[0].user != opinions[count - 1].user;
}

static void add_gray(struct gray *gray, const struct opinion *opinions, size_t count)
{
	size_t spam = spam_of(opinions, count);

	gray->messages++;
	gray->opinions += count;
	gray->spam += spam;
	gray->minority += spam < count - spam ? spam : count - spam;
	for (size_t i = 0; i < count; i++) {
		gray->ham_lost += !opinions[i].spam && opinions[i].called_spam;
		gray->spam_missed += opinions[i].spam && !opinions[i].called_spam;
	}
}

void gray_measure(struct gray *gray, struct opinion *opinions, size_t count)
{
	*gray = (struct gray){0};
	qsort(opinions, count, sizeof(*opinions), compare_opinions);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i; end < count && opinions[end].identity == opinions[i].identity; end++)
			;
		if (is_gray(opinions + i, end - i)) {
			add_gray(gray, opinions + i, end - i);
			continue;
		}
		gray->other_opinions += end - i;
		for (size_t j = i; j < end; j++)
			gray->other_wrong += opinions[j].spam != opinions[j].called_spam;
	}
}
