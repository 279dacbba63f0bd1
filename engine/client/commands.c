/* hamlet's commands about messages: score, why, report, diagnose.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>
#include <jansson.h>

#include "engine/client/exchange.h"
#include "engine/client/show.h"
#include "tokenizer/tokenizer.h"

static enum exit_code fail(const struct input *input, const struct failure *failure)
{
	fprintf(stderr, "hamlet: %s%s%s\n", input && input->several ? input->name : "",
		input && input->several ? ": " : "", failure->detail);
	return EXIT_FAILED;
}

/* Asks the daemon and parses its JSON; NULL after an error was printed. */
static json_t *ask(const struct options *options, const struct input *input, const char *command,
	const char *headers)
{
	struct exchange exchange = {.socket = options->socket,
		.command = command,
		.headers = headers,
		.user = options->user,
		.message = input ? input->data : NULL,
		.length = input ? input->length : 0};
	struct buffer body;
	struct failure failure = {0};
	json_t *json = NULL;

	if (exchange_run(&exchange, &body, &failure) == STATUS_OK) {
		json = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
		if (!json)
			failure_set(&failure, STATUS_PROTOCOL,
				"the answer is not JSON: is %s hamletd's socket?", options->socket);
	}
	if (!json)
		fail(input, &failure);
	buffer_free(&body);
	return json;
}

/* Prints an answer as JSON or by `show`; takes over the reference. */
static void print(const struct options *options, const struct input *input, json_t *json,
	void (*show)(const json_t *json))
{
	if (options->json) {
		if (input && input->several)
			json_object_set_new(json, "file", json_string_nocheck(input->name));
		char *text = json_dumps(json, JSON_COMPACT);
		puts(text ? text : "{}");
		free(text);
	} else {
		if (input && input->several)
			printf("%s: ", input->name);
		show(json);
	}
	json_decref(json);
}

static enum exit_code run_scan(const struct options *options, const struct input *input,
	const char *command, void (*show)(const json_t *json))
{
	json_t *json = ask(options, input, command, "");

	if (!json)
		return EXIT_FAILED;
	bool spam = json_is_true(json_object_get(json, "spam"));
	print(options, input, json, show);
	return spam ? EXIT_SPAM : EXIT_DONE;
}

static enum exit_code run_score(const struct options *options, const struct input *input)
{
	return run_scan(options, input, "CHECK", show_score);
}

static enum exit_code run_why(const struct options *options, const struct input *input)
{
	enum exit_code code = run_scan(options, input, "REPORT", show_why);

	return code == EXIT_SPAM ? EXIT_DONE : code;
}

/* The Context header of a report; to be freed. */
static char *context_header(const struct options *options)
{
	json_t *context = json_object(), *event = json_object();
	const struct {
		const char *name, *value;
	} parts[] = {{"kind", options->event}, {"from", options->from}, {"to", options->to}};

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		if (*parts[i].value)
			json_object_set_new(event, parts[i].name, json_string(parts[i].value));
	}
	if (options->selected > 0)
		json_object_set_new(event, "selected", json_integer(options->selected));
	if (json_object_size(event) > 0)
		json_object_set(context, "event", event);
	if (*options->consent)
		json_object_set_new(context, "consent", json_string(options->consent));
	json_decref(event);
	char *text = json_dumps(context, JSON_COMPACT);
	char *header = json_object_size(context) > 0 && text
		? g_strdup_printf("Context: %s\r\n", text)
		: g_strdup("");
	free(text);
	json_decref(context);
	return header;
}

static enum exit_code run_tell(
	const struct options *options, const struct input *input, const char *headers)
{
	char *context = context_header(options);
	char *all = g_strconcat(headers, context, NULL);
	json_t *json = ask(options, input, "TELL", all);

	g_free(all);
	g_free(context);
	if (!json)
		return EXIT_FAILED;
	print(options, input, json, show_answer);
	return EXIT_DONE;
}

static enum exit_code run_report_spam(const struct options *options, const struct input *input)
{
	return run_tell(options, input, "Message-class: spam\r\nSet: local\r\n");
}

static enum exit_code run_report_ham(const struct options *options, const struct input *input)
{
	return run_tell(options, input, "Message-class: ham\r\nSet: local\r\n");
}

static enum exit_code run_forget(const struct options *options, const struct input *input)
{
	return run_tell(options, input, "Remove: local\r\n");
}

static enum exit_code run_diagnose(const struct options *options, const struct input *input)
{
	json_t *json = ask(options, input, "DIAGNOSE", "");

	if (!json)
		return EXIT_FAILED;
	print(options, input, json, show_diagnosis);
	return EXIT_DONE;
}

static enum exit_code run_stats(const struct options *options, char **words, int count)
{
	json_t *json = ask(options, NULL, "STATS", "");
	(void)words;
	(void)count;

	if (!json)
		return EXIT_FAILED;
	print(options, NULL, json, show_stats);
	return EXIT_DONE;
}

static enum exit_code run_ping(const struct options *options, char **words, int count)
{
	struct exchange exchange = {
		.socket = options->socket, .command = "PING", .headers = "", .user = ""};
	struct buffer body;
	struct failure failure = {0};
	enum status status = exchange_run(&exchange, &body, &failure);
	(void)words;
	(void)count;

	buffer_free(&body);
	if (status != STATUS_OK)
		return fail(NULL, &failure);
	puts(options->json ? "{\"pong\":true}" : "hamletd answers");
	return EXIT_DONE;
}

/* --- tokens: without a daemon ---------------------------------------------- */

static void print_token(
	void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	json_t *list = context;
	(void)key;

	if (list) {
		json_t *token = json_object();
		json_object_set_new(token, "field", json_string(field));
		json_object_set_new(token, "text", json_stringn(text, length));
		json_array_append_new(list, token);
	} else {
		printf("%-20s ", field);
		show_text(text, length, 200);
		putchar('\n');
	}
}

static enum exit_code run_tokens(const struct options *options, const struct input *input)
{
	/* Which keys the texts get does not show. */
	struct tokenizer *tokenizer = tokenizer_new(&(struct tokenizer_secret){{0}});
	struct failure failure;
	struct token_set set;
	json_t *list = options->json ? json_array() : NULL;

	if (!tokenizer || (options->json && !list)) {
		failure_set(&failure, STATUS_NOMEM, "out of memory");
		return fail(input, &failure);
	}
	tokenizer_run(tokenizer, input->data, input->length, print_token, list, &set);
	tokenizer_free(&tokenizer);
	if (list) {
		json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(list);
	}
	return EXIT_DONE;
}

const struct command commands[] = {
	{"score", NULL, "score messages; exit status 1 when one is spam", run_score, NULL, NULL},
	{"why", NULL, "say which features gave the score", run_why, NULL, NULL},
	{"diagnose", NULL, "answer a support case, step by step", run_diagnose, NULL, NULL},
	{"report", "spam", "report messages as spam", run_report_spam, NULL, NULL},
	{"report", "ham", "report messages as not spam", run_report_ham, NULL, NULL},
	{"forget", NULL, "undo the reports of messages", run_forget, NULL, NULL},
	{"tokens", NULL, "show the features of messages; asks no daemon", run_tokens, NULL, NULL},
	{"list", "show", "show who is blocked and allowed", NULL, admin_list_show, NULL},
	{"list", "allow", "let mail of these pass", NULL, admin_list_allow, "ENTRY..."},
	{"list", "block", "call mail of these spam", NULL, admin_list_block, "ENTRY..."},
	{"list", "remove", "let the score decide again", NULL, admin_list_remove, "ENTRY..."},
	{"list", "import", "take lines \"allow ENTRY\" and \"block ENTRY\"", NULL,
		admin_list_import, "FILE..."},
	{"policy", "show", "show the policy and how it came to be", NULL, admin_policy_show, NULL},
	{"policy", "set", "junk-score, reject-score, spam-action", NULL, admin_policy_set,
		"NAME=VALUE..."},
	{"policy", "unset", "let the next wider policy hold", NULL, admin_policy_unset, "NAME..."},
	{"consent", NULL, "grant, decline or withdraw: may reports teach everybody", NULL,
		admin_consent, "ANSWER"},
	{"trust", "show", "show the site's trusted senders", NULL, admin_trust_show, NULL},
	{"trust", "add", "trust senders, when authenticated", NULL, admin_trust_add, "ENTRY..."},
	{"trust", "remove", "trust them no more", NULL, admin_trust_remove, "ENTRY..."},
	{"trust", "import", "take a file of one ENTRY a line", NULL, admin_trust_import, "FILE..."},
	{"user", "show", "show what is in force and known of users", NULL, admin_user_show,
		"USER..."},
	{"user", "export", "write all that is kept of users", NULL, admin_user_export, "USER..."},
	{"user", "erase", "erase all that is kept of users", NULL, admin_user_erase, "USER..."},
	{"stats", NULL, "show the daemon's counters", NULL, run_stats, NULL},
	{"ping", NULL, "see whether the daemon answers", NULL, run_ping, NULL},
};
const size_t commands_count = sizeof(commands) / sizeof(commands[0]);
