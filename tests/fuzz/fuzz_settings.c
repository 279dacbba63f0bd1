/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Any configuration file is either refused with a reason or gives values that,
 * printed and read again, are the same ones. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/settings/settings.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings settings = {0}, again = {0};
	struct failure failure = {0};

	if (settings_parse(&settings, "fuzz", (const char *)data, size, &failure) != STATUS_OK) {
		assert(failure.code != STATUS_OK && failure.detail[0] != '\0');
		return 0;
	}
	char *text = print_all(&settings);
	enum status status = settings_parse(&again, "again", text, strlen(text), &failure);
	assert(status == STATUS_OK);
	char *text_again = print_all(&again);
	assert(strcmp(text, text_again) == 0);
	free(text_again);
	free(text);
	settings_free(&again);
	settings_free(&settings);
	return 0;
}
