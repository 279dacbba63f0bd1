/* One form for each domain name, so that two spellings of it compare equal.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DOMAIN_MAX = 253 }; /* octets (RFC 1035 section 2.3.4, without the root) */

/* Writes the domain of `length` bytes as its A-labels in lower case (RFC 5890 section
 * 2.3.2.1; mapped as UTS 46 does, so capitals, full-width letters and ideographic full
 * stops become what they stand for). A final dot is left out. A name in ASCII is only
 * lowered: underscores and address literals stay as they are. False, with `out` empty,
 * when it is empty, longer than DOMAIN_MAX, has a control character or blank, is not a name
 * that IDNA allows, or would be mapped to one with other ASCII than host names have (a
 * full-width "@" or comma). Pure. */
bool domain_canonical(const char *domain, size_t length, char out[DOMAIN_MAX + 1]);
