/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * hamlet-bogofilter: takes the common arguments of bogofilter, for the scripts and
 * mail programs that call it, and asks hamletd. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "config.h"
#include "engine/client/exchange.h"
#include "engine/client/mail-walk.h"
#include "engine/client/messages.h"

/* bogofilter's own. */
enum { EXIT_IS_SPAM = 0, EXIT_IS_HAM = 1, EXIT_IS_UNSURE = 2, EXIT_ERROR = 3 };

/* bogofilter's ham_cutoff: what is neither is unsure. */
static const double HAM_CUTOFF = 0.45;

struct work {
	struct exchange exchange;
	const char *report; /* TELL's headers; NULL = classify */
	bool passthrough, embed, verbose, terse, mbox;
	bool files; /* -B: of the arguments; -b: of the lines of standard input */
	bool names;
	const char *input, *output; /* -I and -O; NULL = standard */
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

static enum status take(struct work *work, const char *message, size_t length)
{
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
	return status;
}

/* --- Where messages are ---------------------------------------------------------- */

static void complain(void *context, const char *why)
{
	struct work *work = context;

	fprintf(stderr, "bogofilter: %s\n", why);
	work->code = EXIT_ERROR;
}

static enum status on_message(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	struct work *work = context;
	(void)place;

	if (!work->report)
		printf("%s ", path);
	take(work, message, length); /* what cannot be judged does not stop the others */
	fflush(stdout);
	return STATUS_OK;
}

static void take_path(struct work *work, const char *path)
{
	const struct mail_visitor visitor = {
		.message = on_message, .skipped = complain, .context = work, .mbox = work->mbox};
	struct failure failure = {0};

	if (mail_walk(path, &visitor, &failure) != STATUS_OK)
		complain(work, failure.detail);
}

/* Who asks so waits for each answer before the next name. */
static void take_names(struct work *work)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, stdin)) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line)
			take_path(work, line);
	}
	free(line);
}

/* Standard input or -I as one message; or, with -M, as an mbox file. */
static void take_mail(struct work *work)
{
	struct failure failure = {0};
	struct mail_file file;
	enum status status = mail_file_read(&file, STDIN_FILENO, "standard input", &failure);

	if (status == STATUS_OK) {
		struct mail_cursor cursor =
			mail_file_begin(&file, work->mbox ? MAIL_MBOX : MAIL_SINGLE);
		struct mail_place place;
		const char *message;
		size_t length;

		while (mail_file_next(&file, &cursor, &place) &&
			mail_file_message(&file, &place, &message, &length) == STATUS_OK)
			take(work, message, length);
	} else {
		complain(work, failure.detail);
	}
	mail_file_close(&file);
}

static void copy_rest(void)
{
	char part[65536];
	size_t size;

	while ((size = fread(part, 1, sizeof(part), stdin)) > 0)
		fwrite(part, 1, size, stdout);
}

/* Byte for byte as it came, however large; what is too large to be judged, too. */
static void pass_mail(struct work *work)
{
	GString *message = g_string_new(NULL);
	char part[65536];
	size_t size;

	while (message->len <= MAIL_FILE_MAX && (size = fread(part, 1, sizeof(part), stdin)) > 0)
		g_string_append_len(message, part, (gssize)size);
	if (message->len > MAIL_FILE_MAX) {
		fwrite(message->str, 1, message->len, stdout);
		copy_rest();
		complain(work, "the message is too large to be judged");
	} else {
		take(work, message->str, message->len);
	}
	g_string_free(message, TRUE);
}

/* --- Options ------------------------------------------------------------------------ */

/* Those that are followed by a value have a colon. What is not looked at below has no
 * meaning here; -u: one's own verdict is no lesson. */
static const char LETTERS[] = "snSNpeuvtTMBbI:O:d:c:Clk:o:xVqhQFHDRUWPy:m:L:E:g:r:X:";

enum { IGNORED = 1000 };

static const struct option LONG_OPTIONS[] = {
	{"register-spam", no_argument, NULL, 's'}, {"register-ham", no_argument, NULL, 'n'},
	{"register-nonspam", no_argument, NULL, 'n'}, {"unregister-spam", no_argument, NULL, 'S'},
	{"unregister-ham", no_argument, NULL, 'N'}, {"unregister-nonspam", no_argument, NULL, 'N'},
	{"passthrough", no_argument, NULL, 'p'}, {"ham-true", no_argument, NULL, 'e'},
	{"update-as-scored", no_argument, NULL, 'u'}, {"update", no_argument, NULL, 'u'},
	{"verbosity", no_argument, NULL, 'v'}, {"terse", no_argument, NULL, 't'},
	{"fixed-terse-format", no_argument, NULL, 'T'}, {"classify-mbox", no_argument, NULL, 'M'},
	{"mbox", no_argument, NULL, 'M'}, {"bulk-mode", no_argument, NULL, 'b'},
	{"classify-stdin", no_argument, NULL, 'b'}, {"classify-files", no_argument, NULL, 'B'},
	{"input-file", required_argument, NULL, 'I'}, {"output-file", required_argument, NULL, 'O'},
	{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'},
	{"query", no_argument, NULL, 'Q'}, {"dry-run", no_argument, NULL, IGNORED},
	{"bogofilter-dir", required_argument, NULL, 'd'},
	{"config-file", required_argument, NULL, 'c'}, {"no-config-file", no_argument, NULL, 'C'},
	{"use-syslog", no_argument, NULL, 'l'}, {"syslog-tag", required_argument, NULL, 'L'},
	{"no-header-tags", no_argument, NULL, 'H'}, {"db-cachesize", required_argument, NULL, 'k'},
	{"cutoffs", required_argument, NULL, 'o'}, {"timestamp-date", required_argument, NULL, 'y'},
	{"min-dev", required_argument, NULL, 'm'}, {"debug-flags", required_argument, NULL, 'x'},
	{"output-precision", required_argument, NULL, IGNORED},
	{"unicode", required_argument, NULL, IGNORED}, {"charset-default", required_argument, NULL, IGNORED},
	{"spam-cutoff", required_argument, NULL, IGNORED}, {"ham-cutoff", required_argument, NULL, IGNORED},
	{"robs", required_argument, NULL, IGNORED}, {"robx", required_argument, NULL, IGNORED},
	{"sp-esf", required_argument, NULL, IGNORED}, {"ns-esf", required_argument, NULL, IGNORED},
	{"wordlist", required_argument, NULL, IGNORED}, {"thresh-update", required_argument, NULL, IGNORED},
	{"replace-nonascii-characters", required_argument, NULL, IGNORED},
	{"stats-in-header", required_argument, NULL, IGNORED},
	{"spam-header-name", required_argument, NULL, IGNORED},
	{"spam-subject-tag", required_argument, NULL, IGNORED},
	{"unsure-subject-tag", required_argument, NULL, IGNORED},
	{"block-on-subnets", required_argument, NULL, IGNORED},
	{"db-transaction", required_argument, NULL, IGNORED},
	{"db-verify", required_argument, NULL, IGNORED}, {0}};

/* What a press is to be; "-Ns" and "-Sn" correct, which one report does. */
struct wish {
	bool spam, ham, forget;
};

static void take_option(struct work *work, struct wish *wish, int letter)
{
	switch (letter) {
	case 's':
		wish->spam = true;
		break;
	case 'n':
		wish->ham = true;
		break;
	case 'S':
	case 'N':
		wish->forget = true;
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
		work->files = true;
		break;
	case 'b':
		work->names = true;
		break;
	case 'I':
		work->input = optarg;
		break;
	case 'O':
		work->output = optarg;
		break;
	default:
		break;
	}
}

/* False: the program has done what it was called for, or was called wrongly: see the code. */
static bool read_options(struct work *work, int argc, char **argv)
{
	struct wish wish = {0};
	int letter;

	while ((letter = getopt_long(argc, argv, LETTERS, LONG_OPTIONS, NULL)) != -1) {
		if (letter == 'V' || letter == 'h' || letter == 'Q') {
			printf("bogofilter version 1.2.5 (as hamlet-bogofilter %s understands it; "
			       "see hamlet-bogofilter(1))\n", PACKAGE_VERSION);
			return false;
		}
		take_option(work, &wish, letter);
		if (letter == '?')
			work->code = EXIT_ERROR;
	}
	if (work->code == EXIT_ERROR || (wish.spam && wish.ham)) {
		fprintf(stderr, "bogofilter: see hamlet-bogofilter(1) for what is understood\n");
		work->code = EXIT_ERROR;
		return false;
	}
	work->report = wish.spam ? "Message-class: spam\r\nSet: local\r\n"
		: wish.ham       ? "Message-class: ham\r\nSet: local\r\n"
		: wish.forget    ? "Remove: local\r\n"
				 : NULL;
	return true;
}

static bool open_streams(const struct work *work)
{
	if (work->input && !freopen(work->input, "r", stdin))
		perror(work->input);
	else if (work->output && !freopen(work->output, "w", stdout))
		perror(work->output);
	else
		return true;
	return false;
}

static void run(struct work *work, char **paths)
{
	work->exchange.command = work->report ? "TELL" : "CHECK";
	work->exchange.headers = work->report ? work->report : "";
	if (work->names)
		take_names(work);
	else if (work->passthrough)
		pass_mail(work);
	else if (!work->files)
		take_mail(work);
	for (; work->files && *paths; paths++)
		take_path(work, *paths);
}

int main(int argc, char **argv)
{
	const char *given = getenv("HAMLET_SOCKET");
	struct work work = {.exchange = {.socket = given ? given : DEFAULT_SOCKET,
				    .user = messages_user()}};

	if (!read_options(&work, argc, argv))
		return work.code;
	if (!open_streams(&work))
		return EXIT_ERROR;
	run(&work, argv + optind);
	if (fflush(stdout) != 0) {
		perror("bogofilter: standard output");
		work.code = EXIT_ERROR;
	}
	return work.code;
}
