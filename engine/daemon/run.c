/* The daemon at work: signals, the watchdog, and the way to its end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glib.h>
#include <pthread.h>
#include <signal.h>

#include "engine/daemon/loop/admission.h"
#include "engine/daemon/loop/front.h"
#include "engine/daemon/notify.h"
#include "engine/daemon/reload.h"
#include "engine/daemon/steps.h"
#include "engine/daemon/task/housekeeping.h"

/* What a shutdown waits for requests that are still being sent. */
static const uint64_t GRACE_MS = 10000;

/* --- Shutdown ------------------------------------------------------------ */

static void force(struct server *server)
{
	if (server->state != SERVER_DRAINING)
		return;
	server_move(server, SERVER_FORCED);
	for (size_t i = 0; server->fronts[i]; i++)
		server->fronts[i]->expire(server->front_states[i]);
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
	server_move(server, SERVER_DRAINING);
	server_delay_stop(server); /* by this */
	notify_send("STOPPING=1\nSTATUS=Finishing requests");
	log_event(server->log, LOG_INFO, "stop",
		(struct log_field[]){log_text("signal", number == SIGTERM ? "TERM" : "INT"),
			log_number("connections", (int64_t)server->counters.spamd_open), {0}});
	housekeeping_stop(server->housekeeping);
	service_stop(server->service);
	uv_timer_start(&server->grace_timer, on_grace_over,
		MIN(GRACE_MS, server->settings.body_timeout * 1000), 0);
	for (size_t i = 0; server->fronts[i]; i++)
		server->fronts[i]->drain(server->front_states[i]);
	server_allow_stop(server);
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

/* --- Service ------------------------------------------------------------- */

void server_run(struct server *server)
{
	server->started = uv_hrtime();
	server->room = admission_count_room();
	log_event(server->log, LOG_INFO, "start",
		(struct log_field[]){log_text("version", PACKAGE_VERSION),
			log_text("config", server->config_path),
			log_number("workers", (int64_t)jobs_workers(server->jobs)), {0}});
	notify_send("READY=1\nSTATUS=Serving");
	uv_run(&server->loop, UV_RUN_DEFAULT);
	log_event(server->log, LOG_INFO, "end", NULL);
}
