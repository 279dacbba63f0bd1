/* Writes the report as text and as a page of HTML.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "trainer/measure/chart.h"
#include "trainer/measure/plot.h"
#include "trainer/retrain/summary-data.h"

static const char CHAMPION[] = "until now", CHALLENGER[] = "retrained";
static const char CHAMPION_COLOR[] = "#888", CHALLENGER_COLOR[] = "#06c";
static const char PROPOSED_COLOR[] = "#e80";
static const char SPAM_COLOR[] = "#c33", HAM_COLOR[] = "#393";

/* --- The terminal -------------------------------------------------------------------- */

static void print_proposal(const struct retraining *retraining)
{
	const struct proposal *proposal = &retraining->proposal;
	const struct proposal_point *now = &proposal->present, *then = &proposal->proposed;

	if (!proposal->made)
		return;
	printf("%-26s %10s %10s%s\n", "thresholds of the site", "in force", "proposed",
		retraining->laid_down ? "   (laid down now)" : "");
	printf("%-26s %10.1f %10.1f\n", "junk score", now->junk, then->junk);
	printf("%-26s %10.1f %10.1f\n", "reject score", now->reject, then->reject);
	printf("%-26s %10.4f %10.4f\n", "good mail lost, percent", now->ham_lost, then->ham_lost);
	printf("%-26s %10.4f %10.4f\n", "spam missed, percent", now->spam_missed,
		then->spam_missed);
	printf("%-26s %10.2f %10.2f\n", "scale of scores", now->scale, then->scale);
	printf("%-26s %10.4f %10.4f\n", "calibration error", now->calibration_error,
		then->calibration_error);
}

void summary_print(const struct retraining *retraining)
{
	const struct comparison *comparison = &retraining->comparison;

	printf("%zu reports of %zu people, %zu of spam; %zu tokens; %.1f s, %.0f MB\n",
		retraining->reports, reporters_count(retraining->reporters), retraining->spam,
		retraining->tokens, retraining->seconds, (double)retraining->peak_bytes / 1e6);
	if (comparison->verdict == COMPARISON_TOO_FEW)
		return;
	printf("%-26s %10s %10s   95 %% interval of the difference\n", "", CHAMPION, CHALLENGER);
	for (int i = 0; i < METRICS; i++) {
		const struct difference *difference = &comparison->differences[i];
		printf("%-26s %10.4f %10.4f   %+.4f to %+.4f\n", metrics_name(i),
			difference->champion, difference->challenger, difference->low,
			difference->high);
	}
	print_proposal(retraining);
}

/* --- The page --------------------------------------------------------------------------- */

static void heading(GString *page, const char *words, const char *explanation)
{
	g_string_append_printf(page, "<h2>%s</h2>\n<p>%s</p>\n", words, explanation);
}

static void add_measures(GString *page, const struct comparison *comparison)
{
	g_string_append_printf(page,
		"<table><tr><th>on %zu reports</th><th>%s</th><th>%s</th>"
		"<th>difference, 95 %% interval</th></tr>\n",
		comparison->count, CHAMPION, CHALLENGER);
	for (int i = 0; i < METRICS; i++) {
		const struct difference *difference = &comparison->differences[i];
		g_string_append_printf(page,
			"<tr><td>%s, %s</td><td>%.4f</td><td>%.4f</td><td>%+.4f to "
			"%+.4f</td></tr>\n",
			metrics_name(i), metrics_unit(i), difference->champion,
			difference->challenger, difference->low, difference->high);
	}
	g_string_append(page, "</table>\n");
}

static void add_roc(GString *page, const struct comparison *comparison)
{
	const struct plot_curve curves[] = {
		{CHAMPION, CHAMPION_COLOR, comparison->champion, comparison->count},
		{CHALLENGER, CHALLENGER_COLOR, comparison->challenger, comparison->count}};

	heading(page, "Good mail lost against spam missed",
		"Each point of a curve is a threshold; nearer to the lower left corner is better.");
	plot_roc_into(page, curves, G_N_ELEMENTS(curves));
}

static void add_scores(GString *page, const struct comparison *comparison)
{
	double spam[SCORE_BINS], ham[SCORE_BINS];
	char text[SCORE_BINS][16];
	const char *labels[SCORE_BINS];

	summary_fill_scores(comparison->challenger, comparison->count, spam, ham);
	for (int i = 0; i < SCORE_BINS; i++) {
		g_snprintf(text[i], sizeof(text[i]), "%g", (2.0 * i / SCORE_BINS - 1) * SCORE_EDGE);
		labels[i] = text[i];
	}
	const struct chart_series series[] = {
		{.name = "good mail", .color = HAM_COLOR, .y = ham, .count = SCORE_BINS},
		{.name = "spam", .color = SPAM_COLOR, .y = spam, .count = SCORE_BINS}};
	heading(page, "Scores", "How sure the retrained filter is, before it saw the label.");
	chart_bars(page, "log-odds of spam", "messages", labels, series, 2);
}

static size_t fill_points(const struct bins *bins, double *x, double *y)
{
	size_t count = 0;

	for (int i = 0; i < PROBABILITY_BINS; i++) {
		if (bins->number[i] >= 5) {
			x[count] = bins->probability[i] / bins->number[i];
			y[count++] = bins->spam[i] / bins->number[i];
		}
	}
	return count;
}

static void add_reliability(GString *page, const struct retraining *retraining)
{
	const struct comparison *comparison = &retraining->comparison;
	const struct proposal *proposal = &retraining->proposal;
	static const double marks[] = {0, 0.25, 0.5, 0.75, 1}, diagonal[] = {0, 1};
	const struct chart_axis x = {"probability that was given", 0, 1, false, marks, 5};
	const struct chart_axis y = {"share that was spam", 0, 1, false, marks, 5};
	double points[6][PROBABILITY_BINS];
	struct bins before, after, proposed;
	char words[200];

	summary_fill_probabilities(&before, comparison->champion, comparison->count);
	summary_fill_probabilities(&after, comparison->challenger, comparison->count);
	summary_fill_probabilities(
		&proposed, proposal->calibrated, proposal->made ? proposal->count : 0);
	size_t first = fill_points(&before, points[0], points[1]);
	size_t second = fill_points(&after, points[2], points[3]);
	size_t third = fill_points(&proposed, points[4], points[5]);
	const struct chart_series series[] = {{"right", "#ddd", diagonal, diagonal, 2, false},
		{CHAMPION, CHAMPION_COLOR, points[0], points[1], first, true},
		{CHALLENGER, CHALLENGER_COLOR, points[2], points[3], second, true},
		{"with the proposed scale", PROPOSED_COLOR, points[4], points[5], third, true}};
	g_snprintf(words, sizeof(words),
		"A probability means what it says when the points lie on the line. Calibration "
		"error: "
		"%.4f, it was %.4f.",
		metrics_calibration_error(comparison->challenger, comparison->count),
		metrics_calibration_error(comparison->champion, comparison->count));
	heading(page, "Reliability", words);
	chart_lines(page, &x, &y, series, proposal->made ? 4 : 3);
}

static void add_point(GString *page, const char *name, int digits, double now, double then)
{
	g_string_append_printf(page, "<tr><td>%s</td><td>%.*f</td><td>%.*f</td></tr>\n", name,
		digits, now, digits, then);
}

static void add_reliability_table(GString *page, const struct retraining *retraining)
{
	struct bins before, after;

	summary_fill_probabilities(
		&before, retraining->comparison.challenger, retraining->comparison.count);
	summary_fill_probabilities(
		&after, retraining->proposal.calibrated, retraining->proposal.count);
	g_string_append(page,
		"<table><tr><th>probability</th><th>messages</th><th>given</th><th>spam</th>"
		"<th>messages, proposed</th><th>given</th><th>spam</th></tr>\n");
	for (int i = 0; i < PROBABILITY_BINS; i++) {
		const struct bins *both[] = {&before, &after};
		if (before.number[i] + after.number[i] == 0)
			continue;
		g_string_append_printf(page, "<tr><td>%.2f to %.2f</td>",
			(double)i / PROBABILITY_BINS, (double)(i + 1) / PROBABILITY_BINS);
		for (int j = 0; j < 2; j++)
			g_string_append_printf(page, "<td>%.0f</td><td>%.3f</td><td>%.3f</td>",
				both[j]->number[i],
				both[j]->probability[i] / MAX(both[j]->number[i], 1),
				both[j]->spam[i] / MAX(both[j]->number[i], 1));
		g_string_append(page, "</tr>\n");
	}
	g_string_append(page, "</table>\n");
}

static void add_proposal(GString *page, const struct retraining *retraining)
{
	const struct proposal *proposal = &retraining->proposal;
	const struct proposal_point *now = &proposal->present, *then = &proposal->proposed;
	char words[400];

	if (!proposal->made) {
		heading(page, "Thresholds",
			"None are proposed: too few reports, or too many contradict the scores.");
		return;
	}
	g_snprintf(words, sizeof(words),
		"What would keep to the share of good mail that may be lost, and what would make "
		"probabilities right, on the reports of the comparison, of whose labels about "
		"%.2f %% are wrong. %s",
		100 * proposal->noise,
		retraining->laid_down ? "Laid down as the site's policy."
				      : "<code>hamlet policy --site</code> lays it down, or "
					"<code>adopt-thresholds</code> in the configuration.");
	heading(page, "Thresholds", words);
	g_string_append(page, "<table><tr><th></th><th>in force</th><th>proposed</th></tr>\n");
	add_point(page, "junk score", 1, now->junk, then->junk);
	add_point(page, "reject score", 1, now->reject, then->reject);
	add_point(page, "good mail lost, percent", 4, now->ham_lost, then->ham_lost);
	add_point(page, "spam missed, percent", 4, now->spam_missed, then->spam_missed);
	add_point(page, "scale of scores", 2, now->scale, then->scale);
	add_point(page, "log loss", 4, now->log_loss, then->log_loss);
	add_point(page, "calibration error", 4, now->calibration_error, then->calibration_error);
	g_string_append(page, "</table>\n");
	add_reliability_table(page, retraining);
}

static void add_days(GString *page, const struct comparison *comparison)
{
	struct days days;

	summary_fill_days(&days, comparison);
	const struct chart_series reports[] = {{.name = "reports",
		.color = CHALLENGER_COLOR,
		.y = days.reports,
		.count = days.count}};
	const struct chart_series wrong[] = {
		{.name = "good mail lost", .color = HAM_COLOR, .y = days.lost, .count = days.count},
		{.name = "spam missed",
			.color = SPAM_COLOR,
			.y = days.missed,
			.count = days.count}};
	heading(page, "Days",
		"Reports of each day of the comparison, and how many of them the "
		"retrained filter would have judged wrongly.");
	if (days.count > 0) {
		chart_bars(page, "day", "reports", (const char *const *)days.labels, reports, 1);
		chart_bars(page, "day", "wrong", (const char *const *)days.labels, wrong, 2);
	}
	summary_free_days(&days);
}

static void add_reporters(GString *page, const struct reporters *reporters)
{
	static const char *const labels[ERROR_BINS] = {"0-5 %", "5-10", "10-15", "15-20", "20-25",
		"25-30", "30-35", "35-40", "40-45", "45-50"};
	double bins[ERROR_BINS];

	summary_fill_errors(reporters, bins);
	const struct chart_series series[] = {
		{.name = "people", .color = CHALLENGER_COLOR, .y = bins, .count = ERROR_BINS}};
	heading(page, "How often people are wrong",
		"Estimated from what others and the filter hold of the same or similar messages. "
		"Who "
		"is wrong half of the time teaches nobody else anything.");
	chart_bars(page, "wrong reports", "people", labels, series, 1);
}

static void add_tokens(GString *page, const struct retraining *retraining)
{
	heading(page, "Tokens that changed most",
		"By their keys, as texts are not kept; <code>hamlet why</code> shows the texts of "
		"a "
		"message. Weights above 0 speak for spam.");
	g_string_append(page, "<table><tr><th>key</th><th>was</th><th>is</th></tr>\n");
	for (size_t i = 0; i < retraining->change_count && i < MOST_TOKENS; i++)
		g_string_append_printf(page,
			"<tr><td><code>%010" G_GINT64_MODIFIER "x</code></td><td>%+.2f</td>"
			"<td>%+.2f</td></tr>\n",
			retraining->changes[i].key, retraining->changes[i].before,
			retraining->changes[i].after);
	g_string_append(page, "</table>\n");
}

static void add_head(GString *page, const struct retraining *retraining, bool adopted)
{
	GDateTime *date = g_date_time_new_from_unix_utc(retraining->generation.time);
	char *when = date ? g_date_time_format(date, "%Y-%m-%d %H:%M UTC") : g_strdup("");

	g_string_append_printf(page,
		"<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
		"<link rel='icon' href='data:,'><title>Hamlet: retraining</title>\n<style>"
		"body{font-family:sans-serif;max-width:46em;margin:2em auto;padding:0 "
		"1em;color:#222}"
		"table{border-collapse:collapse}td,th{padding:.3em .8em;border-bottom:1px solid "
		"#ddd;"
		"text-align:right}td:first-child,th:first-child{text-align:left}"
		"svg{max-width:100%%;height:auto}.verdict{padding:.8em 1em;border-left:6px solid "
		"%s;"
		"background:#f5f5f5}</style></head>\n<body><h1>Retraining</h1>\n"
		"<p class='verdict'><b>%s.</b> %s.</p>\n"
		"<p>%s: %zu reports of %zu people, %zu of spam, %zu tokens; %.1f seconds, "
		"%.0f MB.</p>\n",
		adopted ? HAM_COLOR : SPAM_COLOR, adopted ? "Adopted" : "Kept aside",
		retraining->comparison.reason, when, retraining->reports,
		reporters_count(retraining->reporters), retraining->spam, retraining->tokens,
		retraining->seconds, (double)retraining->peak_bytes / 1e6);
	g_free(when);
	if (date)
		g_date_time_unref(date);
}

enum status summary_write_html(const char *path, const struct retraining *retraining, bool adopted,
	struct failure *failure)
{
	const struct comparison *comparison = &retraining->comparison;
	GString *page = g_string_new(NULL);
	GError *error = NULL;
	enum status status = STATUS_OK;

	add_head(page, retraining, adopted);
	add_measures(page, comparison);
	add_roc(page, comparison);
	add_scores(page, comparison);
	add_reliability(page, retraining);
	add_proposal(page, retraining);
	add_days(page, comparison);
	add_reporters(page, retraining->reporters);
	add_tokens(page, retraining);
	g_string_append(page, "</body></html>\n");
	if (!g_file_set_contents(path, page->str, (gssize)page->len, &error)) {
		status = failure_set(failure, STATUS_IO, "%s", error->message);
		g_error_free(error);
	}
	g_string_free(page, TRUE);
	return status;
}
