/* Load generator for a server on a Unix socket, over so many connections at a time:
 * SPAMD with one request a connection, as spamc does it, or HTTP with connections
 * that stay open.
 *
 * Usage: bench_spamd SOCKET check|tell|http CONNECTIONS LIST [USER [RATE [USERS]]]
 * LIST has lines `spam|ham PATH`; tell sends them with that class, http asks for their
 * score. With RATE > 0 so many begin a second, whatever became of those before, and are
 * timed from when they were to begin; else each as soon as one ends. With USERS the whole
 * list is sent for USER0, then for USER1 and so on. Prints one line: messages seconds
 * per-second p50-ms p99-ms errors max-ms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct message {
	char *request; /* whole: headers and body */
	size_t length;
	double milliseconds;
};

struct load {
	struct sockaddr_un address;
	bool http;
	double rate; /* 0 = none */
	double started;
	struct message *messages;
	size_t count, capacity;
	_Atomic size_t next;
	_Atomic size_t errors;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;
	size_t capacity = 0;

	*length = 0;
	if (!file)
		return NULL;
	do {
		capacity += 1 << 16;
		data = realloc(data, capacity);
		if (!data)
			abort();
		*length += fread(data + *length, 1, capacity - *length, file);
	} while (*length == capacity);
	fclose(file);
	return data;
}

static bool make_request(struct message *message, const char *command, const char *label,
	const char *path, const char *user)
{
	char head[512];
	size_t length;
	char *body = read_file(path, &length);
	bool tell = strcmp(command, "tell") == 0;
	int size;

	if (!body)
		return false;
	if (strcmp(command, "http") == 0)
		size = snprintf(head, sizeof(head),
			"POST /v1/score%s%s HTTP/1.1\r\nHost: localhost\r\n"
			"Content-Length: %zu\r\n\r\n",
			*user ? "?user=" : "", user, length);
	else
		size = snprintf(head, sizeof(head),
			"%s SPAMC/1.5\r\n%s%s%s%s%s%sContent-length: %zu\r\n\r\n",
			tell ? "TELL" : "CHECK", tell ? "Message-class: " : "", tell ? label : "",
			tell ? "\r\nSet: local\r\n" : "", *user ? "User: " : "", user,
			*user ? "\r\n" : "", length);
	message->length = (size_t)size + length;
	message->request = malloc(message->length);
	if (!message->request)
		abort();
	memcpy(message->request, head, (size_t)size);
	memcpy(message->request + size, body, length);
	free(body);
	return true;
}

static void read_list(struct load *load, const char *command, const char *path, const char *user)
{
	FILE *list = fopen(path, "r");
	char label[8], name[4096];

	while (list && fscanf(list, "%7s %4095s", label, name) == 2) {
		if (load->count == load->capacity) {
			load->capacity = load->capacity ? 2 * load->capacity : 1024;
			load->messages =
				realloc(load->messages, load->capacity * sizeof(*load->messages));
			if (!load->messages)
				abort();
		}
		if (make_request(&load->messages[load->count], command, label, name, user))
			load->count++;
	}
	if (list)
		fclose(list);
}

static void read_list_for_users(
	struct load *load, const char *command, const char *path, const char *user, size_t users)
{
	char numbered[128];

	for (size_t i = 0; i < users; i++) {
		snprintf(numbered, sizeof(numbered), "%s%zu", user, i);
		read_list(load, command, path, numbered);
	}
}

static bool open_socket(const struct load *load, int *descriptor)
{
	*descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
	return connect(*descriptor, (const struct sockaddr *)&load->address,
		       sizeof(load->address)) == 0;
}

static bool send_all(int descriptor, const struct message *message)
{
	size_t sent = 0;

	while (sent < message->length) {
		ssize_t size = send(
			descriptor, message->request + sent, message->length - sent, MSG_NOSIGNAL);
		if (size <= 0)
			return false;
		sent += (size_t)size;
	}
	return true;
}

static bool exchange_spamd(const struct load *load, const struct message *message)
{
	char reply[4096];
	size_t received = 0;
	int descriptor;
	bool good = open_socket(load, &descriptor) && send_all(descriptor, message);

	shutdown(descriptor, SHUT_WR);
	while (good && received < sizeof(reply)) {
		ssize_t size = recv(descriptor, reply + received, sizeof(reply) - received, 0);
		if (size <= 0)
			break;
		received += (size_t)size;
	}
	close(descriptor);
	return good && received > 12 && memcmp(reply, "SPAMD/1.1 0 ", 12) == 0;
}

/* Is this a whole response, with what its Content-Length says? */
static bool is_whole(const char *reply)
{
	const char *end = strstr(reply, "\r\n\r\n");
	const char *length = strcasestr(reply, "\r\nContent-Length: ");

	return end && length && length < end &&
		strlen(end + 4) >= strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
}

/* The connection stays open; one that has failed is made anew. */
static bool exchange_http(const struct load *load, const struct message *message, int *descriptor)
{
	char reply[16384] = "";
	size_t received = 0;
	bool good = (*descriptor >= 0 || open_socket(load, descriptor)) &&
		send_all(*descriptor, message);

	while (good && !is_whole(reply)) {
		ssize_t size = recv(*descriptor, reply + received, sizeof(reply) - 1 - received, 0);
		good = size > 0;
		received += good ? (size_t)size : 0;
		reply[received] = '\0';
	}
	if (!good) {
		close(*descriptor);
		*descriptor = -1;
	}
	return good && memcmp(reply, "HTTP/1.1 200 ", 13) == 0;
}

/* When message i begins. */
static double wait_turn(const struct load *load, size_t i)
{
	double begin = load->started + (double)i / load->rate, left;

	if (load->rate <= 0)
		return now();
	while ((left = begin - now()) > 0) {
		struct timespec pause = {(time_t)left, (long)(1e9 * (left - (double)(time_t)left))};
		nanosleep(&pause, NULL);
	}
	return begin;
}

static void *run(void *context)
{
	struct load *load = context;
	int descriptor = -1;

	for (;;) {
		size_t i = load->next++;
		if (i >= load->count)
			break;
		const struct message *message = &load->messages[i];
		double started = wait_turn(load, i);
		if (load->http ? !exchange_http(load, message, &descriptor)
			       : !exchange_spamd(load, message))
			load->errors++;
		load->messages[i].milliseconds = 1000 * (now() - started);
	}
	if (descriptor >= 0)
		close(descriptor);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double first = ((const struct message *)a)->milliseconds;
	double second = ((const struct message *)b)->milliseconds;

	return first < second ? -1 : first > second;
}

int main(int argc, char **argv)
{
	struct load load = {.address.sun_family = AF_UNIX};
	size_t threads = argc >= 5 ? strtoul(argv[3], NULL, 10) : 0;

	if (threads == 0 || strlen(argv[1]) >= sizeof(load.address.sun_path)) {
		fputs("usage: bench_spamd SOCKET check|tell|http CONNECTIONS LIST "
		      "[USER [RATE [USERS]]]\n",
			stderr);
		return 2;
	}
	strcpy(load.address.sun_path, argv[1]);
	load.http = strcmp(argv[2], "http") == 0;
	load.rate = argc > 6 ? strtod(argv[6], NULL) : 0;
	if (argc > 7)
		read_list_for_users(&load, argv[2], argv[4], argv[5], strtoul(argv[7], NULL, 10));
	else
		read_list(&load, argv[2], argv[4], argc > 5 ? argv[5] : "");
	if (load.count == 0) {
		fputs("bench_spamd: no messages\n", stderr);
		return 1;
	}
	pthread_t *running = calloc(threads, sizeof(*running));
	if (!running)
		abort();
	load.started = now();
	for (size_t i = 0; i < threads; i++)
		pthread_create(&running[i], NULL, run, &load);
	for (size_t i = 0; i < threads; i++)
		pthread_join(running[i], NULL);
	double seconds = now() - load.started;
	qsort(load.messages, load.count, sizeof(*load.messages), compare);
	printf("%zu %.3f %.0f %.3f %.3f %zu %.3f\n", load.count, seconds,
		(double)load.count / seconds, load.messages[load.count / 2].milliseconds,
		load.messages[load.count * 99 / 100].milliseconds, load.errors,
		load.messages[load.count - 1].milliseconds);
	for (size_t i = 0; i < load.count; i++)
		free(load.messages[i].request);
	free(load.messages);
	free(running);
	return 0;
}
