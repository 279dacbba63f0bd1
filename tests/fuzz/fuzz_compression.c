/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Compressed data from strangers: unpacked within the limit, refused in a sentence, and
 * the same when it is unpacked with room to spare. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/compression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 16 };

static void unpack(enum compression compression, const char *data, size_t size)
{
	struct buffer small = BUFFER_INIT(LIMIT), large = BUFFER_INIT(2 * LIMIT);
	struct failure failure = {0};
	enum status status = decompress(compression, data, size, &small, &failure);

	if (small.length > LIMIT || small.capacity > LIMIT || (status && !*failure.detail))
		abort();
	if (status == STATUS_OK &&
		(decompress(compression, data, size, &large, &failure) != STATUS_OK ||
			large.length != small.length ||
			(large.length && memcmp(large.data, small.data, large.length) != 0)))
		abort();
	buffer_free(&small);
	buffer_free(&large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	enum compression seen = compression_of_bytes(bytes, size);

	if (seen == COMPRESSION_ZLIB || !*compression_name(seen))
		abort();
	for (int kind = COMPRESSION_NONE; kind <= COMPRESSION_OTHER; kind++)
		unpack((enum compression)kind, bytes, size);
	return 0;
}
