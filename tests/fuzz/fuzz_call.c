/* The JSON that clients send: contexts, calls, and the entries in them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/task/call.h"
#include "engine/daemon/task/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct service *service;
static struct worker *worker;

/* More reports of bob than one part of an export has. */
static void report(int count)
{
	struct failure failure;

	for (int i = 0; i < count; i++) {
		struct press_info info = {.user = "bob", .event.label = LABEL_SPAM, .time = 1000};
		struct press *press = NULL;
		struct batch *batch = NULL;
		char mail[40];
		int length = snprintf(mail, sizeof(mail), "Subject: offer %d\n\nhello", i);

		REQUIRE(press_new(service, &info, &press, &failure) == STATUS_OK);
		REQUIRE(press_run(press, worker, mail, (size_t)length, &failure) == STATUS_OK);
		REQUIRE(batch_begin(service, &press, 1, &batch, &failure) == STATUS_OK);
		REQUIRE(batch_run(batch, &failure) == STATUS_OK);
		batch_end(service, &batch);
		press_free(&press);
	}
}

static void open_service(void)
{
	const struct service_settings settings = service_defaults();
	struct store *store = NULL;
	struct failure failure;

	REQUIRE(store_open(&store, "memory:", STORE_WRITE, &failure) == STATUS_OK);
	REQUIRE(service_open(&service, store, &settings, &failure) == STATUS_OK);
	REQUIRE(worker_open(service, &worker, &failure) == STATUS_OK);
	report(510);
}

/* Who reads gets an answer, or a sentence. */
static void run_read(struct call *call)
{
	const char *user = call_scope(call);
	struct query *query = NULL;
	struct failure failure = {0};
	char *answer = NULL;

	if (!call_kind(call)->queries ||
		query_begin(service, &user, 1, false, &query, &failure) == STATUS_OK) {
		enum status status = call_read(call, worker, query, &answer, &failure);
		REQUIRE(status == STATUS_OK ? answer && *answer == '{'
					    : !answer && *failure.detail);
	}
	REQUIRE(answer || *failure.detail);
	query_end(service, &query);
	free(answer);
}

static void run_change(struct call *call)
{
	struct change *change = NULL;
	struct failure failure = {0};
	const struct call_kind *kind = call_kind(call);
	const struct call_terms terms = {.service = service,
		.clock.now = 1000,
		.authority = *kind->name == 'c' ? AS_ADMINISTRATOR : AS_USER};
	enum status status = kind->change(call, &terms, &change, &failure);

	if (status == STATUS_OK) {
		do
			status = change_run(change, &failure);
		while (status == STATUS_OK && change_goes_on(change));
	}
	REQUIRE(status == STATUS_OK || *failure.detail);
	if (status == STATUS_OK) {
		char *receipt = call_receipt(
			call, change_receipt(change), 1000, service_has_authserv_ids(service));
		REQUIRE(receipt && *receipt == '{');
		free(receipt);
	}
	change_end(service, &change);
}

static void run_call(const char *text, size_t size)
{
	struct call *call = NULL;
	struct change *adoption = NULL;
	struct failure failure = {0};

	if (call_parse(&call, text, size, &service_settings(service)->naming, &failure) !=
		STATUS_OK) {
		REQUIRE(!call && *failure.detail);
		return;
	}
	REQUIRE(strlen(call_scope(call)) <= STORE_MAX_USER && *call_kind(call)->name);
	REQUIRE(call_right(call) == CALL_AS_ADMINISTRATOR || *call_scope(call));
	if (call_kind(call)->read) {
		run_read(call);
	} else if (call_kind(call)->change) {
		run_change(call);
	} else { /* there is no such file */
		REQUIRE(call_adoption(call, service, "/nowhere/hamlet.sqlite", &adoption,
				&failure) == STATUS_OK);
		REQUIRE(change_prepare(adoption, worker, &failure) != STATUS_OK && *failure.detail);
		change_end(service, &adoption);
	}
	call_free(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct context context;
	struct failure failure = {0};

	if (!service)
		open_service();
	REQUIRE(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (context_parse(&context, text, &failure) == STATUS_OK)
		REQUIRE(context.recipient_count <= QUERY_MAX_USERS);
	else
		REQUIRE(*failure.detail);
	context_free(&context);
	run_call(text, size);
	free(text);
	return 0;
}
