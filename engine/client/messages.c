/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

enum { DEEPEST = 8, MESSAGE_MAX = 256 << 20 };

/* The next "From " line at the beginning of a line, or the end. */
static const char *next_message(const char *at, const char *end)
{
	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		if (!line)
			return end;
		at = line + 1;
		if (end - at >= 5 && memcmp(at, "From ", 5) == 0)
			return at;
	}
	return end;
}

static bool give(const char *data, size_t length, bool mbox, messages_fn *each, void *context)
{
	const char *end = data + length;
	bool good = true;

	if (!mbox)
		return each(context, data, length);
	while (data < end && good) {
		const char *next = next_message(data, end);

		good = each(context, data, (size_t)(next - data));
		data = next;
	}
	return good;
}

static bool give_input(bool mbox, messages_fn *each, void *context)
{
	GString *data = g_string_new(NULL);
	char part[65536];
	size_t size;
	bool good = true;

	while ((size = fread(part, 1, sizeof(part), stdin)) > 0 && data->len < MESSAGE_MAX)
		g_string_append_len(data, part, (gssize)size);
	good = give(data->str, data->len, mbox, each, context);
	g_string_free(data, TRUE);
	return good;
}

static bool give_file(const char *path, bool mbox, messages_fn *each, void *context)
{
	GError *error = NULL;
	GMappedFile *file = g_mapped_file_new(path, FALSE, &error);
	bool good = false;

	if (!file) {
		fprintf(stderr, "%s\n", error->message);
		g_error_free(error);
		return false;
	}
	const char *data = g_mapped_file_get_contents(file);
	good = give(data ? data : "", g_mapped_file_get_length(file), mbox, each, context);
	g_mapped_file_unref(file);
	return good;
}

static bool give_folder(const char *path, unsigned depth, messages_fn *each, void *context)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;
	bool good = folder != NULL;

	if (!folder)
		fprintf(stderr, "%s: cannot be read\n", path);
	while (good && (name = g_dir_read_name(folder))) {
		char *inner = g_build_filename(path, name, NULL);
		bool directory = g_file_test(inner, G_FILE_TEST_IS_DIR);

		if (*name == '.')
			;
		else if (!directory)
			good = give_file(inner, false, each, context);
		else if (depth < DEEPEST && (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0))
			good = give_folder(inner, depth + 1, each, context);
		g_free(inner);
	}
	if (folder)
		g_dir_close(folder);
	return good;
}

bool messages_at(const char *path, bool mbox, messages_fn *each, void *context)
{
	if (strcmp(path, "-") == 0)
		return give_input(mbox, each, context);
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return give_folder(path, 0, each, context);
	return give_file(path, mbox, each, context);
}

const char *messages_user(void)
{
	const char *user = getenv("HAMLET_USER");

	return user && *user ? user : g_get_user_name();
}
