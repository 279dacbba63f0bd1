/* Writes one line of results a message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/results-file.h"

#include <glib.h>

char *results_field(const char *name)
{
	char *field = g_utf8_make_valid(name, -1);

	for (char *c = field; *c; c++) {
		if (g_ascii_isspace(*c) || g_ascii_iscntrl(*c))
			*c = '_';
	}
	return field;
}

static void add_result_line(
	GString *text, const struct corpus_entry *entry, const struct result *result)
{
	char *user = results_field(entry->user);

	g_string_append_printf(text,
		"file=%s judge=%s class=%s score=%.6f user=%s genre= runid=hamlet\n", entry->path,
		result->spam ? "spam" : "ham", result->called_spam ? "spam" : "ham", result->score,
		user);
	g_free(user);
}

enum status results_write(const char *path, const struct evaluation *evaluation,
	const struct corpus_index *index, struct failure *failure)
{
	GString *text = g_string_new(NULL);
	GError *error = NULL;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < evaluation->count; i++)
		add_result_line(text, &index->entries[evaluation->messages[i].entry],
			&evaluation->results[i]);
	if (!g_file_set_contents(path, text->str, (gssize)text->len, &error)) {
		status = failure_set(failure, STATUS_IO, "%s", error->message);
		g_error_free(error);
	}
	g_string_free(text, TRUE);
	return status;
}
