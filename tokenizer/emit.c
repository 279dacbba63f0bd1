/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/emit.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const uint64_t HASH_MASK = TOKENIZER_BODY_BIT - 1;

static size_t home_slot(uint64_t key)
{
	return (size_t)key & (EMIT_SLOTS - 1);
}

static uint64_t keyed_hash(const struct emit *emit, const void *data, size_t length)
{
	return XXH3_64bits_withSecret(data, length, emit->secret.bytes, sizeof(emit->secret.bytes));
}

void emit_reset(struct emit *emit)
{
	/* Slots after a key's home may hold keys that probed past it, so each is
	 * cleared up to the next free one. */
	for (size_t i = 0; i < emit->count; i++) {
		size_t slot = home_slot(emit->keys[i]);

		while (emit->slots[slot]) {
			emit->slots[slot] = 0;
			slot = (slot + 1) & (EMIT_SLOTS - 1);
		}
	}
	emit->count = 0;
	emit->head = 0;
	emit->identity = 0;
	emit->all = 0;
	emit->identifies = false;
}

struct field emit_head_field(const struct emit *emit, const char *name)
{
	return (struct field){.name = name, .hash = keyed_hash(emit, name, strlen(name))};
}

struct field emit_body_field(const struct emit *emit, const char *name)
{
	struct field field = emit_head_field(emit, name);

	field.group = TOKENIZER_BODY_BIT;
	return field;
}

static bool insert(struct emit *emit, uint64_t key)
{
	size_t slot = home_slot(key);

	while (emit->slots[slot]) {
		if (emit->slots[slot] == key)
			return false;
		slot = (slot + 1) & (EMIT_SLOTS - 1);
	}
	bool head = !(key & TOKENIZER_BODY_BIT);
	if (emit->count == TOKENIZER_MAX_TOKENS || (head && emit->head == TOKENIZER_MAX_HEAD))
		return false;
	emit->head += head;
	emit->slots[slot] = key;
	emit->keys[emit->count++] = key;
	return true;
}

void emit_token(struct emit *emit, const struct field *field, const char *text, size_t length)
{
	unsigned char data[sizeof(field->hash) + EMIT_MAX_TEXT];

	if (length > EMIT_MAX_TEXT)
		length = EMIT_MAX_TEXT;
	memcpy(data, &field->hash, sizeof(field->hash));
	memcpy(data + sizeof(field->hash), text, length);
	uint64_t hash = keyed_hash(emit, data, sizeof(field->hash) + length);
	uint64_t key = (hash & HASH_MASK) | field->group;

	if (key == 0)
		key = 1; /* 0 is a free slot, here and in the stores */
	if (!insert(emit, key))
		return;
	emit->all += hash;
	if (emit->identifies)
		emit->identity += hash;
	if (emit->watch)
		emit->watch(emit->context, key, field->name, text, length);
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
	uint64_t hashes[] = {keyed_hash(emit, name, strlen(name)),
		keyed_hash(emit, text, strlen(text))};
	uint64_t digest = keyed_hash(emit, hashes, sizeof(hashes));

	return digest ? digest : 1;
}
