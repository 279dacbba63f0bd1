/* The settings of hamlet.conf: text in, checked values out.
 *
 * The file has the syntax of GKeyFile. Groups and keys that are not known are errors, and every
 * error names file, group and key and what is allowed. The table in table.c says what there is.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"
#include "engine/settings/complaints.h"
#include "engine/settings/table.h"

/* Fills *settings with the defaults; paths are compiled in. */
void settings_defaults(struct settings *settings);

/* Reads `length` bytes of a configuration file; `path` is for messages only.
 * What the text does not name gets its default. On failure *settings is
 * unchanged; on success the former strings are released, so that it must have
 * been filled or zeroed before. STATUS_INVALID with the detail. */
enum status settings_parse(struct settings *settings, const char *path, const char *text,
	size_t length, struct failure *failure);

/* The same with all that is wrong, not only the first; settings_load_all from a file. A key that is given twice is an
 * error: which one was meant nobody can tell. */
enum status settings_examine(struct settings *settings, const char *path, const char *text,
	size_t length, struct complaints *complaints);
enum status settings_load_all(
	struct settings *settings, const char *path, struct complaints *complaints);

/* settings_parse from a file. STATUS_NOTFOUND, STATUS_DENIED, STATUS_IO, STATUS_INVALID. */
enum status settings_load(struct settings *settings, const char *path, struct failure *failure);

/* What settings_adopt tells of a key whose value is another one: taken over, or
 * left as it was because it takes effect at a start only. */
typedef void settings_change_fn(void *context, const char *key, const char *value, bool taken);

/* Takes from *fresh what can change while the program runs; `each` may be NULL.
 * *fresh gets the former values, to be released with settings_free. */
void settings_adopt(
	struct settings *settings, struct settings *fresh, settings_change_fn *each, void *context);

/* Path of the database that hamletd keeps; to be freed with g_free. */
char *settings_database(const struct settings *settings);

/* Releases what *settings owns and zeroes it. */
void settings_free(struct settings *settings);

/* Calls `each` for every key with its value as the file would write it. */
void settings_print(const struct settings *settings,
	void (*each)(void *context, const char *key, const char *value), void *context);
