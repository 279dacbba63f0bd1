/* The values of the settings, and the table of what each one is called, what it may be, and what
 * people read of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/settings/service-settings.h"
#include "engine/settings/value.h"

/* What the milter does with a message that cannot be judged. */
enum on_failure { ON_FAILURE_ACCEPT, ON_FAILURE_TEMPFAIL };

/* The most important first. */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* When reports and the global evidence are written. */
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

/* The sections of hamlet.conf and of its manual, in their order. */
enum section {
	SECTION_PLACES,
	SECTION_RIGHTS,
	SECTION_LIMITS,
	SECTION_DURABILITY,
	SECTION_VERDICTS,
	SECTION_BELIEF,
	SECTION_THRESHOLDS,
	SECTION_HOUSEKEEPING,
	SECTION_LOG,
};

/* What SIGHUP does about a new value. */
enum take_over { RELOAD, RESTART };

/* The texts are plain English for both documents. 'Single quotes' mark what is literal;
 * hamletd(8) becomes a reference, and a key with a dash is recognised. */
struct setting {
	const char *key;
	struct value_rule rule;
	size_t offset; /* of the value in struct settings */
	const char *fallback; /* the default, as the file would write it */
	enum section section;
	enum take_over take_over;
	const char *text; /* for hamlet.conf and hamlet.conf(5) */
	const char *more; /* for hamlet.conf(5) alone, or NULL; "\n\n" begins a paragraph */
};

/* In the order of the documents: settings of a section stand together. */
extern const struct setting settings_table[];
extern const size_t settings_count;

/* By enum section. */
extern const struct settings_section {
	const char *title;
	const char *text; /* what holds for all of them, or NULL */
} settings_sections[];
