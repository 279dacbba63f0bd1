/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Where a message comes from, told from its header fields: author, list, sending
 * host, and what our own mail server found out about them. Pure.
 *
 * What a stranger wrote is never believed. Mail servers put their Received line
 * on top (RFC 5321 section 4.4), so the lines from the top to the first one that
 * names a client outside our own networks were written by our own servers: that
 * client is the sending host, and this line is the border. Authentication fields
 * count above the border only (or, for servers that write them below their
 * Received line and take out those from outside, down to the next Received line),
 * and an Authentication-Results field only with an authserv-id of ours (RFC 8601
 * section 5). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/service/network.h"
#include "tokenizer/tokenizer.h"

/* What the site says of its own mail servers. Strings are borrowed. */
struct origin_trust {
	const char *const *authserv_ids; /* NULL-terminated, as is the next one */
	const char *const *header_names; /* that our servers write, in any case */
	bool below_received;
	const struct network *networks; /* our own */
	size_t network_count;
};

enum { ORIGIN_MAX_ADDRESS = 320, ORIGIN_MAX_DOMAIN = 255, ORIGIN_MAX_TARGETS = 8 };

/* What our servers say a check gave. */
struct origin_check {
	char result[16]; /* "pass", "fail", ... in lower case; "" = not stamped */
	char domain[ORIGIN_MAX_DOMAIN + 1]; /* that it is about, lower case; may be "" */
};

struct origin {
	char author[ORIGIN_MAX_ADDRESS + 1]; /* the From address; "" = none */
	const char *domain; /* its part after the @, or "" */
	size_t authors; /* mailboxes in all From fields */
	char list[ORIGIN_MAX_DOMAIN + 1]; /* List-Id (RFC 2919), lower case; "" = none */
	bool has_client;
	struct network client; /* the sending host */
	size_t received; /* lines down to the border, 0 = none was found */
	struct origin_check spf, dkim, dmarc; /* the best of each that was stamped */
	bool stamped; /* there was any field of ours */
	bool forged; /* there was one that claims to be ours, but is not */
	bool authenticated; /* the author's domain is proven: DMARC, or DKIM or SPF aligned */
	bool refuted; /* DMARC failed */
};

/* Reads the fields of a token_set. */
void origin_read(struct origin *origin, const struct origin_trust *trust,
	const struct tokenizer_field *fields, size_t count);

/* Where the recipient can unsubscribe (RFC 2369): mailto, http and https targets,
 * printable ASCII, at most ORIGIN_MAX_TARGETS. */
struct origin_target {
	const char *url; /* within `text` */
	bool one_click; /* RFC 8058: an empty POST does it */
};
struct origin_targets {
	struct origin_target list[ORIGIN_MAX_TARGETS];
	size_t count;
	char text[2048 + ORIGIN_MAX_TARGETS];
};
void origin_unsubscribe(
	struct origin_targets *targets, const struct tokenizer_field *fields, size_t count);

/* Is `domain` the other one, or below it ("news.example.org" below "example.org")?
 * Both in lower case; `other` needs a dot in it. */
bool origin_is_within(const char *domain, const char *other);
