/* The answer to STATS, as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render/render.h"

#include "config.h"

#include <jansson.h>

#include "engine/daemon/server.h"
#include "engine/daemon/task/housekeeping.h"

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *milliseconds(uint64_t nanoseconds)
{
	return json_real((double)nanoseconds / 1e6);
}

static json_t *requests(const struct counters *counters)
{
	json_t *json = json_object();

	for (int i = 0; i < COUNTER_COMMANDS && counters->commands[i].name; i++)
		json_object_set_new(json, counters->commands[i].name,
			json_pack("{s:o, s:o}", "done", count(counters->commands[i].done), "failed",
				count(counters->commands[i].failed)));
	return json;
}

static json_t *reports(const struct counters *counters)
{
	json_t *json = json_object();

	for (int i = 0; i < COUNTER_OUTCOMES; i++)
		json_object_set_new(
			json, outcome_name((enum outcome)i), count(counters->outcomes[i]));
	return json;
}

static json_t *refused(const struct counters *counters)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "connections",
		count(counters->refused.connections), "jobs", count(counters->refused.jobs),
		"memory", count(counters->refused.memory), "reports",
		count(counters->refused.reports), "rights", count(counters->refused.rights),
		"malformed", count(counters->refused.malformed), "timeouts",
		count(counters->refused.timeouts));
}

static json_t *engine(const struct service *service)
{
	struct service_stats stats;

	service_read_stats(service, &stats);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "global_tokens",
		count(stats.global_tokens), "global_bytes", count(stats.global_bytes),
		"cached_users", count(stats.cached_users), "cached_bytes",
		count(stats.cached_bytes), "last_seq", count((uint64_t)stats.last_seq),
		"checkpoint_seq", count((uint64_t)stats.checkpoint_seq), "writable", stats.writable,
		"over_budget", stats.over_budget, "budget_bytes",
		count((uint64_t)service_settings(service)->retention.bytes));
}

static json_t *writer(const struct writer *writer)
{
	struct writer_stats stats;

	writer_read_stats(writer, &stats);
	return json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o}", "waiting",
		count(stats.waiting), "batches", count(stats.batches), "failed",
		count(stats.failed), "reports", count(stats.presses), "commit_ms", "last",
		milliseconds(stats.commit_ns), "mean",
		milliseconds(stats.batches ? stats.commit_ns_sum / stats.batches : 0), "max",
		milliseconds(stats.commit_ns_max), "checkpoints", count(stats.checkpoints),
		"checkpoints_failed", count(stats.checkpoints_failed), "checkpoint_ms",
		milliseconds(stats.checkpoint_ns), "changes", count(stats.changes));
}

/* "last_success" is the time of an expiry that ended well, 0 = never. */
static json_t *housekeeping(const struct server *server)
{
	struct housekeeping_stats stats;
	struct service_stats engine;

	housekeeping_read_stats(server->housekeeping, &stats);
	service_read_stats(server->service, &engine);
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "running", stats.running, "runs",
		count(stats.runs), "postponed", count(stats.postponed), "failed",
		count(stats.failed), "last_success", count((uint64_t)engine.expired_at), "expired",
		render_expired(&stats.expired));
}

char *render_stats(const struct server *server)
{
	const struct counters *counters = &server->counters;
	json_t *json = json_pack("{s:s, s:o, s:o, s:{s:o, s:o, s:o, s:o}, s:o, s:o, "
				 "s:{s:o, s:o, s:o}, s:{s:o, s:o, s:o}, "
				 "s:o}",
		"version", PACKAGE_VERSION, "uptime_seconds",
		count((uv_hrtime() - server->started) / 1000000000), "requests", requests(counters),
		"verdicts", "spam", count(counters->spam), "ham", count(counters->ham), "personal",
		count(counters->personal), "strangers", count(counters->strangers), "reports",
		reports(counters), "refused", refused(counters), "connections", "open",
		count(server->counters.spamd_open), "accepted", count(counters->connections),
		"held_bytes", count(server->held_bytes), "jobs", "workers",
		count(jobs_workers(server->jobs)), "running", count(jobs_running(server->jobs)),
		"waiting", count(jobs_waiting(server->jobs)), "writer", writer(server->writer));

	json_object_set_new(json, "engine", engine(server->service));
	json_object_set_new(json, "housekeeping", housekeeping(server));
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(json);
	return text;
}
