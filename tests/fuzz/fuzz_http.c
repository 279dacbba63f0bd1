/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What a client sends to http.sock, until it ends its side: libmicrohttpd, the paths,
 * and the tasks behind them, on a store in memory. */
#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/daemon/housekeeping.h"
#include "engine/daemon/http/http.h"
#include "engine/daemon/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 20000 }; /* of a millisecond at most: then it hangs */

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct server *server;
static char *directory;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void remove_directory(void)
{
	g_unlink(address.sun_path);
	g_rmdir(directory);
}

static void start_server(void)
{
	struct failure failure = {0};

	directory = g_dir_make_tmp("fuzz-http-XXXXXX", NULL);
	REQUIRE(directory);
	char *text = g_strdup_printf("[hamletd]\nruntime-directory=%s\nworkers=1\nlog-level=error\n"
				     "max-message-bytes=64K\nmax-buffered-bytes=1M\n", directory);
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/http.sock", directory);
	atexit(remove_directory);
	server = g_new0(struct server, 1);
	server->room = 100; /* as server_run has it */
	REQUIRE(settings_parse(&server->settings, "fuzz", text, strlen(text), &failure) == STATUS_OK);
	g_free(text);
	REQUIRE(server_start_log(server, &failure) == STATUS_OK);
	REQUIRE(server_start_loop(server, &failure) == STATUS_OK);
	REQUIRE(store_open_memory(&server->store, &failure) == STATUS_OK);
	REQUIRE(server_start_service(server, &failure) == STATUS_OK);
	REQUIRE(server_start_jobs(server, &failure) == STATUS_OK);
	REQUIRE(server_start_writer(server, &failure) == STATUS_OK);
	REQUIRE(server_start_housekeeping(server, &failure) == STATUS_OK);
	REQUIRE(server_start_http(server, &failure) == STATUS_OK);
}

/* Sends what can be sent now; ends the client's side after the last byte. */
static void send_some(int client, const uint8_t *data, size_t size, size_t *sent)
{
	ssize_t done = 0;

	while (*sent < size &&
		(done = send(client, data + *sent, size - *sent, MSG_NOSIGNAL)) > 0)
		*sent += (size_t)done;
	if (*sent == size || (done < 0 && errno != EAGAIN)) {
		shutdown(client, SHUT_WR);
		*sent = size;
	}
}

/* False when the server has ended its side. */
static bool receive_some(int client, char *reply, size_t room, size_t *received)
{
	char rest[4096];
	ssize_t size;

	while ((size = recv(client, *received < room ? reply + *received : rest,
			*received < room ? room - *received : sizeof(rest), 0)) > 0)
		*received += *received < room ? (size_t)size : 0;
	return size < 0 && errno == EAGAIN;
}

/* Returns how much of the reply was received into the `room` bytes. */
static size_t exchange(const uint8_t *data, size_t size, char *reply, size_t room)
{
	size_t sent = 0, received = 0, steps = 0;
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	REQUIRE(connect(client, (const struct sockaddr *)&address, sizeof(address)) == 0);
	do {
		send_some(client, data, size, &sent);
		uv_run(&server->loop, UV_RUN_NOWAIT);
		if (http_active(server->http) > 0) /* a job may be at work */
			poll(&(struct pollfd){.fd = uv_backend_fd(&server->loop), .events = POLLIN},
				1, 1);
		REQUIRE(steps++ < STEPS_MAX);
	} while (receive_some(client, reply, room, &received));
	close(client);
	while (http_connections(server->http) > 0 && steps++ < STEPS_MAX)
		uv_run(&server->loop, UV_RUN_NOWAIT);
	return received;
}

/* A server that turns everybody away would pass all the rest. */
static void require_service(void)
{
	static const char REQUEST[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	char reply[16];

	REQUIRE(exchange((const uint8_t *)REQUEST, strlen(REQUEST), reply, sizeof(reply)) ==
		sizeof(reply));
	REQUIRE(memcmp(reply, "HTTP/1.1 200 OK", 15) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reply[16];

	if (!server) {
		start_server();
		require_service();
	}
	size_t received = exchange(data, size, reply, sizeof(reply));
	REQUIRE(received == 0 || (received > 7 && memcmp(reply, "HTTP/1.", 7) == 0));
	REQUIRE(http_connections(server->http) == 0 && http_active(server->http) == 0);
	REQUIRE(server->held_bytes == 0);
	return 0;
}
