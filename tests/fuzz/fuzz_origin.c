/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Whatever a message's header says, it proves an author only above our own Received
 * line: the same header below a line of ours proves nothing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/service/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const IDS[] = {"mx.example.org", NULL};
static const char *const NAMES[] = {
	"Authentication-Results", "Received-SPF", "X-HE-DKIM-Result", NULL};
static const char BORDER[] = "Received: from x (x [192.0.2.1]) by mx.example.org; today\n";

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void look(
	struct tokenizer *tokenizer, const char *message, size_t length, struct origin *origin)
{
	struct origin_trust trust = {.authserv_ids = IDS, .header_names = NAMES};
	struct origin_targets targets;
	struct token_set set;

	tokenizer_run(tokenizer, message, length, NULL, NULL, &set);
	origin_read(origin, &trust, set.fields, set.field_count);
	origin_unsubscribe(&targets, origin, set.fields, set.field_count);
	REQUIRE(targets.count <= ORIGIN_MAX_TARGETS);
	for (size_t i = 0; i < targets.count; i++)
		REQUIRE(strchr(targets.list[i].url, ':'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizer;
	char *message = malloc(sizeof(BORDER) + size);

	if (!tokenizer)
		tokenizer = tokenizer_new(&(struct tokenizer_secret){{1}});
	REQUIRE(message && tokenizer);
	memcpy(message, BORDER, sizeof(BORDER) - 1);
	if (size > 0)
		memcpy(message + sizeof(BORDER) - 1, data, size);
	struct origin origin;
	look(tokenizer, message + sizeof(BORDER) - 1, size, &origin);
	if (origin.authenticated)
		REQUIRE(origin.sole && origin.authors == 1 && *origin.domain && origin.stamped);
	look(tokenizer, message, sizeof(BORDER) - 1 + size, &origin);
	REQUIRE(!origin.authenticated && !origin.stamped);
	free(message);
	return 0;
}
