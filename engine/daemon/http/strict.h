/* Refuses requests that two programs may read in two ways: where a proxy and hamletd do
 * not agree where one ends, somebody else's request begins there (RFC 9112 section 11.2).
 * libmicrohttpd takes most of them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <microhttpd.h>
#include <stddef.h>

/* Why the request is refused, with its header fields received; NULL = it is good.
 * `method` and `version` as libmicrohttpd gives them, `target` = bytes of the request's
 * target. */
const char *strict_refusal(
	struct MHD_Connection *connection, const char *method, const char *version, size_t target);

/* What libmicrohttpd before 1.0 leaves of `length` bytes of field lines, to the empty one:
 * NUL in place of each colon, two in place of CRLF, one in place of LF alone. Counts the
 * fields. Returns as above. Pure. */
const char *strict_scan(const char *fields, size_t length, size_t *count);
