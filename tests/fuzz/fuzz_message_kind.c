/* Anything in place of a message: it has a kind, and the same bytes under a header field
 * are mail.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/message-kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char FIELD[] = "Subject: x\n\n";
	char *mail = malloc(strlen(FIELD) + size);

	if (!mail || !*message_kind_text(message_kind_of((const char *)data, size)))
		abort();
	memcpy(mail, FIELD, strlen(FIELD));
	if (size > 0)
		memcpy(mail + strlen(FIELD), data, size);
	if (message_kind_of(mail, strlen(FIELD) + size) != MESSAGE_MAIL)
		abort();
	free(mail);
	return 0;
}
