/* One call: JSON goes out as the body of CALL, and JSON comes back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/client/call.h"

#include <stdlib.h>
#include <string.h>

#include "engine/client/exchange.h"

enum status call_run(const char *socket, json_t *call, json_t **answer, struct failure *failure)
{
	char *text = json_dumps(call, JSON_COMPACT);
	struct exchange exchange = {.socket = socket,
		.command = "CALL",
		.headers = "",
		.user = "",
		.message = text ? text : "",
		.length = text ? strlen(text) : 0};
	struct buffer body;
	enum status status = exchange_run(&exchange, &body, failure);

	*answer = NULL;
	if (status == STATUS_OK) {
		*answer = json_loadb(body.data ? body.data : "", body.length, 0, NULL);
		if (!*answer)
			status = failure_set(
				failure, STATUS_PROTOCOL, "%s: the answer is not JSON", socket);
	}
	buffer_free(&body);
	free(text);
	json_decref(call);
	return status;
}
