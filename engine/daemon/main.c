/* hamletd: the order in which the daemon starts, serves and stops.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "engine/daemon/check.h"
#include "engine/daemon/confine.h"
#include "engine/daemon/http/http.h"
#include "engine/daemon/milter/milter.h"
#include "engine/daemon/spamd/spamd.h"
#include "engine/daemon/steps.h"

/* Protocols by which clients come. Sockets that are passed without a name are the first
 * one's. */
static const struct front *const FRONTS[] = {
	&spamd_front,
	&http_front,
	&milter_front,
	NULL,
};

/* Started in this order; server_stop goes through them in the reverse one. */
static enum status (*const STEPS[])(struct server *server, struct failure *failure) = {
	server_start_log,
	server_start_loop,
	server_start_store,
	server_start_service,
	server_confine_files,
	server_start_jobs,
	server_start_writer,
	server_start_housekeeping,
	server_start_signals,
	server_start_fronts,
	server_confine_calls,
};

struct options {
	char *config;
	gboolean check;
	gboolean version;
	gboolean verbose;
	gboolean core_dumps;
};

static bool parse_options(struct options *options, int argc, char **argv)
{
	const GOptionEntry entries[] = {
		{"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config,
			"Read FILE instead of " HAMLET_CONF, "FILE"},
		{"check", 0, 0, G_OPTION_ARG_NONE, &options->check,
			"Check the configuration, print it as it is in force, and exit", NULL},
		{"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose,
			"Log everything, whatever log-level says", NULL},
		{"core-dumps", 0, 0, G_OPTION_ARG_NONE, &options->core_dumps,
			"Allow core dumps and debuggers; they see people's mail", NULL},
		{"version", 0, 0, G_OPTION_ARG_NONE, &options->version,
			"Print the version and exit", NULL},
		{0},
	};
	GOptionContext *context = g_option_context_new("- adaptive Bayesian spam engine");
	GError *error = NULL;
	bool valid;

	g_option_context_add_main_entries(context, entries, NULL);
	valid = g_option_context_parse(context, &argc, &argv, &error);
	if (valid && argc > 1) {
		valid = false;
		fprintf(stderr, "hamletd: %s: what is this? See hamletd --help\n", argv[1]);
	} else if (!valid) {
		fprintf(stderr, "hamletd: %s\n", error->message);
	}
	g_clear_error(&error);
	g_option_context_free(context);
	return valid;
}

/* Mail passes through our memory: it must not end up in a core file. */
static void prepare_process(const struct options *options, const struct settings *settings)
{
	char threads[16];
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* until there is somebody who reloads */
	/* Read by libuv at the first job; one more thread for the writer. */
	snprintf(threads, sizeof(threads), "%zu", server_workers(settings) + 1);
	setenv("UV_THREADPOOL_SIZE", threads, 1);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max; /* nothing here uses select(2) */
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (options->core_dumps) {
		prctl(PR_SET_DUMPABLE, 1); /* which it is no more after a change of account */
		return;
	}
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
#ifndef __SANITIZE_ADDRESS__ /* whose leak checker attaches like a debugger */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* A warning is a comment: what --check prints is a configuration. */
static void print_setting(void *context, const char *key, const char *value)
{
	(void)context;
	if (strcmp(key, "authserv-ids") == 0 && !*value)
		puts("# warning: without authserv-ids no author is proven: anybody can write the\n"
		     "# address of an allow list as the author, and no sender is trusted");
	printf("%s = %s\n", key, value);
}

/* --- Before a start ------------------------------------------------------ */

static void print_complaints(const struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->count; i++)
		fprintf(stderr, "hamletd: %s%s\n",
			complaints->list[i].error ? "" : "warning: ", complaints->list[i].text);
}

/* A comment: what --check prints is a configuration. It is entered, to see. */
static void print_sandbox(const struct server *server)
{
	struct sandbox sandbox = {0};
	char text[240];

	confine_files(&server->settings, server->config_path, &sandbox);
	confine_calls(&server->settings, &sandbox);
	sandbox_describe(&sandbox, text, sizeof(text));
	printf("# sandbox: %s\n", text);
}

/* What a start says before it begins, and what --check is for. */
static int prepare(struct server *server, bool check, struct complaints *complaints)
{
	const struct settings *settings = &server->settings;

	if (server_load_settings(server, complaints) != STATUS_OK)
		return EX_CONFIG;
	if (check_account(settings, !check, complaints) != STATUS_OK)
		return EXIT_FAILURE;
	check_settings(settings, server->fronts, complaints);
	if (check)
		check_database(settings, complaints);
	return complaints->errors > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- The start ----------------------------------------------------------- */

static int serve(struct server *server)
{
	enum status status = STATUS_OK;
	struct failure failure = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(STEPS) && status == STATUS_OK; i++)
		status = STEPS[i](server, &failure);
	if (status == STATUS_OK)
		server_run(server);
	else
		fprintf(stderr, "hamletd: %s\n", failure.detail);
	server_stop(server);
	return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(struct server *server, const struct options *options)
{
	struct complaints complaints = {0};
	int code;

	server->config_path = options->config ? options->config : HAMLET_CONF;
	server->config_optional = !options->config;
	server->verbose = options->verbose;
	code = prepare(server, options->check, &complaints);
	if (options->check && code != EX_CONFIG) {
		puts("[hamletd]");
		settings_print(&server->settings, print_setting, NULL);
		fflush(stdout);
	}
	print_complaints(&complaints);
	if (options->check && code != EX_CONFIG)
		print_sandbox(server);
	complaints_free(&complaints);
	if (code == EXIT_SUCCESS && !options->check) {
		prepare_process(options, &server->settings);
		code = serve(server);
	}
	settings_free(&server->settings);
	return code;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct server *server = g_new0(struct server, 1);
	int code = EX_USAGE;

	server->fronts = FRONTS;
	setlocale(LC_CTYPE, "C.UTF-8"); /* not numbers: those have a point everywhere */
	if (parse_options(&options, argc, argv)) {
		if (options.version)
			printf("hamletd %s\n", PACKAGE_VERSION);
		code = options.version ? EXIT_SUCCESS : run(server, &options);
	}
	g_free(server);
	g_free(options.config);
	return code;
}
