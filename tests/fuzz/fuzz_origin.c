/* Whatever a message's header says, it proves an author only above our own Received
 * line: the same header below a line of ours proves nothing. Where servers stamp below
 * their line it proves nothing below two. Addresses and networks have one form.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/origin/origin.h"

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

/* As a site with the usual settings, and as one whose servers stamp below their line. */
static void look(struct tokenizer *tokenizer, const char *message, size_t length, bool below,
	struct origin *origin)
{
	struct network own;
	struct origin_trust trust = {.authserv_ids = IDS,
		.header_names = NAMES,
		.below_received = below,
		.networks = &own,
		.network_count = 1};
	struct origin_targets targets;
	struct token_set set;

	REQUIRE(network_parse(&own, "10.0.0.0/8"));
	tokenizer_run(tokenizer, message, length, NULL, NULL, &set);
	origin_read(origin, &trust, set.fields, set.field_count);
	origin_unsubscribe(&targets, origin, set.fields, set.field_count);
	REQUIRE(targets.count <= ORIGIN_MAX_TARGETS);
	for (size_t i = 0; i < targets.count; i++) {
		REQUIRE(strchr(targets.list[i].url, ':'));
		if (targets.list[i].one_click)
			REQUIRE(origin->stamped && origin->signature_count > 0);
	}
}

static void check(const struct origin *origin)
{
	char again[ADDRESS_MAX + 1], text[NETWORK_TEXT];
	struct network client;

	REQUIRE(origin->author_count <= ORIGIN_MAX_AUTHORS);
	for (size_t i = 0; i < origin->author_count; i++) {
		const char *address = origin->list_of_authors[i];
		REQUIRE(address_canonical(address, again) && strcmp(address, again) == 0);
	}
	if (origin->authenticated)
		REQUIRE(origin->sole && origin->stamped && origin_is_believed(origin));
	if (origin_is_believed(origin))
		REQUIRE(origin->sole && origin->authors == 1 && origin->author_count == 1 &&
			*origin->domain && !origin->refuted);
	if (origin->has_client) {
		network_format(&origin->client, text);
		REQUIRE(network_parse(&client, text) &&
			memcmp(&client, &origin->client, sizeof(client)) == 0);
	}
}

static void check_network(const uint8_t *data, size_t size)
{
	char given[NETWORK_TEXT], text[NETWORK_TEXT];
	struct network network, again;

	if (size >= sizeof(given))
		return;
	if (size > 0)
		memcpy(given, data, size);
	given[size] = '\0';
	if (!network_parse(&network, given))
		return;
	network_format(&network, text);
	REQUIRE(network_parse(&again, text) && memcmp(&network, &again, sizeof(again)) == 0);
	REQUIRE(network_contains(&network, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizer;
	const size_t border = sizeof(BORDER) - 1;
	char *message = malloc(2 * border + size + 1);
	struct origin origin;

	if (!tokenizer)
		tokenizer = tokenizer_new(&(struct tokenizer_secret){{1}});
	REQUIRE(message && tokenizer);
	memcpy(message, BORDER, border);
	memcpy(message + border, BORDER, border);
	if (size > 0)
		memcpy(message + 2 * border, data, size);
	for (int below = 0; below < 2; below++) {
		look(tokenizer, message + 2 * border, size, below, &origin);
		check(&origin);
		look(tokenizer, message, 2 * border + size, below, &origin);
		check(&origin);
		REQUIRE(!origin.authenticated && !origin.stamped);
	}
	look(tokenizer, message + border, border + size, false, &origin);
	REQUIRE(!origin.authenticated && !origin.stamped);
	check_network(data, size);
	free(message);
	return 0;
}
