/* Hashes tokens and keeps the distinct ones.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/emit.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tokenizer/ascii.h"

static const uint64_t HASH_MASK = TOKENIZER_BODY_BIT - 1;

static uint64_t keyed_hash(const struct emit *emit, const void *data, size_t length)
{
	return XXH3_64bits_withSecret(data, length, emit->secret.bytes, sizeof(emit->secret.bytes));
}

void emit_reset(struct emit *emit)
{
	memset(emit->slots, 0, sizeof(emit->slots));
	emit->count = 0;
	emit->head = 0;
	emit->identity = 0;
	emit->all = 0;
	emit->identifies = false;
	emit->pending = 0;
	emit->told = (struct emit_told){.host_lengths = {0}};
}

struct field emit_named_field(const struct emit *emit, const char *name, size_t length)
{
	return (struct field){.name = name, .hash = keyed_hash(emit, name, length)};
}

struct field emit_head_field(const struct emit *emit, const char *name)
{
	return emit_named_field(emit, name, strlen(name));
}

struct field emit_body_field(const struct emit *emit, const char *name)
{
	struct field field = emit_head_field(emit, name);

	field.group = TOKENIZER_BODY_BIT;
	return field;
}

/* Adds a token; returns whether it was new. That is anybody's guess, the processor's
 * too, so there is no branch for it where it matters: the key is written past the end
 * and counts when it was new. */
static bool add_key(struct emit *emit, uint64_t hash, uint64_t key)
{
	size_t slot = (size_t)key & (EMIT_SLOTS - 1);
	size_t place = emit->slots[slot];

	while ((place != 0) & (emit->keys[place] != key)) {
		slot = (slot + 1) & (EMIT_SLOTS - 1);
		place = emit->slots[slot];
	}
	bool head = !(key & TOKENIZER_BODY_BIT);
	if (emit->count == TOKENIZER_MAX_TOKENS || (head && emit->head == TOKENIZER_MAX_HEAD))
		return false;
	size_t new = !place;
	emit->keys[emit->count + 1] = key;
	emit->count += new;
	emit->slots[slot] = (uint16_t)(place + (emit->count & -new));
	emit->head += head & new;
	emit->all += hash & -(uint64_t) new;
	emit->identity += hash & -(uint64_t)(new & emit->identifies);
	return new;
}

typedef uint64_t pair __attribute__((vector_size(16)));

/* Writes hash and text side by side, 16 bytes at least. Most texts are short, and go out
 * with the hash in one store, which covers what the hash function loads next: a load
 * across two stores that have just been made waits for both. */
static void join(unsigned char *out, uint64_t hash, const char *text, size_t length)
{
	pair head = {hash, ascii_load(text, length)};

	memcpy(out, &head, sizeof(head));
	if (length <= 8)
		return;
	out += sizeof(hash);
	if (length < 16) {
		memcpy(out + length - 8, text + length - 8, 8);
		return;
	}
	for (size_t i = 0; i + 16 < length; i += 16)
		memcpy(out + i, text + i, 16);
	memcpy(out + length - 16, text + length - 16, 16);
}

static uint64_t make_key(uint64_t hash, uint64_t group)
{
	uint64_t key = (hash & HASH_MASK) | group;

	return key ? key : 1; /* 0 is no key in the stores */
}

void emit_flush(struct emit *emit)
{
	for (size_t i = 0; i < emit->pending; i++)
		add_key(emit, emit->pending_hashes[i],
			make_key(emit->pending_hashes[i], emit->pending_groups[i]));
	emit->pending = 0;
}

void emit_set_identifies(struct emit *emit, bool identifies)
{
	emit_flush(emit);
	emit->identifies = identifies;
}

static inline void emit_hash(struct emit *emit, const struct field *field, uint64_t hash,
	const char *text, size_t length)
{
	if (emit->watch) { /* wants the text as well */
		uint64_t key = make_key(hash, field->group);
		if (add_key(emit, hash, key))
			emit->watch(emit->context, key, field->name, text, length);
		return;
	}
	emit->pending_hashes[emit->pending] = hash;
	emit->pending_groups[emit->pending] = field->group;
	if (++emit->pending == EMIT_PENDING)
		emit_flush(emit);
}

void emit_token(struct emit *emit, const struct field *field, const char *text, size_t length)
{
	unsigned char data[sizeof(field->hash) + EMIT_MAX_TEXT];

	if (length > EMIT_MAX_TEXT)
		length = EMIT_MAX_TEXT;
	join(data, field->hash, text, length);
	uint64_t hash = keyed_hash(emit, data, sizeof(field->hash) + length);
	emit_hash(emit, field, hash, text, length);
}

void emit_short(struct emit *emit, const struct field *field, uint64_t text, size_t length)
{
	pair data = {field->hash, text};
	uint64_t hash = keyed_hash(emit, &data, sizeof(field->hash) + length);

	emit_hash(emit, field, hash, (const char *)&data + sizeof(field->hash), length);
}

void emit_string(struct emit *emit, const struct field *field, const char *text)
{
	emit_token(emit, field, text, strlen(text));
}

void emit_identify(struct emit *emit, const char *data, size_t length)
{
	emit->identity += keyed_hash(emit, data, length);
}

uint64_t emit_digest(const struct emit *emit, const char *name, const char *text)
{
	uint64_t hashes[] = {
		keyed_hash(emit, name, strlen(name)), keyed_hash(emit, text, strlen(text))};
	uint64_t digest = keyed_hash(emit, hashes, sizeof(hashes));

	return digest ? digest : 1;
}
