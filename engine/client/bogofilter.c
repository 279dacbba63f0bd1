/* hamlet-bogofilter: takes the common arguments of bogofilter, for the scripts and
 * mail programs that call it, and asks hamletd.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <jansson.h>

#include "config.h"
#include "engine/client/bogofilter-options.h"
#include "engine/client/exchange.h"
#include "engine/client/mail-walk.h"

/* bogofilter's own. */
enum { EXIT_IS_SPAM = 0, EXIT_IS_HAM = 1, EXIT_IS_UNSURE = 2, EXIT_ERROR = 3 };

/* bogofilter's ham_cutoff: what is neither is unsure. */
static const double HAM_CUTOFF = 0.45;

struct work {
	struct bogofilter_options options;
	struct exchange exchange;
	const char *report; /* TELL's headers; NULL = classify */
	bool failed; /* something was not judged, learned or written */
	int code; /* of the last message */
	size_t messages; /* how many there were */
};

struct class
{
	const char *name, *letter;
	double spamicity;
	int code;
};

static struct class classify_message(const json_t *verdict)
{
	double spamicity = json_number_value(json_object_get(verdict, "probability"));

	if (json_is_true(json_object_get(verdict, "spam")))
		return (struct class){"Spam", "S", spamicity, EXIT_IS_SPAM};
	if (spamicity < HAM_CUTOFF)
		return (struct class){"Ham", "H", spamicity, EXIT_IS_HAM};
	return (struct class){"Unsure", "U", spamicity, EXIT_IS_UNSURE};
}

static bool is_report(const struct bogofilter_options *options)
{
	return options->spam || options->ham || options->not_spam || options->not_ham;
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
	const char *first = memchr(message, '\n', length);
	const char *ending = first && first > message && first[-1] == '\r' ? "\r\n" : "\n";
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
	if (at == end && length > 0 && end[-1] != '\n')
		fputs(ending, stdout);
	print_field(class, ending);
	fwrite(at, 1, (size_t)(end - at), stdout);
}

static void show_message(const struct work *work, const struct class *class, const char *path)
{
	const struct bogofilter_options *options = &work->options;

	if (!options->fixed && !options->terse && !options->verbose)
		return;
	if (path && (options->fixed || !options->terse))
		printf("%s ", path);
	if (options->fixed > 1)
		printf("%.16f\n", class->spamicity);
	else if (options->fixed)
		printf("%s %g\n", class->letter, class->spamicity);
	else if (options->terse)
		printf("%s %f\n", class->letter, class->spamicity);
	else
		print_field(class, "\n");
}

static void fail_bogofilter(struct work *work, const char *why)
{
	fprintf(stderr, "bogofilter: %s\n", why);
	work->failed = true;
}

/* --- One message ----------------------------------------------------------------------- */

/* Reports or classifies, and classifies after a report that is passed through. */
static enum status ask_verdict(
	const struct work *work, struct buffer *body, struct failure *failure)
{
	enum status status = exchange_run(&work->exchange, body, failure);

	if (status == STATUS_OK && work->report && work->options.passthrough) {
		struct exchange again = work->exchange;

		again.command = "CHECK";
		again.headers = "";
		buffer_free(body);
		status = exchange_run(&again, body, failure);
	}
	return status;
}

/* `raw` is what is passed through, `message` what is judged: an mbox file's quoting stays. */
static enum status judge_message(struct work *work, const char *path, const char *message,
	size_t length, const char *raw, size_t raw_length)
{
	struct failure failure = {0};
	struct buffer body;

	work->messages++;
	work->exchange.message = message;
	work->exchange.length = length;
	enum status status = ask_verdict(work, &body, &failure);
	if (status != STATUS_OK)
		fail_bogofilter(work, failure.detail);
	if (work->options.passthrough && status != STATUS_OK)
		fwrite(raw, 1, raw_length, stdout); /* nobody's mail is lost for our sake */
	if (status == STATUS_OK && (!work->report || work->options.passthrough)) {
		json_t *verdict = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
		struct class class = classify_message(verdict);

		if (work->options.passthrough)
			pass_through(raw, raw_length, &class);
		else
			show_message(work, &class, path);
		work->code = work->options.ham_true ? 0 : class.code;
		json_decref(verdict);
	}
	fflush(stdout); /* with -b somebody waits for it */
	buffer_free(&body);
	return status;
}

static enum status visit_message(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	(void)place;
	enum status status = judge_message(context, path, message, length, message, length);

	/* What ails one message does not stop the others. */
	return status == STATUS_IO || status == STATUS_DENIED ? status : STATUS_OK;
}

static void skipped(void *context, const char *why)
{
	(void)context;
	fprintf(stderr, "bogofilter: %s\n", why);
}

/* Each message of an mbox file is learned; but who asks wants one answer a file without -M. */
static enum mail_form form_of_input(const struct bogofilter_options *options)
{
	if (options->mbox)
		return MAIL_MBOX;
	return is_report(options) ? MAIL_DETECT : MAIL_SINGLE;
}

/* A pipe among the mail does no harm; a path with no mail at all was not judged. False: the
 * daemon does not answer. */
static bool walk(struct work *work, const char *path)
{
	const struct mail_visitor visitor = {.message = visit_message,
		.skipped = skipped,
		.context = work,
		.form = form_of_input(&work->options),
		.pipes = true};
	struct failure failure = {0};
	size_t before = work->messages;
	enum status status = mail_walk(path, &visitor, &failure);
	if (status != STATUS_OK && *failure.detail)
		fail_bogofilter(work, failure.detail);
	work->failed |= work->messages == before;
	return status == STATUS_OK || *failure.detail;
}

/* --- Names ----------------------------------------------------------------------------- */

static void skip_line(void)
{
	int byte;

	while ((byte = getchar()) != EOF && byte != '\n')
		;
}

static void walk_names(struct work *work)
{
	char line[PATH_MAX + 2];
	bool good = true;

	while (good && fgets(line, sizeof(line), stdin)) {
		size_t length = strlen(line);

		if (length == sizeof(line) - 1 && line[length - 1] != '\n') {
			fail_bogofilter(work, "a name on standard input is too long");
			skip_line();
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			good = walk(work, line);
	}
	if (ferror(stdin))
		fail_bogofilter(work, "standard input cannot be read");
}

static void walk_files(struct work *work)
{
	bool good = !work->options.first || walk(work, work->options.first);

	for (char **path = work->options.rest; good && *path; path++)
		good = walk(work, *path);
}

/* --- Standard input -------------------------------------------------------------------- */

/* What is judged is not asked for by a name. */
static enum status visit_input(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	(void)path;
	return visit_message(context, NULL, place, message, length);
}

static void judge_input(struct work *work)
{
	const struct mail_visitor visitor = {.message = visit_input,
		.skipped = skipped,
		.context = work,
		.form = form_of_input(&work->options)};
	struct failure failure = {0};
	enum status status = mail_walk_input(STDIN_FILENO, "the input", &visitor, &failure);

	if (status != STATUS_OK && *failure.detail)
		fail_bogofilter(work, failure.detail);
	else if (status == STATUS_OK && work->messages == 0 && !work->options.mbox)
		judge_message(work, NULL, "", 0, "", 0);
}

/* Reads up to MAIL_FILE_MAX bytes. True: that was all. */
static bool read_start(struct work *work, struct buffer *raw)
{
	char *room;

	while ((room = buffer_reserve(raw, 65536))) {
		ssize_t size = read(STDIN_FILENO, room, 65536);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			fail_bogofilter(work, "the input cannot be read");
		if (size <= 0)
			return size == 0;
		raw->length += (size_t)size;
	}
	fail_bogofilter(work, "the message is too large to be judged");
	return false;
}

static void copy_rest(struct work *work)
{
	char part[65536];
	ssize_t size;

	while ((size = read(STDIN_FILENO, part, sizeof(part))) != 0 && !ferror(stdout)) {
		if (size > 0)
			fwrite(part, 1, (size_t)size, stdout);
		else if (errno != EINTR) {
			fail_bogofilter(work, "the input cannot be read");
			return;
		}
	}
}

/* Each message with its field, and all that lies between them. */
static void pass_mbox(struct work *work, const struct buffer *raw)
{
	struct mbox mbox = mbox_open(raw->data, raw->length);
	const char *at = raw->data, *message;
	struct buffer plain = BUFFER_INIT(MAIL_FILE_MAX);
	size_t length;

	while (mbox_next(&mbox, &message, &length)) {
		fwrite(at, 1, (size_t)(message - at), stdout);
		buffer_clear(&plain);
		if (mbox.mmdf)
			buffer_append(&plain, message, length);
		else
			mbox_unquote(message, length, &plain);
		judge_message(
			work, NULL, plain.data ? plain.data : "", plain.length, message, length);
		at = message + length;
	}
	fwrite(at, 1, (size_t)(raw->data + raw->length - at), stdout);
	buffer_free(&plain);
}

static bool is_mbox(const struct bogofilter_options *options, const struct buffer *raw)
{
	enum mail_form form = form_of_input(options);

	return form == MAIL_MBOX || (form == MAIL_DETECT && mbox_is_mbox(raw->data, raw->length));
}

/* Byte for byte, so nothing is unpacked. What is too large is copied as it is. */
static void pass_input(struct work *work)
{
	struct buffer raw = BUFFER_INIT(MAIL_FILE_MAX);
	bool whole = read_start(work, &raw);
	const char *data = raw.data ? raw.data : "";

	if (!whole) {
		fwrite(data, 1, raw.length, stdout);
		buffer_free(&raw);
		copy_rest(work);
	} else if (raw.length > 0 && is_mbox(&work->options, &raw)) {
		pass_mbox(work, &raw);
	} else {
		judge_message(work, NULL, data, raw.length, data, raw.length);
	}
	buffer_free(&raw);
}

/* --- Files in place of standard input and output --------------------------------------- */

/* Opening a pipe nobody writes to does not block. */
static bool open_input(struct work *work, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool good = descriptor >= 0 && fcntl(descriptor, F_SETFL, 0) == 0 &&
		dup2(descriptor, STDIN_FILENO) >= 0;

	if (!good)
		fprintf(stderr, "bogofilter: reading %s: %s\n", path, strerror(errno));
	work->failed = !good;
	if (descriptor >= 0)
		close(descriptor);
	return good;
}

/* Not over the message that is to be passed through. */
static bool open_output(struct work *work, const char *path)
{
	struct stat in, out;
	bool same = fstat(STDIN_FILENO, &in) == 0 && stat(path, &out) == 0 && S_ISREG(in.st_mode) &&
		in.st_dev == out.st_dev && in.st_ino == out.st_ino;

	if (same || !freopen(path, "w", stdout)) {
		fprintf(stderr, "bogofilter: writing %s: %s\n", path,
			same ? "it is the input" : strerror(errno));
		work->failed = true;
		return false;
	}
	return true;
}

static void run_bogofilter(struct work *work)
{
	const struct bogofilter_options *options = &work->options;
	bool folder = options->input && options->source == SOURCE_INPUT &&
		g_file_test(options->input, G_FILE_TEST_IS_DIR);

	if (options->input && !folder && !open_input(work, options->input))
		return;
	if (options->output && options->passthrough && !open_output(work, options->output))
		return;
	if (folder)
		walk(work, options->input);
	else if (options->source == SOURCE_NAMES)
		walk_names(work);
	else if (options->source == SOURCE_FILES)
		walk_files(work);
	else if (options->passthrough)
		pass_input(work);
	else
		judge_input(work);
}

static const char *report_headers(const struct bogofilter_options *options)
{
	/* "-Ns" and "-Sn" correct, which one report does. */
	return options->spam                            ? "Message-class: spam\r\nSet: local\r\n"
		: options->ham                          ? "Message-class: ham\r\nSet: local\r\n"
		: options->not_spam || options->not_ham ? "Remove: local\r\n"
							: NULL;
}

static void say_verdict(const struct work *work)
{
	if (work->options.task == TASK_HELP)
		bogofilter_options_help();
	else
		printf("hamlet-bogofilter version %s\n", PACKAGE_VERSION);
	if (work->options.task == TASK_QUERY)
		printf("socket = %s\nuser = %s\n", work->exchange.socket, work->exchange.user);
}

/* Whose mail it is. */
static const char *user(void)
{
	const char *given = getenv("HAMLET_USER");

	return given && *given ? given : g_get_user_name();
}

int main(int argc, char **argv)
{
	const char *given = getenv("HAMLET_SOCKET");
	struct work work = {.exchange = {.socket = given ? given : DEFAULT_SOCKET, .user = user()}};

	if (!bogofilter_options_read(&work.options, argc, argv))
		return EXIT_ERROR;
	work.report = report_headers(&work.options);
	work.exchange.command = work.report ? "TELL" : "CHECK";
	work.exchange.headers = work.report ? work.report : "";
	if (work.options.task == TASK_RUN)
		run_bogofilter(&work);
	else
		say_verdict(&work);
	if (fflush(stdout) != 0 || ferror(stdout))
		fail_bogofilter(&work, "the output cannot be written");
	return work.failed ? EXIT_ERROR : work.code;
}
