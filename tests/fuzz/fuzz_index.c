/* An index of mail, as the trainer reads it: refused with a reason, or lines with a
 * path each.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/memory_file.h"
#include "trainer/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_file file = memory_file_open(data, size);
	struct corpus_index index = {0};
	struct failure failure = {0};

	if (corpus_read_index(&index, file.path, &failure) == STATUS_OK) {
		for (size_t i = 0; i < index.count; i++) {
			if (!*index.entries[i].path || !index.entries[i].user)
				abort();
		}
	} else if (!*failure.detail) {
		abort();
	}
	corpus_free_index(&index);
	close(file.descriptor);
	return 0;
}
