/* hamlet-sa-learn: takes the arguments of SpamAssassin's sa-learn, for the scripts that
 * call it, and reports to hamletd.
 * SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <glob.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "engine/base/mail-file.h"
#include "engine/base/message-kind.h"
#include "engine/client/call.h"
#include "engine/client/exchange.h"
#include "engine/client/mail-walk.h"
#include "engine/client/sa-learn-options.h"

struct learn {
	const struct learn_options *options;
	struct exchange exchange;
	unsigned examined, learned;
	unsigned skipped; /* what is no mail, or too large */
	int not_read; /* 0, or the code to exit with if no path could be read */
	int not_kept; /* 0, or the code to exit with: a message was refused */
	bool read_input, stop;
};

static void say_progress(const char *text)
{
	fprintf(stderr, "hamlet-sa-learn: %s\n", text);
}

/* --- One message ----------------------------------------------------------------------- */

/* What became of a report: did it change anything? */
static bool changed(const struct buffer *body)
{
	json_t *json = json_loadb(body->data ? body->data : "", body->length, 0, NULL);
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	bool result = outcome &&
		(strcmp(outcome, "new") == 0 || strcmp(outcome, "flip") == 0 ||
			strcmp(outcome, "forgotten") == 0);

	json_decref(json);
	return result;
}

static int exit_code_of(enum status status)
{
	switch (status) {
	case STATUS_INVALID:
		return EX_DATAERR;
	case STATUS_OVERLOAD:
	case STATUS_TIMEOUT:
		return EX_TEMPFAIL;
	case STATUS_DENIED:
		return EX_NOPERM;
	default:
		return EX_IOERR;
	}
}

/* Tells why a message is left out; the others go on. */
static bool is_left_out(struct learn *learn, const char *path, const char *message, size_t length)
{
	enum message_kind kind = message_kind_of(message, length);
	size_t most = learn->options->max_size;

	if (most > 0 && length > most)
		fprintf(stderr,
			"hamlet-sa-learn: %s: a message of %zu bytes is skipped: --max-size is "
			"%zu\n",
			path, length, most);
	else if (kind != MESSAGE_MAIL)
		fprintf(stderr, "hamlet-sa-learn: %s: what is no mail but %s is skipped\n", path,
			message_kind_text(kind));
	else
		return false;
	learn->skipped++;
	return true;
}

static enum status give(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	struct learn *learn = context;
	struct failure failure = {0};
	struct buffer body;
	enum status status;
	(void)place;

	if (is_left_out(learn, path, message, length))
		return STATUS_OK;
	learn->examined++;
	learn->exchange.message = message;
	learn->exchange.length = length;
	status = exchange_run(&learn->exchange, &body, &failure);
	if (status == STATUS_OK) {
		learn->learned += changed(&body);
	} else {
		fprintf(stderr, "hamlet-sa-learn: %s: %s\n", path, failure.detail);
		learn->not_kept = exit_code_of(status);
	}
	buffer_free(&body);
	/* A message that cannot be learned does not stop the others. */
	learn->stop = status == STATUS_IO || status == STATUS_DENIED;
	return learn->stop ? status : STATUS_OK;
}

static void note_skipped(void *context, const char *why)
{
	struct learn *learn = context;

	say_progress(why);
	learn->skipped++;
}

/* --- Where messages are ---------------------------------------------------------------- */

static void learn_input(struct learn *learn, const struct mail_visitor *visitor)
{
	struct failure failure = {0};

	if (learn->read_input)
		return;
	learn->read_input = true;
	enum status status = mail_walk_input(STDIN_FILENO, "standard input", visitor, &failure);
	if (status == STATUS_OK || learn->stop)
		return;
	say_progress(failure.detail);
	learn->not_kept = exit_code_of(status);
}

static void learn_path(struct learn *learn, const struct mail_visitor *visitor, const char *path)
{
	struct failure failure = {0};
	unsigned before = learn->examined;
	enum status status = mail_walk(path, visitor, &failure);

	if (status == STATUS_OK || learn->stop)
		return;
	say_progress(failure.detail);
	if (learn->examined > before) /* it ended in the middle */
		learn->not_kept = exit_code_of(status);
	else
		learn->not_read = EX_IOERR;
}

/* A path as it is, or, if nothing is there, as a pattern that no shell has expanded. */
static void learn_pattern(struct learn *learn, const struct mail_visitor *visitor, const char *path)
{
	struct stat found;
	glob_t matches = {0};

	if (lstat(path, &found) == 0 || glob(path, GLOB_BRACE | GLOB_TILDE, NULL, &matches) != 0)
		learn_path(learn, visitor, path);
	for (size_t i = 0; i < matches.gl_pathc && !learn->stop; i++)
		learn_path(learn, visitor, matches.gl_pathv[i]);
	globfree(&matches);
}

static void learn_target(struct learn *learn, const struct learn_target *target)
{
	static const char *const HEADERS[] = {
		[LEARN_SPAM] = "Message-class: spam\r\nSet: local\r\n",
		[LEARN_HAM] = "Message-class: ham\r\nSet: local\r\n",
		[LEARN_FORGET] = "Remove: local\r\n",
	};

	const struct mail_visitor visitor = {.message = give,
		.skipped = note_skipped,
		.context = learn,
		.form = target->mbox ? MAIL_MBOX : MAIL_DETECT,
		.pipes = true};

	learn->exchange.headers = HEADERS[target->label];
	if (strcmp(target->path, "-") == 0)
		learn_input(learn, &visitor);
	else
		learn_pattern(learn, &visitor, target->path);
}

/* Who deletes after a success must lose nothing: so it is none when a message was not
 * kept, nor when there was something and nothing of it was examined. */
static int code_at_end(const struct learn *learn)
{
	if (learn->not_kept)
		return learn->not_kept;
	if (learn->examined > 0)
		return EXIT_SUCCESS;
	return learn->not_read ? learn->not_read : learn->skipped ? EX_DATAERR : EXIT_SUCCESS;
}

static int run_learning(const struct learn_options *options, const char *socket)
{
	struct learn learn = {.options = options,
		.exchange = {.socket = socket, .command = "TELL", .user = options->user}};

	for (guint i = 0; i < options->targets->len && !learn.stop; i++)
		learn_target(&learn, &g_array_index(options->targets, struct learn_target, i));
	if (!options->quiet)
		printf("%s tokens from %u message(s) (%u message(s) examined)\n",
			options->forget ? "Forgot" : "Learned", learn.learned, learn.examined);
	return code_at_end(&learn);
}

/* --- The rest -------------------------------------------------------------------------- */

static void print_magic(const char *name, json_int_t number)
{
	printf("0.000          0 %10lld          0  non-token data: %s\n", (long long)number, name);
}

static enum status read_stats(const char *socket, json_t **stats, struct failure *failure)
{
	const struct exchange exchange = {
		.socket = socket, .command = "STATS", .headers = "", .user = ""};
	struct buffer body;
	enum status status = exchange_run(&exchange, &body, failure);

	if (status == STATUS_OK)
		*stats = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
	buffer_free(&body);
	return status;
}

/* The numbers that scripts look at; those of reports are the user's. */
static int dump_magic(const struct learn_options *options, const char *socket)
{
	json_t *policy = NULL, *stats = NULL;
	struct failure failure = {0};
	enum status status = read_stats(socket, &stats, &failure);

	if (status == STATUS_OK)
		status = call_run(socket,
			json_pack("{s:s, s:s}", "call", "policy", "user", options->user), &policy,
			&failure);
	if (status == STATUS_OK) {
		const json_t *engine = json_object_get(stats, "engine");

		print_magic("bayes db version", 3);
		print_magic("nspam", json_integer_value(json_object_get(policy, "reports_spam")));
		print_magic("nham", json_integer_value(json_object_get(policy, "reports_ham")));
		print_magic(
			"ntokens", json_integer_value(json_object_get(engine, "global_tokens")));
		print_magic("nreports", json_integer_value(json_object_get(engine, "last_seq")));
	} else {
		say_progress(failure.detail);
	}
	json_decref(policy);
	json_decref(stats);
	return status == STATUS_OK ? EXIT_SUCCESS : exit_code_of(status);
}

static int dump_counts(const struct learn_options *options, const char *socket)
{
	if (strcmp(options->dump, "magic") != 0)
		say_progress("tokens are kept as hashes: `hamlet tokens` shows those of a message");
	return strcmp(options->dump, "data") == 0 ? EXIT_SUCCESS : dump_magic(options, socket);
}

static void help(void)
{
	puts("Usage: hamlet-sa-learn [OPTION...] --spam|--ham|--forget [FILE|FOLDER...]\n"
	     "       hamlet-sa-learn --dump magic\n"
	     "Reports messages to hamletd, with the arguments of sa-learn.\n"
	     "  -u, --username=USER  whose filter learns [$HAMLET_USER, the login]\n"
	     "      --site           everybody's filter learns\n"
	     "      --mbox           files are mbox files\n"
	     "  -f, --folders=FILE   read paths from the lines of FILE\n"
	     "      --max-size=N     skip larger messages [512000 bytes, 0 = none]\n"
	     "  -q, --quiet          say nothing of success\n"
	     "The other options are those of sa-learn: see hamlet-sa-learn(1).");
}

static int perform(const struct learn_options *options)
{
	const char *given = getenv("HAMLET_SOCKET");
	const char *socket = given ? given : DEFAULT_SOCKET;

	switch (options->task) {
	case TASK_LEARN:
		return run_learning(options, socket);
	case TASK_DUMP:
		return dump_counts(options, socket);
	case TASK_HELP:
		help();
		return EX_USAGE; /* as sa-learn */
	case TASK_VERSION:
		puts("hamlet-sa-learn " PACKAGE_VERSION);
		break;
	case TASK_NOTHING:
		break;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct learn_options options;

	setlocale(LC_CTYPE, "C.UTF-8"); /* names of users in options are UTF-8 */
	int code = learn_options_parse(&options, argc, argv);
	if (code == 0)
		code = perform(&options);
	learn_options_free(&options);
	return code;
}
