/* Reads an index file and the messages that it names.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/corpus.h"

#include <string.h>

#include <glib.h>

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
		entry->path = g_path_is_absolute(words[1])
			? g_strdup(words[1])
			: g_build_filename(folder, words[1], NULL);
		entry->user = g_strdup(words[2] ? g_strstrip(words[2]) : "");
	}
	g_strfreev(words);
	return good;
}

enum status corpus_read_index(struct corpus_index *index, const char *path, struct failure *failure)
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
