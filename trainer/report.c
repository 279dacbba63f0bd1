/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <jansson.h>

#include "trainer/chart.h"
#include "trainer/plot.h"

static const char CHAMPION[] = "until now", CHALLENGER[] = "retrained";
static const char CHAMPION_COLOR[] = "#888", CHALLENGER_COLOR[] = "#06c";
static const char SPAM_COLOR[] = "#c33", HAM_COLOR[] = "#393";

enum { SCORE_BINS = 32, PROBABILITY_BINS = 20, ERROR_BINS = 10, MOST_DAYS = 60, MOST_TOKENS = 20 };
static const double SCORE_EDGE = 16; /* log-odds at the ends of the histogram */

/* The measures in the order in which they are shown. */
struct measure {
	const char *key, *text, *unit;
	struct difference difference;
};
enum { MEASURES = 4 };

static void measures_of(const struct comparison *comparison, struct measure measures[MEASURES])
{
	measures[0] =
		(struct measure){"log_loss", "log loss", "nats a message", comparison->log_loss};
	measures[1] = (struct measure){
		"ham_lost_percent", "good mail lost", "percent", comparison->ham_lost};
	measures[2] = (struct measure){
		"spam_missed_percent", "spam missed", "percent", comparison->spam_missed};
	measures[3] = (struct measure){"one_minus_roca_percent", "area above the ROC curve",
		"percent", comparison->one_minus_roca};
}

/* --- The terminal -------------------------------------------------------------------- */

void report_print(const struct retraining *retraining)
{
	const struct comparison *comparison = &retraining->comparison;
	struct measure measures[MEASURES];

	printf("%zu reports of %zu people, %zu of spam; %zu tokens; %.1f s, %.0f MB\n",
		retraining->reports, reporters_count(retraining->reporters), retraining->spam,
		retraining->tokens, retraining->seconds, (double)retraining->peak_bytes / 1e6);
	if (comparison->verdict == COMPARISON_TOO_FEW)
		return;
	measures_of(comparison, measures);
	printf("%-26s %10s %10s   95 %% interval of the difference\n", "", CHAMPION, CHALLENGER);
	for (size_t i = 0; i < MEASURES; i++)
		printf("%-26s %10.4f %10.4f   %+.4f to %+.4f\n", measures[i].text,
			measures[i].difference.champion, measures[i].difference.challenger,
			measures[i].difference.low, measures[i].difference.high);
}

/* --- Numbers behind the pictures -------------------------------------------------------- */

struct bins {
	double number[64]; /* messages */
	double probability[64], spam[64]; /* sums over them */
};

static void fill_probabilities(struct bins *bins, const struct result *results, size_t count)
{
	*bins = (struct bins){0};
	for (size_t i = 0; i < count; i++) {
		size_t bin = (size_t)fmin(
			results[i].probability * PROBABILITY_BINS, PROBABILITY_BINS - 1);
		bins->number[bin]++;
		bins->probability[bin] += results[i].probability;
		bins->spam[bin] += results[i].spam;
	}
}

static void fill_scores(
	const struct result *results, size_t count, double spam[SCORE_BINS], double ham[SCORE_BINS])
{
	memset(spam, 0, SCORE_BINS * sizeof(double));
	memset(ham, 0, SCORE_BINS * sizeof(double));
	for (size_t i = 0; i < count; i++) {
		double at = (results[i].score / SCORE_EDGE + 1) / 2 * SCORE_BINS;
		size_t bin = (size_t)fmin(fmax(at, 0), SCORE_BINS - 1);
		if (results[i].spam)
			spam[bin]++;
		else
			ham[bin]++;
	}
}

/* The last days of the comparison. */
struct days {
	size_t count;
	char *labels[MOST_DAYS + 1];
	double reports[MOST_DAYS], lost[MOST_DAYS], missed[MOST_DAYS];
};

static void add_to_day(
	struct days *days, int64_t *current, int64_t time, const struct result *result)
{
	int64_t day = time / 86400;

	if (days->count == 0 || day > *current) {
		if (days->count == MOST_DAYS)
			return;
		GDateTime *date = g_date_time_new_from_unix_utc(day * 86400);
		days->labels[days->count++] =
			date ? g_date_time_format(date, "%m-%d") : g_strdup("?");
		if (date)
			g_date_time_unref(date);
		*current = day;
	}
	days->reports[days->count - 1]++;
	days->lost[days->count - 1] += !result->spam && result->called_spam;
	days->missed[days->count - 1] += result->spam && !result->called_spam;
}

static void fill_days(struct days *days, const struct comparison *comparison)
{
	int64_t current = 0,
		last = comparison->count ? comparison->times[comparison->count - 1] : 0;

	*days = (struct days){0};
	for (size_t i = 0; i < comparison->count; i++) {
		if (comparison->times[i] > last - (int64_t)MOST_DAYS * 86400)
			add_to_day(
				days, &current, comparison->times[i], &comparison->challenger[i]);
	}
}

static void free_days(struct days *days)
{
	for (size_t i = 0; i < days->count; i++)
		g_free(days->labels[i]);
}

static void fill_errors(const struct reporters *reporters, double bins[ERROR_BINS])
{
	memset(bins, 0, ERROR_BINS * sizeof(double));
	for (size_t i = 0; i < reporters_count(reporters); i++) {
		const struct reporter *reporter = reporters_at((struct reporters *)reporters, i);
		if (*reporter->name)
			bins[(size_t)fmin(reporter->error / 0.5 * ERROR_BINS, ERROR_BINS - 1)]++;
	}
}

/* --- The page --------------------------------------------------------------------------- */

static void heading(GString *page, const char *words, const char *explanation)
{
	g_string_append_printf(page, "<h2>%s</h2>\n<p>%s</p>\n", words, explanation);
}

static void add_measures(GString *page, const struct comparison *comparison)
{
	struct measure measures[MEASURES];

	measures_of(comparison, measures);
	g_string_append_printf(page,
		"<table><tr><th>on %zu reports</th><th>%s</th><th>%s</th>"
		"<th>difference, 95 %% interval</th></tr>\n",
		comparison->count, CHAMPION, CHALLENGER);
	for (size_t i = 0; i < MEASURES; i++)
		g_string_append_printf(page,
			"<tr><td>%s, %s</td><td>%.4f</td><td>%.4f</td><td>%+.4f to "
			"%+.4f</td></tr>\n",
			measures[i].text, measures[i].unit, measures[i].difference.champion,
			measures[i].difference.challenger, measures[i].difference.low,
			measures[i].difference.high);
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

	fill_scores(comparison->challenger, comparison->count, spam, ham);
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

static void add_reliability(GString *page, const struct comparison *comparison)
{
	static const double marks[] = {0, 0.25, 0.5, 0.75, 1}, diagonal[] = {0, 1};
	const struct chart_axis x = {"probability that was given", 0, 1, false, marks, 5};
	const struct chart_axis y = {"share that was spam", 0, 1, false, marks, 5};
	double points[4][PROBABILITY_BINS];
	struct bins before, after;
	char words[200];

	fill_probabilities(&before, comparison->champion, comparison->count);
	fill_probabilities(&after, comparison->challenger, comparison->count);
	size_t first = fill_points(&before, points[0], points[1]);
	size_t second = fill_points(&after, points[2], points[3]);
	const struct chart_series series[] = {{"right", "#ddd", diagonal, diagonal, 2, false},
		{CHAMPION, CHAMPION_COLOR, points[0], points[1], first, true},
		{CHALLENGER, CHALLENGER_COLOR, points[2], points[3], second, true}};
	g_snprintf(words, sizeof(words),
		"A probability means what it says when the points lie on the line. Calibration "
		"error: "
		"%.4f, it was %.4f.",
		metrics_calibration_error(comparison->challenger, comparison->count),
		metrics_calibration_error(comparison->champion, comparison->count));
	heading(page, "Reliability", words);
	chart_lines(page, &x, &y, series, 3);
}

static void add_days(GString *page, const struct comparison *comparison)
{
	struct days days;

	fill_days(&days, comparison);
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
	free_days(&days);
}

static void add_reporters(GString *page, const struct reporters *reporters)
{
	static const char *const labels[ERROR_BINS] = {"0-5 %", "5-10", "10-15", "15-20", "20-25",
		"25-30", "30-35", "35-40", "40-45", "45-50"};
	double bins[ERROR_BINS];

	fill_errors(reporters, bins);
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

enum status report_write_html(const char *path, const struct retraining *retraining, bool adopted,
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
	add_reliability(page, comparison);
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

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *numbers(const double *values, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_real(values[i]));
	return list;
}

static json_t *json_measures(const struct comparison *comparison)
{
	struct measure measures[MEASURES];
	json_t *object = json_object();

	measures_of(comparison, measures);
	for (size_t i = 0; i < MEASURES; i++) {
		const struct difference *difference = &measures[i].difference;
		json_object_set_new(object, measures[i].key,
			json_pack("{s:f, s:f, s:f, s:f}", "champion", difference->champion,
				"challenger", difference->challenger, "low", difference->low,
				"high", difference->high));
	}
	return object;
}

static json_t *json_reliability(const struct result *results, size_t count)
{
	struct bins bins;

	fill_probabilities(&bins, results, count);
	return json_pack("{s:o, s:o, s:o, s:f}", "messages", numbers(bins.number, PROBABILITY_BINS),
		"probability_sums", numbers(bins.probability, PROBABILITY_BINS), "spam",
		numbers(bins.spam, PROBABILITY_BINS), "calibration_error",
		metrics_calibration_error(results, count));
}

static json_t *json_scores(const struct comparison *comparison)
{
	double spam[SCORE_BINS], ham[SCORE_BINS];

	fill_scores(comparison->challenger, comparison->count, spam, ham);
	return json_pack("{s:f, s:f, s:o, s:o}", "from", -SCORE_EDGE, "to", SCORE_EDGE, "spam",
		numbers(spam, SCORE_BINS), "ham", numbers(ham, SCORE_BINS));
}

static json_t *json_tokens(const struct retraining *retraining)
{
	json_t *list = json_array();

	for (size_t i = 0; i < retraining->change_count && i < MOST_TOKENS; i++) {
		char *key =
			g_strdup_printf("%010" G_GINT64_MODIFIER "x", retraining->changes[i].key);
		json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "key", key, "before",
						    retraining->changes[i].before, "after",
						    retraining->changes[i].after));
		g_free(key);
	}
	return list;
}

static json_t *json_of(const struct retraining *retraining, bool adopted)
{
	static const char *const verdicts[] = {"not worse", "worse", "too few reports"};
	const struct comparison *comparison = &retraining->comparison;
	double errors[ERROR_BINS];

	fill_errors(retraining->reporters, errors);
	return json_pack(
		"{s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:o, s:o, "
		"s:o, s:o, s:o}",
		"adopted", adopted, "verdict", verdicts[comparison->verdict], "reason",
		comparison->reason, "time", (json_int_t)retraining->generation.time, "seq",
		(json_int_t)retraining->generation.seq, "reports", (json_int_t)retraining->reports,
		"spam", (json_int_t)retraining->spam, "tokens", (json_int_t)retraining->tokens,
		"compared", (json_int_t)comparison->count, "left_out",
		(json_int_t)comparison->left_out, "seconds", retraining->seconds, "peak_bytes",
		(json_int_t)retraining->peak_bytes, "measures", json_measures(comparison),
		"reliability_before", json_reliability(comparison->champion, comparison->count),
		"reliability_after", json_reliability(comparison->challenger, comparison->count),
		"scores", json_scores(comparison), "reporter_errors", numbers(errors, ERROR_BINS),
		"tokens_changed", json_tokens(retraining));
}

enum status report_write_json(const char *path, const struct retraining *retraining, bool adopted,
	struct failure *failure)
{
	json_t *json = json_of(retraining, adopted);
	enum status status = STATUS_OK;

	if (!json || json_dump_file(json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(8)) != 0)
		status = failure_set(failure, STATUS_IO, "writing %s: not possible", path);
	json_decref(json);
	return status;
}
