/* Compressed data from strangers: unpacked within the limit, refused in a sentence, and
 * the same when it is unpacked with room to spare. The same bytes as the name of a
 * compression mean one, in whatever case they are.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
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

/* What is named as we name it is meant. */
static void check_kind(enum compression kind)
{
	enum compression meant = compression_named(compression_name(kind));

	if (meant != (kind == COMPRESSION_NONE ? COMPRESSION_OTHER : kind))
		abort();
}

/* A name is what a client puts into Content-Encoding. */
static void check_name(const char *bytes, size_t size)
{
	char name[16], other[16];
	size_t length = size < sizeof(name) - 1 ? size : sizeof(name) - 1;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		name[i] = (char)c;
		other[i] = (char)(islower(c) ? toupper(c) : tolower(c));
	}
	name[length] = other[length] = '\0';
	if (compression_named(name) != compression_named(other))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	enum compression seen = compression_of_bytes(bytes, size);

	if (seen == COMPRESSION_ZLIB || !*compression_name(seen))
		abort();
	check_name(bytes, size);
	for (int kind = COMPRESSION_NONE; kind <= COMPRESSION_OTHER; kind++) {
		check_kind((enum compression)kind);
		unpack((enum compression)kind, bytes, size);
	}
	return 0;
}
