/* hamlet-train expire: the housekeeping that hamletd does every hour, now, or
 * without it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "engine/base/account.h"
#include "engine/client/call.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "engine/settings/budget.h"
#include "trainer/alone.h"
#include "trainer/commands.h"

static enum status run_expiry(
	struct service *service, bool certain, struct expired *expired, struct failure *failure)
{
	const volatile sig_atomic_t *stop = stop_on_signals();
	const struct clock_reading clock = {
		.now = g_get_real_time() / G_USEC_PER_SEC, .certain = certain};
	struct change *change = change_expire(service, &clock);
	enum status status;

	do {
		if (*stop)
			service_stop(service);
		status = change_run(change, failure);
	} while (status == STATUS_OK && change_goes_on(change));
	*expired = change_receipt(change)->expired;
	change_end(service, &change);
	return status;
}

static enum status expire_alone(const char *database, const struct service_settings *settings,
	bool certain, struct expired *expired, struct failure *failure)
{
	struct alone alone = {0};
	enum status status = alone_open(&alone, database, settings, failure);

	if (status == STATUS_OK)
		status = run_expiry(alone.service, certain, expired, failure);
	alone_close(&alone);
	return status;
}

static enum clock_doubt doubt_named(const char *name)
{
	enum clock_doubt doubt = CLOCK_BEHIND;

	while (doubt > CLOCK_BELIEVED && strcmp(clock_doubt_name(doubt), name) != 0)
		doubt--;
	return doubt;
}

static enum status expire_by_daemon(
	const char *socket, bool certain, struct expired *expired, struct failure *failure)
{
	json_t *answer = NULL;
	json_int_t age = 0, count = 0, idleness = 0, budget = 0, users = 0, bytes = 0;
	int postponed = 0, capped = 0;
	const char *clock = "";
	enum status status = call_run(socket,
		json_pack(
			"{s:s, s:s, s:b}", "call", "expire", "scope", "", "believe_clock", certain),
		&answer, failure);

	if (status != STATUS_OK)
		return status;
	if (json_unpack(answer, "{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s}}", "expired",
		    "by_age", &age, "by_count", &count, "by_idleness", &idleness, "by_budget",
		    &budget, "users", &users, "bytes", &bytes, "postponed", &postponed, "capped",
		    &capped, "clock", &clock) != 0)
		status = failure_set(failure, STATUS_PROTOCOL,
			"hamletd's answer is not as expected: is it of the same version?");
	*expired = (struct expired){.by_age = age,
		.by_count = count,
		.by_idleness = idleness,
		.by_budget = budget,
		.users = users,
		.bytes = bytes,
		.postponed = postponed,
		.capped = capped,
		.doubt = doubt_named(clock)};
	json_decref(answer);
	return status;
}

static void print_expired(const struct expired *expired)
{
	printf("reports taken out: %lld past their time, %lld beyond their number, %lld of idle "
	       "users, %lld for room\n",
		(long long)expired->by_age, (long long)expired->by_count,
		(long long)expired->by_idleness, (long long)expired->by_budget);
	printf("users forgotten: %lld; given back to the file system: %.1f MB\n",
		(long long)expired->users, (double)expired->bytes / 1e6);
	if (expired->postponed)
		puts("it ended early (interrupted, or a generation is being adopted): the rest "
		     "is left for the next time");
	if (expired->capped)
		puts("more is past its time than one housekeeping takes (expire-most): the rest is "
		     "left for the next ones; all at once with --believe-clock");
}

static enum status check_doubt(const struct expired *expired, struct failure *failure)
{
	if (expired->doubt == CLOCK_BELIEVED)
		return STATUS_OK;
	return failure_set(failure, STATUS_INVALID,
		"no report was taken out for its age or its user's idleness: the clock %s; mend "
		"it, or if it is right: hamlet-train expire --believe-clock",
		clock_doubt_text(expired->doubt));
}

static int expire(const struct settings *settings, const char *given, bool certain, bool quiet)
{
	struct service_settings service = settings_of_service(settings);
	struct expired expired = {0};
	struct failure failure = {0};
	char *database = given ? g_strdup(given) : settings_database(settings);
	char *socket = g_build_filename(settings->runtime_directory, "spamd.sock", NULL);
	enum status status = account_become(database, &failure);

	if (status == STATUS_OK && access(database, F_OK) == 0) /* else it would be made */
		status = expire_alone(database, &service, certain, &expired, &failure);
	else if (status == STATUS_OK)
		status = failure_set(
			&failure, STATUS_NOTFOUND, "opening %s: %s", database, g_strerror(errno));
	if (status == STATUS_BUSY) /* hamletd has it */
		status = expire_by_daemon(socket, certain, &expired, &failure);
	if (status == STATUS_OK && !quiet)
		print_expired(&expired);
	if (status == STATUS_OK)
		status = check_doubt(&expired, &failure);
	g_free(database);
	g_free(socket);
	return status == STATUS_OK ? EXIT_SUCCESS : fail(&failure);
}

int run_expire(int argc, char **argv)
{
	char *config = NULL, *database = NULL;
	gboolean quiet = FALSE, certain = FALSE;
	const GOptionEntry entries[] = {
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &config, "configuration of hamletd",
			"FILE"},
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &database,
			"database, in place of the configuration's", "FILE"},
		{"believe-clock", 0, 0, G_OPTION_ARG_NONE, &certain,
			"the clock is right: take out all that is past its time, at once", NULL},
		{"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "say nothing when all is well", NULL},
		{0},
	};
	struct settings settings = {0};
	struct failure failure = {0};
	int result = EXIT_USAGE;

	if (!parse_options("- take out what is past its time", entries, NULL, &argc, &argv))
		result = EXIT_USAGE;
	else if (argc > 1)
		result = fail_usage("expire takes options alone");
	else if (load_settings(&settings, config ? config : DEFAULT_CONFIG, config != NULL,
			 &failure) != STATUS_OK)
		result = fail(&failure);
	else
		result = expire(&settings, database, certain, quiet);
	settings_free(&settings);
	g_free(config);
	g_free(database);
	return result;
}
