/* The log: one line per event, key=value, through GLib's structured logging to
 * the standard error. Nothing of a message is ever logged, and users only where
 * the operator allows it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/settings/settings.h"

/* One key=value; made by the functions below. */
struct log_field {
	const char *key; /* NULL: the end of the fields, or left out */
	enum {
		LOG_FIELD_TEXT,
		LOG_FIELD_NUMBER,
		LOG_FIELD_REAL,
		LOG_FIELD_HEX,
		LOG_FIELD_USER
	} type;
	const char *text;
	int64_t number;
	double real;
};

struct log;

/* Takes over GLib's log writer, which can be done once a process: what GLib and
 * the libraries on it have to say goes the same way. Never NULL. */
struct log *log_new(void);
void log_free(struct log **log);

void log_configure(struct log *log, enum log_level level, bool users);

/* Writes event=EVENT and the fields, up to the one without a key. */
void log_event(
	struct log *log, enum log_level level, const char *event, const struct log_field *fields);

/* So that what may come with every message is told once a second; zeroed = never told. */
struct log_limit {
	uint64_t second;
};

/* May it be told at this time, in milliseconds? Not again in the same second. */
static inline bool log_limit_passes(struct log_limit *limit, uint64_t now_ms)
{
	bool passes = limit->second != now_ms / 1000;

	limit->second = now_ms / 1000;
	return passes;
}

static inline struct log_field log_text(const char *key, const char *text)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_TEXT, .text = text};
}

/* Left out unless the operator allows it. */
static inline struct log_field log_user(const char *user)
{
	return (struct log_field){.key = "user", .type = LOG_FIELD_USER, .text = user};
}

static inline struct log_field log_number(const char *key, int64_t number)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_NUMBER, .number = number};
}

static inline struct log_field log_hex(const char *key, uint64_t number)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_HEX, .number = (int64_t)number};
}

static inline struct log_field log_real(const char *key, double real)
{
	return (struct log_field){.key = key, .type = LOG_FIELD_REAL, .real = real};
}
