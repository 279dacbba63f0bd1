/* Writes one SPAMC request to the socket and reads the reply.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 64 << 20 };

static enum status connect_to(const char *path, int *descriptor, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return failure_set(failure, STATUS_INVALID, "socket path %s is too long", path);
	strcpy(address.sun_path, path);
	*descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*descriptor < 0)
		return failure_set(failure, STATUS_IO, "making a socket: %s", strerror(errno));
	if (connect(*descriptor, (struct sockaddr *)&address, sizeof(address)) == 0)
		return STATUS_OK;

	int reason = errno;
	close(*descriptor);
	*descriptor = -1;
	const char *advice = reason == EACCES
		? "your login may not use it: see socket-mode and socket-group in hamlet.conf(5)"
		: "is hamletd running? --socket names another place";
	return failure_set(
		failure, STATUS_IO, "connecting to %s: %s; %s", path, strerror(reason), advice);
}

/* Sends all of it. The daemon may answer and close before it has read all: that
 * is no failure, its answer says why. */
static enum status send_all(
	int descriptor, const char *data, size_t length, struct failure *failure)
{
	while (length > 0) {
		ssize_t sent = send(descriptor, data, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return STATUS_OK;
		if (sent < 0)
			return failure_set(failure, STATUS_IO, "sending: %s", strerror(errno));
		data += sent;
		length -= (size_t)sent;
	}
	return STATUS_OK;
}

static enum status receive_all(int descriptor, struct buffer *reply, struct failure *failure)
{
	for (;;) {
		char *room = buffer_reserve(reply, 65536);
		if (!room)
			return failure_set(failure, STATUS_LIMIT, "the answer is too large");
		ssize_t received = recv(descriptor, room, 65536, 0);
		if (received < 0 && errno == EINTR)
			continue;
		if (received == 0 || (received < 0 && reply->length > 0))
			return STATUS_OK;
		if (received < 0)
			return failure_set(failure, STATUS_IO, "receiving: %s", strerror(errno));
		reply->length += (size_t)received;
	}
}

static enum status status_of_code(int code)
{
	switch (code) {
	case 65:
	case 76:
		return STATUS_INVALID;
	case 75:
		return STATUS_OVERLOAD;
	case 77:
		return STATUS_DENIED;
	case 79:
		return STATUS_TIMEOUT;
	default:
		return STATUS_PROTOCOL;
	}
}

/* Cuts off status line and headers, or takes the refusal from the line. */
static enum status parse_reply(struct buffer *reply, struct failure *failure)
{
	int code = -1, text_at = 0;

	buffer_append(reply, "", 1); /* terminated for the scans below */
	if (reply->failed)
		return failure_set(failure, STATUS_LIMIT, "the answer is too large");
	reply->length--;
	if (sscanf(reply->data, "SPAMD/%*d.%*d %d %n", &code, &text_at) != 1)
		return failure_set(failure, STATUS_PROTOCOL,
			"hamletd closed the connection without an answer");
	if (code != 0) {
		const char *text = reply->data + text_at;
		return failure_set(failure, status_of_code(code), "hamletd refused: %.*s",
			(int)strcspn(text, "\r\n"), text);
	}
	const char *blank = strstr(reply->data, "\r\n\r\n");
	buffer_consume(reply, blank ? (size_t)(blank + 4 - reply->data) : reply->length);
	return STATUS_OK;
}

static enum status send_request(
	int descriptor, const struct exchange *exchange, struct failure *failure)
{
	struct buffer head = BUFFER_INIT(8192);

	buffer_printf(&head, "%s SPAMC/1.5\r\nAccept: application/json\r\n%s", exchange->command,
		exchange->headers);
	if (*exchange->user)
		buffer_printf(&head, "User: %s\r\n", exchange->user);
	if (exchange->message)
		buffer_printf(&head, "Content-length: %zu\r\n", exchange->length);
	buffer_append_string(&head, "\r\n");
	enum status status = head.failed
		? failure_set(failure, STATUS_INVALID, "the user name is too long")
		: send_all(descriptor, head.data, head.length, failure);
	buffer_free(&head);
	if (status == STATUS_OK && exchange->message)
		status = send_all(descriptor, exchange->message, exchange->length, failure);
	if (status == STATUS_OK)
		shutdown(descriptor, SHUT_WR);
	return status;
}

enum status exchange_run(
	const struct exchange *exchange, struct buffer *body, struct failure *failure)
{
	int descriptor = -1;
	enum status status = STATUS_OK;

	*body = BUFFER_INIT(REPLY_MAX);
	if (strpbrk(exchange->user, "\r\n"))
		return failure_set(failure, STATUS_INVALID, "a user name has no line breaks");
	status = connect_to(exchange->socket, &descriptor, failure);
	if (status == STATUS_OK)
		status = send_request(descriptor, exchange, failure);
	if (status == STATUS_OK)
		status = receive_all(descriptor, body, failure);
	if (status == STATUS_OK)
		status = parse_reply(body, failure);
	if (descriptor >= 0)
		close(descriptor);
	return status;
}
