/* Opens store and service as the only program on the database.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/alone.h"

#include "engine/store/store.h"

enum status alone_open(struct alone *alone, const char *database,
	const struct service_settings *settings, struct failure *failure)
{
	enum status status = store_open(&alone->store, database, STORE_WRITE, failure);

	if (status == STATUS_OK)
		status = service_open(&alone->service, alone->store, settings, failure);
	return status;
}

void alone_close(struct alone *alone)
{
	service_close(&alone->service);
	store_close(&alone->store);
}
