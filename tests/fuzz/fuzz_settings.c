/* Any configuration file is either refused with a reason or gives values that,
 * printed and read again, are the same ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/settings/budget.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_line(void *context, const char *key, const char *value)
{
	fprintf(context, "%s = ", key);
	for (; *value; value++) {
		if (*value == '\\')
			fputc('\\', context);
		if (*value == '\n')
			fputs("\\n", context);
		else if (*value == '\r')
			fputs("\\r", context);
		else
			fputc(*value, context);
	}
	fputc('\n', context);
}

static char *print_all(const struct settings *settings)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	fputs("[hamletd]\n", stream);
	settings_print(settings, print_line, stream);
	fclose(stream);
	return text;
}

static void on_change(void *context, const char *key, const char *value, bool taken)
{
	assert(*key && value);
	*(int *)context += taken;
}

/* Over the defaults, as a daemon that runs takes them: what was taken does not differ any
 * more. */
static void adopt(struct settings *fresh)
{
	struct settings running;
	struct settings copy = {0};
	struct failure failure;
	int taken = 0, again = 0;
	char *text = print_all(fresh);

	settings_defaults(&running);
	assert(settings_parse(&copy, "copy", text, strlen(text), &failure) == STATUS_OK);
	settings_adopt(&running, fresh, on_change, &taken);
	settings_adopt(&running, &copy, on_change, &again);
	assert(again == 0 || taken == 0);
	settings_free(&running);
	settings_free(&copy);
	free(text);
}

/* The same text as a file. */
static void load(const uint8_t *data, size_t size, bool valid)
{
	struct memory_file file = memory_file_open(data, size);
	struct settings settings = {0};
	struct failure failure = {0};

	assert((settings_load(&settings, file.path, &failure) == STATUS_OK) == valid);
	settings_free(&settings);
	close(file.descriptor);
	assert(settings_load(&settings, "/nowhere/hamlet.conf", &failure) == STATUS_NOTFOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = {0}, again = {0};
	struct failure failure = {0};

	if (settings_parse(&settings, "fuzz", (const char *)data, size, &failure) != STATUS_OK) {
		assert(failure.code != STATUS_OK && failure.detail[0] != '\0');
		load(data, size, false);
		return 0;
	}
	load(data, size, true);
	char *text = print_all(&settings);
	enum status status = settings_parse(&again, "again", text, strlen(text), &failure);
	assert(status == STATUS_OK);
	char *text_again = print_all(&again);
	assert(strcmp(text, text_again) == 0);
	free(text_again);
	free(text);
	adopt(&again);
	assert(settings_budget(&settings) < UINT64_MAX / 2);
	settings_free(&again);
	settings_free(&settings);
	return 0;
}
