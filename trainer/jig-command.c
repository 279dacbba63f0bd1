/* hamlet-train jig: the four commands that the TREC spam track's toolkit asks of a filter
 * (Cormack and Lynam, TREC 2005 to 2007). Their form is that of the toolkit's description
 * (https://plg.uwaterloo.ca/~gvcormac/jig/) and of what its run script of 2006 calls and
 * reads:
 *
 *   initialize
 *   classify FILE [USER]     prints class=spam|ham score=NUMBER tfile=NAME
 *   train JUDGEMENT FILE [CLASS [TFILE [USER]]]
 *   finalize
 *
 * The script drops an empty tfile from the arguments of train, and removes a file of that
 * name: so we, who have none, say "-".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "engine/base/account.h"
#include "engine/service/upkeep/upkeep.h"
#include "trainer/commands.h"
#include "trainer/evaluate/replay.h"

static const char DATABASE[] = "hamlet-jig.sqlite";

/* A value in the database that says whose it is: initialize removes no other. */
static const char MARK[] = "jig";

/* The journal's reports since a checkpoint are folded with each command, the rows are
 * read: this many changed tokens are as fast to fold as their rows are to write. */
enum { CHECKPOINT_TOKENS = 200000 };

/* --- initialize ---------------------------------------------------------------------- */

static enum status check_mark(struct store *store, const char *path, struct failure *failure)
{
	struct store_reader *reader = NULL;
	char mark;
	size_t size = sizeof(mark);
	enum status status = store_reader_open(store, &reader, failure);

	if (status == STATUS_OK)
		status = store_get(reader, MARK, &mark, &size, failure);
	if (status == STATUS_NOTFOUND)
		status = failure_set(failure, STATUS_INVALID,
			"%s is not a database of the jig: remove it, or name another", path);
	store_reader_close(&reader);
	return status;
}

static void remove_files(const char *path)
{
	static const char *const parts[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		char *part = g_strconcat(path, parts[i], NULL);
		g_unlink(part);
		g_free(part);
	}
}

/* What a run before has left. Looked at read-only first: another program's database must
 * not even be migrated. */
static enum status remove_former(const char *path, struct failure *failure)
{
	struct store *store = NULL;
	enum status status = store_open(&store, path, STORE_READ, failure);

	if (status == STATUS_NOTFOUND)
		return STATUS_OK;
	if (status == STATUS_OK)
		status = check_mark(store, path, failure);
	if (store)
		store_close(&store);
	if (status == STATUS_OK)
		status = store_open(&store, path, STORE_WRITE, failure); /* nobody uses it */
	if (status != STATUS_OK)
		return status;
	store_close(&store);
	remove_files(path);
	return STATUS_OK;
}

static enum status initialize(const char *path, struct failure *failure)
{
	const struct service_settings settings = service_defaults();
	struct store *store = NULL;
	struct replay replay = {0};
	const struct store_value mark = {.name = MARK, .bytes = "1", .size = 1};
	const struct store_change marked = {.values = &mark, .value_count = 1};
	enum status status = remove_former(path, failure);

	if (status == STATUS_OK)
		status = store_open(&store, path, STORE_WRITE, failure);
	if (status == STATUS_OK) /* makes the secret */
		status = replay_open(&replay, store, &settings, failure);
	if (status == STATUS_OK)
		status = store_commit(store, &marked, failure);
	replay_close(&replay);
	if (store)
		store_close(&store);
	return status;
}

/* --- classify, train, finalize ---------------------------------------------------------- */

static enum status classify_one(
	const char *path, const struct corpus_entry *entry, struct failure *failure)
{
	const struct service_settings settings = service_defaults();
	struct store *store = NULL;
	struct replay replay = {0};
	struct result result;
	enum status status = store_open(&store, path, STORE_READ, failure);

	if (status == STATUS_OK)
		status = replay_open(&replay, store, &settings, failure);
	if (status == STATUS_OK)
		status = replay_score(&replay, entry, &result, NULL, failure);
	if (status == STATUS_OK)
		printf("class=%s score=%.6f tfile=-\n", result.called_spam ? "spam" : "ham",
			result.score);
	replay_close(&replay);
	if (store)
		store_close(&store);
	return status;
}

/* `entry` NULL = none; `dirty` = tokens that may be left to the journal. */
static enum status learn_one(
	const char *path, const struct corpus_entry *entry, size_t dirty, struct failure *failure)
{
	const struct service_settings settings = service_defaults();
	struct store *store = NULL;
	struct replay replay = {0};
	enum status status = store_open(&store, path, STORE_WRITE, failure);

	if (status == STATUS_OK)
		status = check_mark(store, path, failure);
	if (status == STATUS_OK)
		status = replay_open(&replay, store, &settings, failure);
	if (status == STATUS_OK && entry)
		status = replay_learn(&replay, entry, entry->spam, time(NULL), failure);
	if (status == STATUS_OK && service_dirty(replay.service) > dirty)
		status = service_checkpoint(replay.service, failure);
	replay_close(&replay);
	if (store)
		store_close(&store);
	return status;
}

/* --- The command line ------------------------------------------------------------------- */

static int run_classify(const char *path, int argc, char **argv)
{
	struct failure failure = {0};
	char nobody[] = "";

	if (argc < 2 || argc > 3)
		return fail_usage("classify takes FILE [USER]");
	const struct corpus_entry entry = {.path = argv[1], .user = argc > 2 ? argv[2] : nobody};
	return classify_one(path, &entry, &failure) == STATUS_OK ? EXIT_SUCCESS : fail(&failure);
}

static int run_jig_train(const char *path, int argc, char **argv)
{
	struct failure failure = {0};
	char nobody[] = "";

	if (argc < 3 || argc > 6 || (strcmp(argv[1], "spam") != 0 && strcmp(argv[1], "ham") != 0))
		return fail_usage("train takes spam|ham FILE [CLASS [TFILE [USER]]]");
	const struct corpus_entry entry = {.spam = strcmp(argv[1], "spam") == 0,
		.path = argv[2],
		.user = argc > 5 ? argv[5] : nobody};
	return learn_one(path, &entry, CHECKPOINT_TOKENS, &failure) == STATUS_OK ? EXIT_SUCCESS
										 : fail(&failure);
}

static int run_command(const char *path, int argc, char **argv)
{
	struct failure failure = {0};
	enum status status;

	if (strcmp(argv[0], "classify") == 0)
		return run_classify(path, argc, argv);
	if (strcmp(argv[0], "train") == 0)
		return run_jig_train(path, argc, argv);
	if (strcmp(argv[0], "initialize") == 0 && argc == 1)
		status = initialize(path, &failure);
	else if (strcmp(argv[0], "finalize") == 0 && argc == 1)
		status = learn_one(path, NULL, 0, &failure);
	else
		return fail_usage("jig takes initialize, classify, train or finalize");
	return status == STATUS_OK ? EXIT_SUCCESS : fail(&failure);
}

int run_jig(int argc, char **argv)
{
	char *database = NULL;
	const GOptionEntry entries[] = {
		{"database", 0, 0, G_OPTION_ARG_FILENAME, &database,
			"its database, in place of HAMLET_JIG or ./hamlet-jig.sqlite", "FILE"},
		{0},
	};
	struct failure failure = {0};
	int result = EXIT_USAGE;

	if (parse_options("initialize | classify FILE | train spam|ham FILE | finalize - be a "
			  "filter of the TREC spam track's toolkit",
		    entries, NULL, &argc, &argv)) {
		const char *other = g_getenv("HAMLET_JIG");
		const char *path = database ? database : other && *other ? other : DATABASE;
		if (argc < 2)
			result = fail_usage("jig wants a command");
		else if (account_begin(path, &failure) != STATUS_OK)
			result = fail(&failure);
		else
			result = run_command(path, argc - 1, argv + 1);
	}
	g_free(database);
	return result;
}
