/* Where a message comes from, told from its header fields: author, list, sending
 * host, and what our own mail server found out about them. Pure.
 *
 * What a stranger wrote is never believed. Mail servers put their Received line
 * on top (RFC 5321 section 4.4), so the lines from the top to the first one that
 * names a client outside our own networks were written by our own servers: that
 * client is the sending host, and this line is the border. Authentication fields
 * count above the border only (or, for servers that write them below their
 * Received line and take out those from outside, down to the next Received line),
 * and an Authentication-Results field only with an authserv-id of ours (RFC 8601
 * section 5).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/origin/address.h"
#include "engine/origin/network.h"
#include "tokenizer/tokenizer.h"

/* What the site says of its own mail servers. Strings are borrowed. */
struct origin_trust {
	const char *const *authserv_ids; /* NULL-terminated, as is the next one */
	const char *const *header_names; /* that our servers write, in any case */
	bool below_received;
	const struct network *networks; /* our own */
	size_t network_count;
};

enum {
	ORIGIN_MAX_DOMAIN = 255,
	ORIGIN_MAX_AUTHORS = 16,
	ORIGIN_MAX_SIGNATURES = 8,
	ORIGIN_MAX_TARGETS = 8,
};

/* What our servers say a check gave. */
struct origin_check {
	char result[16]; /* "pass", "fail", ... in lower case; "" = not stamped */
	char domain[ORIGIN_MAX_DOMAIN + 1]; /* that it is about, lower case; may be "" */
};

/* A DKIM signature that our servers found valid. All in lower case. */
struct origin_signature {
	char domain[ORIGIN_MAX_DOMAIN + 1]; /* header.d */
	char selector[64]; /* header.s; "" = not told */
	char value[16]; /* header.b, the beginning of the signature; "" = not told */
};

struct origin {
	/* The addresses in all From fields, in one form (address.h), without those that are
	 * none. */
	char list_of_authors[ORIGIN_MAX_AUTHORS][ADDRESS_MAX + 1];
	size_t author_count; /* of them */
	size_t authors; /* mailboxes in all From fields, also those that were not kept */
	const char *author; /* the first one; "" = none */
	const char *domain; /* its part after the @, or "" */
	/* There is one From field, which names one mailbox beyond doubt (RFC 5322 section
	 * 3.6): whom else could an entry be about? */
	bool sole;
	char list[ORIGIN_MAX_DOMAIN + 1]; /* List-Id (RFC 2919), lower case; "" = none */
	bool has_client;
	struct network client; /* the sending host */
	size_t received; /* lines down to the border, 0 = none was found */
	struct origin_check spf, dkim, dmarc; /* the best of each that was stamped */
	bool stamped; /* there was any field of ours */
	bool forged; /* there was one that claims to be ours, but is not */
	struct origin_signature signatures[ORIGIN_MAX_SIGNATURES]; /* the first ones */
	size_t signature_count;
	bool provable; /* it is known how our servers stamp what they find out */
	bool authenticated; /* the author's domain is proven: DMARC, or DKIM or SPF aligned */
	bool refuted; /* DMARC failed */
};

/* May what allows the author hold? It is one author; DMARC did not fail; and it is proven
 * where that can be. */
bool origin_is_believed(const struct origin *origin);

/* Reads the fields of a token_set. *origin points into itself: it is not to be copied. */
void origin_read(struct origin *origin, const struct origin_trust *trust,
	const struct tokenizer_field *fields, size_t count);

/* Where the recipient can unsubscribe (RFC 2369): mailto, http and https targets,
 * printable ASCII, at most ORIGIN_MAX_TARGETS. */
struct origin_target {
	const char *url; /* within `text` */
	/* RFC 8058: a POST unsubscribes. Only where a valid DKIM signature of the author covers
	 * the field: otherwise anybody could make people post to any address. */
	bool one_click;
};
struct origin_targets {
	struct origin_target list[ORIGIN_MAX_TARGETS];
	size_t count;
	char text[2048 + ORIGIN_MAX_TARGETS];
};
void origin_unsubscribe(struct origin_targets *targets, const struct origin *origin,
	const struct tokenizer_field *fields, size_t count);

/* Is `domain` the other one, or below it ("news.example.org" below "example.org")?
 * Both in lower case; `other` needs a dot in it. */
bool origin_is_within(const char *domain, const char *other);
