/* Estimates how often each reporter is wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/reporters.h"

#include <math.h>

#include <glib.h>

/* What is known of a newcomer weighs as much as so many certain reports. */
static const double PRIOR_REPORTS = 5;
static const double SMALLEST_ERROR = 0.01;

struct reporters {
	GArray *list; /* struct reporter */
	GHashTable *numbers; /* by name, plus 1 */
	double error;
};

struct reporters *reporters_new(double error)
{
	struct reporters *reporters = g_new0(struct reporters, 1);

	reporters->list = g_array_new(FALSE, TRUE, sizeof(struct reporter));
	reporters->numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	reporters->error = error;
	return reporters;
}

void reporters_free(struct reporters **reporters)
{
	if (!*reporters)
		return;
	g_hash_table_unref((*reporters)->numbers); /* with the names */
	g_array_unref((*reporters)->list);
	g_free(*reporters);
	*reporters = NULL;
}

size_t reporters_find(struct reporters *reporters, const char *name)
{
	size_t number = GPOINTER_TO_SIZE(g_hash_table_lookup(reporters->numbers, name));

	if (number == 0) {
		struct reporter reporter = {.name = g_strdup(name), .error = reporters->error};
		g_array_append_val(reporters->list, reporter);
		number = reporters->list->len;
		g_hash_table_insert(reporters->numbers, reporter.name, GSIZE_TO_POINTER(number));
	}
	return number - 1;
}

struct reporter *reporters_at(struct reporters *reporters, size_t number)
{
	return &g_array_index(reporters->list, struct reporter, number);
}

size_t reporters_count(const struct reporters *reporters)
{
	return reporters->list->len;
}

void reporters_judge(struct reporters *reporters, size_t number, double probability, bool spam)
{
	struct reporter *reporter = reporters_at(reporters, number);
	double agreement = spam ? probability : 1 - probability;
	double certainty = fabs(2 * probability - 1);
	double error = reporter->error;
	double wrong = error * (1 - agreement) /
		fmax(error * (1 - agreement) + (1 - error) * agreement, 1e-12);

	reporter->wrong += certainty * wrong;
	reporter->right += certainty * (1 - wrong);
}

void reporters_settle(struct reporters *reporters)
{
	for (guint i = 0; i < reporters->list->len; i++) {
		struct reporter *reporter = reporters_at(reporters, i);
		double wrong = reporter->wrong + PRIOR_REPORTS * reporters->error;
		double all = reporter->wrong + reporter->right + PRIOR_REPORTS;

		if (*reporter->name)
			reporter->error = fmin(fmax(wrong / all, SMALLEST_ERROR), 0.5);
	}
}

void reporters_forget(struct reporters *reporters)
{
	for (guint i = 0; i < reporters->list->len; i++) {
		struct reporter *reporter = reporters_at(reporters, i);
		reporter->wrong = reporter->right = 0;
	}
}
