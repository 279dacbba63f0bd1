/* The settings of hamlet.conf: text in, checked values out.
 *
 * The file has the syntax of GKeyFile. Groups and keys that are not known are errors, and every
 * error names file, group and key and what is allowed. The table in table.c says what there is.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/settings/complaints.h"
#include "engine/settings/service-settings.h"

/* What the milter does with a message that cannot be judged. */
enum on_failure { ON_FAILURE_ACCEPT, ON_FAILURE_TEMPFAIL };

/* The most important first. */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* When reports and the global store are written. */
struct writer_settings {
	uint64_t commit_delay; /* milliseconds a press may wait for others */
	uint64_t commit_reports; /* most presses of a batch */
	uint64_t checkpoint_seconds; /* longest time between checkpoints */
	uint64_t checkpoint_tokens; /* changed tokens that call for one */
};

/* Group [hamletd]; table.c says what each is. Strings and lists are owned, lists end in NULL, and
 * an address or a file that is not set is "". */
struct settings {
	char *state_directory;
	char *runtime_directory;
	uint64_t socket_mode;
	char *socket_group;
	char *listen_tcp;
	char *listen_http;
	char *http_token_file;
	char *listen_milter;
	enum on_failure on_failure;
	bool judge_authenticated;
	char **reporters;
	char **administrators;
	bool sandbox;
	uint64_t workers;
	uint64_t max_connections;
	uint64_t max_jobs;
	uint64_t max_message_bytes;
	uint64_t max_buffered_bytes;
	uint64_t header_timeout;
	uint64_t body_timeout;
	struct writer_settings writer;
	struct service_settings service; /* without retention.bytes: see settings_of_service */
	uint64_t database_bytes; /* or a share: see budget.h */
	double ham_lost_target;
	bool adopt_thresholds;
	uint64_t housekeeping_seconds;
	bool log_users;
	enum log_level log_level;
};

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
