/* Load beyond what hamletd can bear, on one of its sockets: so many clients at a time,
 * one request a connection, begun at a rate or, with a rate of 0, as soon as there is
 * a client free. What is answered must be what the idle server answered before.
 *
 * Usage: bench_overload SOCKET spamd|http|milter CLIENTS RATE SECONDS FILE...
 * Says "ready", waits for a line, and prints one line of key=value: begun accepted refused closed wrong seconds and, in
 * milliseconds, the median and the 99th percentile of both kinds of answer. `closed`
 * are connections that ended without an answer, `late` those that were begun and not
 * answered when the time was over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 65536, GREETING = 17, SAMPLES = 1 << 22 };

/* After the time is over, what has been begun gets so long. */
static const double PATIENCE = 5;

enum protocol { SPAMD, HTTP, MILTER };
enum outcome { UNFINISHED, ACCEPTED, REFUSED, CLOSED, WRONG };

struct bytes {
	char *data;
	size_t length;
};

struct request {
	struct bytes sent;
	struct bytes expected; /* the part of the reply that is always the same */
};

struct client {
	int descriptor; /* -1 = free */
	const struct request *request;
	size_t sent, received;
	bool greeted; /* of a milter: the negotiation is over */
	double started;
	char reply[REPLY_MAX];
};

struct load {
	struct sockaddr_un address;
	enum protocol protocol;
	struct request *requests;
	size_t count, next;
	struct client *clients;
	size_t client_count, busy;
	int epoll;
	size_t begun, outcomes[WRONG + 1];
	float *samples[2]; /* of accepted and refused, in milliseconds */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *grow(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (!memory)
		abort();
	return memory;
}

static void append(struct bytes *bytes, const void *data, size_t length)
{
	bytes->data = grow(bytes->data, bytes->length + length + 1);
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

/* --- Requests ------------------------------------------------------------------- */

static struct bytes read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct bytes bytes = {0};
	char block[65536];
	size_t size;

	while (file && (size = fread(block, 1, sizeof(block), file)) > 0)
		append(&bytes, block, size);
	if (file)
		fclose(file);
	return bytes;
}

static void append_frame(struct bytes *bytes, char command, const void *data, size_t length)
{
	const unsigned char head[] = {0, (unsigned char)((length + 1) >> 16),
		(unsigned char)((length + 1) >> 8), (unsigned char)(length + 1),
		(unsigned char)command};

	append(bytes, head, sizeof(head));
	append(bytes, data, length);
}

#define APPEND_FRAME(bytes, command, literal)                                                      \
	append_frame(bytes, command, literal, sizeof(literal) - 1)

/* All of the message is the body: its own header fields do not matter here. */
static void make_milter(struct bytes *bytes, const struct bytes *body)
{
	static const size_t CHUNK = 60000;

	APPEND_FRAME(bytes, 'O', "\0\0\0\6\0\0\1\xFF\0\x1F\xFF\xFF");
	APPEND_FRAME(bytes, 'C',
		"client.example\0"
		"4\0\x19"
		"192.0.2.9\0");
	APPEND_FRAME(bytes, 'M', "<ann@example.com>\0");
	APPEND_FRAME(bytes, 'R', "<bob@example.org>\0");
	APPEND_FRAME(bytes, 'L', "Subject\0overload\0");
	APPEND_FRAME(bytes, 'N', "");
	for (size_t at = 0; at < body->length; at += CHUNK)
		append_frame(bytes, 'B', body->data + at,
			body->length - at < CHUNK ? body->length - at : CHUNK);
	APPEND_FRAME(bytes, 'E', "");
	APPEND_FRAME(bytes, 'Q', "");
}

static void make_request(struct load *load, const char *path)
{
	struct bytes body = read_file(path);
	struct bytes *sent = &load->requests[load->count++].sent;
	char head[256];
	int size;

	if (load->protocol == MILTER) {
		make_milter(sent, &body);
	} else {
		size = snprintf(head, sizeof(head),
			load->protocol == SPAMD
				? "CHECK SPAMC/1.5\r\nContent-length: %zu\r\n\r\n"
				: "POST /v1/score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
				  "Content-Length: %zu\r\n\r\n",
			body.length);
		append(sent, head, (size_t)size);
		append(sent, body.data, body.length);
	}
	free(body.data);
}

/* --- Replies ---------------------------------------------------------------------- */

static bool starts(const struct bytes *reply, const char *text)
{
	return reply->length >= strlen(text) && memcmp(reply->data, text, strlen(text)) == 0;
}

/* Without what is different each time: the head of HTTP with its date. */
static struct bytes constant_part(enum protocol protocol, const struct bytes *reply)
{
	struct bytes part = *reply;
	const char *body =
		protocol == HTTP ? memmem(reply->data, reply->length, "\r\n\r\n", 4) : NULL;

	if (body)
		part = (struct bytes){(char *)body, reply->length - (size_t)(body - reply->data)};
	return part;
}

/* One line with EX_TEMPFAIL, 503 with Retry-After, a frame with 421. */
static bool is_refusal(enum protocol protocol, const struct bytes *reply)
{
	const char *newline;

	switch (protocol) {
	case SPAMD:
		newline = memchr(reply->data, '\n', reply->length);
		return starts(reply, "SPAMD/1.0 75 ") && newline &&
			newline == reply->data + reply->length - 1;
	case HTTP:
		return starts(reply, "HTTP/1.1 503 ") &&
			memmem(reply->data, reply->length, "\r\nRetry-After: ", 15);
	default:
		return reply->length > GREETING + 14 &&
			memcmp(reply->data + GREETING + 4, "y421 4.3.2", 10) == 0;
	}
}

static bool is_accepted(enum protocol protocol, const struct bytes *reply)
{
	switch (protocol) {
	case SPAMD:
		return starts(reply, "SPAMD/1.1 0 ");
	case HTTP:
		return starts(reply, "HTTP/1.1 200 ");
	default:
		return reply->length > GREETING + 5 && reply->data[reply->length - 1] == 'a';
	}
}

static enum outcome judge(const struct load *load, const struct client *client)
{
	struct bytes reply = {(char *)client->reply, client->received};
	struct bytes part = constant_part(load->protocol, &reply);
	const struct bytes *expected = &client->request->expected;

	if (reply.length == 0 || (load->protocol == MILTER && reply.length < GREETING + 5))
		return CLOSED;
	if (is_refusal(load->protocol, &reply))
		return REFUSED;
	if (!is_accepted(load->protocol, &reply))
		return WRONG;
	return part.length == expected->length &&
			memcmp(part.data, expected->data, part.length) == 0
		? ACCEPTED
		: WRONG;
}

/* --- Clients ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	float first = *(const float *)a, second = *(const float *)b;

	return first < second ? -1 : first > second;
}

static void finish(struct load *load, struct client *client)
{
	enum outcome outcome = judge(load, client);
	size_t kind = outcome == REFUSED;

	if ((outcome == ACCEPTED || outcome == REFUSED) && load->outcomes[outcome] < SAMPLES)
		load->samples[kind][load->outcomes[outcome]] =
			(float)(1000 * (now() - client->started));
	if (outcome == WRONG && load->outcomes[WRONG] == 0 && client->request->expected.data)
		fprintf(stderr, "bench_overload: wrong: %.*s\n", (int)client->received,
			client->reply);
	load->outcomes[outcome]++;
	close(client->descriptor);
	client->descriptor = -1;
	load->busy--;
}

/* A milter waits for the answer to its first frame, and where it is to wait at the
 * next ones, which is so when it is refused, for that one. */
static size_t may_send(const struct load *load, const struct client *client)
{
	const size_t greeting = GREETING;

	if (load->protocol != MILTER || client->greeted)
		return client->request->sent.length;
	return greeting;
}

static void look_at_greeting(const struct load *load, struct client *client)
{
	if (load->protocol == MILTER && client->received >= GREETING)
		client->greeted = true;
}

static void advance(struct load *load, struct client *client)
{
	const struct bytes *bytes = &client->request->sent;
	ssize_t size;

	while (client->sent < may_send(load, client) &&
		(size = send(client->descriptor, bytes->data + client->sent,
			 may_send(load, client) - client->sent, MSG_NOSIGNAL)) > 0)
		client->sent += (size_t)size;
	for (;;) {
		size = recv(client->descriptor, client->reply + client->received,
			sizeof(client->reply) - client->received, 0);
		if (size < 0 && errno == EAGAIN)
			break;
		if (size <= 0) {
			finish(load, client);
			return;
		}
		client->received += (size_t)size;
	}
	look_at_greeting(load, client);
}

/* False when the server's queue is full. */
static bool begin(struct load *load, struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (descriptor < 0 ||
		connect(descriptor, (const struct sockaddr *)&load->address,
			sizeof(load->address)) != 0) {
		if (descriptor >= 0)
			close(descriptor);
		return false;
	}
	client->descriptor = descriptor;
	client->request = &load->requests[load->next++ % load->count];
	client->sent = client->received = 0;
	client->greeted = false;
	client->started = now();
	load->begun++;
	load->busy++;
	epoll_ctl(load->epoll, EPOLL_CTL_ADD, descriptor, &event);
	return true;
}

static void wait_and_advance(struct load *load, int milliseconds)
{
	struct epoll_event events[256];
	int count = epoll_wait(load->epoll, events, 256, milliseconds);

	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;
		bool greeted = client->greeted;

		advance(load, client);
		if (client->descriptor >= 0 && client->greeted != greeted)
			advance(load, client); /* there is more to send now */
	}
}

/* What the idle server says to each. */
static void learn(struct load *load)
{
	for (size_t i = 0; i < load->count; i++) {
		struct client *client = &load->clients[0];
		struct bytes reply, part;

		load->next = i;
		if (!begin(load, client))
			abort();
		for (int tries = 0; client->descriptor >= 0 && tries < 1000; tries++)
			wait_and_advance(load, 10);
		reply = (struct bytes){client->reply, client->received};
		part = constant_part(load->protocol, &reply);
		if (client->descriptor >= 0 || !is_accepted(load->protocol, &reply)) {
			fprintf(stderr, "bench_overload: the idle server says: %.*s\n",
				(int)client->received, client->reply);
			exit(1);
		}
		append(&load->requests[i].expected, part.data, part.length);
	}
	load->begun = load->next = 0;
	memset(load->outcomes, 0, sizeof(load->outcomes));
}

static void offer(struct load *load, double rate, double seconds)
{
	double started = now(), time;
	size_t search = 0;

	while ((time = now() - started) < seconds) {
		bool room = true;

		while (room && load->busy < load->client_count &&
			(rate <= 0 || (double)load->begun < rate * time)) {
			while (load->clients[search].descriptor >= 0)
				search = (search + 1) % load->client_count;
			room = begin(load, &load->clients[search]);
		}
		wait_and_advance(load, 1);
	}
	while (load->busy > 0 && now() - started < seconds + PATIENCE)
		wait_and_advance(load, 10);
}

static double quantile(float *samples, size_t count, size_t percent)
{
	if (count > SAMPLES)
		count = SAMPLES;
	if (count == 0)
		return 0;
	qsort(samples, count, sizeof(*samples), compare);
	return (double)samples[(count - 1) * percent / 100];
}

static void print_result(struct load *load, double seconds)
{
	const size_t *outcomes = load->outcomes;

	printf("begun=%zu accepted=%zu refused=%zu closed=%zu wrong=%zu late=%zu seconds=%.3f "
	       "accepted_p50=%.3f accepted_p99=%.3f refused_p50=%.3f refused_p99=%.3f\n",
		load->begun, outcomes[ACCEPTED], outcomes[REFUSED], outcomes[CLOSED],
		outcomes[WRONG], load->busy, seconds,
		quantile(load->samples[0], outcomes[ACCEPTED], 50),
		quantile(load->samples[0], outcomes[ACCEPTED], 99),
		quantile(load->samples[1], outcomes[REFUSED], 50),
		quantile(load->samples[1], outcomes[REFUSED], 99));
}

static void prepare(struct load *load, char **argv, size_t files)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	load->address.sun_family = AF_UNIX;
	strcpy(load->address.sun_path, argv[1]);
	load->protocol = strcmp(argv[2], "http") == 0 ? HTTP
		: strcmp(argv[2], "milter") == 0      ? MILTER
						      : SPAMD;
	load->client_count = strtoul(argv[3], NULL, 10);
	load->clients = calloc(load->client_count, sizeof(*load->clients));
	load->requests = calloc(files, sizeof(*load->requests));
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!load->clients || !load->requests || load->epoll < 0)
		abort();
	for (size_t i = 0; i < load->client_count; i++)
		load->clients[i].descriptor = -1;
	for (size_t i = 0; i < 2; i++)
		load->samples[i] = grow(NULL, SAMPLES * sizeof(float));
	for (size_t i = 0; i < files; i++)
		make_request(load, argv[6 + i]);
}

int main(int argc, char **argv)
{
	static struct load load;

	if (argc < 7 || strlen(argv[1]) >= sizeof(load.address.sun_path) || atoi(argv[3]) < 1) {
		fputs("usage: bench_overload SOCKET spamd|http|milter CLIENTS RATE SECONDS "
		      "FILE...\n",
			stderr);
		return 2;
	}
	prepare(&load, argv, (size_t)argc - 6);
	learn(&load);
	puts("ready"); /* other generators may still be learning from the idle server */
	fflush(stdout);
	getchar();
	double started = now();
	offer(&load, strtod(argv[4], NULL), strtod(argv[5], NULL));
	print_result(&load, now() - started);
	return 0;
}
