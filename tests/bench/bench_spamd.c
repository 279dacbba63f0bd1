/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Load generator for a SPAMD server on a Unix socket: one request a connection,
 * as spamc does it, over so many connections at a time.
 *
 * Usage: bench_spamd SOCKET check|tell CONNECTIONS LIST [USER]
 * LIST has lines `spam|ham PATH`; tell sends them with that class. Prints one
 * line: messages seconds per-second p50-ms p99-ms errors. */
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
	struct message *messages;
	size_t count;
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

static bool make_request(
	struct message *message, const char *command, const char *label, const char *path, const char *user)
{
	char head[512];
	size_t length;
	char *body = read_file(path, &length);
	bool tell = strcmp(command, "tell") == 0;

	if (!body)
		return false;
	int size = snprintf(head, sizeof(head), "%s SPAMC/1.5\r\n%s%s%s%s%s%sContent-length: %zu\r\n\r\n",
		tell ? "TELL" : "CHECK", tell ? "Message-class: " : "", tell ? label : "",
		tell ? "\r\nSet: local\r\n" : "", *user ? "User: " : "", user, *user ? "\r\n" : "",
		length);
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
	size_t capacity = 0;

	while (list && fscanf(list, "%7s %4095s", label, name) == 2) {
		if (load->count == capacity) {
			capacity = capacity ? 2 * capacity : 1024;
			load->messages = realloc(load->messages, capacity * sizeof(*load->messages));
			if (!load->messages)
				abort();
		}
		if (make_request(&load->messages[load->count], command, label, name, user))
			load->count++;
	}
	if (list)
		fclose(list);
}

static bool exchange(const struct load *load, const struct message *message)
{
	char reply[4096];
	size_t sent = 0, received = 0;
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
	bool good = connect(descriptor, (const struct sockaddr *)&load->address,
			    sizeof(load->address)) == 0;

	while (good && sent < message->length) {
		ssize_t size = send(
			descriptor, message->request + sent, message->length - sent, MSG_NOSIGNAL);
		good = size > 0;
		sent += good ? (size_t)size : 0;
	}
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

static void *run(void *context)
{
	struct load *load = context;

	for (;;) {
		size_t i = load->next++;
		if (i >= load->count)
			return NULL;
		double started = now();
		if (!exchange(load, &load->messages[i]))
			load->errors++;
		load->messages[i].milliseconds = 1000 * (now() - started);
	}
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
		fputs("usage: bench_spamd SOCKET check|tell CONNECTIONS LIST [USER]\n", stderr);
		return 2;
	}
	strcpy(load.address.sun_path, argv[1]);
	read_list(&load, argv[2], argv[4], argc > 5 ? argv[5] : "");
	if (load.count == 0) {
		fputs("bench_spamd: no messages\n", stderr);
		return 1;
	}
	pthread_t *running = calloc(threads, sizeof(*running));
	if (!running)
		abort();
	double started = now();
	for (size_t i = 0; i < threads; i++)
		pthread_create(&running[i], NULL, run, &load);
	for (size_t i = 0; i < threads; i++)
		pthread_join(running[i], NULL);
	double seconds = now() - started;
	qsort(load.messages, load.count, sizeof(*load.messages), compare);
	printf("%zu %.3f %.0f %.3f %.3f %zu\n", load.count, seconds, (double)load.count / seconds,
		load.messages[load.count / 2].milliseconds,
		load.messages[load.count * 99 / 100].milliseconds, load.errors);
	for (size_t i = 0; i < load.count; i++)
		free(load.messages[i].request);
	free(load.messages);
	free(running);
	return 0;
}
