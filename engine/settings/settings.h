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

/* Group [hamletd]. Strings are owned. */
struct settings {
	char *state_directory; /* the database hamlet.sqlite is here */
	char *runtime_directory; /* sockets are here */
	uint64_t socket_mode; /* octal in the file */
	char *socket_group; /* "" = the daemon's own */
	char *listen_tcp; /* "127.0.0.1:783", "" = none; loopback only */
	char *listen_http; /* as listen_tcp */
	char *http_token_file; /* path or "" */
	char *listen_milter; /* as listen_tcp */
	char *on_failure; /* accept, tempfail */
	bool judge_authenticated;
	char **reporters; /* logins that may report for any user; NULL-terminated */
	char **administrators; /* logins that may do everything */
	bool sandbox; /* is what is never needed given up after the start */
	uint64_t workers; /* threads; 0 = one a processor */
	uint64_t max_connections;
	uint64_t max_jobs; /* messages being worked on or waiting for a thread */
	uint64_t max_message_bytes;
	uint64_t max_buffered_bytes; /* of all requests together */
	uint64_t header_timeout; /* seconds for the request's headers */
	uint64_t body_timeout; /* seconds without a byte of the body, or of progress in writing */
	uint64_t commit_delay; /* milliseconds a report may wait for others */
	uint64_t commit_reports; /* reports that are committed at once */
	uint64_t checkpoint_seconds; /* longest time between checkpoints of the global store */
	uint64_t checkpoint_tokens; /* changed tokens that call for one */
	double junk_probability;
	double threshold;
	double label_error;
	bool default_consent;
	uint64_t user_reports;
	uint64_t user_cache_bytes;
	uint64_t global_tokens;
	bool log_users; /* do log lines name users */
	char *user_case; /* fold, keep */
	char *recipient_delimiter; /* each character is one; "" = none */
	double reject_score;
	char *spam_action; /* tag, junk, reject */
	double junk_score_min;
	double junk_score_max;
	double own_shift;
	double reject_uncertainty;
	char **authserv_ids;
	char **authentication_headers;
	bool authentication_below_received;
	char **own_networks;
	char *trusted_senders; /* path or "" */
	uint64_t flip_seconds;
	uint64_t mass_selection;
	double ham_lost_target;
	bool adopt_thresholds;
	uint64_t retention_days;
	uint64_t retention_reports;
	uint64_t idle_days;
	uint64_t expire_most; /* percent of the reports */
	uint64_t database_bytes; /* or a share: see budget.h */
	uint64_t housekeeping_seconds;
	char *log_level; /* error, warning, info, debug */
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
