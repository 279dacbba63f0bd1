/* Link targets and host names to tokens (RFC 3986, leniently).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "tokenizer/emit.h"

enum { URL_MAX_BYTES = 2048 };

struct url_fields {
	struct field host, domain, path, shape;
};

void url_fields_init(struct url_fields *fields, const struct emit *emit);

/* Tokens of one URL: host, its parent domains, words of the path, oddities. */
void url_tokens(struct emit *emit, const struct url_fields *fields, const char *url, size_t length);

/* Tokens of a host name: itself and its parent domains, or network of an
 * address, under the given fields. */
void url_host_tokens(struct emit *emit, const struct field *host, const struct field *domain,
	const char *name, size_t length);

/* The host within a URL: its place and length, 0 when there is none. */
size_t url_find_host(const char *url, size_t length, const char **host);
