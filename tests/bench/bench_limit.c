/* How close scoring comes to what it stands on. Measures for each corpus, in one
 * process, in turns, in CPU time:
 *   (a) decode    GMime alone parses the message and decodes base64 and quoted-printable
 *                 of its text parts, the cheapest way that it has
 *   (b) text      the same, and the text in UTF-8: g_mime_text_part_get_text, which is
 *                 where a tokenizer on top of GMime would begin
 *   (c) tokenize  tokenizer_run
 *   (d) score     a whole query: tokenize, read the global table, score, policy
 *
 * Usage: bench_limit [--json] [--rounds=N] [--tokens=N] INDEX|FOLDER...
 * INDEX as scripts/corpus makes it. The global table holds the messages themselves
 * and, up to --tokens (1,000,000), words that no message has. Figures are medians of
 * the rounds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gmime/gmime.h>
#include <jansson.h>

#include "engine/client/mail-walk.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "tokenizer/tokenizer.h"
#include "trainer/corpus.h"

enum { BLOCK = 32, WORDS = 4000, MEASURED = 4, MAX_ROUNDS = 100 };

static const char *const NAMES[MEASURED] = {"decode", "text", "tokenize", "score"};

struct message {
	char *data;
	size_t length;
	bool spam;
};

struct corpus {
	const char *path;
	GArray *messages; /* of struct message */
	double times[MEASURED][MAX_ROUNDS]; /* microseconds a message */
};

struct bench {
	struct store *store;
	struct service *service;
	struct worker *worker;
	struct tokenizer *tokenizer;
	char *decoded; /* room for the largest message */
	size_t rounds;
	uint64_t seen; /* of what was measured, so that nothing is optimised away */
};

static void die(const char *what, const struct failure *failure)
{
	fprintf(stderr, "bench_limit: %s: %s\n", what, failure->detail);
	exit(1);
}

/* --- Messages ---------------------------------------------------------------- */

static void add_message(struct corpus *corpus, const char *data, size_t length, bool spam)
{
	struct message message = {.data = g_memdup2(data, length), .length = length, .spam = spam};

	g_array_append_val(corpus->messages, message);
}

static enum status on_message(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	(void)path;
	(void)place;
	add_message(context, message, length, false);
	return STATUS_OK;
}

static enum status on_spam(void *context, const char *path, const struct mail_place *place,
	const char *message, size_t length)
{
	(void)path;
	(void)place;
	add_message(context, message, length, true);
	return STATUS_OK;
}

static void read_corpus(struct corpus *corpus, const char *path)
{
	struct mail_visitor visitor = {.message = on_message, .context = corpus};
	struct corpus_index index = {0};
	struct failure failure;
	struct stat file;
	enum status status;

	*corpus = (struct corpus){
		.path = path, .messages = g_array_new(FALSE, FALSE, sizeof(struct message))};
	if (stat(path, &file) == 0 && S_ISDIR(file.st_mode)) {
		status = mail_walk(path, &visitor, &failure);
	} else {
		status = corpus_read_index(&index, path, &failure);
		for (size_t i = 0; i < index.count && status == STATUS_OK; i++) {
			visitor.message = index.entries[i].spam ? on_spam : on_message;
			status = mail_walk(index.entries[i].path, &visitor, &failure);
		}
		corpus_free_index(&index);
	}
	if (status != STATUS_OK)
		die(path, &failure);
	if (corpus->messages->len == 0) {
		fprintf(stderr, "bench_limit: %s: no messages\n", path);
		exit(1);
	}
}

static void free_corpus(struct corpus *corpus)
{
	for (guint i = 0; i < corpus->messages->len; i++)
		g_free(g_array_index(corpus->messages, struct message, i).data);
	g_array_free(corpus->messages, TRUE);
}

/* --- The global table ---------------------------------------------------------- */

static void learn(struct bench *bench, const char *data, size_t length, bool spam)
{
	struct press_info info = {
		.user = "", .event = {.kind = EVENT_TOLD, .label = spam ? LABEL_SPAM : LABEL_HAM}};
	struct press *press = NULL;
	struct batch *batch = NULL;
	struct failure failure;
	enum status status = press_new(bench->service, &info, &press, &failure);

	if (status == STATUS_OK)
		status = press_run(press, bench->worker, data, length, &failure);
	if (status == STATUS_OK)
		status = batch_begin(bench->service, &press, 1, &batch, &failure);
	if (status == STATUS_OK)
		status = batch_run(batch, &failure);
	if (status != STATUS_OK)
		die("learning", &failure);
	batch_end(bench->service, &batch);
	press_free(&press);
}

static size_t known_tokens(const struct bench *bench)
{
	struct service_stats stats;

	service_read_stats(bench->service, &stats);
	return stats.global_tokens;
}

/* Learns mail of words that nobody else uses. */
static void fill_table(struct bench *bench, size_t tokens)
{
	GString *text = g_string_new(NULL);

	for (size_t number = 0; known_tokens(bench) < tokens; number++) {
		g_string_printf(text, "Message-ID: <%zu@fill>\n\n", number);
		for (size_t word = 0; word < WORDS; word++)
			g_string_append_printf(text, "fill%zu ", number * WORDS + word);
		learn(bench, text->str, text->len, number % 2);
	}
	g_string_free(text, TRUE);
}

/* --- What is measured ---------------------------------------------------------- */

static void read_text(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	struct bench *bench = context;
	char *text;

	(void)parent;
	if (!GMIME_IS_TEXT_PART(object))
		return;
	text = g_mime_text_part_get_text(GMIME_TEXT_PART(object));
	bench->seen += text ? strlen(text) : 0;
	g_free(text);
}

static void decode_bytes(GMimeObject *parent, GMimeObject *object, gpointer context)
{
	struct bench *bench = context;
	GMimeContentType *type = g_mime_object_get_content_type(object);
	GMimeEncoding state;

	(void)parent;
	if (!GMIME_IS_PART(object) || (type && !g_mime_content_type_is_type(type, "text", "*")))
		return;
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	if (!stream)
		return;
	GByteArray *bytes = GMIME_STREAM_MEM(stream)->buffer;
	gint64 end = stream->bound_end == -1 ? (gint64)bytes->len : stream->bound_end;
	g_mime_encoding_init_decode(&state, g_mime_data_wrapper_get_encoding(content));
	bench->seen += g_mime_encoding_step(&state, (const char *)bytes->data + stream->bound_start,
		(size_t)(end - stream->bound_start), bench->decoded);
}

static void run_gmime(
	struct bench *bench, const struct message *message, GMimeObjectForeachFunc each)
{
	GByteArray bytes = {.data = (guint8 *)message->data, .len = (guint)message->length};
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(&bytes);

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_persist_stream(parser, TRUE);
	GMimeMessage *parsed = g_mime_parser_construct_message(parser, NULL);
	if (parsed) {
		g_mime_message_foreach(parsed, each, bench);
		g_object_unref(parsed);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

static void run_bytes(struct bench *bench, const struct message *message)
{
	run_gmime(bench, message, decode_bytes);
}

static void run_text(struct bench *bench, const struct message *message)
{
	run_gmime(bench, message, read_text);
}

static void run_tokenizer(struct bench *bench, const struct message *message)
{
	struct token_set set;

	tokenizer_run(bench->tokenizer, message->data, message->length, NULL, NULL, &set);
	bench->seen += set.count;
}

static void run_query(struct bench *bench, const struct message *message)
{
	const char *const users[] = {""};
	struct query *query = NULL;
	struct failure failure;

	if (query_begin(bench->service, users, 1, false, &query, &failure) != STATUS_OK ||
		query_run(query, bench->worker, message->data, message->length, &failure) !=
			STATUS_OK)
		die("scoring", &failure);
	bench->seen += query_verdict(query, 0)->known;
	query_end(bench->service, &query);
}

static double cpu_microseconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

/* Takes turns a few messages at a time, so that whatever else the machine does
 * meets all alike. */
static void run_round(struct bench *bench, struct corpus *corpus, size_t round)
{
	static void (*const run[MEASURED])(struct bench *, const struct message *) = {
		run_bytes, run_text, run_tokenizer, run_query};
	double sums[MEASURED] = {0};
	guint count = corpus->messages->len;

	for (guint from = 0; from < count; from += BLOCK) {
		for (size_t what = 0; what < MEASURED; what++) {
			double started = cpu_microseconds();
			for (guint i = from; i < count && i < from + BLOCK; i++)
				run[what](
					bench, &g_array_index(corpus->messages, struct message, i));
			sums[what] += cpu_microseconds() - started;
		}
	}
	for (size_t what = 0; what < MEASURED; what++)
		corpus->times[what][round] = sums[what] / count;
}

/* --- Figures --------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return first < second ? -1 : first > second;
}

/* Of the times, or with `by` of what they are to the times `by` of the same round. */
static double median(const double times[MAX_ROUNDS], const double by[MAX_ROUNDS], size_t rounds)
{
	double sorted[MAX_ROUNDS];

	for (size_t i = 0; i < rounds; i++)
		sorted[i] = by ? times[i] / by[i] : times[i];
	qsort(sorted, rounds, sizeof(sorted[0]), compare_numbers);
	return rounds % 2 ? sorted[rounds / 2] : (sorted[rounds / 2 - 1] + sorted[rounds / 2]) / 2;
}

static json_t *make_report(const struct corpus *corpus, size_t rounds)
{
	size_t bytes = 0;
	json_t *report = json_object();

	for (guint i = 0; i < corpus->messages->len; i++)
		bytes += g_array_index(corpus->messages, struct message, i).length;
	json_object_set_new(report, "corpus", json_string(corpus->path));
	json_object_set_new(report, "messages", json_integer(corpus->messages->len));
	json_object_set_new(
		report, "bytes", json_integer((json_int_t)(bytes / corpus->messages->len)));
	for (size_t what = 0; what < MEASURED; what++) {
		json_t *figures = json_pack("{s:f, s:f, s:f}", "us",
			median(corpus->times[what], NULL, rounds), "to_decode",
			median(corpus->times[what], corpus->times[0], rounds), "to_text",
			median(corpus->times[what], corpus->times[1], rounds));
		json_object_set_new(report, NAMES[what], figures);
	}
	return report;
}

static void print_report(json_t *report)
{
	printf("%s: %lld messages, %lld bytes each\n",
		json_string_value(json_object_get(report, "corpus")),
		(long long)json_integer_value(json_object_get(report, "messages")),
		(long long)json_integer_value(json_object_get(report, "bytes")));
	for (size_t what = 0; what < MEASURED; what++) {
		json_t *figures = json_object_get(report, NAMES[what]);
		printf("  %-10s %8.1f us/message  %5.2f x decode  %5.2f x text\n", NAMES[what],
			json_real_value(json_object_get(figures, "us")),
			json_real_value(json_object_get(figures, "to_decode")),
			json_real_value(json_object_get(figures, "to_text")));
	}
}

/* --- main ------------------------------------------------------------------------ */

static void open_bench(struct bench *bench, struct corpus *corpora, size_t count, size_t tokens)
{
	static const struct tokenizer_secret secret;
	const struct service_settings settings = service_defaults();
	struct failure failure;
	size_t largest = 0;

	g_mime_init();
	bench->tokenizer = tokenizer_new(&secret);
	if (!bench->tokenizer)
		abort();
	if (store_open(&bench->store, "memory:", STORE_WRITE, &failure) != STATUS_OK ||
		service_open(&bench->service, bench->store, &settings, &failure) != STATUS_OK ||
		worker_open(bench->service, &bench->worker, &failure) != STATUS_OK)
		die("opening", &failure);
	for (size_t i = 0; i < count; i++) {
		for (guint j = 0; j < corpora[i].messages->len; j++) {
			const struct message *message =
				&g_array_index(corpora[i].messages, struct message, j);
			learn(bench, message->data, message->length, message->spam);
			largest = message->length > largest ? message->length : largest;
		}
	}
	fill_table(bench, tokens);
	bench->decoded = g_malloc(largest + 64);
}

static void close_bench(struct bench *bench)
{
	g_free(bench->decoded);
	worker_close(&bench->worker);
	service_close(&bench->service);
	store_close(&bench->store);
	tokenizer_free(&bench->tokenizer);
	g_mime_shutdown();
}

static void measure(struct bench *bench, struct corpus *corpora, size_t count, bool as_json)
{
	json_t *reports = json_array();

	for (size_t i = 0; i < count; i++) {
		for (size_t round = 0; round < bench->rounds; round++)
			run_round(bench, &corpora[i], round);
		json_array_append_new(reports, make_report(&corpora[i], bench->rounds));
		if (!as_json)
			print_report(json_array_get(reports, i));
	}
	if (as_json) {
		json_t *whole = json_pack("{s:I, s:I, s:o}", "rounds", (json_int_t)bench->rounds,
			"tokens", (json_int_t)known_tokens(bench), "corpora", reports);
		json_dumpf(whole, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5));
		putchar('\n');
		json_decref(whole);
	} else {
		printf("%zu rounds, %zu tokens known\n", bench->rounds, known_tokens(bench));
		json_decref(reports);
	}
}

int main(int argc, char **argv)
{
	gboolean as_json = FALSE;
	gint rounds = 7;
	gint64 tokens = 1000000;
	const GOptionEntry entries[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "figures as JSON", NULL},
		{"rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "how often (7)", "N"},
		{"tokens", 0, 0, G_OPTION_ARG_INT64, &tokens, "the table holds (1000000)", "N"},
		G_OPTION_ENTRY_NULL};
	GOptionContext *options = g_option_context_new("INDEX|FOLDER...");
	g_option_context_add_main_entries(options, entries, NULL);
	bool good = g_option_context_parse(options, &argc, &argv, NULL) && argc > 1 && rounds > 0 &&
		rounds <= MAX_ROUNDS;
	g_option_context_free(options);
	if (!good) {
		fputs("usage: bench_limit [--json] [--rounds=N] [--tokens=N] INDEX|FOLDER...\n",
			stderr);
		return 2;
	}
	size_t count = (size_t)argc - 1;
	struct corpus *corpora = g_new0(struct corpus, count);
	struct bench bench = {.rounds = (size_t)rounds};
	for (size_t i = 0; i < count; i++)
		read_corpus(&corpora[i], argv[i + 1]);
	open_bench(&bench, corpora, count, (size_t)tokens);
	measure(&bench, corpora, count, as_json);
	close_bench(&bench);
	for (size_t i = 0; i < count; i++)
		free_corpus(&corpora[i]);
	g_free(corpora);
	return 0;
}
