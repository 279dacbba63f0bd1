/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The JSON that clients send: contexts, calls, and the entries in them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/daemon/call.h"
#include "engine/daemon/context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct service *open_service(void)
{
	struct service *service = NULL;
	struct store *store = NULL;
	struct failure failure;

	REQUIRE(store_open_memory(&store, &failure) == STATUS_OK);
	REQUIRE(service_open(&service, store, &service_defaults, &failure) == STATUS_OK);
	return service;
}

static void run_call(struct service *service, const char *text, size_t size)
{
	struct call *call = NULL;
	struct change *change = NULL;
	struct failure failure = {0};

	if (call_parse(&call, text, size, &failure) != STATUS_OK) {
		REQUIRE(!call && *failure.detail);
		return;
	}
	REQUIRE(strlen(call_scope(call)) <= STORE_MAX_USER);
	if (call_work(call) == CALL_CHANGES &&
		call_change(call, service, 1000, &change, &failure) == STATUS_OK)
		REQUIRE(change_run(change, &failure) == STATUS_OK || *failure.detail);
	change_end(service, &change);
	call_free(&call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct service *service;
	char *text = malloc(size + 1);
	struct context context;
	struct failure failure = {0};

	if (!service)
		service = open_service();
	REQUIRE(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (context_parse(&context, text, &failure) == STATUS_OK)
		REQUIRE(context.recipient_count <= QUERY_MAX_USERS);
	else
		REQUIRE(*failure.detail);
	context_free(&context);
	run_call(service, text, size);
	free(text);
	return 0;
}
