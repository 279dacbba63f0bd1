/* A hash table with open addressing that one thread writes and any number read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/evidence/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST_CAPACITY = 64, PREFETCH_BLOCK = 64, HUGE_PAGE = 2 << 20 };

/* A slot is free while its key is 0. The sign bit of no key is used, so the
 * highest bit of `key` marks a token that changed since table_clean. */
struct slot {
	_Atomic uint64_t key;
	_Atomic double sum;
	_Atomic double gain;
};

static const uint64_t DIRTY = UINT64_C(1) << 63;
static const uint64_t KEY_BITS = (UINT64_C(1) << 63) - 1;

struct array {
	struct array *retired; /* the older one, perhaps still being read */
	size_t capacity; /* a power of two */
	unsigned shift; /* 64 - log2(capacity) */
	struct slot slots[];
};

/* The dirty keys of a range. */
struct dirty {
	uint64_t *keys;
	size_t count, capacity;
};

struct table {
	_Atomic(struct array *) array;
	_Atomic size_t readers; /* inside table_read now */
	size_t used; /* slots with a key */
	_Atomic size_t count; /* of them with evidence */
	size_t limit;
	_Atomic size_t bytes;
	bool tracking;
	size_t dirty_count;
	struct dirty dirty[STORE_RANGES];
};

static size_t array_bytes(size_t capacity)
{
	return sizeof(struct array) + capacity * sizeof(struct slot);
}

/* A table is read all over: with pages of 4 KiB nearly each token would cost a walk
 * through the page tables as well. Only advice: it may be refused. */
static void advise_huge_pages(const struct array *array, size_t bytes)
{
	uintptr_t start = ((uintptr_t)array + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
	uintptr_t end = (uintptr_t)array + bytes;

	if (start < end)
		madvise((void *)start, (end - start) & ~(uintptr_t)(HUGE_PAGE - 1), MADV_HUGEPAGE);
}

static struct array *array_new(size_t capacity)
{
	struct array *array = calloc(1, array_bytes(capacity));

	if (!array)
		return NULL;
	advise_huge_pages(array, array_bytes(capacity));
	array->capacity = capacity;
	array->shift = 64 - (unsigned)__builtin_ctzll(capacity);
	return array;
}

/* Fibonacci hashing: the keys' own bits are even, but not the same ones always. */
static size_t home_slot(const struct array *array, uint64_t key)
{
	return (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> array->shift);
}

static struct slot *find_slot(struct array *array, uint64_t key)
{
	size_t at = home_slot(array, key);

	for (;;) {
		struct slot *slot = &array->slots[at];
		uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire) & KEY_BITS;
		if (found == key || found == 0)
			return slot;
		at = (at + 1) & (array->capacity - 1);
	}
}

static double load_slot(const _Atomic double *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

static void store(_Atomic double *number, double value)
{
	atomic_store_explicit(number, value, memory_order_relaxed);
}

static struct array *own_array(const struct table *table)
{
	return atomic_load_explicit(&table->array, memory_order_relaxed);
}

struct table *table_new(size_t limit)
{
	struct table *table = calloc(1, sizeof(*table));
	struct array *array = array_new(SMALLEST_CAPACITY);

	if (!table || !array) {
		free(table);
		free(array);
		return NULL;
	}
	atomic_init(&table->array, array);
	table->bytes = array_bytes(array->capacity);
	table->limit = limit ? limit : SIZE_MAX;
	return table;
}

static void free_arrays(struct array *array)
{
	while (array) {
		struct array *older = array->retired;
		free(array);
		array = older;
	}
}

void table_free(struct table **table)
{
	if (!*table)
		return;
	for (size_t range = 0; range < STORE_RANGES; range++)
		free((*table)->dirty[range].keys);
	free_arrays(own_array(*table));
	free(*table);
	*table = NULL;
}

/* Copies what holds evidence, or is dirty and must still be written as gone. */
static size_t copy_slots(const struct array *from, struct array *to)
{
	size_t used = 0;

	for (size_t i = 0; i < from->capacity; i++) {
		uint64_t key = atomic_load_explicit(&from->slots[i].key, memory_order_relaxed);
		double gain = load_slot(&from->slots[i].gain);

		if (key == 0 || (gain <= 0 && !(key & DIRTY)))
			continue;
		struct slot *slot = find_slot(to, key & KEY_BITS);
		store(&slot->sum, load_slot(&from->slots[i].sum));
		store(&slot->gain, gain);
		atomic_store_explicit(&slot->key, key, memory_order_relaxed);
		used++;
	}
	return used;
}

/* Frees retired arrays when nobody can be inside one. A reader announces itself
 * before it loads the pointer; both are sequentially consistent, so when the
 * count is 0 after the new pointer was stored, every later reader gets the new
 * one. */
static void reclaim(struct table *table)
{
	struct array *array = own_array(table);

	if (array->retired && atomic_load(&table->readers) == 0) {
		free_arrays(array->retired);
		array->retired = NULL;
		table->bytes = array_bytes(array->capacity);
	}
}

/* Makes room for `added` more tokens. What is dead is left behind, so the array
 * may be copied to one of the same size. */
static enum status make_room(struct table *table, size_t added)
{
	struct array *old = own_array(table);
	size_t capacity = old->capacity;
	size_t kept = table->count + table->dirty_count; /* at most: dirty ones that are dead */

	if (kept > table->used)
		kept = table->used;
	if (table->used + added <= capacity / 3 * 2)
		return STATUS_OK;
	while (kept + added > capacity / 2)
		capacity *= 2;
	struct array *array = array_new(capacity);
	if (!array)
		return STATUS_NOMEM;
	table->used = copy_slots(old, array);
	array->retired = old;
	table->bytes += array_bytes(capacity);
	atomic_store(&table->array, array);
	reclaim(table);
	return STATUS_OK;
}

/* Makes room for all of the keys to become dirty, the same range or not. */
static enum status make_dirty_room(struct table *table, const uint64_t *keys, size_t count)
{
	for (size_t i = 0; table->tracking && i < count; i++) {
		struct dirty *dirty = &table->dirty[store_range(keys[i])];

		if (dirty->capacity - dirty->count >= count)
			continue;
		size_t capacity = 2 * dirty->capacity + count;
		uint64_t *grown = realloc(dirty->keys, capacity * sizeof(*grown));
		if (!grown)
			return STATUS_NOMEM;
		dirty->keys = grown;
		dirty->capacity = capacity;
	}
	return STATUS_OK;
}

/* There is room for it. */
static void note_dirty(struct table *table, uint64_t key)
{
	struct dirty *dirty = &table->dirty[store_range(key)];

	dirty->keys[dirty->count++] = key;
	table->dirty_count++;
}

void table_read(
	const struct table *table, const uint64_t *keys, size_t count, double *sums, double *gains)
{
	struct table *mutable = (struct table *)table; /* the count of readers alone */

	atomic_fetch_add(&mutable->readers, 1);
	struct array *array = atomic_load(&mutable->array);
	for (size_t from = 0; from < count; from += PREFETCH_BLOCK) {
		size_t to = count - from < PREFETCH_BLOCK ? count : from + PREFETCH_BLOCK;

		for (size_t i = from; i < to; i++)
			__builtin_prefetch(&array->slots[home_slot(array, keys[i])]);
		for (size_t i = from; i < to; i++) {
			struct slot *slot = find_slot(array, keys[i]);
			double gain = load_slot(&slot->gain);

			sums[i] = gain > 0 ? load_slot(&slot->sum) : 0;
			gains[i] = gain > 0 ? gain : 0;
		}
	}
	atomic_fetch_sub(&mutable->readers, 1);
}

/* Sets the numbers of a token that has a slot, and keeps the counts. */
static void change_slot(struct table *table, struct slot *slot, double sum, double gain)
{
	uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed);
	double before = load_slot(&slot->gain);

	store(&slot->sum, gain > 0 ? sum : 0);
	store(&slot->gain, gain > 0 ? gain : 0);
	if (before > 0 && gain <= 0)
		table->count--;
	else if (before <= 0 && gain > 0)
		table->count++;
	if (table->tracking && !(key & DIRTY)) {
		atomic_store_explicit(&slot->key, key | DIRTY, memory_order_relaxed);
		note_dirty(table, key);
	}
}

/* Puts a key into its free slot; there is room for it. */
static void insert(struct table *table, struct slot *slot, uint64_t key, double sum, double gain)
{
	store(&slot->sum, sum);
	store(&slot->gain, gain);
	table->used++;
	table->count++;
	if (table->tracking)
		note_dirty(table, key);
	atomic_store_explicit(
		&slot->key, table->tracking ? key | DIRTY : key, memory_order_release);
}

/* Adds to one key; there is room for it. */
static bool add_one(struct table *table, uint64_t key, double sum, double gain)
{
	struct slot *slot = find_slot(own_array(table), key);

	if (atomic_load_explicit(&slot->key, memory_order_relaxed)) {
		change_slot(
			table, slot, load_slot(&slot->sum) + sum, load_slot(&slot->gain) + gain);
		return true;
	}
	if (gain <= 0) /* taken from a token that was left out */
		return true;
	if (table->count >= table->limit)
		return false;
	insert(table, slot, key, sum, gain);
	return true;
}

enum status table_add(
	struct table *table, const uint64_t *keys, size_t count, double sum, double gain)
{
	enum status status = make_room(table, count);

	if (status == STATUS_OK)
		status = make_dirty_room(table, keys, count);
	if (status != STATUS_OK)
		return status;
	reclaim(table);
	for (size_t i = 0; i < count; i++)
		__builtin_prefetch(
			&own_array(table)->slots[home_slot(own_array(table), keys[i])], 1);
	for (size_t i = 0; i < count; i++) {
		if (!add_one(table, keys[i], sum, gain))
			status = STATUS_LIMIT;
	}
	return status;
}

enum status table_set(struct table *table, uint64_t key, double sum, double gain)
{
	enum status status = make_room(table, 1);

	if (status == STATUS_OK)
		status = make_dirty_room(table, &key, 1);
	if (status != STATUS_OK)
		return status;
	struct slot *slot = find_slot(own_array(table), key);
	if (atomic_load_explicit(&slot->key, memory_order_relaxed))
		change_slot(table, slot, sum, gain);
	else if (gain > 0)
		insert(table, slot, key, sum, gain);
	return status;
}

size_t table_count(const struct table *table)
{
	return atomic_load_explicit(&table->count, memory_order_relaxed);
}

size_t table_bytes(const struct table *table)
{
	return sizeof(*table) + atomic_load_explicit(&table->bytes, memory_order_relaxed);
}

void table_track(struct table *table)
{
	table->tracking = true;
}

size_t table_dirty_count(const struct table *table, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t range = from; range < to; range++)
		count += table->dirty[range].count;
	return count;
}

void table_dirty(const struct table *table, size_t from, size_t to,
	void (*each)(void *context, uint64_t key, double sum, double gain), void *context)
{
	struct array *array = own_array(table);

	for (size_t range = from; range < to; range++) {
		const struct dirty *dirty = &table->dirty[range];

		for (size_t i = 0; i < dirty->count; i++) {
			const struct slot *slot = find_slot(array, dirty->keys[i]);
			each(context, dirty->keys[i], load_slot(&slot->sum),
				load_slot(&slot->gain));
		}
	}
}

void table_clean(struct table *table, size_t from, size_t to)
{
	struct array *array = own_array(table);

	for (size_t range = from; range < to; range++) {
		struct dirty *dirty = &table->dirty[range];

		for (size_t i = 0; i < dirty->count; i++)
			atomic_store_explicit(&find_slot(array, dirty->keys[i])->key,
				dirty->keys[i], memory_order_relaxed);
		table->dirty_count -= dirty->count;
		free(dirty->keys);
		*dirty = (struct dirty){0};
	}
}
