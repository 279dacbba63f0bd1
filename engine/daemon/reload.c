/* Settings in force, at the start and on SIGHUP.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/reload.h"

#include "engine/daemon/loop/front.h"
#include "engine/daemon/notify.h"
#include "engine/daemon/server.h"
#include "engine/settings/budget.h"

void reload_log(struct server *server)
{
	log_configure(server->log, server->verbose ? LOG_DEBUG : server->settings.log_level,
		server->settings.log_users);
}

static void on_change(void *context, const char *key, const char *value, bool taken)
{
	struct server *server = context;

	log_event(server->log, taken ? LOG_INFO : LOG_WARNING,
		taken ? "setting-changed" : "setting-needs-restart",
		(struct log_field[]){log_text("key", key), log_text("value", value), {0}});
}

/* The sandbox has the folders that were named at the start. */
static void log_failure(struct server *server, const struct failure *failure)
{
	bool confined = server->sandbox.files > 0 && failure->code == STATUS_IO;

	log_event(server->log, LOG_ERROR, "reload-failed",
		(struct log_field[]){log_text("reason", failure->detail),
			confined
				? log_text("advice",
					  "if it is in a folder that no setting named at the start, "
					  "restart hamletd")
				: (struct log_field){0},
			{0}});
}

/* The writer reads the service's settings while a batch is in flight. */
static void configure_service(void *context)
{
	struct server *server = context;
	struct service_settings settings = settings_of_service(&server->settings);
	struct failure failure;

	if (service_configure(server->service, &settings, &failure) != STATUS_OK)
		log_failure(server, &failure);
}

static void reload_fronts(struct server *server)
{
	struct failure failure;

	for (size_t i = 0; server->fronts[i]; i++) {
		if (server->fronts[i]->reload &&
			server->fronts[i]->reload(server->front_states[i], &failure) != STATUS_OK)
			log_event(server->log, LOG_ERROR, "reload-failed",
				(struct log_field[]){log_text("reason", failure.detail), {0}});
	}
}

static void adopt(struct server *server, struct settings *fresh)
{
	settings_adopt(&server->settings, fresh, on_change, server);
	reload_log(server);
	writer_configure(server->writer, &server->settings.writer);
	writer_between(server->writer, configure_service, server);
	reload_fronts(server);
	log_event(server->log, LOG_INFO, "reload",
		(struct log_field[]){log_text("config", server->config_path), {0}});
}

void reload(struct server *server)
{
	struct settings fresh = {0};
	struct failure failure;

	if (server->state != SERVER_RUNNING)
		return;
	notify_reloading();
	if (settings_load(&fresh, server->config_path, &failure) == STATUS_OK)
		adopt(server, &fresh);
	else
		log_failure(server, &failure);
	settings_free(&fresh);
	notify_send("READY=1");
}
