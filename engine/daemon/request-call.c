/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Requests that are not mail traffic: calls and diagnoses. Who asks is found out
 * in the pool, what that one may do is decided on the loop. */
#include <time.h>

#include "engine/daemon/render.h"
#include "engine/daemon/request.h"
#include "engine/daemon/server.h"

static void on_resolve(struct job *job, struct worker *worker)
{
	struct request *request = job->data;
	(void)worker;

	peer_resolve(request->peer);
}

static bool refuse(struct request *request, enum status status)
{
	if (status == STATUS_OK)
		return false;
	request->server->counters.refused.rights += status == STATUS_DENIED;
	request_fail(request);
	return true;
}

/* --- Calls ------------------------------------------------------------------- */

static void on_read(struct job *job, struct worker *worker)
{
	struct request *request = job->data;

	call_read(request->call, worker, request->query, &request->json, &request->failure);
}

static void on_read_done(struct job *job)
{
	struct request *request = job->data;

	if (request->failure.code != STATUS_OK)
		request_fail(request);
	else
		request_reply_json(request);
}

static void on_changed(struct ticket *ticket, const struct failure *failure)
{
	struct request *request = ticket->data;
	const struct receipt *receipt = change_receipt(ticket->change);

	if (failure) {
		request->failure = *failure;
		request_fail(request);
		return;
	}
	log_event(request->server->log, LOG_INFO, call_name(request->call),
		(struct log_field[]){log_user(call_scope(request->call)),
			log_number("entries", receipt->entries),
			log_number("reports", receipt->reports),
			log_number("global_tokens", (int64_t)receipt->tokens),
			peer_log(request->peer), {0}});
	request->json = call_receipt(request->call, receipt, request->time);
	request_reply_json(request);
}

static void start_change(struct request *request)
{
	struct server *server = request->server;
	struct ticket *ticket = &request->ticket;
	enum status status;

	request->time = time(NULL);
	*ticket = (struct ticket){.data = request, .done = on_changed};
	status = call_change(request->call, server->service, request->time, &ticket->change,
		&request->failure);
	if (refuse(request, status))
		return;
	status = writer_change(server->writer, ticket, &request->failure);
	if (status != STATUS_OK) {
		change_end(server->service, &ticket->change);
		request_fail(request);
	}
}

static void start_read(struct request *request)
{
	const char *scope = call_scope(request->call);
	enum status status = STATUS_OK;

	if (call_queries(request->call))
		status = query_begin(request->server->service, &scope, 1, false, &request->query,
			&request->failure);
	if (!refuse(request, status))
		request_submit(request, on_read, on_read_done);
}

static void on_caller(struct job *job)
{
	struct request *request = job->data;
	const struct settings *settings = &request->server->settings;
	enum status status = call_right(request->call) == CALL_AS_ADMINISTRATOR
		? peer_may_administer(request->peer, settings, &request->failure)
		: peer_may_report(
			  request->peer, call_scope(request->call), settings, &request->failure);

	if (refuse(request, status))
		return;
	if (call_work(request->call) == CALL_CHANGES)
		start_change(request);
	else
		start_read(request);
}

void request_call(struct request *request)
{
	enum status status = call_parse(&request->call, request->spamd->message,
		request->spamd->length, &request->failure);

	if (!refuse(request, status))
		request_submit(request, on_resolve, on_caller);
}

/* --- Diagnoses ----------------------------------------------------------------- */

static void on_diagnose(struct job *job, struct worker *worker)
{
	struct request *request = job->data;
	struct past past;

	query_run(request->query, worker, request->spamd->message, request->spamd->length,
		&request->failure);
	if (request->failure.code == STATUS_OK)
		query_past(request->query, worker, &past, &request->failure);
	if (request->failure.code == STATUS_OK)
		request->json = render_diagnosis_json(request->query, &past);
}

static void on_asker(struct job *job)
{
	struct request *request = job->data;
	const char *user = request->spamd->user;
	enum status status = STATUS_OK;

	if (*user) /* what somebody pressed is between the two of them */
		status = peer_may_report(
			request->peer, user, &request->server->settings, &request->failure);
	if (status == STATUS_OK)
		status = query_begin(request->server->service, &user, 1, true, &request->query,
			&request->failure);
	if (!refuse(request, status))
		request_submit(request, on_diagnose, on_read_done);
}

void request_diagnose(struct request *request)
{
	request_submit(request, on_resolve, on_asker);
}
