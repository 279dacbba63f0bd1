/* Reads the installation's secret from the store.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/secret.h"

enum status secret_read(
	struct store_reader *reader, struct tokenizer_secret *secret, struct failure *failure)
{
	size_t size = sizeof(secret->bytes);
	enum status status = store_get(reader, SECRET_NAME, secret->bytes, &size, failure);

	if (status == STATUS_OK && size != sizeof(secret->bytes))
		return failure_set(
			failure, STATUS_CORRUPT, "the tokenizer's secret has %zu bytes", size);
	return status;
}
