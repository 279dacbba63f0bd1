/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * hamlet-bogofilter: takes the common arguments of bogofilter, for the scripts and
 * mail programs that call it, and asks hamletd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "config.h"
#include "engine/client/exchange.h"
#include "engine/client/messages.h"

/* bogofilter's own. */
enum { EXIT_IS_SPAM = 0, EXIT_IS_HAM = 1, EXIT_IS_UNSURE = 2, EXIT_ERROR = 3 };

/* bogofilter's ham_cutoff: what is neither is unsure. */
static const double HAM_CUTOFF = 0.45;

struct work {
	struct exchange exchange;
	const char *report; /* TELL's headers; NULL = classify */
	bool passthrough, embed, verbose, terse, mbox;
	int code;
};

struct class {
	const char *name, *letter;
	double spamicity;
	int code;
};

static struct class classify(const json_t *verdict)
{
	double spamicity = json_number_value(json_object_get(verdict, "probability"));

	if (json_is_true(json_object_get(verdict, "spam")))
		return (struct class){"Spam", "S", spamicity, EXIT_IS_SPAM};
	if (spamicity < HAM_CUTOFF)
		return (struct class){"Ham", "H", spamicity, EXIT_IS_HAM};
	return (struct class){"Unsure", "U", spamicity, EXIT_IS_UNSURE};
}

static void print_field(const struct class *class, const char *ending)
{
	printf("X-Bogosity: %s, tests=bogofilter, spamicity=%f, version=%s%s", class->name,
		class->spamicity, PACKAGE_VERSION, ending);
}

/* The message with the field at the end of its header, without one that was there. */
static void pass_through(const char *message, size_t length, const struct class *class)
{
	const char *at = message, *end = message + length;
	const char *ending = memmem(message, length, "\r\n", 2) ? "\r\n" : "\n";
	bool dropped = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		if (*at == '\n' || *at == '\r')
			break;
		if (*at != ' ' && *at != '\t')
			dropped = end - at >= 11 && g_ascii_strncasecmp(at, "X-Bogosity:", 11) == 0;
		if (!dropped)
			fwrite(at, 1, (size_t)(next - at), stdout);
		at = next;
	}
	print_field(class, ending);
	fwrite(at, 1, (size_t)(end - at), stdout);
}

static void show(const struct work *work, const struct class *class, const char *message, size_t length)
{
	if (work->passthrough)
		pass_through(message, length, class);
	else if (work->terse)
		printf("%s %f\n", class->letter, class->spamicity);
	else if (work->verbose)
		print_field(class, "\n");
}

static bool take(void *context, const char *message, size_t length)
{
	struct work *work = context;
	struct failure failure = {0};
	struct buffer body;

	work->exchange.message = message;
	work->exchange.length = length;
	enum status status = exchange_run(&work->exchange, &body, &failure);
	if (status != STATUS_OK) {
		fprintf(stderr, "bogofilter: %s\n", failure.detail);
		if (work->passthrough) /* nobody's mail is lost for our sake */
			fwrite(message, 1, length, stdout);
		work->code = EXIT_ERROR;
	} else if (!work->report) {
		json_t *verdict = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
		struct class class = classify(verdict);

		show(work, &class, message, length);
		work->code = work->passthrough && work->embed ? 0 : class.code;
		json_decref(verdict);
	}
	buffer_free(&body);
	return status == STATUS_OK;
}

/* -s -n register, -S -N undo; "-Ns" and "-Sn" correct, which one report does. */
static bool read_options(struct work *work, int argc, char **argv, bool *bulk, const char **input)
{
	bool spam = false, ham = false, forget = false;
	int letter;

	while ((letter = getopt(argc, argv, "snSNpeuvTtMBbI:d:c:Clk:o:xVq")) != -1) {
		switch (letter) {
		case 's':
			spam = true;
			break;
		case 'n':
			ham = true;
			break;
		case 'S':
		case 'N':
			forget = true;
			break;
		case 'p':
			work->passthrough = true;
			break;
		case 'e':
			work->embed = true;
			break;
		case 'v':
			work->verbose = true;
			break;
		case 'T':
		case 't':
			work->terse = true;
			break;
		case 'M':
			work->mbox = true;
			break;
		case 'B':
		case 'b':
			*bulk = true;
			break;
		case 'I':
			*input = optarg;
			break;
		case '?':
			return false;
		default:
			break; /* of no meaning here; -u: one's own verdict is no lesson */
		}
	}
	if (spam && ham)
		return false;
	work->report = spam ? "Message-class: spam\r\nSet: local\r\n"
		: ham       ? "Message-class: ham\r\nSet: local\r\n"
		: forget    ? "Remove: local\r\n"
			    : NULL;
	return true;
}

int main(int argc, char **argv)
{
	const char *given = getenv("HAMLET_SOCKET"), *input = "-";
	struct work work = {.exchange = {.socket = given ? given : DEFAULT_SOCKET,
				    .user = messages_user()}};
	bool bulk = false, good = true;

	if (!read_options(&work, argc, argv, &bulk, &input)) {
		fprintf(stderr, "bogofilter: see hamlet-bogofilter(1) for what is understood\n");
		return EXIT_ERROR;
	}
	work.exchange.command = work.report ? "TELL" : "CHECK";
	work.exchange.headers = work.report ? work.report : "";
	if (!bulk)
		good = messages_at(input, work.mbox, take, &work);
	for (int i = optind; bulk && i < argc && good; i++) {
		if (!work.report)
			printf("%s ", argv[i]);
		good = messages_at(argv[i], work.mbox, take, &work);
	}
	return good ? work.code : EXIT_ERROR;
}
