/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/server.h"

#include "config.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/daemon/confine.h"
#include "engine/daemon/task/housekeeping.h"
#include "engine/daemon/http/http.h"
#include "engine/daemon/milter/milter.h"
#include "engine/daemon/notify.h"
#include "engine/daemon/reload.h"
#include "engine/daemon/spamd/connection.h"
#include "engine/daemon/spamd/listener.h"
#include "engine/daemon/upgrade.h"
#include "engine/settings/service-settings.h"

/* What a shutdown waits for requests that are still being sent. */
static const uint64_t GRACE_MS = 10000;

static const unsigned REFUSALS_A_SECOND = 10;

/* Descriptors that connections leave alone. */
static const size_t SPARE_DESCRIPTORS = 16;

/* The lowest free number tells how many are open. */
static size_t connection_room(void)
{
	struct rlimit files;
	int lowest = dup(STDERR_FILENO);

	if (lowest >= 0)
		close(lowest);
	if (lowest < 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 1;
	size_t taken = (size_t)lowest + SPARE_DESCRIPTORS;
	return files.rlim_cur > taken ? files.rlim_cur - taken : 1;
}

bool server_has_room(struct server *server)
{
	uint64_t second = uv_now(&server->loop) / 1000;
	size_t connections = server->connection_count + http_connections(server->http) +
		milter_connections(server->milter);

	if (connections < server->room)
		return true;
	if (second != server->room_second)
		log_event(server->log, LOG_ERROR, "no-descriptors",
			(struct log_field[]){log_number("connections", (int64_t)connections),
				log_text("reason", "raise the limit of open files (LimitNOFILE)"),
				{0}});
	server->room_second = second;
	return false;
}

void server_log_refusal(struct server *server, enum log_level level, const struct log_field *fields)
{
	uint64_t second = uv_now(&server->loop) / 1000;

	if (second != server->refusal_second) {
		if (server->refusals > REFUSALS_A_SECOND)
			log_event(server->log, LOG_WARNING, "refusals-not-shown",
				(struct log_field[]){
					log_number("count", server->refusals - REFUSALS_A_SECOND),
					{0}});
		server->refusal_second = second;
		server->refusals = 0;
	}
	if (server->refusals++ < REFUSALS_A_SECOND)
		log_event(server->log, level, "refused", fields);
}

/* --- Log and loop -------------------------------------------------------- */

enum status server_start_log(struct server *server, struct failure *failure)
{
	(void)failure;
	server->log = log_new();
	reload_log(server);
	return STATUS_OK;
}

void server_stop_log(struct server *server)
{
	log_free(&server->log);
}

enum status server_start_loop(struct server *server, struct failure *failure)
{
	int error = uv_loop_init(&server->loop);

	if (error)
		return failure_set(failure, STATUS_IO, "event loop: %s", uv_strerror(error));
	server->has_loop = true;
	return STATUS_OK;
}

/* A handle that is still open would be a mistake of ours. */
void server_stop_loop(struct server *server)
{
	if (!server->has_loop)
		return;
	int error = uv_loop_close(&server->loop);
	assert(error == 0);
	(void)error;
	server->has_loop = false;
}

/* --- Engine -------------------------------------------------------------- */

enum status server_start_store(struct server *server, struct failure *failure)
{
	char *path = settings_database(&server->settings);
	enum status status = store_open_sqlite(&server->store, path, failure);

	if (status == STATUS_OK && !store_writable(server->store))
		log_event(server->log, LOG_WARNING, "store-read-only",
			(struct log_field[]){
				log_text("path", path), log_text("reason", failure->detail), {0}});
	g_free(path);
	if (status == STATUS_OK)
		upgrade_tell(server->log, server->store);
	return status;
}

void server_stop_store(struct server *server)
{
	if (server->store)
		store_close(&server->store);
}

/* It must not go unnoticed, whether it could be mended or not. */
static void log_damage(const struct server *server)
{
	bool mended = false;
	const struct failure *damage = service_damage(server->service, &mended);

	if (damage)
		log_event(server->log, LOG_ERROR,
			mended ? "store-damaged-and-rebuilt" : "store-damaged",
			(struct log_field[]){log_text("reason", damage->detail),
				log_text("consequence",
					mended ? "token rows were made anew from the journal"
					       : "reports are refused, messages are scored"),
				{0}});
}

enum status server_start_service(struct server *server, struct failure *failure)
{
	struct service_settings settings = settings_of_service(&server->settings);
	struct failure missed;

	upgrade_names(server->log, server->store, &settings.naming, &missed);
	enum status status = service_open(&server->service, server->store, &settings, failure);
	if (status == STATUS_OK) {
		log_damage(server);
		upgrade_tell_missed(server->log, &missed);
	}
	return status;
}

void server_stop_service(struct server *server)
{
	service_close(&server->service);
}

size_t server_workers(const struct settings *settings)
{
	return settings->workers > 0 ? settings->workers : g_get_num_processors();
}

enum status server_start_jobs(struct server *server, struct failure *failure)
{
	return jobs_new(&server->jobs, &server->loop, server->service,
		server_workers(&server->settings), failure);
}

void server_stop_jobs(struct server *server)
{
	jobs_close(&server->jobs);
}

void server_stop_handles(struct server *server)
{
	if (server->has_loop)
		uv_run(&server->loop, UV_RUN_DEFAULT);
}

enum status server_start_writer(struct server *server, struct failure *failure)
{
	struct writer_settings settings = reload_writer_settings(&server->settings);

	return writer_new(
		&server->writer, &server->loop, server->service, server->log, &settings, failure);
}

void server_stop_writer(struct server *server)
{
	writer_close(&server->writer);
}

enum status server_start_housekeeping(struct server *server, struct failure *failure)
{
	return housekeeping_new(&server->housekeeping, server, failure);
}

void server_stop_housekeeping(struct server *server)
{
	housekeeping_close(&server->housekeeping);
}

/* --- Shutdown ------------------------------------------------------------ */

static void on_drained(void *context)
{
	struct server *server = context;

	server->state = SERVER_STOPPED;
	uv_stop(&server->loop);
}

static bool is_stopping(const struct server *server)
{
	return server->state == SERVER_DRAINING || server->state == SERVER_FORCED;
}

void server_on_disconnect(struct server *server)
{
	if (is_stopping(server) && server->connection_count == 0 &&
		http_active(server->http) == 0 && milter_connections(server->milter) == 0)
		writer_drain(server->writer, on_drained, server);
}

static void force(struct server *server)
{
	if (server->state != SERVER_DRAINING)
		return;
	server->state = SERVER_FORCED;
	connections_expire(server);
	http_expire(server->http);
}

static void on_grace_over(uv_timer_t *timer)
{
	force(timer->data);
}

/* New clients are turned away, those that are here are served. A second signal
 * ends the patience with slow ones. */
static void drain(struct server *server, int number)
{
	if (server->state != SERVER_RUNNING) {
		force(server);
		return;
	}
	server->state = SERVER_DRAINING;
	notify_send("STOPPING=1\nSTATUS=Finishing requests");
	log_event(server->log, LOG_INFO, "stop",
		(struct log_field[]){log_text("signal", number == SIGTERM ? "TERM" : "INT"),
			log_number("connections", (int64_t)server->connection_count), {0}});
	housekeeping_stop(server->housekeeping);
	service_stop(server->service);
	listeners_close(server);
	http_quiesce(server->http);
	milter_quiesce(server->milter);
	uv_timer_start(&server->grace_timer, on_grace_over,
		MIN(GRACE_MS, server->settings.body_timeout * 1000), 0);
	connections_drain(server);
	server_on_disconnect(server);
}

/* --- Signals and timers -------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;

	if (number == SIGHUP)
		reload(server);
	else
		drain(server, number);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	notify_send("WATCHDOG=1");
}

enum status server_start_signals(struct server *server, struct failure *failure)
{
	static const int NUMBERS[SERVER_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
	uint64_t interval = notify_watchdog_interval();
	int error = 0;

	for (size_t i = 0; i < SERVER_SIGNALS; i++) {
		uv_signal_init(&server->loop, &server->signals[i]);
		server->signals[i].data = server;
	}
	uv_timer_init(&server->loop, &server->grace_timer);
	uv_timer_init(&server->loop, &server->watchdog_timer);
	server->grace_timer.data = server;
	server->watchdog_timer.data = server;
	server->has_handles = true;
	for (size_t i = 0; i < SERVER_SIGNALS && error == 0; i++)
		error = uv_signal_start(&server->signals[i], on_signal, NUMBERS[i]);
	if (error)
		return failure_set(failure, STATUS_IO, "signals: %s", uv_strerror(error));
	if (interval > 0)
		uv_timer_start(&server->watchdog_timer, on_watchdog, interval, interval);
	return STATUS_OK;
}

/* Without a handler a reload that comes now would kill us with the database open. */
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void server_stop_signals(struct server *server)
{
	if (!server->has_handles)
		return;
	block_signals();
	for (size_t i = 0; i < SERVER_SIGNALS; i++)
		uv_close((uv_handle_t *)&server->signals[i], NULL);
	uv_close((uv_handle_t *)&server->grace_timer, NULL);
	uv_close((uv_handle_t *)&server->watchdog_timer, NULL);
	server->has_handles = false;
}

enum status server_start_listeners(struct server *server, struct failure *failure)
{
	return listeners_open(server, failure);
}

void server_stop_listeners(struct server *server)
{
	listeners_close(server);
}

enum status server_start_http(struct server *server, struct failure *failure)
{
	return http_open(&server->http, server, failure);
}

void server_stop_http(struct server *server)
{
	http_close(&server->http);
}

enum status server_start_milter(struct server *server, struct failure *failure)
{
	return milter_open(&server->milter, server, failure);
}

void server_stop_milter(struct server *server)
{
	milter_close(&server->milter);
}

enum status server_confine_files(struct server *server, struct failure *failure)
{
	(void)failure;
	confine_files(&server->settings, server->config_path, &server->sandbox);
	return STATUS_OK;
}

/* A kernel without it is no reason not to serve. */
enum status server_confine_calls(struct server *server, struct failure *failure)
{
	struct sandbox *sandbox = &server->sandbox;
	char text[240];
	(void)failure;

	confine_calls(&server->settings, sandbox);
	sandbox_describe(sandbox, text, sizeof(text));
	log_event(server->log, *sandbox->reason ? LOG_WARNING : LOG_INFO, "sandbox",
		(struct log_field[]){log_text("in_force", text), {0}});
	return STATUS_OK;
}

/* --- Service ------------------------------------------------------------- */

enum status server_load_settings(struct server *server, struct complaints *complaints)
{
	if (server->config_optional && access(server->config_path, F_OK) != 0 && errno == ENOENT) {
		settings_defaults(&server->settings);
		return STATUS_OK;
	}
	return settings_load_all(&server->settings, server->config_path, complaints);
}

void server_run(struct server *server)
{
	server->started = uv_hrtime();
	server->room = connection_room();
	log_event(server->log, LOG_INFO, "start",
		(struct log_field[]){log_text("version", PACKAGE_VERSION),
			log_text("config", server->config_path),
			log_number("workers", (int64_t)jobs_workers(server->jobs)), {0}});
	notify_send("READY=1\nSTATUS=Serving");
	uv_run(&server->loop, UV_RUN_DEFAULT);
	log_event(server->log, LOG_INFO, "end", NULL);
}
