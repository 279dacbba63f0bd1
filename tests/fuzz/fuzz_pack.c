/* Packed tokens as a damaged database has them: refused, or ascending keys that are
 * the same when they are packed and read again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "engine/store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t keys[LIMIT], again[LIMIT];
	unsigned char *packed;
	size_t count, count_again;

	if (pack_read(data, size, keys, LIMIT, &count) != STATUS_OK)
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (keys[i] > INT64_MAX || (i > 0 && keys[i] <= keys[i - 1]))
			abort();
	}
	packed = malloc(pack_bound(count)); /* so that ASan sees its end */
	if (!packed ||
		pack_read(packed, pack_keys(keys, count, packed), again, LIMIT, &count_again) !=
			STATUS_OK ||
		count_again != count || memcmp(keys, again, count * sizeof(keys[0])) != 0)
		abort();
	free(packed);
	return 0;
}
