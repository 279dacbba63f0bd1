/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/settings.h"

#include <glib.h>
#include <string.h>

#include "engine/service/service.h"
#include "engine/settings/value.h"

static const char GROUP[] = "hamletd";
static const uint64_t DATABASE_LEAST = 1 << 20;

/* Larger is no configuration but a mistake in a path. */
static const size_t FILE_MAX = (size_t)1 << 20;

/* When a new value takes effect. */
enum when { RELOAD, RESTART };

struct entry {
	const char *key;
	struct value_rule rule;
	size_t offset;
	const char *fallback;
	enum when when;
	const char *text;
};

static const char *const LEVELS[] = {"error", "warning", "info", "debug", NULL};
static const char *const FAILURES[] = {"accept", "tempfail", NULL};
static const char *const CASES[] = {"fold", "keep", NULL};
static const char *const ACTIONS[] = {"tag", "junk", "reject", NULL};

#define KIB        1024.0
#define MIB        (1024 * KIB)
#define GIB        (1024 * MIB)
#define AT(member) offsetof(struct settings, member)

/* Ranges keep out slips of the keyboard, not unusual sites. A new key belongs
 * into data/conf/hamlet.conf.in and man/hamlet.conf.5 too. */
static const struct entry ENTRIES[] = {
	{"state-directory", {TYPE_PATH, 0, 0, NULL}, AT(state_directory), SETTINGS_STATE_DIRECTORY,
		RESTART, "where the database hamlet.sqlite is"},
	{"runtime-directory", {TYPE_PATH, 0, 0, NULL}, AT(runtime_directory),
		SETTINGS_RUNTIME_DIRECTORY, RESTART, "where the socket spamd.sock is"},
	{"socket-mode", {TYPE_OCTAL, 0, 0777, NULL}, AT(socket_mode), "0660", RESTART,
		"permissions of the socket, octal"},
	{"socket-group", {TYPE_TEXT, 0, 0, NULL}, AT(socket_group), "", RESTART,
		"group of the socket; empty: the daemon's own"},
	{"listen-tcp", {TYPE_ADDRESS, 0, 0, NULL}, AT(listen_tcp), "", RESTART,
		"loopback address and port to listen on as well; empty: none"},
	{"listen-http", {TYPE_ADDRESS, 0, 0, NULL}, AT(listen_http), "", RESTART,
		"loopback address and port of HTTP with a token; empty: none"},
	{"http-token-file", {TYPE_TEXT, 0, 0, NULL}, AT(http_token_file), "", RESTART,
		"file with the token that clients of listen-http show"},
	{"listen-milter", {TYPE_ADDRESS, 0, 0, NULL}, AT(listen_milter), "", RESTART,
		"loopback address and port of the milter, beside its Unix socket; empty: none"},
	{"on-failure", {TYPE_WORD, 0, 0, FAILURES}, AT(on_failure), "accept", RELOAD,
		"what the milter does with a message that cannot be judged: accept or tempfail"},
	{"judge-authenticated", {TYPE_BOOL, 0, 0, NULL}, AT(judge_authenticated), "false", RELOAD,
		"does the milter judge mail of clients that have authenticated themselves"},
	{"reporters", {TYPE_LIST, 0, 0, NULL}, AT(reporters), "", RELOAD,
		"logins that may report for any user"},
	{"administrators", {TYPE_LIST, 0, 0, NULL}, AT(administrators), "", RELOAD,
		"logins that may do everything"},
	{"sandbox", {TYPE_BOOL, 0, 0, NULL}, AT(sandbox), "true", RESTART,
		"does hamletd give up what it never needs once it serves"},
	{"workers", {TYPE_NUMBER, 0, 256, NULL}, AT(workers), "0", RESTART,
		"threads that read messages; 0: one a processor"},
	{"max-connections", {TYPE_NUMBER, 1, 100000, NULL}, AT(max_connections), "1000", RELOAD,
		"open connections; one more is refused"},
	{"max-jobs", {TYPE_NUMBER, 1, 100000, NULL}, AT(max_jobs), "500", RELOAD,
		"messages worked on or waiting for a thread; one more is refused"},
	{"max-message-bytes", {TYPE_BYTES, KIB, GIB, NULL}, AT(max_message_bytes), "32M", RELOAD,
		"size of a message; a larger one is refused"},
	{"max-buffered-bytes", {TYPE_BYTES, KIB, 1024 * GIB, NULL}, AT(max_buffered_bytes), "512M",
		RELOAD, "memory of all requests together; what passes it is refused"},
	{"header-timeout", {TYPE_NUMBER, 1, 3600, NULL}, AT(header_timeout), "30", RELOAD,
		"seconds that a client has for the headers of its request"},
	{"body-timeout", {TYPE_NUMBER, 1, 3600, NULL}, AT(body_timeout), "60", RELOAD,
		"seconds that a client may neither send nor take a byte, or be slower than 1 kB/s"},
	{"commit-delay", {TYPE_NUMBER, 0, 10000, NULL}, AT(commit_delay), "5", RELOAD,
		"milliseconds that a report waits for others to be committed with"},
	{"commit-reports", {TYPE_NUMBER, 1, 10000, NULL}, AT(commit_reports), "200", RELOAD,
		"reports that are committed at once"},
	{"checkpoint-seconds", {TYPE_NUMBER, 1, 86400, NULL}, AT(checkpoint_seconds), "300", RELOAD,
		"longest time between checkpoints of the global store"},
	{"checkpoint-tokens", {TYPE_NUMBER, 1000, 1e9, NULL}, AT(checkpoint_tokens), "200000",
		RELOAD, "changed tokens that call for a checkpoint"},
	{"junk-probability", {TYPE_REAL, 0.01, 0.9999, NULL}, AT(junk_probability), "0.9", RELOAD,
		"probability of spam from which on a message is spam"},
	{"threshold", {TYPE_REAL, -1000, 1000, NULL}, AT(threshold), "5", RELOAD,
		"score that stands for the junk probability"},
	{"label-error", {TYPE_REAL, 0, 0.5, NULL}, AT(label_error), "0.12", RELOAD,
		"how often people press the wrong button"},
	{"default-consent", {TYPE_BOOL, 0, 0, NULL}, AT(default_consent), "false", RELOAD,
		"does a report teach the global store when nothing else tells"},
	{"user-reports", {TYPE_NUMBER, 1, 1e6, NULL}, AT(user_reports), "500", RELOAD,
		"newest reports of a user that count for that user"},
	{"user-cache-bytes", {TYPE_BYTES, MIB, 1024 * GIB, NULL}, AT(user_cache_bytes), "256M",
		RELOAD, "memory for users' stores"},
	{"global-tokens", {TYPE_NUMBER, 0, 1e10, NULL}, AT(global_tokens), "0", RESTART,
		"most tokens of the global store; 0: no limit"},
	{"log-users", {TYPE_BOOL, 0, 0, NULL}, AT(log_users), "false", RELOAD,
		"do log lines name users"},
	{"user-case", {TYPE_WORD, 0, 0, CASES}, AT(user_case), "fold", RESTART,
		"are BOB@example.org and bob@example.org one user: fold (yes) or keep (no)"},
	{"recipient-delimiter", {TYPE_TEXT, 0, 0, NULL}, AT(recipient_delimiter), "+", RESTART,
		"characters that begin an address's extension, as Postfix has them; empty: none"},
	{"spam-action", {TYPE_WORD, 0, 0, ACTIONS}, AT(spam_action), "junk", RELOAD,
		"what happens to spam where no policy says: tag, junk or reject"},
	{"reject-score", {TYPE_REAL, -1000, 1000, NULL}, AT(reject_score), "10", RELOAD,
		"score from which on spam is rejected, where it is rejected at all"},
	{"reject-uncertainty", {TYPE_REAL, 0, 100, NULL}, AT(reject_uncertainty), "4", RELOAD,
		"standard deviation of a score's margin above which nothing is rejected for it"},
	{"junk-score-min", {TYPE_REAL, -1000, 1000, NULL}, AT(junk_score_min), "2", RELOAD,
		"lowest junk score that a user may choose"},
	{"junk-score-max", {TYPE_REAL, -1000, 1000, NULL}, AT(junk_score_max), "10", RELOAD,
		"highest junk score that a user may choose"},
	{"own-threshold-shift", {TYPE_REAL, 0, 100, NULL}, AT(own_shift), "3", RELOAD,
		"how far a user's presses move the user's threshold, in score"},
	{"authserv-ids", {TYPE_LIST, 0, 0, NULL}, AT(authserv_ids), "", RELOAD,
		"names that our mail servers give themselves in Authentication-Results"},
	{"authentication-headers", {TYPE_LIST, 0, 0, NULL}, AT(authentication_headers),
		"Authentication-Results Received-SPF X-HE-DKIM-Result", RELOAD,
		"header fields in which our mail servers write what their checks gave"},
	{"authentication-below-received", {TYPE_BOOL, 0, 0, NULL},
		AT(authentication_below_received), "false", RELOAD,
		"our servers write them below their Received line, and remove those from outside"},
	{"own-networks", {TYPE_LIST, 0, 0, NULL}, AT(own_networks),
		"127.0.0.0/8 ::1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7", RELOAD,
		"addresses of our own mail servers, whose Received lines are believed"},
	{"trusted-senders", {TYPE_TEXT, 0, 0, NULL}, AT(trusted_senders), "", RELOAD,
		"file of trusted senders beside those that hamlet trust adds"},
	{"flip-seconds", {TYPE_NUMBER, 0, 86400, NULL}, AT(flip_seconds), "60", RELOAD,
		"within them the opposite press in a mail program undoes the one before"},
	{"mass-selection", {TYPE_NUMBER, 1, 1e6, NULL}, AT(mass_selection), "50", RELOAD,
		"more messages at once than this teach their user alone"},
	{"ham-lost-target", {TYPE_REAL, 0.001, 10, NULL}, AT(ham_lost_target), "0.1", RELOAD,
		"percent of good mail that may be lost, for the thresholds that a retraining proposes"},
	{"adopt-thresholds", {TYPE_BOOL, 0, 0, NULL}, AT(adopt_thresholds), "false", RELOAD,
		"does a retraining lay the thresholds down that it proposes"},
	{"retention-days", {TYPE_NUMBER, 0, 36500, NULL}, AT(retention_days), "730", RELOAD,
		"days that a report is kept; 0: without end"},
	{"retention-reports", {TYPE_NUMBER, 0, 1e9, NULL}, AT(retention_reports), "10000", RELOAD,
		"newest reports of a user that are kept; 0: all"},
	{"idle-days", {TYPE_NUMBER, 0, 36500, NULL}, AT(idle_days), "0", RELOAD,
		"days after a user's last report when the user's reports go; 0: never"},
	{"expire-most", {TYPE_NUMBER, 1, 100, NULL}, AT(expire_most), "10", RELOAD,
		"percent of the reports that one housekeeping takes for their age or idleness"},
	{"database-bytes", {TYPE_ROOM, 0, 1024 * GIB, NULL}, AT(database_bytes), "auto", RELOAD,
		"size of the database above which the oldest reports go, bytes, percent of the "
		"disk, or auto: a quarter of it; 0: no limit"},
	{"housekeeping-seconds", {TYPE_NUMBER, 1, 604800, NULL}, AT(housekeeping_seconds), "3600",
		RELOAD, "time from one housekeeping to the next"},
	{"log-level", {TYPE_WORD, 0, 0, LEVELS}, AT(log_level), "info", RELOAD,
		"least important lines to log: error, warning, info or debug"},
};

/* Where an entry's value is. */
static void *place(const struct settings *settings, const struct entry *entry)
{
	return (char *)settings + entry->offset;
}

static const struct entry *find_entry(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++) {
		if (strcmp(ENTRIES[i].key, key) == 0)
			return &ENTRIES[i];
	}
	return NULL;
}

/* --- A file -------------------------------------------------------------- */

static void refuse_value(const struct entry *entry, const char *path, const char *value,
	struct complaints *complaints)
{
	char *shown = g_strescape(value, NULL);
	char *allowed = value_allowed(&entry->rule);

	complaints_error(complaints, "%s: [%s] %s: \"%.40s\" is not %s", path, GROUP, entry->key,
		shown, allowed);
	g_free(allowed);
	g_free(shown);
}

static void read_key(struct settings *settings, const char *path, GKeyFile *file, const char *key,
	struct complaints *complaints)
{
	const struct entry *entry = find_entry(key);
	GError *error = NULL;

	if (!entry) {
		complaints_error(complaints,
			"%s: [%s] %.40s: unknown key; hamlet.conf(5) lists them", path, GROUP, key);
		return;
	}
	char *value = g_key_file_get_string(file, GROUP, key, &error);
	if (!value)
		complaints_error(complaints, "%s: [%s] %s: %s", path, GROUP, key, error->message);
	else if (!value_read(&entry->rule, place(settings, entry), g_strstrip(value)))
		refuse_value(entry, path, value, complaints);
	g_clear_error(&error);
	g_free(value);
}

static void check_groups(const char *path, GKeyFile *file, struct complaints *complaints)
{
	GStrv groups = g_key_file_get_groups(file, NULL);

	for (size_t i = 0; groups[i]; i++) {
		if (strcmp(groups[i], GROUP) != 0)
			complaints_error(complaints,
				"%s: [%.40s]: unknown group; the known one is [%s]", path,
				groups[i], GROUP);
	}
	g_strfreev(groups);
}

/* GKeyFile takes the last one of two, and keeps to itself that there were two. */
static void check_doubles(
	const char *path, const char *text, size_t length, struct complaints *complaints)
{
	size_t lines[G_N_ELEMENTS(ENTRIES)] = {0};
	char *copy = g_strndup(text, length);
	char **list = g_strsplit(copy, "\n", -1);

	for (size_t i = 0; list[i]; i++) {
		char *equals = strchr(list[i], '=');
		const struct entry *entry;

		if (!equals)
			continue;
		*equals = '\0';
		entry = find_entry(g_strstrip(list[i]));
		if (!entry)
			continue;
		size_t *line = &lines[entry - ENTRIES];
		if (*line > 0)
			complaints_error(complaints,
				"%s: [%s] %s: given twice, in lines %zu and %zu: "
				"take one away",
				path, GROUP, entry->key, *line, i + 1);
		*line = i + 1;
	}
	g_strfreev(list);
	g_free(copy);
}

/* What an atom has beside letters and digits (RFC 5322 section 3.2.3), without the grave
 * accent, which other letters are composed to; and the dot. */
static void check_delimiters(
	const struct settings *settings, const char *path, struct complaints *complaints)
{
	static const char ALLOWED[] = "!#$%&'*+-/=?^_{|}~.";
	const char *delimiters = settings->recipient_delimiter;

	if (strspn(delimiters, ALLOWED) == strlen(delimiters) &&
		strlen(delimiters) <= USER_NAMING_DELIMITERS)
		return;
	complaints_error(complaints,
		"%s: [%s] recipient-delimiter: at most %d of these characters: %s", path, GROUP,
		USER_NAMING_DELIMITERS, ALLOWED);
}

/* What each value alone does not show. */
static void check_together(
	const struct settings *settings, const char *path, struct complaints *complaints)
{
	if (settings->junk_score_min > settings->junk_score_max)
		complaints_error(complaints, "%s: [%s] junk-score-min: more than junk-score-max",
			path, GROUP);
	if (settings->database_bytes > 0 && settings->database_bytes < DATABASE_LEAST)
		complaints_error(complaints,
			"%s: [%s] database-bytes: an empty database takes most of that; 1M is the "
			"least, 0 no limit",
			path, GROUP);
	if (settings->max_buffered_bytes < settings->max_message_bytes)
		complaints_error(complaints,
			"%s: [%s] max-buffered-bytes: less than max-message-bytes", path, GROUP);
	check_delimiters(settings, path, complaints);
}

static void read_keys(
	struct settings *settings, const char *path, GKeyFile *file, struct complaints *complaints)
{
	GStrv keys = g_key_file_get_keys(file, GROUP, NULL, NULL); /* NULL: no such group */

	for (size_t i = 0; keys && keys[i]; i++)
		read_key(settings, path, file, keys[i], complaints);
	g_strfreev(keys);
}

static void refuse_text(const char *path, const GError *error, struct complaints *complaints)
{
	bool bare = g_error_matches(error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND);

	complaints_error(complaints, "%s: %s%s", path, error->message,
		bare ? "; settings stand below a line [hamletd]" : "");
}

enum status settings_examine(struct settings *settings, const char *path, const char *text,
	size_t length, struct complaints *complaints)
{
	struct settings fresh;
	GKeyFile *file = g_key_file_new();
	GError *error = NULL;
	size_t before = complaints->errors;
	bool good;

	settings_defaults(&fresh);
	/* Without KEEP_TRANSLATIONS "key[de]=1" would be passed over in silence. */
	if (length > 0 && memchr(text, '\0', length)) {
		complaints_error(complaints, "%s: has a NUL byte", path);
	} else if (length > 0 &&
		!g_key_file_load_from_data(
			file, text, length, G_KEY_FILE_KEEP_TRANSLATIONS, &error)) {
		refuse_text(path, error, complaints);
	} else {
		check_groups(path, file, complaints);
		read_keys(&fresh, path, file, complaints);
		check_doubles(path, text, length, complaints);
		check_together(&fresh, path, complaints);
	}
	good = complaints->errors == before;
	if (good) {
		struct settings former = *settings;

		*settings = fresh;
		fresh = former;
	}
	settings_free(&fresh);
	g_clear_error(&error);
	g_key_file_free(file);
	return good ? STATUS_OK : STATUS_INVALID;
}

enum status settings_parse(struct settings *settings, const char *path, const char *text,
	size_t length, struct failure *failure)
{
	struct complaints complaints = {0};
	enum status status = settings_examine(settings, path, text, length, &complaints);

	if (status != STATUS_OK)
		complaints_first(&complaints, failure);
	complaints_free(&complaints);
	return status;
}

static enum status load_status(const GError *error)
{
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return STATUS_NOTFOUND;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
		return STATUS_DENIED;
	return STATUS_IO;
}

enum status settings_load_all(
	struct settings *settings, const char *path, struct complaints *complaints)
{
	GError *error = NULL;
	char *text = NULL;
	gsize length = 0;
	enum status status = STATUS_INVALID;

	if (!g_file_get_contents(path, &text, &length, &error)) {
		status = load_status(error);
		complaints_error(complaints, "%s", error->message);
	} else if (length > FILE_MAX) {
		complaints_error(complaints, "%s: larger than %zu bytes", path, FILE_MAX);
	} else {
		status = settings_examine(settings, path, text, length, complaints);
	}
	g_clear_error(&error);
	g_free(text);
	return status;
}

enum status settings_load(struct settings *settings, const char *path, struct failure *failure)
{
	struct complaints complaints = {0};
	enum status status = settings_load_all(settings, path, &complaints);

	if (status != STATUS_OK) {
		complaints_first(&complaints, failure);
		if (failure)
			failure->code = status;
	}
	complaints_free(&complaints);
	return status;
}

/* --- Whole settings ------------------------------------------------------ */

void settings_defaults(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++) {
		bool valid = value_read(
			&ENTRIES[i].rule, place(settings, &ENTRIES[i]), ENTRIES[i].fallback);

		g_assert(valid);
	}
}

/* The values are plain bytes or one pointer: they may be exchanged. */
static void exchange(void *first, void *second, size_t size)
{
	char copy[sizeof(uint64_t)];

	memcpy(copy, first, size);
	memcpy(first, second, size);
	memcpy(second, copy, size);
}

void settings_adopt(
	struct settings *settings, struct settings *fresh, settings_change_fn *each, void *context)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++) {
		const struct entry *entry = &ENTRIES[i];
		char *before = value_format(&entry->rule, place(settings, entry));
		char *after = value_format(&entry->rule, place(fresh, entry));

		if (strcmp(before, after) != 0) {
			if (entry->when == RELOAD)
				exchange(place(settings, entry), place(fresh, entry),
					value_size(&entry->rule));
			if (each)
				each(context, entry->key, after, entry->when == RELOAD);
		}
		g_free(after);
		g_free(before);
	}
}

char *settings_database(const struct settings *settings)
{
	return g_build_filename(settings->state_directory, "hamlet.sqlite", NULL);
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++)
		value_free(&ENTRIES[i].rule, place(settings, &ENTRIES[i]));
	memset(settings, 0, sizeof(*settings));
}

void settings_describe(
	void (*each)(void *context, const char *key, const char *fallback, const char *text),
	void *context)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++)
		each(context, ENTRIES[i].key, ENTRIES[i].fallback, ENTRIES[i].text);
}

void settings_print(const struct settings *settings,
	void (*each)(void *context, const char *key, const char *value), void *context)
{
	for (size_t i = 0; i < G_N_ELEMENTS(ENTRIES); i++) {
		char *value = value_format(&ENTRIES[i].rule, place(settings, &ENTRIES[i]));

		each(context, ENTRIES[i].key, value);
		g_free(value);
	}
}
