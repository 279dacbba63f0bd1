/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/emit.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

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

static bool insert(struct emit *emit, uint64_t key)
{
	size_t slot = (size_t)key & (EMIT_SLOTS - 1);

	for (; emit->slots[slot]; slot = (slot + 1) & (EMIT_SLOTS - 1)) {
		if (emit->keys[emit->slots[slot] - 1] == key)
			return false;
	}
	bool head = !(key & TOKENIZER_BODY_BIT);
	if (emit->count == TOKENIZER_MAX_TOKENS || (head && emit->head == TOKENIZER_MAX_HEAD))
		return false;
	emit->head += head;
	emit->keys[emit->count++] = key;
	emit->slots[slot] = (uint16_t)emit->count;
	return true;
}

/* Most texts are short: two moves that may overlap are cheaper than a call. */
static void copy_text(unsigned char *out, const char *text, size_t length)
{
	if (length > 32) {
		memcpy(out, text, length);
	} else if (length >= 16) {
		memcpy(out, text, 16);
		memcpy(out + length - 16, text + length - 16, 16);
	} else if (length >= 8) {
		memcpy(out, text, 8);
		memcpy(out + length - 8, text + length - 8, 8);
	} else if (length >= 4) {
		memcpy(out, text, 4);
		memcpy(out + length - 4, text + length - 4, 4);
	} else {
		for (size_t i = 0; i < length; i++)
			out[i] = (unsigned char)text[i];
	}
}

void emit_token(struct emit *emit, const struct field *field, const char *text, size_t length)
{
	unsigned char data[sizeof(field->hash) + EMIT_MAX_TEXT];

	if (length > EMIT_MAX_TEXT)
		length = EMIT_MAX_TEXT;
	memcpy(data, &field->hash, sizeof(field->hash));
	copy_text(data + sizeof(field->hash), text, length);
	uint64_t hash = keyed_hash(emit, data, sizeof(field->hash) + length);
	uint64_t key = (hash & HASH_MASK) | field->group;

	if (key == 0)
		key = 1; /* 0 is no key in the stores */
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
