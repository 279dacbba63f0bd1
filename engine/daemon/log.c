/* Lines of the log, by way of GLib.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/log.h"

#include <glib.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAIN "hamletd"

/* Longer values are cut: a client chooses some of them. */
static const size_t VALUE_MAX = 512;

/* Read on any thread, since libraries log on any; written by the loop's. */
struct log {
	_Atomic(enum log_level) level;
	bool users;
	bool journal; /* standard error goes to the journal: it adds the time */
};

static const struct {
	const char *name;
	GLogLevelFlags flags;
	char priority; /* of syslog(3) */
} LEVELS[] = {
	[LOG_ERROR] = {"error", G_LOG_LEVEL_CRITICAL, '3'},
	[LOG_WARNING] = {"warning", G_LOG_LEVEL_WARNING, '4'},
	[LOG_INFO] = {"info", G_LOG_LEVEL_INFO, '6'},
	[LOG_DEBUG] = {"debug", G_LOG_LEVEL_DEBUG, '7'},
};

static bool is_plain(const char *text)
{
	static const char OTHERS[] = "_-./:@+%,";

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!g_ascii_isalnum(*text) && !strchr(OTHERS, *text))
			return false;
	}
	return true;
}

/* UTF-8 stays as it is; octets that are none, and controls, become \xNN. */
static void append_quoted(GString *line, const char *text)
{
	const char *end = text + strnlen(text, VALUE_MAX);

	g_string_append_c(line, '"');
	while (text < end) {
		gunichar letter = g_utf8_get_char_validated(text, end - text);
		bool valid = letter != (gunichar)-1 && letter != (gunichar)-2;

		if (*text == '"' || *text == '\\')
			g_string_append_printf(line, "\\%c", *text++);
		else if (!valid || !g_unichar_isprint(letter))
			g_string_append_printf(line, "\\x%02x", (unsigned char)*text++);
		else {
			g_string_append_unichar(line, letter);
			text = g_utf8_next_char(text);
		}
	}
	g_string_append_c(line, '"');
}

static void append_text(GString *line, const char *text)
{
	if (is_plain(text) && strlen(text) <= VALUE_MAX)
		g_string_append(line, text);
	else
		append_quoted(line, text);
}

static void append_field(GString *line, const struct log_field *field)
{
	g_string_append_printf(line, " %s=", field->key);
	switch (field->type) {
	case LOG_FIELD_TEXT:
	case LOG_FIELD_USER:
		append_text(line, field->text);
		break;
	case LOG_FIELD_NUMBER:
		g_string_append_printf(line, "%" G_GINT64_FORMAT, field->number);
		break;
	case LOG_FIELD_HEX:
		g_string_append_printf(line, "%016" G_GINT64_MODIFIER "x", field->number);
		break;
	case LOG_FIELD_REAL:
		g_string_append_printf(line, "%.3f", field->real);
		break;
	}
}

void log_event(
	struct log *log, enum log_level level, const char *event, const struct log_field *fields)
{
	if (level > atomic_load_explicit(&log->level, memory_order_relaxed))
		return;

	GString *line = g_string_new("event=");
	g_string_append(line, event);
	for (const struct log_field *field = fields; field && field->key; field++) {
		if (field->type != LOG_FIELD_USER || log->users)
			append_field(line, field);
	}
	GLogField structured[] = {
		{"MESSAGE", line->str, -1},
		{"GLIB_DOMAIN", DOMAIN, -1},
	};
	g_log_structured_array(LEVELS[level].flags, structured, G_N_ELEMENTS(structured));
	g_string_free(line, TRUE);
}

static enum log_level level_of(GLogLevelFlags flags)
{
	if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
		return LOG_ERROR;
	if (flags & G_LOG_LEVEL_WARNING)
		return LOG_WARNING;
	return flags & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO) ? LOG_INFO : LOG_DEBUG;
}

static const char *find_field(const GLogField *fields, gsize count, const char *key)
{
	for (gsize i = 0; i < count; i++) {
		if (strcmp(fields[i].key, key) == 0 && fields[i].length < 0)
			return fields[i].value;
	}
	return "";
}

/* One write(2) a line, so that lines of several threads do not mix. */
static void write_line(const struct log *log, enum log_level level, const char *text)
{
	GString *line = g_string_new(NULL);

	if (log->journal) {
		g_string_append_printf(line, "<%c>", LEVELS[level].priority);
	} else {
		GDateTime *now = g_date_time_new_now_utc();
		char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");

		g_string_append_printf(line, "time=%s level=%s ", time, LEVELS[level].name);
		g_free(time);
		g_date_time_unref(now);
	}
	g_string_append_printf(line, "%s\n", text);
	if (write(STDERR_FILENO, line->str, line->len) < 0) {
		/* There is no place left to say so. */
	}
	g_string_free(line, TRUE);
}

/* What GLib itself has to say names code, never data; of other libraries that
 * is not known, so only that they spoke is logged. */
static GLogWriterOutput on_log(
	GLogLevelFlags flags, const GLogField *fields, gsize count, gpointer user_data)
{
	const struct log *log = user_data;
	const char *text = find_field(fields, count, "MESSAGE");
	const char *domain = find_field(fields, count, "GLIB_DOMAIN");
	enum log_level level = level_of(flags);

	if (level > atomic_load_explicit(&log->level, memory_order_relaxed))
		return G_LOG_WRITER_HANDLED;
	if (strcmp(domain, DOMAIN) == 0) {
		write_line(log, level, text);
		return G_LOG_WRITER_HANDLED;
	}
	GString *line = g_string_new("event=library domain=");
	append_text(line, domain);
	if (g_str_has_prefix(domain, "GLib")) {
		g_string_append(line, " text=");
		append_text(line, text);
	}
	write_line(log, level, line->str);
	g_string_free(line, TRUE);
	return G_LOG_WRITER_HANDLED;
}

/* Does the standard error lead to the journal? See systemd.exec(5). */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char expected[64];

	if (!stream || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(expected, sizeof(expected), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	return strcmp(stream, expected) == 0;
}

struct log *log_new(void)
{
	struct log *log = g_new0(struct log, 1);

	atomic_init(&log->level, LOG_INFO);
	log->journal = is_journal();
	g_log_set_writer_func(on_log, log, NULL);
	return log;
}

/* GLib keeps the pointer, but nobody logs any more. */
void log_free(struct log **log)
{
	g_free(*log);
	*log = NULL;
}

void log_configure(struct log *log, enum log_level level, bool users)
{
	atomic_store_explicit(&log->level, level, memory_order_relaxed);
	log->users = users;
}
