/* Message bytes in, the set of its tokens out. The only header of this folder
 * that others include.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds of the work on one message, whatever its bytes. */
enum {
	TOKENIZER_MAX_TOKENS = 4096, /* distinct tokens in a set */
	TOKENIZER_MAX_HEAD = 2048, /* of them of the head: padding it hides no body */
	TOKENIZER_MAX_PARTS = 256, /* MIME parts looked at */
	TOKENIZER_MAX_DEPTH = 32, /* MIME nesting looked at */
	TOKENIZER_MAX_TEXT = 1 << 20, /* bytes of decoded text looked at */
	TOKENIZER_MAX_HEADERS = 512, /* header fields looked at */
	TOKENIZER_MAX_HEADER_BYTES = 16384, /* of one field's value looked at */
};

/* A key is TOKENIZER_KEY_BITS bits of a keyed XXH3-64 over field name
 * and text. 40 bits: with ten million tokens known, one token in 100,000 meets
 * a stranger's evidence, which no verdict notices, and a report takes a third
 * less room on disk. */
enum { TOKENIZER_KEY_BITS = 40, TOKENIZER_SECRET_SIZE = 192 };

/* The highest bit of a key tells the message's body (words, links, markup) from
 * its head (header fields, structure, attachments). */
#define TOKENIZER_BODY_BIT (UINT64_C(1) << (TOKENIZER_KEY_BITS - 1))

/* Made once at installation from the kernel's random bytes and kept with the
 * database: without it nobody can craft collisions or look words up. */
struct tokenizer_secret {
	unsigned char bytes[TOKENIZER_SECRET_SIZE];
};

/* A header field of the message itself that tells who sent it and by which way. */
struct tokenizer_field {
	const char *name; /* lower case */
	const char *value; /* unfolded and trimmed, not decoded */
	bool cut; /* the value was longer, or goes on after a NUL */
};

/* The distinct tokens of one message, in the order found. */
struct token_set {
	const uint64_t *keys;
	size_t count;
	/* The same for every copy of one message (see tokenizer_run), different
	 * for different messages; keyed like the tokens. */
	uint64_t identity;
	/* From, List-Id, List-Unsubscribe(-Post) and Return-Path (two of each at
	 * most), Received, Authentication-Results, Received-SPF, DKIM-Signature and
	 * others from the top, as far as there is room; in the message's order. */
	const struct tokenizer_field *fields;
	size_t field_count;
};

/* Told of each distinct token once, in the order found. `field` is a name
 * ("subject", "url-host"), `text` is UTF-8 and not terminated; both are valid
 * only during the call. */
typedef void tokenizer_watch_fn(
	void *context, uint64_t key, const char *field, const char *text, size_t length);

struct tokenizer;

/* A tokenizer is scratch memory for one thread at a time, reused from message
 * to message. NULL when out of memory. The secret is copied. */
struct tokenizer *tokenizer_new(const struct tokenizer_secret *secret);

/* Frees *tokenizer and sets it to NULL; NULL is allowed. */
void tokenizer_free(struct tokenizer **tokenizer);

/* Tokenizes `length` bytes at `message` (borrowed for the call). Any bytes give
 * a set, also an empty one for an empty message; nothing is asserted on. The
 * same message gives the same set with LF or CRLF, folded or unfolded headers,
 * base64, quoted-printable or 8bit, with or without an mbox "From " line and
 * the headers that spam filters add; identity likewise.
 *
 * *set borrows the tokenizer's memory: it is valid until the next run or free.
 * `watch` may be NULL. */
void tokenizer_run(struct tokenizer *tokenizer, const char *message, size_t length,
	tokenizer_watch_fn *watch, void *context, struct token_set *set);

/* Told of each address of a list, at most once each. */
typedef void tokenizer_address_fn(void *context, const char *address);

/* Reads an address list (RFC 5322 section 3.4) such as the value of From, as leniently as
 * mail programs do; a group counts its members. Returns the number of mailboxes. Bounded:
 * some two thousand bytes are looked at. */
size_t tokenizer_addresses(const char *value, tokenizer_address_fn *each, void *context);

/* Is the value one mailbox beyond doubt? Then its address, as it is written, is in
 * `address`; false, with "" there, also when it does not fit. Pure. */
bool tokenizer_mailbox(const char *value, char *address, size_t size);

/* 64 bits keyed with the tokenizer's secret: the same for the same text under the
 * same name; never 0. */
uint64_t tokenizer_digest(const struct tokenizer *tokenizer, const char *name, const char *text);
