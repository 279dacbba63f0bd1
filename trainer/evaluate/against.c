/* Counts on which messages one database is right and the other wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/against.h"

#include <glib.h>

static void add_to_list(GString *list, const char *item)
{
	g_string_append_printf(list, "%s%s", list->len ? ", " : "", item);
}

static enum winner winner_of(bool first, bool second)
{
	if (first && second)
		return WINNER_EACH;
	return first ? WINNER_FIRST : second ? WINNER_SECOND : WINNER_NONE;
}

static char *say_against(enum winner winner, const char *const names[2], const char *first,
	const char *second, size_t count)
{
	switch (winner) {
	case WINNER_FIRST:
		return g_strdup_printf("%s is better than %s: %s", names[0], names[1], first);
	case WINNER_SECOND:
		return g_strdup_printf("%s is better than %s: %s", names[1], names[0], second);
	case WINNER_EACH:
		return g_strdup_printf("neither is better in all: %s in %s; %s in %s", names[0],
			first, names[1], second);
	case WINNER_NONE:
	default:
		return g_strdup_printf("%s and %s cannot be told apart on these %zu messages",
			names[0], names[1], count);
	}
}

static void conclude_against(struct against *against, const char *const names[2], size_t count)
{
	GString *first = g_string_new(NULL), *second = g_string_new(NULL);

	for (int m = 0; m < METRICS; m++) {
		const struct interval *difference = &against->differences[m];
		if (difference->low > 0)
			add_to_list(first, metrics_name((enum metric)m));
		else if (difference->high < 0)
			add_to_list(second, metrics_name((enum metric)m));
	}
	against->winner = winner_of(first->len > 0, second->len > 0);
	against->sentence = say_against(against->winner, names, first->str, second->str, count);
	g_string_free(first, TRUE);
	g_string_free(second, TRUE);
}

enum status against_judge(struct against *against, const char *const names[2],
	const struct result *first, const struct result *second, size_t count,
	const struct bootstrap *bootstrap, struct failure *failure)
{
	*against = (struct against){0};
	metrics_measure(first, count, against->first);
	metrics_measure(second, count, against->second);
	enum status status = bootstrap_differences(
		bootstrap, first, second, count, against->differences, failure);
	if (status == STATUS_OK)
		conclude_against(against, names, count);
	return status;
}

void against_free(struct against *against)
{
	g_free(against->sentence);
	*against = (struct against){0};
}
