/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The whole way from message bytes to the set, GMime included. */
#include <stdlib.h>

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
	return 0;
}
