/* HTML character references, each cut off where the bytes end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "tokenizer/entity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint32_t character = UINT32_MAX;
		size_t taken = data[i] == '&'
			? entity_decode((const char *)data + i, size - i, &character)
			: 0;

		if (taken > size - i || (taken > 0 && character > 0x10FFFF))
			abort();
	}
	return 0;
}
