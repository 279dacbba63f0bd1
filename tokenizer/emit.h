/* The set under construction: field and text in, a distinct key out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tokenizer/fold.h"
#include "tokenizer/tokenizer.h"

enum {
	EMIT_SLOTS = 2 * TOKENIZER_MAX_TOKENS, /* a power of two */
	EMIT_MAX_TEXT = 240, /* bytes of a token's text; longer is cut */
	EMIT_PENDING = 32, /* tokens that are put into the set together */
};

/* Parts of links that have been told of: once is enough. */
struct emit_told {
	char hosts[2][64]; /* the last ones */
	size_t host_lengths[2];
	unsigned next_host;
	bool shapes[4][160]; /* of words in a path */
};

/* A field name with its hash, so that it is hashed once and not per token. */
struct field {
	const char *name;
	uint64_t hash;
	uint64_t group; /* TOKENIZER_BODY_BIT or 0 */
};

/* Fields are public for tokenizer.c alone. */
struct emit {
	struct tokenizer_secret secret;
	tokenizer_watch_fn *watch;
	void *context;
	size_t count;
	size_t head; /* of them without TOKENIZER_BODY_BIT */
	uint64_t identity; /* of what identifies the message */
	uint64_t all; /* of all tokens */
	bool identifies; /* tokens emitted now belong to the message's identity */
	/* Hashed, but not yet in the set. Whether a token is new is anybody's guess, the
	 * processor's too: with the hashes of a few at hand a wrong one costs less. */
	size_t pending;
	uint64_t pending_hashes[EMIT_PENDING];
	uint64_t pending_groups[EMIT_PENDING];
	struct fold_cache folds; /* for who makes texts */
	struct emit_told told; /* for who makes links */
	uint64_t keys[1 + TOKENIZER_MAX_TOKENS + 1]; /* from 1 to count; keys[0] is none */
	uint16_t slots[EMIT_SLOTS]; /* places in keys; 0 = free */
};

/* Empties the set. */
void emit_reset(struct emit *emit);

struct field emit_head_field(const struct emit *emit, const char *name);
struct field emit_body_field(const struct emit *emit, const char *name);

/* emit_head_field for a name of this length. */
struct field emit_named_field(const struct emit *emit, const char *name, size_t length);

/* Adds the token field:text; nothing when it is there already or the set is
 * full. */
void emit_token(struct emit *emit, const struct field *field, const char *text, size_t length);

/* The same for fewer than eight bytes, in memory's order and with zeros after them. */
void emit_short(struct emit *emit, const struct field *field, uint64_t text, size_t length);

/* The same for a terminated string. */
void emit_string(struct emit *emit, const struct field *field, const char *text);

/* Puts what is pending into the set: before it is read. */
void emit_flush(struct emit *emit);

/* Tokens emitted from now on belong, or do not belong, to the message's identity. */
void emit_set_identifies(struct emit *emit, bool identifies);

/* Folds bytes that identify the message but are no token. */
void emit_identify(struct emit *emit, const char *data, size_t length);

/* A keyed hash of the text under a name; never 0. */
uint64_t emit_digest(const struct emit *emit, const char *name, const char *text);
