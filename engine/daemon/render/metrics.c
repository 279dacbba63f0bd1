/* The counters in Prometheus' text format.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/render/render.h"

#include "config.h"

#include <time.h>

#include "engine/base/buffer.h"
#include "engine/daemon/server.h"
#include "engine/daemon/task/housekeeping.h"

static const size_t METRICS_MAX = 65536;

static void head(struct buffer *output, const char *name, const char *type, const char *help)
{
	buffer_printf(output, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(
	struct buffer *output, const char *name, const char *type, const char *help, double value)
{
	head(output, name, type, help);
	buffer_printf(output, "%s %.15g\n", name, value);
}

static void labelled(struct buffer *output, const char *name, const char *label, const char *value,
	uint64_t count)
{
	buffer_printf(
		output, "%s{%s=\"%s\"} %llu\n", name, label, value, (unsigned long long)count);
}

static void put_traffic(struct buffer *output, const struct counters *counters)
{
	static const char verdicts[] = "hamlet_verdicts_total", reports[] = "hamlet_reports_total",
			  refused[] = "hamlet_refused_total";

	head(output, verdicts, "counter", "Messages judged, by verdict.");
	labelled(output, verdicts, "verdict", "spam", counters->spam);
	labelled(output, verdicts, "verdict", "ham", counters->ham);
	one(output, "hamlet_verdicts_personal_total", "counter",
		"Messages judged with reports of the user's own.", (double)counters->personal);
	one(output, "hamlet_verdicts_strangers_total", "counter",
		"Messages judged as everybody's, since the peer may not have the user's verdict.",
		(double)counters->strangers);
	head(output, reports, "counter", "Reports taken, by what became of them.");
	for (int i = 0; i < COUNTER_OUTCOMES; i++)
		labelled(output, reports, "outcome", outcome_name((enum outcome)i),
			counters->outcomes[i]);
	head(output, refused, "counter", "Requests refused, by reason.");
	labelled(output, refused, "reason", "connections", counters->refused.connections);
	labelled(output, refused, "reason", "jobs", counters->refused.jobs);
	labelled(output, refused, "reason", "memory", counters->refused.memory);
	labelled(output, refused, "reason", "reports", counters->refused.reports);
	labelled(output, refused, "reason", "rights", counters->refused.rights);
	labelled(output, refused, "reason", "malformed", counters->refused.malformed);
	labelled(output, refused, "reason", "timeouts", counters->refused.timeouts);
	one(output, "hamlet_connections_total", "counter", "Connections accepted.",
		(double)counters->connections);
}

static void put_writer(struct buffer *output, const struct writer *writer)
{
	struct writer_stats stats;

	writer_read_stats(writer, &stats);
	one(output, "hamlet_commits_total", "counter", "Batches of reports committed.",
		(double)stats.batches);
	one(output, "hamlet_commits_failed_total", "counter", "Batches that were not.",
		(double)stats.failed);
	one(output, "hamlet_commit_seconds_total", "counter", "Time spent in commits.",
		(double)stats.commit_ns_sum / 1e9);
	one(output, "hamlet_reports_waiting", "gauge", "Reports that wait for the disk.",
		(double)stats.waiting);
	one(output, "hamlet_changes_total", "counter", "Changes and erasures made.",
		(double)stats.changes);
	one(output, "hamlet_checkpoints_total", "counter", "Checkpoints of the global evidence.",
		(double)stats.checkpoints);
	one(output, "hamlet_checkpoints_failed_total", "counter", "Checkpoints that failed.",
		(double)stats.checkpoints_failed);
}

static void put_housekeeping(struct buffer *output, const struct server *server)
{
	static const char expired[] = "hamlet_expired_reports_total";
	struct housekeeping_stats stats;
	struct service_stats engine;

	housekeeping_read_stats(server->housekeeping, &stats);
	service_read_stats(server->service, &engine);
	one(output, "hamlet_housekeeping_runs_total", "counter", "Housekeepings that ended well.",
		(double)stats.runs);
	one(output, "hamlet_housekeeping_failed_total", "counter", "Housekeepings that failed.",
		(double)stats.failed);
	one(output, "hamlet_housekeeping_last_success_timestamp_seconds", "gauge",
		"When one ended well last; 0 = never.", (double)engine.expired_at);
	if (engine.expired_at > 0)
		one(output, "hamlet_housekeeping_age_seconds", "gauge",
			"Time since one ended well.", difftime(time(NULL), engine.expired_at));
	head(output, expired, "counter", "Reports past their time, by why they went.");
	labelled(output, expired, "reason", "age", (uint64_t)stats.expired.by_age);
	labelled(output, expired, "reason", "count", (uint64_t)stats.expired.by_count);
	labelled(output, expired, "reason", "idleness", (uint64_t)stats.expired.by_idleness);
	labelled(output, expired, "reason", "budget", (uint64_t)stats.expired.by_budget);
	one(output, "hamlet_expired_users_total", "counter", "Users without reports, forgotten.",
		(double)stats.expired.users);
	one(output, "hamlet_returned_bytes_total", "counter",
		"Room of the database given back to the file system.", (double)stats.expired.bytes);
	one(output, "hamlet_clock_doubted", "gauge",
		"1 when the last housekeeping did not believe the clock.",
		stats.expired.doubt != CLOCK_BELIEVED);
	one(output, "hamlet_over_budget", "gauge", "1 when a budget is passed.",
		engine.over_budget);
}

static void put_engine(struct buffer *output, const struct server *server)
{
	struct service_stats stats;

	service_read_stats(server->service, &stats);
	one(output, "hamlet_global_tokens", "gauge", "Tokens of the global evidence.",
		(double)stats.global_tokens);
	one(output, "hamlet_global_bytes", "gauge", "Memory of the global evidence.",
		(double)stats.global_bytes);
	one(output, "hamlet_cached_users", "gauge", "Users and domains in the cache.",
		(double)stats.cached_users);
	one(output, "hamlet_cached_bytes", "gauge", "Memory of the cache.",
		(double)stats.cached_bytes);
	one(output, "hamlet_journal_sequence", "gauge", "Number of the newest report.",
		(double)stats.last_seq);
	one(output, "hamlet_checkpoint_sequence", "gauge", "Report up to which rows are written.",
		(double)stats.checkpoint_seq);
	one(output, "hamlet_writable", "gauge",
		"0 when the last write failed, or none can be made.", stats.writable);
	one(output, "hamlet_jobs_running", "gauge", "Messages worked on.",
		(double)jobs_running(server->jobs));
	one(output, "hamlet_jobs_waiting", "gauge", "Messages that wait for a thread.",
		(double)jobs_waiting(server->jobs));
	one(output, "hamlet_held_bytes", "gauge", "Memory of requests.",
		(double)server->held_bytes);
}

char *render_metrics(const struct server *server)
{
	struct buffer output = BUFFER_INIT(METRICS_MAX);

	head(&output, "hamlet_build_info", "gauge", "1, with the version.");
	labelled(&output, "hamlet_build_info", "version", PACKAGE_VERSION, 1);
	one(&output, "hamlet_uptime_seconds", "gauge", "Time since the start.",
		(double)(uv_hrtime() - server->started) / 1e9);
	put_traffic(&output, &server->counters);
	put_writer(&output, server->writer);
	put_engine(&output, server);
	put_housekeeping(&output, server);
	buffer_append(&output, "", 1);
	if (output.failed)
		buffer_free(&output);
	return output.data;
}
