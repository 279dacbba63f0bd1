/* The fields in which a mail server writes what its checks gave:
 * Authentication-Results (RFC 8601), Received-SPF (RFC 7208 section 9.1), and
 * fields of a site's own that begin with a DKIM result. Pure. Comments and quoted
 * strings are skipped as the grammar says: what stands in them was chosen by the
 * sender.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* All in lower case. */
struct result {
	char method[16]; /* "spf", "dkim", "dmarc", ... */
	char value[16]; /* "pass", "fail", ... */
	/* What it is about: header.d or header.i of dkim, header.from of dmarc,
	 * smtp.mailfrom of spf; "" = not said. */
	char domain[256];
	char selector[64]; /* header.s of dkim; "" = not said */
	char signature[16]; /* header.b of dkim: how the signature begins (RFC 6008) */
};

typedef void results_fn(void *context, const struct result *result);

/* Calls `each` for the results of an Authentication-Results field whose
 * authserv-id is one of `ids`; false when it is none of them. */
bool results_read(const char *value, const char *const *ids, results_fn *each, void *context);

/* The same for Received-SPF; the receiver must be one of `ids` when the field
 * names one. */
bool results_read_spf(const char *value, const char *const *ids, results_fn *each, void *context);

/* "pass", "pass (d=example.org)", "fail header.d=...": value and domain. */
void results_read_bare(const char *value, struct result *result);

/* Does the field begin with one of our names? */
bool results_claims(const char *value, const char *const *ids);

/* A tag of a tag list (RFC 6376 section 3.2), in lower case; "" = not there. */
void results_tag(const char *value, const char *tag, char *out, size_t size);
