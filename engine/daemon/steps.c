/* The parts of a server: how each is started and stopped.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/steps.h"

#include <assert.h>
#include <errno.h>
#include <glib.h>
#include <unistd.h>

#include "engine/base/thread-role.h"
#include "engine/daemon/confine.h"
#include "engine/daemon/loop/front.h"
#include "engine/daemon/reload.h"
#include "engine/daemon/task/housekeeping.h"
#include "engine/daemon/upgrade.h"
#include "engine/settings/budget.h"

/* --- Settings ------------------------------------------------------------ */

enum status server_load_settings(struct server *server, struct complaints *complaints)
{
	if (server->config_optional && access(server->config_path, F_OK) != 0 && errno == ENOENT) {
		settings_defaults(&server->settings);
		return STATUS_OK;
	}
	return settings_load_all(&server->settings, server->config_path, complaints);
}

/* --- Log and loop -------------------------------------------------------- */

enum status server_start_log(struct server *server, struct failure *failure)
{
	(void)failure;
	server->log = log_new();
	reload_log(server);
	return STATUS_OK;
}

enum status server_start_loop(struct server *server, struct failure *failure)
{
	int error = uv_loop_init(&server->loop);

	if (error)
		return failure_set(failure, STATUS_IO, "event loop: %s", uv_strerror(error));
	server->has_loop = true;
	thread_take_role(THREAD_OWNER);
	return STATUS_OK;
}

/* --- Engine -------------------------------------------------------------- */

enum status server_start_store(struct server *server, struct failure *failure)
{
	char *path = settings_database(&server->settings);
	enum status status = store_open(&server->store, path, STORE_WRITE, failure);

	if (status == STATUS_OK && !store_writable(server->store))
		log_event(server->log, LOG_WARNING, "store-read-only",
			(struct log_field[]){
				log_text("path", path), log_text("reason", failure->detail), {0}});
	g_free(path);
	if (status == STATUS_OK)
		upgrade_tell(server->log, server->store);
	return status;
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

size_t server_workers(const struct settings *settings)
{
	return settings->workers > 0 ? settings->workers : g_get_num_processors();
}

enum status server_start_jobs(struct server *server, struct failure *failure)
{
	return jobs_new(&server->jobs, &server->loop, server->service,
		server_workers(&server->settings), failure);
}

enum status server_start_writer(struct server *server, struct failure *failure)
{
	return writer_new(&server->writer, &server->loop, server->service, server->log,
		&server->settings.writer, failure);
}

enum status server_start_housekeeping(struct server *server, struct failure *failure)
{
	return housekeeping_new(&server->housekeeping, server, failure);
}

/* --- Fronts -------------------------------------------------------------- */

enum status server_start_fronts(struct server *server, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; server->fronts[i] && status == STATUS_OK; i++) {
		assert(i < SERVER_FRONTS_MAX);
		status = server->fronts[i]->open(&server->front_states[i], server, failure);
	}
	return status;
}

void server_stop_fronts(struct server *server)
{
	for (size_t i = SERVER_FRONTS_MAX; i-- > 0;) {
		if (server->front_states[i])
			server->fronts[i]->close(&server->front_states[i]);
	}
}

/* --- Sandbox ------------------------------------------------------------- */

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

/* --- The end ------------------------------------------------------------- */

/* A handle that is still open would be a mistake of ours. */
static void close_loop(struct server *server)
{
	int error = uv_loop_close(&server->loop);

	assert(error == 0);
	(void)error;
	server->has_loop = false;
}

void server_stop(struct server *server)
{
	server_stop_fronts(server);
	server_stop_signals(server);
	housekeeping_close(&server->housekeeping);
	writer_close(&server->writer);
	jobs_close(&server->jobs);
	if (server->has_loop)
		uv_run(&server->loop, UV_RUN_DEFAULT); /* until all handles are closed */
	service_close(&server->service);
	if (server->store)
		store_close(&server->store);
	if (server->has_loop)
		close_loop(server);
	log_free(&server->log);
}
