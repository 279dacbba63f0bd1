/* Mail that carries feedback, from whoever knows the address.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/client/feedback-mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback_mail mail;
	struct failure failure = {0};

	if (feedback_mail_parse(&mail, (const char *)data, size, &failure) == STATUS_OK) {
		if (mail.messages->len > FEEDBACK_MESSAGES_MAX)
			abort();
	} else if (!*failure.detail) {
		abort();
	}
	feedback_mail_free(&mail);
	return 0;
}
