/* The values of the settings, and the table of what each one is called, what it may be, and what
 * people read of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/settings/value.h"

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
