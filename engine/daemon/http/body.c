/* A request whose last byte is there: its body is unpacked in the pool when it came
 * compressed, what is no message is refused, and its route is started.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <string.h>

#include "engine/base/compression.h"
#include "engine/base/message-kind.h"
#include "engine/daemon/http/exchange.h"
#include "engine/daemon/http/http-private.h"
#include "engine/daemon/server.h"
#include "engine/service/service.h"

/* --- What is no message ----------------------------------------------------------- */

/* What a client declares is asked only where it is no accident: curl declares a form
 * whenever it is not told otherwise. */
static bool declares(const struct exchange *exchange, const char *type)
{
	const char *given = exchange_header(exchange, "Content-Type");
	size_t length = strlen(type);

	return given && g_ascii_strncasecmp(given, type, length) == 0 &&
		!g_ascii_isalnum(given[length]);
}

static enum message_kind kind_of(const struct exchange *exchange)
{
	enum message_kind kind = message_kind_of(
		exchange->body.data ? exchange->body.data : "", exchange->body.length);

	if (kind == MESSAGE_EMPTY)
		return kind;
	if (declares(exchange, "application/json"))
		return MESSAGE_JSON;
	return declares(exchange, "multipart/form-data") ? MESSAGE_FORM : kind;
}

static void refuse_kind(struct exchange *exchange, enum message_kind kind)
{
	char detail[160];

	g_snprintf(detail, sizeof(detail),
		"the body is %s and no message: the message itself is wanted as the body",
		message_kind_text(kind));
	exchange_problem(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, detail);
}

static void start_route(struct exchange *exchange)
{
	enum message_kind kind = exchange->route->mail ? kind_of(exchange) : MESSAGE_MAIL;

	if (kind == MESSAGE_EMPTY)
		exchange_problem(exchange, MHD_HTTP_BAD_REQUEST, "Empty body is not permitted");
	else if (kind != MESSAGE_MAIL)
		refuse_kind(exchange, kind);
	else
		exchange->route->start(exchange);
}

/* --- Compressed bodies -------------------------------------------------------------- */

/* HTTP's own field and that of rspamd's clients, which may both be there; a list of
 * codings is another kind. */
static enum compression compression_of(const struct exchange *exchange)
{
	static const char *const names[] = {"Content-Encoding", "Compression"};
	enum compression found = COMPRESSION_NONE;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		char **values = exchange_headers(exchange, names[i]);
		enum compression compression = COMPRESSION_NONE;

		if (values)
			compression = values[1] ? COMPRESSION_OTHER
						: compression_named(g_strstrip(values[0]));
		g_strfreev(values);
		if (found != COMPRESSION_NONE && compression != COMPRESSION_NONE &&
			compression != found)
			return COMPRESSION_OTHER;
		if (compression != COMPRESSION_NONE)
			found = compression;
	}
	return found;
}

/* In the pool. */
static void on_unpack(struct job *job, struct worker *worker)
{
	struct exchange *exchange = job->data;
	(void)worker;

	decompress(exchange->compression, exchange->body.data, exchange->body.length,
		&exchange->unpacked, &exchange->failure);
}

/* What is being unpacked is not counted before: the workers bound how much that is. */
static void hold_unpacked(struct exchange *exchange)
{
	struct server *server = exchange->server;

	buffer_free(&exchange->body);
	exchange->body = exchange->unpacked;
	exchange->unpacked = (struct buffer){0};
	admission_hold(server, &exchange->held, exchange->body.capacity);
	if (!admission_has_memory(server, 0))
		failure_set(&exchange->failure, STATUS_OVERLOAD,
			"too busy: memory for messages is used up");
}

static void on_unpacked(struct job *job)
{
	struct exchange *exchange = job->data;

	if (exchange->failure.code == STATUS_OK)
		hold_unpacked(exchange);
	if (exchange->failure.code == STATUS_OK)
		start_route(exchange);
	else
		exchange_fail(exchange, &exchange->failure);
	if (exchange->answered)
		exchange_resume(exchange);
}

static void unpack(struct exchange *exchange)
{
	struct server *server = exchange->server;

	exchange->job = (struct job){.data = exchange,
		.run = on_unpack,
		.done = on_unpacked,
		.client = peer_client(&exchange->peer)};
	exchange->unpacked = BUFFER_INIT(server->settings.max_message_bytes);
	if (jobs_submit(server->jobs, &exchange->job, server->settings.max_jobs) == STATUS_OK)
		return;
	server->counters.refused.jobs++;
	exchange_problem(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
		"too busy: too many messages are being worked on");
}

void body_start(struct exchange *exchange)
{
	exchange->compression = compression_of(exchange);
	if (exchange->compression == COMPRESSION_OTHER) {
		exchange_problem(exchange, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
			"the body may be compressed by gzip, deflate or zstd, and by one of them");
		exchange->hint =
			(struct parameter){MHD_HTTP_HEADER_ACCEPT_ENCODING, "gzip, deflate, zstd"};
	} else if (exchange->compression != COMPRESSION_NONE && exchange->body.length > 0) {
		unpack(exchange);
	} else {
		start_route(exchange);
	}
}
