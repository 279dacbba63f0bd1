/* The configuration file: reads it by the table of settings, and prints what is in force.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/settings.h"

#include <glib.h>
#include <string.h>

#include "engine/settings/value.h"

static const char GROUP[] = "hamletd";
static const uint64_t DATABASE_LEAST = 1 << 20;

/* Larger is no configuration but a mistake in a path. */
static const size_t FILE_MAX = (size_t)1 << 20;

/* Where a setting's value is. */
static void *place_value(const struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

static const struct setting *find_setting(const char *key)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (strcmp(settings_table[i].key, key) == 0)
			return &settings_table[i];
	}
	return NULL;
}

/* --- A file -------------------------------------------------------------- */

static void refuse_value(const struct setting *setting, const char *path, const char *value,
	struct complaints *complaints)
{
	char *shown = g_strescape(value, NULL);
	char *allowed = value_allowed(&setting->rule);

	complaints_error(complaints, "%s: [%s] %s: \"%.40s\" is not %s", path, GROUP, setting->key,
		shown, allowed);
	g_free(allowed);
	g_free(shown);
}

static void read_key(struct settings *settings, const char *path, GKeyFile *file, const char *key,
	struct complaints *complaints)
{
	const struct setting *setting = find_setting(key);
	GError *error = NULL;

	if (!setting) {
		complaints_error(complaints,
			"%s: [%s] %.40s: unknown key; hamlet.conf(5) lists them", path, GROUP, key);
		return;
	}
	char *value = g_key_file_get_string(file, GROUP, key, &error);
	if (!value)
		complaints_error(complaints, "%s: [%s] %s: %s", path, GROUP, key, error->message);
	else if (!value_read(&setting->rule, place_value(settings, setting), g_strstrip(value)))
		refuse_value(setting, path, value, complaints);
	g_clear_error(&error);
	g_free(value);
}

static void check_groups(const char *path, GKeyFile *file, struct complaints *complaints)
{
	GStrv groups = g_key_file_get_groups(file, NULL);

	for (size_t i = 0; groups[i]; i++) {
		if (strcmp(groups[i], GROUP) != 0)
			complaints_error(complaints,
				"%s: [%.40s]: unknown group; the known one is [%s]", path,
				groups[i], GROUP);
	}
	g_strfreev(groups);
}

/* GKeyFile takes the last one of two, and keeps to itself that there were two. */
static void check_doubles(
	const char *path, const char *text, size_t length, struct complaints *complaints)
{
	size_t *lines = g_new0(size_t, settings_count);
	char *copy = g_strndup(text, length);
	char **list = g_strsplit(copy, "\n", -1);

	for (size_t i = 0; list[i]; i++) {
		char *equals = strchr(list[i], '=');
		const struct setting *setting;

		if (!equals)
			continue;
		*equals = '\0';
		setting = find_setting(g_strstrip(list[i]));
		if (!setting)
			continue;
		size_t *line = &lines[setting - settings_table];
		if (*line > 0)
			complaints_error(complaints,
				"%s: [%s] %s: given twice, in lines %zu and %zu: "
				"take one away",
				path, GROUP, setting->key, *line, i + 1);
		*line = i + 1;
	}
	g_strfreev(list);
	g_free(copy);
	g_free(lines);
}

/* What each value alone does not show. */
static void check_together(
	const struct settings *settings, const char *path, struct complaints *complaints)
{
	if (settings->service.junk_score_min > settings->service.junk_score_max)
		complaints_error(complaints, "%s: [%s] junk-score-min: more than junk-score-max",
			path, GROUP);
	if (settings->database_bytes > 0 && settings->database_bytes < DATABASE_LEAST)
		complaints_error(complaints,
			"%s: [%s] database-bytes: an empty database takes most of that; 1M is the "
			"least, 0 no limit",
			path, GROUP);
	if (settings->max_buffered_bytes < settings->max_message_bytes)
		complaints_error(complaints,
			"%s: [%s] max-buffered-bytes: less than max-message-bytes", path, GROUP);
}

static void read_keys(
	struct settings *settings, const char *path, GKeyFile *file, struct complaints *complaints)
{
	GStrv keys = g_key_file_get_keys(file, GROUP, NULL, NULL); /* NULL: no such group */

	for (size_t i = 0; keys && keys[i]; i++)
		read_key(settings, path, file, keys[i], complaints);
	g_strfreev(keys);
}

static void refuse_text(const char *path, const GError *error, struct complaints *complaints)
{
	bool bare = g_error_matches(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND);

	complaints_error(complaints, "%s: %s%s", path, error->message,
		bare ? "; settings stand below a line [hamletd]" : "");
}

enum status settings_examine(struct settings *settings, const char *path, const char *text,
	size_t length, struct complaints *complaints)
{
	struct settings fresh;
	GKeyFile *file = g_key_file_new();
	GError *error = NULL;
	size_t before = complaints->errors;
	bool good;

	settings_defaults(&fresh);
	/* Without KEEP_TRANSLATIONS "key[de]=1" would be passed over in silence. */
	if (length > 0 && memchr(text, '\0', length)) {
		complaints_error(complaints, "%s: has a NUL byte", path);
	} else if (length > 0 &&
		!g_key_file_load_from_data(
			file, text, length, G_KEY_FILE_KEEP_TRANSLATIONS, &error)) {
		refuse_text(path, error, complaints);
	} else {
		check_groups(path, file, complaints);
		read_keys(&fresh, path, file, complaints);
		check_doubles(path, text, length, complaints);
		check_together(&fresh, path, complaints);
	}
	good = complaints->errors == before;
	if (good) {
		struct settings former = *settings;

		*settings = fresh;
		fresh = former;
	}
	settings_free(&fresh);
	g_clear_error(&error);
	g_key_file_free(file);
	return good ? STATUS_OK : STATUS_INVALID;
}

enum status settings_parse(struct settings *settings, const char *path, const char *text,
	size_t length, struct failure *failure)
{
	struct complaints complaints = {0};
	enum status status = settings_examine(settings, path, text, length, &complaints);

	if (status != STATUS_OK)
		complaints_first(&complaints, failure);
	complaints_free(&complaints);
	return status;
}

static enum status load_status(const GError *error)
{
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return STATUS_NOTFOUND;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
		return STATUS_DENIED;
	return STATUS_IO;
}

enum status settings_load_all(
	struct settings *settings, const char *path, struct complaints *complaints)
{
	GError *error = NULL;
	char *text = NULL;
	gsize length = 0;
	enum status status = STATUS_INVALID;

	if (!g_file_get_contents(path, &text, &length, &error)) {
		status = load_status(error);
		complaints_error(complaints, "%s", error->message);
	} else if (length > FILE_MAX) {
		complaints_error(complaints, "%s: larger than %zu bytes", path, FILE_MAX);
	} else {
		status = settings_examine(settings, path, text, length, complaints);
	}
	g_clear_error(&error);
	g_free(text);
	return status;
}

enum status settings_load(struct settings *settings, const char *path, struct failure *failure)
{
	struct complaints complaints = {0};
	enum status status = settings_load_all(settings, path, &complaints);

	if (status != STATUS_OK) {
		complaints_first(&complaints, failure);
		if (failure)
			failure->code = status;
	}
	complaints_free(&complaints);
	return status;
}

/* --- Whole settings ------------------------------------------------------ */

void settings_defaults(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < settings_count; i++) {
		bool valid = value_read(&settings_table[i].rule,
			place_value(settings, &settings_table[i]), settings_table[i].fallback);

		g_assert(valid);
	}
}

/* The values are plain bytes or one pointer, so bytes may be exchanged. */
static void exchange(void *first, void *second, size_t size)
{
	char copy[64];

	g_assert(size <= sizeof(copy));
	memcpy(copy, first, size);
	memcpy(first, second, size);
	memcpy(second, copy, size);
}

void settings_adopt(
	struct settings *settings, struct settings *fresh, settings_change_fn *each, void *context)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *setting = &settings_table[i];
		char *before = value_format(&setting->rule, place_value(settings, setting));
		char *after = value_format(&setting->rule, place_value(fresh, setting));

		if (strcmp(before, after) != 0) {
			if (setting->take_over == RELOAD)
				exchange(place_value(settings, setting),
					place_value(fresh, setting), value_size(&setting->rule));
			if (each)
				each(context, setting->key, after, setting->take_over == RELOAD);
		}
		g_free(after);
		g_free(before);
	}
}

char *settings_database(const struct settings *settings)
{
	return g_build_filename(settings->state_directory, "hamlet.sqlite", NULL);
}

/* Numbers stay. */
static void free_texts(struct settings *settings)
{
	for (size_t i = 0; i < settings_count; i++)
		value_free(&settings_table[i].rule, place_value(settings, &settings_table[i]));
}

void settings_free(struct settings *settings)
{
	free_texts(settings);
	memset(settings, 0, sizeof(*settings));
}

struct service_settings service_defaults(void)
{
	struct settings settings;

	settings_defaults(&settings);
	free_texts(&settings);
	return settings.service;
}

void settings_print(const struct settings *settings,
	void (*each)(void *context, const char *key, const char *value), void *context)
{
	for (size_t i = 0; i < settings_count; i++) {
		char *value = value_format(
			&settings_table[i].rule, place_value(settings, &settings_table[i]));

		each(context, settings_table[i].key, value);
		g_free(value);
	}
}
