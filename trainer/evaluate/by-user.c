/* Sums up figures by user.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/by-user.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

/* Fewer clusters give intervals that are too narrow (Cameron, Gelbach and Miller, Review
 * of Economics and Statistics 90, 2008). */
enum { FEWEST_CLUSTERS = 10 };

void user_numbers_make(struct user_numbers *users, const struct evaluation *evaluation,
	const struct corpus_index *index)
{
	GHashTable *numbers = g_hash_table_new(g_str_hash, g_str_equal);
	GPtrArray *names = g_ptr_array_new();

	users->of = g_new0(size_t, evaluation->count + 1);
	g_ptr_array_add(names, (gpointer) "");
	for (size_t i = 0; i < evaluation->count; i++) {
		char *name = index->entries[evaluation->messages[i].entry].user;
		if (*name == '\0')
			continue;
		size_t number = GPOINTER_TO_SIZE(g_hash_table_lookup(numbers, name));
		if (number == 0) {
			number = names->len;
			g_hash_table_insert(numbers, name, GSIZE_TO_POINTER(number));
			g_ptr_array_add(names, name);
		}
		users->of[i] = number;
	}
	users->count = names->len - 1;
	users->names = (const char **)g_ptr_array_free(names, FALSE);
	g_hash_table_unref(numbers);
}

void user_numbers_free(struct user_numbers *users)
{
	g_free(users->of);
	g_free(users->names);
	*users = (struct user_numbers){0};
}

size_t *user_numbers_clusters(const struct user_numbers *users, size_t count, size_t *cluster_count)
{
	if (users->count < FEWEST_CLUSTERS)
		return NULL;
	size_t *clusters = g_new(size_t, count + 1);
	*cluster_count = users->count;
	for (size_t i = 0; i < count; i++)
		clusters[i] = users->of[i] ? users->of[i] - 1 : (*cluster_count)++;
	return clusters;
}

/* --- Figures --------------------------------------------------------------------------- */

static int compare_figures(const void *a, const void *b)
{
	const struct user_figures *first = a, *second = b;

	if (first->messages != second->messages)
		return first->messages > second->messages ? -1 : 1;
	return (first->user > second->user) - (first->user < second->user);
}

/* The users with how many messages they have, most first. */
static struct user_figures *rank_users(
	const struct user_numbers *users, size_t count, size_t *nobody)
{
	struct user_figures *all = g_new0(struct user_figures, users->count + 1);

	for (size_t i = 0; i <= users->count; i++)
		all[i].user = i;
	for (size_t i = 0; i < count; i++)
		all[users->of[i]].messages++;
	*nobody = all[0].messages;
	memmove(all, all + 1, users->count * sizeof(*all));
	qsort(all, users->count, sizeof(*all), compare_figures);
	return all;
}

/* The results of one user after the other, as they are ranked. */
static struct result *arrange(const struct user_numbers *users, const struct user_figures *all,
	const struct result *results, size_t count)
{
	struct result *arranged = g_new(struct result, count + 1);
	size_t *next = g_new0(size_t, users->count + 1);

	for (size_t i = 0, at = 0; i < users->count; at += all[i++].messages)
		next[all[i].user] = at;
	for (size_t i = 0; i < count; i++) {
		if (users->of[i])
			arranged[next[users->of[i]]++] = results[i];
	}
	g_free(next);
	return arranged;
}

static void measure_users(struct user_figures *figures, const struct result *results)
{
	figures->spam = metrics_spam(results, figures->messages);
	metrics_measure(results, figures->messages, figures->values);
}

static int compare_users_falling(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first < second) - (first > second);
}

static double mean_of(const double *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return count ? sum / (double)count : NAN;
}

static void summarise(
	struct by_user *by_user, const struct user_figures *all, size_t count, enum metric of)
{
	double *values = g_new(double, count + 1);
	size_t defined = 0;

	for (size_t i = 0; i < count; i++) {
		if (!isnan(all[i].values[of]))
			values[defined++] = all[i].values[of];
	}
	qsort(values, defined, sizeof(*values), compare_users_falling);
	by_user->mean[of] = mean_of(values, defined);
	by_user->worst[of] = mean_of(values, (defined + 9) / 10);
	g_free(values);
}

void by_user_measure(struct by_user *by_user, const struct user_numbers *users,
	const struct result *results, size_t count)
{
	*by_user = (struct by_user){0};
	struct user_figures *all = rank_users(users, count, &by_user->nobody);
	struct result *arranged = arrange(users, all, results, count);
	size_t at = 0;

	for (size_t i = 0; i < users->count; at += all[i++].messages) {
		measure_users(&all[i], arranged + at);
		if (i < BY_USER_LISTED)
			by_user->listed[by_user->listed_count++] = all[i];
		else
			by_user->rest.messages += all[i].messages;
	}
	by_user->rest_count = users->count - by_user->listed_count;
	measure_users(&by_user->rest, arranged + at - by_user->rest.messages);
	for (int m = 0; m < METRICS; m++)
		summarise(by_user, all, users->count, (enum metric)m);
	g_free(arranged);
	g_free(all);
}
