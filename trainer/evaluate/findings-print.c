/* Findings as text.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include <glib.h>

#include "trainer/evaluate/figures.h"
#include "trainer/evaluate/findings.h"
#include "trainer/evaluate/results-file.h"

static char *label_of_figure(enum metric metric)
{
	return g_strdup_printf("%s, %s", metrics_name(metric), metrics_unit(metric));
}

/* A number, or a dash where there is none. */
static void print_value(double value)
{
	if (isnan(value))
		printf(" %10s", "-");
	else
		printf(" %10.4f", value);
}

static void print_row(const char *label, const double *values, size_t count)
{
	printf("%-40s", label);
	for (size_t i = 0; i < count; i++)
		print_value(values[i]);
	putchar('\n');
}

static void print_metric(enum metric metric, const double *values, size_t count)
{
	char *label = label_of_figure(metric);

	print_row(label, values, count);
	g_free(label);
}

static void print_intervals(const struct findings *findings)
{
	printf("\n95 %% intervals, %zu resamples of %-8s %10s %10s\n", findings->options->resamples,
		findings->over_users ? "users" : "messages", "from", "to");
	for (int m = 0; m < METRICS; m++) {
		const double values[] = {findings->intervals[m].low, findings->intervals[m].high};
		print_metric((enum metric)m, values, 2);
	}
}

static void print_folds(const struct findings *findings)
{
	char *head = g_strdup_printf("over %zu folds", findings->options->folds);

	printf("\n%-40s %10s %10s\n", head, "mean", "deviation");
	for (int m = 0; m < METRICS; m++) {
		const double values[] = {findings->folds.mean[m], findings->folds.deviation[m]};
		print_metric((enum metric)m, values, 2);
	}
	g_free(head);
}

static void print_user(const char *name, const struct user_figures *figures)
{
	printf("%-40s %10zu %10zu", name, figures->messages, figures->spam);
	for (int m = 0; m < METRICS; m++)
		print_value(figures->values[m]);
	putchar('\n');
}

static void print_by_user(const struct findings *findings)
{
	const struct by_user *by_user = &findings->by_user;
	char *head = g_strdup_printf("%zu users", findings->users.count);

	printf("\n%-40s %10s %10s %10s %10s %10s %10s\n", head, "messages", "spam", "1-ROCA %",
		"ham lost %", "missed %", "log loss");
	for (size_t i = 0; i < by_user->listed_count; i++) {
		char *name = results_field(findings->users.names[by_user->listed[i].user]);
		print_user(name, &by_user->listed[i]);
		g_free(name);
	}
	if (by_user->rest_count) {
		char *rest = g_strdup_printf("and %zu others", by_user->rest_count);
		print_user(rest, &by_user->rest);
		g_free(rest);
	}
	printf("%-40s %10s %10s", "mean of users", "", "");
	for (int m = 0; m < METRICS; m++)
		print_value(by_user->mean[m]);
	printf("\n%-40s %10s %10s", "mean of the worst tenth", "", "");
	for (int m = 0; m < METRICS; m++)
		print_value(by_user->worst[m]);
	putchar('\n');
	if (by_user->nobody)
		printf("%-40s %10zu\n", "messages of no user", by_user->nobody);
	g_free(head);
}

static double percent(size_t part, size_t all)
{
	return all ? 100 * (double)part / (double)all : NAN;
}

static void print_gray(const struct gray *gray)
{
	const double wrong = percent(gray->ham_lost + gray->spam_missed, gray->opinions);
	const double lost = percent(gray->ham_lost, gray->opinions - gray->spam);
	const double missed = percent(gray->spam_missed, gray->spam);
	const double best = percent(gray->minority, gray->opinions);
	const double other = percent(gray->other_wrong, gray->other_opinions);

	printf("\n%-40s %10zu\n", "gray mail: messages with both labels", gray->messages);
	printf("%-40s %10zu\n", "labels of these", gray->opinions);
	print_row("wrong by the user's own label, percent", &wrong, 1);
	print_row("ham lost, percent", &lost, 1);
	print_row("spam missed, percent", &missed, 1);
	print_row("wrong with the best opinion for all", &best, 1);
	print_row("wrong on all other mail, percent", &other, 1);
}

static void print_against(const struct findings *findings)
{
	const struct against *against = &findings->against;

	printf("\n%-40s %10s %10s %10s %10s %10s\n", "database against the other, 95 %", "database",
		"other", "difference", "from", "to");
	for (int m = 0; m < METRICS; m++) {
		const double values[] = {against->first[m], against->second[m],
			against->second[m] - against->first[m], against->differences[m].low,
			against->differences[m].high};
		print_metric((enum metric)m, values, 5);
	}
	puts(against->sentence);
}

void findings_print(const struct findings *findings)
{
	const struct findings_options *options = findings->options;
	struct figure figures[FIGURES];

	figures_of(findings->evaluation, figures);
	for (size_t i = 0; i < FIGURES; i++)
		printf(figures[i].whole ? "%-40s %10.0f\n" : "%-40s %10.4f\n", figures[i].text,
			figures[i].value);
	if (options->resamples)
		print_intervals(findings);
	if (options->folds)
		print_folds(findings);
	if (options->per_user)
		print_by_user(findings);
	if (options->gray_mail)
		print_gray(&findings->gray);
	if (options->against)
		print_against(findings);
}
