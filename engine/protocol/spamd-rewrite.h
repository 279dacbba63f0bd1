/* Private to the SPAMD replies: a message with our headers in place of those
 * that came with it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/protocol/spamd.h"

/* "\n" or "\r\n": what the message's first line ends in; "\n" if it has none. */
const char *spamd_line_ending(const struct spamd_request *request);

/* Appends the rewritten message - for HEADERS up to and including the blank
 * line - with `added` (whole header lines) at its top, and returns its length
 * in bytes. With NULL for `output` it only measures. */
size_t spamd_rewrite(
	struct buffer *output, const struct spamd_request *request, const struct buffer *added);
