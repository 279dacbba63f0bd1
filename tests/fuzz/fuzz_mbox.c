/* An mbox or MMDF file: its messages lie in it one after the other, and what is written as an
 * such a file again has the same messages.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_unquoted(const char *message, size_t length)
{
	struct buffer out = BUFFER_INIT(length);

	mbox_unquote(message, length, &out);
	require(!out.failed && out.length <= length);
	require(mbox_is_quoted(message, length) == (out.length < length));
	buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	struct mbox mbox = mbox_open(text, size);
	struct buffer again = BUFFER_INIT(64 * size + 64);
	const char *message, *last = text;
	const char *separator =
		mbox.mmdf ? "\1\1\1\1\n" : "From a@b.example Sat Nov 28 01:00:00 2026\n";
	const char *ending = mbox.mmdf ? "\n\1\1\1\1\n" : "\n\n";
	size_t length, messages = 0, others = 0;

	while (mbox_next(&mbox, &message, &length)) {
		require(length > 0 && message >= last && message + length <= text + size);
		check_unquoted(message, length);
		buffer_append_string(&again, separator);
		buffer_append(&again, message, length);
		buffer_append_string(&again, ending); /* the last line may lack its end */
		last = message + length;
		messages++;
	}
	require(mbox.at == mbox.end && !again.failed);
	struct mbox other = mbox_open(again.data ? again.data : "", again.length);
	while (mbox_next(&other, &message, &length))
		others++;
	require(messages == others);
	buffer_free(&again);
	return 0;
}
