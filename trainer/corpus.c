/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/corpus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

struct walk {
	corpus_message_fn *each;
	void *context;
	struct failure *failure;
};

/* The start of the next "From " line after a blank one, or the end. */
static const char *find_separator(const char *from, const char *end)
{
	while (from < end) {
		const char *line = memchr(from, '\n', (size_t)(end - from));
		if (!line)
			return end;
		line++;
		bool blank = (line < end && *line == '\n') ||
			(line + 1 < end && line[0] == '\r' && line[1] == '\n');
		if (blank) {
			const char *next = line + (*line == '\r' ? 2 : 1);
			if (end - next >= 5 && memcmp(next, "From ", 5) == 0)
				return next;
		}
		from = line;
	}
	return end;
}

static enum status walk_mbox(struct walk *walk, const char *path, const char *data, size_t length)
{
	const char *end = data + length;
	const char *at = data;
	enum status status = STATUS_OK;

	while (at < end && status == STATUS_OK) {
		const char *next = find_separator(at, end);
		status = walk->each(
			walk->context, path, (size_t)(at - data), at, (size_t)(next - at));
		at = next;
	}
	return status;
}

static enum status walk_file(struct walk *walk, const char *path)
{
	GError *error = NULL;
	GMappedFile *file = g_mapped_file_new(path, FALSE, &error);

	if (!file) {
		enum status status = failure_set(
			walk->failure, STATUS_IO, "%s", error->message);
		g_error_free(error);
		return status;
	}
	const char *data = g_mapped_file_get_contents(file);
	size_t length = g_mapped_file_get_length(file);
	enum status status = STATUS_OK;
	if (length >= 5 && memcmp(data, "From ", 5) == 0)
		status = walk_mbox(walk, path, data, length);
	else if (length > 0)
		status = walk->each(walk->context, path, 0, data, length);
	g_mapped_file_unref(file);
	return status;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum status list_folder(const char *path, GPtrArray *names, struct failure *failure)
{
	GError *error = NULL;
	GDir *folder = g_dir_open(path, 0, &error);

	if (!folder) {
		enum status status =
			failure_set(failure, STATUS_IO, "%s", error->message);
		g_error_free(error);
		return status;
	}
	for (const char *name; (name = g_dir_read_name(folder));) {
		if (name[0] != '.' && strcmp(name, "tmp") != 0)
			g_ptr_array_add(names, g_build_filename(path, name, NULL));
	}
	g_dir_close(folder);
	g_ptr_array_sort(names, compare_names);
	return STATUS_OK;
}

static enum status walk_path(struct walk *walk, const char *path)
{
	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		return walk_file(walk, path);

	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	enum status status = list_folder(path, names, walk->failure);
	for (guint i = 0; i < names->len && status == STATUS_OK; i++)
		status = walk_path(walk, names->pdata[i]);
	g_ptr_array_unref(names);
	return status;
}

enum status corpus_walk(
	const char *path, corpus_message_fn *each, void *context, struct failure *failure)
{
	struct walk walk = {.each = each, .context = context, .failure = failure};

	return walk_path(&walk, path);
}

static bool parse_label(const char *word, struct corpus_entry *entry)
{
	static const struct {
		const char *word;
		bool spam;
		enum corpus_use use;
	} labels[] = {
		{"spam", true, CORPUS_BOTH},
		{"ham", false, CORPUS_BOTH},
		{"Spam", true, CORPUS_SCORED},
		{"Ham", false, CORPUS_SCORED},
		{"SPAM", true, CORPUS_LEARNED},
		{"HAM", false, CORPUS_LEARNED},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
		if (strcmp(word, labels[i].word) != 0)
			continue;
		entry->spam = labels[i].spam;
		entry->use = labels[i].use;
		return true;
	}
	return false;
}

/* Splits "label path [user]" in place. */
static bool parse_line(char *line, const char *folder, struct corpus_entry *entry)
{
	char **words = g_strsplit_set(g_strstrip(line), " \t", 3);
	bool good = words[0] && words[1] && *words[1] && parse_label(words[0], entry);

	if (good) {
		entry->path = g_path_is_absolute(words[1]) ? g_strdup(words[1])
							   : g_build_filename(folder, words[1], NULL);
		entry->user = g_strdup(words[2] ? g_strstrip(words[2]) : "");
	}
	g_strfreev(words);
	return good;
}

enum status corpus_read_index(
	struct corpus_index *index, const char *path, struct failure *failure)
{
	enum status status = STATUS_OK;
	GError *error = NULL;
	char *text = NULL;

	*index = (struct corpus_index){0};
	if (!g_file_get_contents(path, &text, NULL, &error)) {
		status = failure_set(failure, STATUS_IO, "reading the index: %s", error->message);
		g_error_free(error);
		return status;
	}
	char *folder = g_path_get_dirname(path);
	char **lines = g_strsplit(text, "\n", -1);
	index->entries = g_new0(struct corpus_entry, g_strv_length(lines) + 1);
	for (size_t i = 0; lines[i] && status == STATUS_OK; i++) {
		if (*g_strstrip(lines[i]) == '\0' || lines[i][0] == '#')
			continue;
		if (parse_line(lines[i], folder, &index->entries[index->count]))
			index->count++;
		else
			status = failure_set(failure, STATUS_INVALID,
				"%s line %zu: expected `spam|ham PATH [USER]`", path, i + 1);
	}
	g_strfreev(lines);
	g_free(folder);
	g_free(text);
	if (status != STATUS_OK)
		corpus_free_index(index);
	return status;
}

void corpus_free_index(struct corpus_index *index)
{
	for (size_t i = 0; i < index->count; i++) {
		g_free(index->entries[i].path);
		g_free(index->entries[i].user);
	}
	g_free(index->entries);
	*index = (struct corpus_index){0};
}
