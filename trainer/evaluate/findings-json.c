/* Findings as JSON. What is not defined is null.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>
#include <jansson.h>

#include "trainer/evaluate/figures.h"
#include "trainer/evaluate/findings.h"

static json_t *json_number_of(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *integer(size_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *json_text_of(const char *bytes)
{
	char *valid = g_utf8_make_valid(bytes, -1);
	json_t *string = json_string(valid);

	g_free(valid);
	return string;
}

static void set_values(json_t *object, const double values[METRICS])
{
	for (int m = 0; m < METRICS; m++)
		json_object_set_new(object, metrics_key((enum metric)m), json_number_of(values[m]));
}

static json_t *values_json(const double values[METRICS])
{
	json_t *object = json_object();

	set_values(object, values);
	return object;
}

static json_t *intervals_json(const struct findings *findings)
{
	json_t *object = json_object();

	json_object_set_new(object, "resamples", integer(findings->options->resamples));
	json_object_set_new(object, "of", json_string(findings->over_users ? "users" : "messages"));
	for (int m = 0; m < METRICS; m++) {
		const struct interval *interval = &findings->intervals[m];
		json_t *pair = json_array();
		json_array_append_new(pair, json_number_of(interval->low));
		json_array_append_new(pair, json_number_of(interval->high));
		json_object_set_new(object, metrics_key((enum metric)m), pair);
	}
	return object;
}

static json_t *folds_json(const struct folds *folds, size_t count)
{
	json_t *object = json_object(), *each = json_array();

	json_object_set_new(object, "mean", values_json(folds->mean));
	json_object_set_new(object, "standard_deviation", values_json(folds->deviation));
	for (size_t i = 0; i < count; i++) {
		json_t *fold = json_object();
		json_object_set_new(fold, "messages", integer(folds->messages[i]));
		set_values(fold, folds->values[i]);
		json_array_append_new(each, fold);
	}
	json_object_set_new(object, "each", each);
	return object;
}

static json_t *user_json(const struct user_figures *figures)
{
	json_t *object = json_object();

	json_object_set_new(object, "messages", integer(figures->messages));
	json_object_set_new(object, "spam", integer(figures->spam));
	set_values(object, figures->values);
	return object;
}

static json_t *by_user_json(const struct findings *findings)
{
	const struct by_user *by_user = &findings->by_user;
	json_t *object = json_object(), *listed = json_array();

	json_object_set_new(object, "users", integer(findings->users.count));
	for (size_t i = 0; i < by_user->listed_count; i++) {
		json_t *user = user_json(&by_user->listed[i]);
		json_object_set_new(
			user, "user", json_text_of(findings->users.names[by_user->listed[i].user]));
		json_array_append_new(listed, user);
	}
	json_object_set_new(object, "listed", listed);
	json_t *rest = user_json(&by_user->rest);
	json_object_set_new(rest, "users", integer(by_user->rest_count));
	json_object_set_new(object, "rest", rest);
	json_object_set_new(object, "mean", values_json(by_user->mean));
	json_object_set_new(object, "worst_tenth", values_json(by_user->worst));
	json_object_set_new(object, "messages_of_no_user", integer(by_user->nobody));
	return object;
}

static json_t *json_percent_of(size_t part, size_t all)
{
	return all ? json_real(100 * (double)part / (double)all) : json_null();
}

static json_t *gray_json(const struct gray *gray)
{
	json_t *object = json_object();

	json_object_set_new(object, "messages", integer(gray->messages));
	json_object_set_new(object, "labels", integer(gray->opinions));
	json_object_set_new(object, "wrong_percent",
		json_percent_of(gray->ham_lost + gray->spam_missed, gray->opinions));
	json_object_set_new(object, "ham_lost_percent",
		json_percent_of(gray->ham_lost, gray->opinions - gray->spam));
	json_object_set_new(
		object, "spam_missed_percent", json_percent_of(gray->spam_missed, gray->spam));
	json_object_set_new(object, "best_single_opinion_wrong_percent",
		json_percent_of(gray->minority, gray->opinions));
	json_object_set_new(object, "other_mail_wrong_percent",
		json_percent_of(gray->other_wrong, gray->other_opinions));
	return object;
}

static json_t *against_json(const struct findings *findings)
{
	static const char *const better[] = {[WINNER_NONE] = "none",
		[WINNER_FIRST] = "database",
		[WINNER_SECOND] = "against",
		[WINNER_EACH] = "each"};
	const struct against *against = &findings->against;
	json_t *object = json_object();

	json_object_set_new(object, "database", json_text_of(findings->options->names[0]));
	json_object_set_new(object, "against", json_text_of(findings->options->names[1]));
	for (int m = 0; m < METRICS; m++) {
		json_t *one = json_object();
		json_object_set_new(one, "database", json_number_of(against->first[m]));
		json_object_set_new(one, "against", json_number_of(against->second[m]));
		json_object_set_new(
			one, "difference", json_number_of(against->second[m] - against->first[m]));
		json_object_set_new(one, "low", json_number_of(against->differences[m].low));
		json_object_set_new(one, "high", json_number_of(against->differences[m].high));
		json_object_set_new(object, metrics_key((enum metric)m), one);
	}
	json_object_set_new(object, "better", json_string(better[against->winner]));
	json_object_set_new(object, "sentence", json_text_of(against->sentence));
	return object;
}

static void set_figures(json_t *object, const struct evaluation *evaluation)
{
	struct figure figures[FIGURES];

	figures_of(evaluation, figures);
	for (size_t i = 0; i < FIGURES; i++)
		json_object_set_new(object, figures[i].key,
			figures[i].whole ? json_integer((json_int_t)figures[i].value)
					 : json_real(figures[i].value));
}

enum status findings_print_json(const struct findings *findings)
{
	const struct findings_options *options = findings->options;
	json_t *object = json_object();

	set_figures(object, findings->evaluation);
	if (options->resamples)
		json_object_set_new(object, "intervals", intervals_json(findings));
	if (options->folds)
		json_object_set_new(object, "folds", folds_json(&findings->folds, options->folds));
	if (options->per_user)
		json_object_set_new(object, "per_user", by_user_json(findings));
	if (options->gray_mail)
		json_object_set_new(object, "gray_mail", gray_json(&findings->gray));
	if (options->against)
		json_object_set_new(object, "comparison", against_json(findings));
	char *line = json_dumps(object, JSON_REAL_PRECISION(8));
	json_decref(object);
	if (!line)
		return STATUS_NOMEM;
	puts(line);
	free(line);
	return STATUS_OK;
}
