/* Unpacks what came compressed, within bounds: the body of a request, a file of a
 * Maildir. Pure: bytes in, bytes out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_GZIP, /* RFC 1952; one or several members */
	COMPRESSION_ZLIB, /* RFC 1950; HTTP calls it "deflate" (RFC 9110 section 8.4.1.2) */
	COMPRESSION_ZSTD, /* RFC 8878; one or several frames */
	COMPRESSION_OTHER, /* bzip2, xz, lz4: known by name or by sight, but not unpacked */
};

/* What the first bytes say: GZIP, ZSTD, OTHER or NONE. Never ZLIB, whose two first bytes
 * are letters that a text may begin with. */
enum compression compression_of_bytes(const char *data, size_t length);

/* What a coding's name in HTTP says, without case: "" and "identity" are NONE, a name that
 * is not known is OTHER. */
enum compression compression_named(const char *name);

/* "gzip", "deflate", "zstd", "none", "another kind". */
const char *compression_name(enum compression compression);

/* Appends to `out` what the `length` bytes become, up to its limit. The work is bounded by
 * that limit and by `length`; the memory besides, by 9 MiB: a zstd window is at most 8 MiB
 * (RFC 9659). After a failure `out` has some part of it.
 *   STATUS_LIMIT    more than the limit
 *   STATUS_INVALID  damaged, cut short, followed by something else, or a kind that is not
 *                   unpacked; NONE too
 *   STATUS_NOMEM */
enum status decompress(enum compression compression, const char *data, size_t length,
	struct buffer *out, struct failure *failure);
