/* The configuration file: what is read, what is refused and how, and that the
 * documents name every key with its default.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/settings/budget.h"
#include "engine/settings/table.h"

static struct settings settings;
static struct failure failure;

static void set_up(void)
{
	settings_defaults(&settings);
	failure = (struct failure){0};
}

static void tear_down(void)
{
	settings_free(&settings);
}

static enum status parse(const char *text)
{
	return settings_parse(&settings, "test.conf", text, strlen(text), &failure);
}

/* The text is one line of the group. */
static enum status parse_line(const char *line)
{
	char text[512];

	snprintf(text, sizeof(text), "[hamletd]\n%s\n", line);
	return parse(text);
}

START_TEST(empty_file_gives_defaults)
{
	ck_assert_int_eq(parse(""), STATUS_OK);
	ck_assert_uint_eq(settings.socket_mode, 0660);
	ck_assert_uint_eq(settings.max_message_bytes, 32 << 20);
	ck_assert_double_eq(settings.service.junk_probability, 0.9);
	ck_assert(!settings.service.default_consent);
	ck_assert_int_eq(settings.log_level, LOG_INFO);
	ck_assert_ptr_null(settings.reporters[0]);
}
END_TEST

START_TEST(values_are_read)
{
	ck_assert_int_eq(parse("[hamletd]\n"
			       "state-directory = /srv/hamlet\n"
			       "reporters = www-data  vmail,dovecot;\n"
			       "socket-mode=666\n"
			       "max-message-bytes = 1M\n"
			       "max-buffered-bytes = 3G\n"
			       "threshold = -2.5\n"
			       "default-consent = true\n"
			       "listen-tcp = [::1]:783\n"),
		STATUS_OK);
	ck_assert_str_eq(settings.state_directory, "/srv/hamlet");
	ck_assert_str_eq(settings.reporters[0], "www-data");
	ck_assert_str_eq(settings.reporters[1], "vmail");
	ck_assert_str_eq(settings.reporters[2], "dovecot");
	ck_assert_ptr_null(settings.reporters[3]);
	ck_assert_uint_eq(settings.socket_mode, 0666);
	ck_assert_uint_eq(settings.max_message_bytes, 1 << 20);
	ck_assert_uint_eq(settings.max_buffered_bytes, UINT64_C(3) << 30);
	ck_assert_double_eq(settings.service.threshold, -2.5);
	ck_assert(settings.service.default_consent);
	ck_assert_str_eq(settings.listen_tcp, "[::1]:783");
}
END_TEST

/* Bounds are the last value that is allowed and the first that is not. */
static const struct {
	const char *line;
	enum status status;
} LINES[] = {
	{"workers = 0", STATUS_OK},
	{"workers = 256", STATUS_OK},
	{"workers = 257", STATUS_INVALID},
	{"workers = -1", STATUS_INVALID},
	{"workers = +1", STATUS_INVALID},
	{"workers = 1.5", STATUS_INVALID},
	{"workers = 4 threads", STATUS_INVALID},
	{"workers =", STATUS_INVALID},
	{"workers = 1K", STATUS_INVALID},
	{"workers = 99999999999999999999", STATUS_INVALID},
	{"max-message-bytes = 1K", STATUS_OK},
	{"max-message-bytes = 1023", STATUS_INVALID},
	{"database-bytes = 10K", STATUS_INVALID},
	{"database-bytes = 1M", STATUS_OK},
	{"database-bytes = 0", STATUS_OK},
	{"database-bytes = auto", STATUS_OK},
	{"database-bytes = 25%", STATUS_OK},
	{"database-bytes = 100%", STATUS_OK},
	{"database-bytes = 0%", STATUS_INVALID},
	{"database-bytes = 101%", STATUS_INVALID},
	{"database-bytes = 25 %", STATUS_INVALID},
	{"database-bytes = -25%", STATUS_INVALID},
	{"database-bytes = automatic", STATUS_INVALID},
	{"max-message-bytes = 25%", STATUS_INVALID},
	{"max-message-bytes = 513M", STATUS_INVALID},
	{"max-message-bytes = 1T", STATUS_INVALID},
	{"max-message-bytes = 1KK", STATUS_INVALID},
	{"user-cache-bytes = 18446744073709551615G", STATUS_INVALID},
	{"socket-mode = 0777", STATUS_OK},
	{"socket-mode = 1000", STATUS_INVALID},
	{"socket-mode = 0668", STATUS_INVALID},
	{"junk-probability = 0.9999", STATUS_OK},
	{"junk-probability = 1", STATUS_INVALID},
	{"junk-probability = nan", STATUS_INVALID},
	{"junk-probability = inf", STATUS_INVALID},
	{"junk-probability = 0,9", STATUS_INVALID},
	{"label-error = 0.5", STATUS_OK},
	{"label-error = 0.51", STATUS_INVALID},
	{"default-consent = yes", STATUS_INVALID},
	{"log-level = verbose", STATUS_INVALID},
	{"state-directory = relative", STATUS_INVALID},
	{"listen-tcp =", STATUS_OK},
	{"listen-tcp = 127.1.2.3:65535", STATUS_OK},
	{"listen-tcp = 127.0.0.1:65536", STATUS_INVALID},
	{"listen-tcp = 127.0.0.1:0", STATUS_INVALID},
	{"listen-tcp = 127.0.0.1", STATUS_INVALID},
	{"listen-tcp = 192.0.2.1:783", STATUS_INVALID},
	{"listen-tcp = [2001:db8::1]:783", STATUS_INVALID},
	{"listen-tcp = ::1:783", STATUS_INVALID},
	{"listen-tcp = [", STATUS_INVALID},
	{"listen-tcp = :", STATUS_INVALID},
	{"listen-tcp = [:1", STATUS_INVALID},
	{"listen-tcp = localhost:783", STATUS_INVALID},
	{"workers[de] = 1", STATUS_INVALID},
	{"user-case = keep", STATUS_OK},
	{"user-case = upper", STATUS_INVALID},
	{"recipient-delimiter =", STATUS_OK},
	{"recipient-delimiter = +-_.=#", STATUS_OK},
	{"recipient-delimiter = !#$%&'*+-/=?^_{|}", STATUS_INVALID},
	{"recipient-delimiter = +@", STATUS_INVALID},
	{"recipient-delimiter = x", STATUS_INVALID},
	{"recipient-delimiter = + -", STATUS_INVALID},
	{"recipient-delimiter = `", STATUS_INVALID},
	{"recipient-delimiter = \xc2\xa7", STATUS_INVALID},
	{"Workers = 1", STATUS_INVALID},
};

START_TEST(each_value_is_checked)
{
	ck_assert_msg(parse_line(LINES[_i].line) == LINES[_i].status, "%s: %s", LINES[_i].line,
		failure.detail);
}
END_TEST

static void assert_detail_has(const char *part)
{
	ck_assert_msg(strstr(failure.detail, part), "no \"%s\" in \"%s\"", part, failure.detail);
}

START_TEST(error_names_file_group_key_and_what_is_allowed)
{
	ck_assert_int_eq(parse_line("header-timeout = soon"), STATUS_INVALID);
	assert_detail_has("test.conf");
	assert_detail_has("[hamletd]");
	assert_detail_has("header-timeout");
	assert_detail_has("soon");
	assert_detail_has("from 1 to 3600");
}
END_TEST

START_TEST(unknown_key_is_an_error)
{
	ck_assert_int_eq(parse_line("wrokers = 4"), STATUS_INVALID);
	assert_detail_has("test.conf: [hamletd] wrokers: unknown key");
}
END_TEST

START_TEST(unknown_group_is_an_error)
{
	ck_assert_int_eq(parse("[hamletd]\nworkers = 1\n[hamlet]\nworkers = 4\n"), STATUS_INVALID);
	assert_detail_has("test.conf: [hamlet]: unknown group");
}
END_TEST

START_TEST(broken_syntax_is_an_error)
{
	static const char nul[] = "[hamletd]\nsocket-group = a\0b\n";

	ck_assert_int_eq(parse("workers = 4\n"), STATUS_INVALID);
	assert_detail_has("test.conf");
	ck_assert_int_eq(parse("[hamletd\n"), STATUS_INVALID);
	ck_assert_int_eq(parse_line("no equal sign"), STATUS_INVALID);
	ck_assert_int_eq(parse_line("socket-group = \xFF"), STATUS_INVALID);
	ck_assert_int_eq(settings_parse(&settings, "test.conf", nul, sizeof(nul) - 1, &failure),
		STATUS_INVALID);
	assert_detail_has("NUL");
}
END_TEST

START_TEST(failure_changes_nothing)
{
	ck_assert_int_eq(parse_line("workers = 7"), STATUS_OK);
	ck_assert_int_eq(parse("[hamletd]\nworkers = 3\nthreshold = x\n"), STATUS_INVALID);
	ck_assert_uint_eq(settings.workers, 7);
}
END_TEST

START_TEST(keys_left_out_return_to_their_defaults)
{
	ck_assert_int_eq(parse_line("workers = 7"), STATUS_OK);
	ck_assert_int_eq(parse_line("threshold = 6"), STATUS_OK);
	ck_assert_uint_eq(settings.workers, 0);
}
END_TEST

START_TEST(defaults_of_the_service_are_those_of_the_file)
{
	const struct service_settings service = service_defaults();
	const struct service_settings file = settings.service;

	ck_assert_double_eq(service.junk_probability, file.junk_probability);
	ck_assert_double_eq(service.label_error, 0.12);
	ck_assert_uint_eq(service.user_reports, 500);
	ck_assert_int_eq(service.spam_action, ACTION_JUNK);
	ck_assert_int_eq(service.retention.days, 730);
	ck_assert_int_eq(service.retention.bytes, 0);
	ck_assert(service.naming.fold);
	ck_assert_str_eq(service.naming.delimiters, "+");
	ck_assert_ptr_null(service.own_networks);
	ck_assert_ptr_nonnull(file.own_networks);
}
END_TEST

START_TEST(missing_file_is_not_found)
{
	ck_assert_int_eq(
		settings_load(&settings, "/nonexistent/hamlet.conf", &failure), STATUS_NOTFOUND);
	assert_detail_has("/nonexistent/hamlet.conf");
}
END_TEST

/* --- Adopting ------------------------------------------------------------ */

struct changes {
	char taken[256];
	char left[256];
};

static void note_change(void *context, const char *key, const char *value, bool taken)
{
	struct changes *changes = context;
	char *list = taken ? changes->taken : changes->left;

	snprintf(list + strlen(list), 256 - strlen(list), "%s=%s;", key, value);
}

START_TEST(adopt_takes_what_needs_no_restart)
{
	struct settings fresh = {0};
	struct changes changes = {0};
	const char *text = "[hamletd]\nworkers = 5\nreporters = www-data vmail\n"
			   "max-message-bytes = 2M\nlog-level = debug\nlog-users = true\n";

	assert_ok(settings_parse(&fresh, "fresh.conf", text, strlen(text), &failure));
	settings_adopt(&settings, &fresh, note_change, &changes);
	settings_free(&fresh);
	ck_assert_str_eq(changes.left, "workers=5;");
	ck_assert_str_eq(changes.taken,
		"reporters=www-data vmail;max-message-bytes=2M;log-users=true;log-level=debug;");
	ck_assert_uint_eq(settings.workers, 0);
	ck_assert_str_eq(settings.reporters[1], "vmail");
	ck_assert_uint_eq(settings.max_message_bytes, 2 << 20);
	ck_assert_int_eq(settings.log_level, LOG_DEBUG);
	ck_assert(settings.log_users);
}
END_TEST

/* --- Documents ----------------------------------------------------------- */

/* A file of the source tree, to be freed. */
static char *read_source(const char *path)
{
	const char *srcdir = getenv("srcdir");
	char full[1024];
	char *text = NULL;
	size_t size = 0;

	snprintf(full, sizeof(full), "%s/%s", srcdir ? srcdir : ".", path);
	FILE *file = fopen(full, "r");
	ck_assert_msg(file != NULL, "%s cannot be read", full);
	ck_assert(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

static void find_in_conf(const char *conf, const char *key, const char *fallback)
{
	char line[512];

	snprintf(line, sizeof(line), "\n#%s =%s%s\n", key, *fallback ? " " : "", fallback);
	if (*fallback == '/') /* a directory: configure knows it */
		snprintf(line, sizeof(line), "\n#%s = @", key);
	ck_assert_msg(strstr(conf, line), "hamlet.conf.in has no line %s", line + 1);
}

START_TEST(each_key_is_in_the_configuration_file)
{
	char *conf = read_source("data/conf/hamlet.conf.in");

	for (size_t i = 0; i < settings_count; i++)
		find_in_conf(conf, settings_table[i].key, settings_table[i].fallback);
	assert_ok(settings_parse(&settings, "hamlet.conf.in", conf, strlen(conf), &failure));
	free(conf);
}
END_TEST

static void find_in_manual(const char *manual, const char *key, const char *fallback)
{
	char tag[128], shown[128];

	snprintf(tag, sizeof(tag), "\n.It Cm %s\n", key);
	const char *entry = strstr(manual, tag);
	ck_assert_msg(entry, "hamlet.conf(5) has no entry %s", key);
	snprintf(shown, sizeof(shown), "Default: %s.\n", *fallback ? fallback : "");
	if (*fallback == '/' || !*fallback)
		strcpy(shown, "Default:");
	const char *found = strstr(entry, shown);
	const char *next = strstr(entry + 1, "\n.It ");
	ck_assert_msg(found && (!next || found < next), "hamlet.conf(5): %s: %s", key, shown);
}

START_TEST(each_key_is_in_the_manual)
{
	char *manual = read_source("man/hamlet.conf.5");

	for (size_t i = 0; i < settings_count; i++)
		find_in_manual(manual, settings_table[i].key, settings_table[i].fallback);
	free(manual);
}
END_TEST

/* Takes the # away from every key of the shipped file. */
START_TEST(shipped_file_is_valid_when_uncommented)
{
	char *conf = read_source("data/conf/hamlet.conf.in");
	char *place;

	for (char *line = conf; (line = strstr(line, "\n#")) != NULL; line++) {
		size_t key = strspn(line + 2, "abcdefghijklmnopqrstuvwxyz-");
		if (key > 0 && strncmp(line + 2 + key, " =", 2) == 0)
			line[1] = ' ';
	}
	while ((place = strstr(conf, "= @")) != NULL)
		memcpy(place, "= /", 3);
	assert_ok(settings_parse(&settings, "hamlet.conf.in", conf, strlen(conf), &failure));
	free(conf);
}
END_TEST

START_TEST(a_share_of_the_disk_is_bytes)
{
	const uint64_t mib = 1 << 20, gib = 1024 * mib;

	ck_assert_uint_eq(budget_bytes(5 * mib, 100 * gib, gib), 5 * mib);
	ck_assert_uint_eq(budget_bytes(0, 100 * gib, gib), 0);
	ck_assert_uint_eq(budget_bytes(VALUE_PERCENT(100), 100 * gib, 0), 100 * gib / 100 * 100);
	ck_assert_uint_eq(
		budget_bytes(VALUE_PERCENT(50), 100 * gib, 99 * gib), 100 * gib / 100 * 50);
	ck_assert_uint_eq(budget_bytes(VALUE_PERCENT(1), 3 * mib, 0), mib);
	ck_assert_uint_eq(budget_bytes(VALUE_AUTO, 100 * gib, 0), 25 * gib);
	ck_assert_uint_eq(budget_bytes(VALUE_AUTO, 100 * gib, 30 * gib), 25 * gib);
	ck_assert_uint_eq(budget_bytes(VALUE_AUTO, 100 * gib, 32 * gib), 75 * gib);
	ck_assert_uint_eq(budget_bytes(VALUE_AUTO, 3 * mib, 2 * mib), 16 * mib);
}
END_TEST

START_TEST(a_share_of_a_disk_that_is_not_there_is_no_limit)
{
	parse("[hamletd]\nstate-directory = /nowhere/at/all\n");
	ck_assert_uint_eq(settings.database_bytes, VALUE_AUTO);
	ck_assert_uint_eq(settings_budget(&settings), 0);
	parse("[hamletd]\nstate-directory = /\ndatabase-bytes = 25%\n");
	ck_assert_uint_ge(settings_budget(&settings), 1 << 20);
}
END_TEST

static Suite *settings_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *file = tcase_create("file");
	TCase *documents = tcase_create("documents");

	tcase_add_checked_fixture(file, set_up, tear_down);
	tcase_add_test(file, empty_file_gives_defaults);
	tcase_add_test(file, values_are_read);
	tcase_add_loop_test(file, each_value_is_checked, 0, sizeof(LINES) / sizeof(LINES[0]));
	tcase_add_test(file, error_names_file_group_key_and_what_is_allowed);
	tcase_add_test(file, unknown_key_is_an_error);
	tcase_add_test(file, unknown_group_is_an_error);
	tcase_add_test(file, broken_syntax_is_an_error);
	tcase_add_test(file, failure_changes_nothing);
	tcase_add_test(file, keys_left_out_return_to_their_defaults);
	tcase_add_test(file, defaults_of_the_service_are_those_of_the_file);
	tcase_add_test(file, missing_file_is_not_found);
	tcase_add_test(file, adopt_takes_what_needs_no_restart);
	tcase_add_test(file, a_share_of_the_disk_is_bytes);
	tcase_add_test(file, a_share_of_a_disk_that_is_not_there_is_no_limit);
	suite_add_tcase(suite, file);
	tcase_add_checked_fixture(documents, set_up, tear_down);
	tcase_add_test(documents, each_key_is_in_the_configuration_file);
	tcase_add_test(documents, each_key_is_in_the_manual);
	tcase_add_test(documents, shipped_file_is_valid_when_uncommented);
	suite_add_tcase(suite, documents);
	return suite;
}

int main(void)
{
	return unit_main(settings_suite());
}
