/* Commands that change or show what somebody has laid down: each is one or more
 * calls of the daemon (JSON in, JSON out).
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <jansson.h>

#include "engine/client/call.h"
#include "engine/client/commands.h"
#include "engine/client/show.h"

enum { ENTRIES_A_CALL = 1000 };

/* --- Calls -------------------------------------------------------------------- */

static enum exit_code fail_command(const char *words)
{
	fprintf(stderr, "hamlet: %s\n", words);
	return EXIT_FAILED;
}

/* Takes over `call`. NULL after an error was printed. */
static json_t *ask_hamletd(const struct options *options, json_t *call)
{
	struct failure failure = {0};
	json_t *answer;

	if (call_run(options->socket, call, &answer, &failure) != STATUS_OK)
		fail_command(failure.detail);
	return answer;
}

/* Takes over `answer`. */
static enum exit_code print_answer(
	const struct options *options, json_t *answer, void (*show)(const json_t *json))
{
	if (!answer)
		return EXIT_FAILED;
	if (options->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		show(answer);
	}
	json_decref(answer);
	return EXIT_DONE;
}

/* Whose entries: exactly one of --user, --domain and --site. NULL after an error;
 * to be freed. */
static char *scope_of(const struct options *options)
{
	int given = (*options->user != '\0') + (*options->domain != '\0') + options->site;

	if (given != 1) {
		fail_command("whose? Say one of --user, --domain and --site");
		return NULL;
	}
	if (*options->domain)
		return g_strconcat("@", options->domain + (*options->domain == '@'), NULL);
	return g_strdup(options->user);
}

/* --- Entries -------------------------------------------------------------------- */

static enum exit_code show_kind(const struct options *options, const char *scope, const char *kind)
{
	return print_answer(options,
		ask_hamletd(options,
			json_pack("{s:s, s:s, s:s}", "call", "entries", "scope", scope, "kind",
				kind)),
		show_entries);
}

/* Sends the entries in calls of a bearable size; takes over the list. */
static enum exit_code change_entries_of(
	const struct options *options, const char *scope, json_t *entries)
{
	enum exit_code code = EXIT_DONE;
	size_t count = json_array_size(entries);

	for (size_t i = 0; i < count && code == EXIT_DONE; i += ENTRIES_A_CALL) {
		json_t *part = json_array();
		for (size_t j = i; j < count && j < i + ENTRIES_A_CALL; j++)
			json_array_append(part, json_array_get(entries, j));
		code = print_answer(options,
			ask_hamletd(options,
				json_pack("{s:s, s:s, s:o}", "call", "change", "scope", scope,
					"entries", part)),
			show_receipt);
	}
	json_decref(entries);
	return code;
}

/* `value` NULL removes. */
static json_t *entry(const char *kind, const char *name, const char *value)
{
	return json_pack("{s:s, s:s, s:s?}", "kind", kind, "name", name, "value", value);
}

static enum exit_code change_words(const struct options *options, char *scope, const char *kind,
	const char *value, char **words, int count)
{
	json_t *entries = json_array();
	enum exit_code code = EXIT_USAGE;

	for (int i = 0; i < count; i++)
		json_array_append_new(entries, entry(kind, words[i], value));
	if (scope)
		code = change_entries_of(options, scope, entries);
	else
		json_decref(entries);
	g_free(scope);
	return code;
}

/* One line of a file: a comment, nothing, or an entry. False when it is none. */
static bool take_line(const char *kind, char *line, json_t *entries)
{
	char *hash = strchr(line, '#');
	const char *value = "trusted";

	if (hash)
		*hash = '\0';
	g_strstrip(line);
	if (!*line)
		return true;
	if (strcmp(kind, "list") == 0) {
		char *space = line + strcspn(line, " \t");
		if (!*space)
			return false;
		*space = '\0';
		value = line;
		line = g_strchug(space + 1);
	}
	json_array_append_new(entries, entry(kind, line, value));
	return true;
}

static bool take_file(const char *kind, const char *path, json_t *entries)
{
	GError *error = NULL;
	char *text = NULL;
	bool good = g_file_get_contents(path, &text, NULL, &error);
	char **lines = good ? g_strsplit(text, "\n", -1) : NULL;

	if (!good)
		fail_command(error->message);
	for (size_t i = 0; good && lines[i]; i++) {
		good = take_line(kind, lines[i], entries);
		if (!good)
			fprintf(stderr, "hamlet: %s:%zu: not \"allow ENTRY\" or \"block ENTRY\"\n",
				path, i + 1);
	}
	g_clear_error(&error);
	g_strfreev(lines);
	g_free(text);
	return good;
}

static enum exit_code import(
	const struct options *options, char *scope, const char *kind, char **words, int count)
{
	json_t *entries = json_array();
	enum exit_code code = EXIT_FAILED;
	bool good = scope != NULL;

	for (int i = 0; i < count && good; i++)
		good = take_file(kind, words[i], entries);
	if (good)
		code = change_entries_of(options, scope, entries);
	else
		json_decref(entries);
	g_free(scope);
	return code;
}

/* --- list, trust ------------------------------------------------------------------ */

enum exit_code admin_list_show(const struct options *options, char **words, int count)
{
	char *scope = scope_of(options);
	enum exit_code code = scope ? show_kind(options, scope, "list") : EXIT_USAGE;
	(void)words;
	(void)count;

	g_free(scope);
	return code;
}

enum exit_code admin_list_allow(const struct options *options, char **words, int count)
{
	return change_words(options, scope_of(options), "list", "allow", words, count);
}

enum exit_code admin_list_block(const struct options *options, char **words, int count)
{
	return change_words(options, scope_of(options), "list", "block", words, count);
}

enum exit_code admin_list_remove(const struct options *options, char **words, int count)
{
	return change_words(options, scope_of(options), "list", NULL, words, count);
}

enum exit_code admin_list_import(const struct options *options, char **words, int count)
{
	return import(options, scope_of(options), "list", words, count);
}

enum exit_code admin_trust_show(const struct options *options, char **words, int count)
{
	(void)words;
	(void)count;
	return show_kind(options, "", "trust");
}

enum exit_code admin_trust_add(const struct options *options, char **words, int count)
{
	return change_words(options, g_strdup(""), "trust", "trusted", words, count);
}

enum exit_code admin_trust_remove(const struct options *options, char **words, int count)
{
	return change_words(options, g_strdup(""), "trust", NULL, words, count);
}

enum exit_code admin_trust_import(const struct options *options, char **words, int count)
{
	return import(options, g_strdup(""), "trust", words, count);
}

/* --- consent, policy ----------------------------------------------------------------- */

enum exit_code admin_consent(const struct options *options, char **words, int count)
{
	static const struct {
		const char *word, *value;
	} answers[] = {{"grant", "granted"}, {"decline", "declined"}, {"withdraw", NULL}};
	json_t *entries = json_array();

	for (size_t i = 0; i < G_N_ELEMENTS(answers) && count == 1; i++) {
		if (strcmp(words[0], answers[i].word) == 0)
			json_array_append_new(entries, entry("consent", "", answers[i].value));
	}
	if (!*options->user || json_array_size(entries) != 1) {
		json_decref(entries);
		fail_command("say --user USER, and grant, decline or withdraw");
		return EXIT_USAGE;
	}
	return change_entries_of(options, options->user, entries);
}

enum exit_code admin_policy_show(const struct options *options, char **words, int count)
{
	char *scope;
	enum exit_code code;
	(void)words;
	(void)count;

	if (*options->user)
		return print_answer(options,
			ask_hamletd(options,
				json_pack("{s:s, s:s}", "call", "policy", "user", options->user)),
			show_policy);
	scope = scope_of(options);
	code = scope ? show_kind(options, scope, "policy") : EXIT_USAGE;
	g_free(scope);
	return code;
}

enum exit_code admin_policy_set(const struct options *options, char **words, int count)
{
	json_t *entries = json_array();
	char *scope = scope_of(options);
	enum exit_code code = scope ? EXIT_DONE : EXIT_USAGE;

	for (int i = 0; i < count && code == EXIT_DONE; i++) {
		char **pair = g_strsplit(words[i], "=", 2);
		if (pair[0] && pair[1])
			json_array_append_new(entries, entry("policy", pair[0], pair[1]));
		else
			code = EXIT_USAGE;
		g_strfreev(pair);
	}
	if (code == EXIT_DONE) {
		code = change_entries_of(options, scope, entries);
		/* What was wished for may be beyond what the site lets choose. */
		if (code == EXIT_DONE && *options->user && !options->json)
			code = admin_policy_show(options, NULL, 0);
	} else {
		json_decref(entries);
		if (scope)
			fail_command("say NAME=VALUE, such as junk-score=4");
	}
	g_free(scope);
	return code;
}

enum exit_code admin_policy_unset(const struct options *options, char **words, int count)
{
	return change_words(options, scope_of(options), "policy", NULL, words, count);
}

/* --- user ------------------------------------------------------------------------------ */

/* How often the trainer found the user's reports wrong; null before it has judged. */
static json_t *error_rate(const json_t *entries)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(entries, "entries"), i, entry)
	{
		const char *kind = json_string_value(json_object_get(entry, "kind"));
		const char *value = json_string_value(json_object_get(entry, "value"));
		if (kind && value && strcmp(kind, "reputation") == 0)
			return json_real(g_ascii_strtod(value, NULL));
	}
	return json_null();
}

enum exit_code admin_user_show(const struct options *options, char **words, int count)
{
	enum exit_code code = EXIT_DONE;

	for (int i = 0; i < count && code == EXIT_DONE; i++) {
		json_t *user = ask_hamletd(
			options, json_pack("{s:s, s:s}", "call", "policy", "user", words[i]));
		json_t *entries = user
			? ask_hamletd(options,
				  json_pack("{s:s, s:s}", "call", "entries", "scope", words[i]))
			: NULL;
		if (entries) {
			json_object_set_new(user, "error_rate", error_rate(entries));
			json_object_set(user, "entries", json_object_get(entries, "entries"));
		} else {
			json_decref(user);
			user = NULL;
		}
		json_decref(entries);
		code = print_answer(options, user, show_user);
	}
	return code;
}

enum exit_code admin_user_erase(const struct options *options, char **words, int count)
{
	enum exit_code code = EXIT_DONE;

	for (int i = 0; i < count && code == EXIT_DONE; i++)
		code = print_answer(options,
			ask_hamletd(options,
				json_pack("{s:s, s:s}", "call", "erase", "user", words[i])),
			show_receipt);
	return code;
}

/* One JSON object a user, written part by part: {"user": U, "entries": [...],
 * "reports": [...], "receipt": {...}}. */
static enum exit_code export_user(const struct options *options, const char *user)
{
	json_int_t after = 0;
	size_t reports = 0, entries = 0;
	bool more = true;

	while (more) {
		json_t *part = ask_hamletd(options,
			json_pack(
				"{s:s, s:s, s:I}", "call", "export", "user", user, "after", after));
		size_t i;
		json_t *report;
		if (!part)
			return EXIT_FAILED;
		if (after == 0) {
			fputs("{\"user\":", stdout);
			json_dumpf(json_object_get(part, "scope"), stdout, JSON_ENCODE_ANY);
			fputs(",\"entries\":", stdout);
			json_dumpf(json_object_get(part, "entries"), stdout, JSON_COMPACT);
			fputs(",\"reports\":[", stdout);
			entries = json_array_size(json_object_get(part, "entries"));
		}
		json_array_foreach(json_object_get(part, "reports"), i, report)
		{
			fputs(reports++ > 0 ? ",\n" : "\n", stdout);
			json_dumpf(report, stdout, JSON_COMPACT);
		}
		after = json_integer_value(json_object_get(part, "next"));
		more = after > 0;
		json_decref(part);
	}
	printf("],\"receipt\":{\"call\":\"export\",\"time\":%lld,\"entries\":%zu,\"reports\":%zu}}\n",
		(long long)time(NULL), entries, reports);
	fprintf(stderr, "hamlet: exported %s: %zu entries, %zu reports\n", user, entries, reports);
	return EXIT_DONE;
}

enum exit_code admin_user_export(const struct options *options, char **words, int count)
{
	enum exit_code code = EXIT_DONE;

	for (int i = 0; i < count && code == EXIT_DONE; i++)
		code = export_user(options, words[i]);
	return code;
}
