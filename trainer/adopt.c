/* Adopts a generation or a policy: through hamletd when it runs, else in the database.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/adopt.h"

#include <glib.h>

#include "engine/client/call.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "trainer/alone.h"

/* --- By the daemon ------------------------------------------------------------------ */

static enum status ask_daemon(const char *socket, const char *name, struct failure *failure)
{
	json_t *answer;
	enum status status = call_run(socket,
		json_pack("{s:s, s:s, s:s}", "call", "adopt", "scope", "", "generation", name),
		&answer, failure);

	json_decref(answer);
	return status;
}

/* --- Without it ---------------------------------------------------------------------- */

enum status adopt_into(struct service *service, struct worker *worker, const char *path,
	const char *keep, struct failure *failure)
{
	struct change *change;
	enum status status = change_adopt(service, path, keep, &change, failure);

	if (status == STATUS_OK)
		status = change_prepare(change, worker, failure);
	while (status == STATUS_OK && change_goes_on(change))
		status = change_run(change, failure);
	change_end(service, &change);
	return status;
}

static enum status adopt_alone(const char *database, const char *name,
	const struct service_settings *settings, struct failure *failure)
{
	char *path = generation_path(database, name);
	char *keep = generation_path(database, "previous");
	struct alone alone = {0};
	struct worker *worker = NULL;
	enum status status = alone_open(&alone, database, settings, failure);

	if (status == STATUS_OK)
		status = worker_open(alone.service, &worker, failure);
	if (status == STATUS_OK)
		status = adopt_into(alone.service, worker, path, keep, failure);
	worker_close(&worker);
	alone_close(&alone);
	g_free(path);
	g_free(keep);
	return status;
}

enum status adopt_generation(const char *database, const char *socket, const char *name,
	const struct service_settings *settings, struct failure *failure)
{
	char *path = generation_path(database, name);
	enum status status = STATUS_NOTFOUND;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		failure_set(failure, status, "there is no generation %s", path);
	else
		status = adopt_alone(database, name, settings, failure);
	if (status == STATUS_BUSY) /* hamletd has it */
		status = ask_daemon(socket, name, failure);
	g_free(path);
	return status;
}

/* --- Policy ------------------------------------------------------------------------------ */

static enum status ask_to_change(const char *socket, const struct store_entry *entries,
	size_t count, struct failure *failure)
{
	json_t *list = json_array(), *answer;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s}", "kind", entry_kind_name(entries[i].kind),
				"name", entries[i].name, "value", entries[i].value));
	enum status status = call_run(socket,
		json_pack("{s:s, s:s, s:o}", "call", "change", "scope", "", "entries", list),
		&answer, failure);
	json_decref(answer);
	return status;
}

static enum status change(struct service *service, const struct store_entry *entries, size_t count,
	struct failure *failure)
{
	struct change *change = NULL;
	enum status status = change_entries(service, entries, count, AS_USER, &change, failure);

	if (status == STATUS_OK)
		status = change_run(change, failure);
	change_end(service, &change);
	return status;
}

enum status adopt_policy(const char *database, const char *socket,
	const struct store_entry *entries, size_t count, const struct service_settings *settings,
	struct failure *failure)
{
	struct alone alone = {0};
	enum status status = alone_open(&alone, database, settings, failure);

	if (status == STATUS_OK)
		status = change(alone.service, entries, count, failure);
	else if (status == STATUS_BUSY) /* hamletd has it */
		status = ask_to_change(socket, entries, count, failure);
	alone_close(&alone);
	return status;
}
