/* What a client sends over HTTP, until it ends its side: libmicrohttpd, the paths, and the
 * tasks behind them, on a store in memory. The first byte may say under which circumstances:
 *
 *   @  over TCP, where a token is wanted
 *   !  the rest is the token's file, and it is read again
 *   +  all connections are in use
 *   %  too many messages are being worked on
 *   #  the memory for messages is used up
 *   =  no descriptors are left
 *   ^  the daemon is shutting down
 *   ~  the client does not end its side, and its time is over
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/daemon/http/exchange.h"
#include "engine/daemon/http/http-private.h"
#include "engine/daemon/http/http.h"
#include "engine/daemon/steps.h"
#include "engine/daemon/task/housekeeping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 20000 }; /* of a millisecond at most: then it hangs */

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const struct front *const FRONTS[] = {&http_front, NULL};
static struct server *server;
static char *directory;
static char *token_path;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct sockaddr_in tcp_address = {.sin_family = AF_INET};

static const char TOKEN[] = "not-a-secret-0123456789";

static void remove_directory(void)
{
	g_unlink(address.sun_path);
	g_unlink(token_path);
	g_rmdir(directory);
}

static void write_token(const void *text, size_t size)
{
	REQUIRE(g_file_set_contents(token_path, text, (gssize)size, NULL));
}

/* A port that nobody has, most probably. */
static int find_port(void)
{
	socklen_t size = sizeof(tcp_address);
	int probe = socket(AF_INET, SOCK_STREAM, 0);

	tcp_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(bind(probe, (struct sockaddr *)&tcp_address, sizeof(tcp_address)) == 0);
	REQUIRE(getsockname(probe, (struct sockaddr *)&tcp_address, &size) == 0);
	close(probe);
	return ntohs(tcp_address.sin_port);
}

static struct http *http(void)
{
	return server->front_states[0];
}

static void stop_http(void)
{
	server_stop_fronts(server);
	while (uv_run(&server->loop, UV_RUN_NOWAIT) &&
		g_file_test(address.sun_path, G_FILE_TEST_EXISTS))
		;
}

/* What an operator may get wrong is told, and leaves nothing behind. */
static void require_failures(void)
{
	char *path = server->settings.http_token_file;
	struct failure failure = {0};

	server->settings.http_token_file = (char *)"";
	REQUIRE(server_start_fronts(server, &failure) == STATUS_INVALID);
	stop_http();
	server->settings.http_token_file = path;
	REQUIRE(server_start_fronts(server, &failure) == STATUS_IO);
	stop_http();
	write_token("short", 5);
	REQUIRE(server_start_fronts(server, &failure) == STATUS_INVALID);
	REQUIRE(listening_open(http(), -1, AF_UNIX, NULL, &failure) == STATUS_IO);
	stop_http();
	server_stop_fronts(server);
}

static void start_server(void)
{
	struct failure failure = {0};

	directory = g_dir_make_tmp("fuzz-http-XXXXXX", NULL);
	REQUIRE(directory);
	token_path = g_strdup_printf("%s/token", directory);
	char *text = g_strdup_printf("[hamletd]\nruntime-directory=%s\nworkers=1\nlog-level=error\n"
				     "max-message-bytes=64K\nmax-buffered-bytes=1M\n"
				     "listen-http=127.0.0.1:%d\nhttp-token-file=%s\n",
		directory, find_port(), token_path);
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/http.sock", directory);
	atexit(remove_directory);
	server = g_new0(struct server, 1);
	server->room = 100; /* as server_run has it */
	server->fronts = FRONTS;
	REQUIRE(settings_parse(&server->settings, "fuzz", text, strlen(text), &failure) ==
		STATUS_OK);
	g_free(text);
	REQUIRE(server_start_log(server, &failure) == STATUS_OK);
	REQUIRE(server_start_loop(server, &failure) == STATUS_OK);
	REQUIRE(store_open(&server->store, "memory:", STORE_WRITE, &failure) == STATUS_OK);
	REQUIRE(server_start_service(server, &failure) == STATUS_OK);
	REQUIRE(server_start_jobs(server, &failure) == STATUS_OK);
	REQUIRE(server_start_writer(server, &failure) == STATUS_OK);
	REQUIRE(server_start_housekeeping(server, &failure) == STATUS_OK);
	require_failures();
	write_token(TOKEN, strlen(TOKEN));
	REQUIRE(server_start_fronts(server, &failure) == STATUS_OK);
	http_front.drain(http());
	stop_http();
	REQUIRE(server_start_fronts(server, &failure) == STATUS_OK);
}

/* Sends what can be sent now; ends the client's side after the last byte, if it `ends`. */
static void send_some(int client, const uint8_t *data, size_t size, size_t *sent, bool ends)
{
	ssize_t done = 0;

	while (*sent < size && (done = send(client, data + *sent, size - *sent, MSG_NOSIGNAL)) > 0)
		*sent += (size_t)done;
	if (*sent == size || (done < 0 && errno != EAGAIN)) {
		if (ends)
			shutdown(client, SHUT_WR);
		*sent = size;
	}
}

/* The reaper comes, and no client has time left, nor is any waited for. */
static void end_time(void)
{
	struct clients *clients = &http()->clients;
	struct client *client;

	LIST_FOREACH (client, &clients->list, link)
		client->deadline = client->deadline > 1 ? 1 : client->deadline;
	clients_cut_off(clients);
	http_front.expire(http());
}

static int connect_client(bool tcp)
{
	int client = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);
	const struct sockaddr *to =
		tcp ? (struct sockaddr *)&tcp_address : (struct sockaddr *)&address;

	REQUIRE(connect(client, to, tcp ? sizeof(tcp_address) : sizeof(address)) == 0);
	REQUIRE(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
	return client;
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
static size_t exchange(
	char circumstance, const uint8_t *data, size_t size, char *reply, size_t room)
{
	bool tcp = circumstance == '@', ends = circumstance != '~';
	/* libmicrohttpd does not see every end over TCP: its deadline ends it then. */
	size_t patience = ends && !tcp ? STEPS_MAX : 100;
	size_t sent = 0, received = 0, steps = 0;
	int client = connect_client(tcp);

	do {
		send_some(client, data, size, &sent, ends);
		uv_run(&server->loop, UV_RUN_NOWAIT);
		if (!LIST_EMPTY(&http()->exchanges)) /* a job may be at work */
			poll(&(struct pollfd){.fd = uv_backend_fd(&server->loop), .events = POLLIN},
				1, 1);
		if (sent == size && steps > patience)
			end_time();
		REQUIRE(steps++ < STEPS_MAX);
	} while (receive_some(client, reply, room, &received));
	close(client);
	while (server->connections > 0 && steps++ < STEPS_MAX)
		uv_run(&server->loop, UV_RUN_NOWAIT);
	return received;
}

/* Sets the circumstances, and takes them back. */
static void set(char circumstance, bool on)
{
	struct settings *settings = &server->settings;

	switch (circumstance) {
	case '+':
		settings->max_connections = on ? 0 : 100;
		break;
	case '%':
		settings->max_jobs = on ? 0 : 100;
		break;
	case '#':
		settings->max_buffered_bytes = on ? 100 : 1 << 20;
		break;
	case '=':
		server->room = on ? 0 : 100;
		break;
	case '^':
		server->state = on ? SERVER_DRAINING : SERVER_RUNNING;
		server->stop_delays += on ? 1 : (size_t)-1; /* it waits for somebody else, too */
		break;
	default:
		break;
	}
}

/* The file is taken when it has a token; else the former one stays. */
static void read_token_again(const uint8_t *data, size_t size)
{
	struct failure failure = {0};
	enum status status;

	write_token(data, size);
	status = http_front.reload(http(), &failure);
	REQUIRE(status == STATUS_OK || (status == STATUS_INVALID && *failure.detail));
	REQUIRE(strlen(http()->token) >= 16);
	REQUIRE(status == STATUS_OK || strcmp(http()->token, TOKEN) == 0);
	write_token(TOKEN, strlen(TOKEN));
	REQUIRE(http_front.reload(http(), &failure) == STATUS_OK);
	REQUIRE(strcmp(http()->token, TOKEN) == 0);
}

/* A server that turns everybody away would pass all the rest. */
static void require_service(void)
{
	static const char REQUEST[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	char reply[16];

	REQUIRE(exchange(0, (const uint8_t *)REQUEST, strlen(REQUEST), reply, sizeof(reply)) ==
		sizeof(reply));
	REQUIRE(memcmp(reply, "HTTP/1.1 200 OK", 15) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char circumstance = 0;
	char reply[16];

	if (!server) {
		start_server();
		require_service();
	}
	if (size > 0 && data[0] && strchr("@!+%#=^~", data[0])) {
		circumstance = (char)data[0];
		data++;
		size--;
	}
	if (circumstance == '!') {
		read_token_again(data, size);
		return 0;
	}
	set(circumstance, true);
	size_t received = exchange(circumstance, data, size, reply, sizeof(reply));
	set(circumstance, false);
	REQUIRE(received == 0 || (received > 7 && memcmp(reply, "HTTP/1.", 7) == 0));
	REQUIRE(server->connections == 0 && LIST_EMPTY(&http()->exchanges));
	REQUIRE(server->held_bytes == 0);
	return 0;
}
