/* The whole way from message bytes to the set, GMime included; and the same bytes as a
 * list of addresses and as a text to digest.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_token(
	void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	size_t *seen = context;
	(void)text;

	if (key == 0 || key >> TOKENIZER_KEY_BITS || !*field || length > 1024)
		abort();
	(*seen)++;
}

static void on_address(void *context, const char *address)
{
	size_t *told = context;

	REQUIRE(address);
	(*told)++;
}

/* Each mailbox has one address at most; who is beyond doubt has one. */
static void check_addresses(const char *value)
{
	char address[256];
	size_t told = 0;
	size_t mailboxes = tokenizer_addresses(value, on_address, &told);
	bool sole = tokenizer_mailbox(value, address, sizeof(address));

	REQUIRE(told <= mailboxes);
	REQUIRE(strlen(address) < sizeof(address) && sole == (*address != '\0'));
}

static void check_text(const struct tokenizer *tokenizer, const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	REQUIRE(text);
	check_addresses(text);
	uint64_t digest = tokenizer_digest(tokenizer, "sender", text);
	REQUIRE(digest != 0 && digest == tokenizer_digest(tokenizer, "sender", text));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tokenizer *tokenizer; /* lives as long as the fuzzer */
	struct token_set set;
	size_t seen = 0;

	if (!tokenizer)
		tokenizer = tokenizer_new(&(struct tokenizer_secret){{1, 2, 3}});
	tokenizer_run(tokenizer, (const char *)data, size, on_token, &seen, &set);
	if (set.count != seen || set.count > TOKENIZER_MAX_TOKENS)
		abort();
	uint64_t identity = set.identity;
	tokenizer_run(tokenizer, (const char *)data, size, NULL, NULL, &set);
	if (set.count != seen || set.identity != identity)
		abort();
	check_text(tokenizer, data, size);
	return 0;
}
