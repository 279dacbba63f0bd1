/* A thread reads the journal ahead of who works on it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/retrain/ahead.h"

#include <stdatomic.h>
#include <string.h>

#include <glib.h>

/* About 2 MB in all: enough that neither waits for the other. */
enum { CHUNKS = 8, CHUNK_REPORTS = 64, CHUNK_KEYS = 32768 };

/* Reports with what they point to. The last one of a walk has none. */
struct chunk {
	struct report reports[CHUNK_REPORTS];
	char users[CHUNK_REPORTS][STORE_MAX_USER + 1];
	uint64_t keys[CHUNK_KEYS];
	size_t count, key_count;
};

G_STATIC_ASSERT((int)CHUNK_KEYS >= (int)STORE_MAX_TOKENS);

struct ahead {
	struct store_reader *reader;
	GAsyncQueue *filled, *empty;
	struct chunk *chunk; /* that is being filled */
	_Atomic bool stopped;
	enum status status; /* of the walk */
	struct failure *failure;
};

static void hand_over(struct ahead *ahead)
{
	g_async_queue_push(ahead->filled, ahead->chunk);
	ahead->chunk = g_async_queue_pop(ahead->empty);
	ahead->chunk->count = ahead->chunk->key_count = 0;
}

static enum status keep_ahead(void *context, const struct report *report)
{
	struct ahead *ahead = context;

	if (atomic_load_explicit(&ahead->stopped, memory_order_relaxed))
		return STATUS_INTERRUPTED;
	if (ahead->chunk->count == CHUNK_REPORTS ||
		report->count > CHUNK_KEYS - ahead->chunk->key_count)
		hand_over(ahead);
	struct chunk *chunk = ahead->chunk;
	struct report *copy = &chunk->reports[chunk->count];
	*copy = *report;
	copy->user = strcpy(chunk->users[chunk->count], report->user);
	copy->keys = memcpy(chunk->keys + chunk->key_count, report->keys,
		report->count * sizeof(*report->keys));
	chunk->key_count += report->count;
	chunk->count++;
	return STATUS_OK;
}

static gpointer read_ahead(gpointer data)
{
	static const struct store_selection counting = {.counting = true};
	struct ahead *ahead = data;

	ahead->chunk = g_async_queue_pop(ahead->empty);
	ahead->chunk->count = ahead->chunk->key_count = 0;
	ahead->status = store_reports(ahead->reader, &counting, keep_ahead, ahead, ahead->failure);
	if (ahead->chunk->count > 0)
		hand_over(ahead);
	g_async_queue_push(ahead->filled, ahead->chunk); /* empty: the end */
	return NULL;
}

/* Until the end, in any case, so that the thread is not left waiting. */
static enum status read_chunk(struct ahead *ahead, store_report_fn *each, void *context)
{
	enum status status = STATUS_OK;

	for (;;) {
		struct chunk *chunk = g_async_queue_pop(ahead->filled);
		if (chunk->count == 0)
			return status;
		for (size_t i = 0; i < chunk->count && status == STATUS_OK; i++)
			status = each(context, &chunk->reports[i]);
		if (status != STATUS_OK)
			atomic_store_explicit(&ahead->stopped, true, memory_order_relaxed);
		g_async_queue_push(ahead->empty, chunk);
	}
}

enum status ahead_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure)
{
	struct failure of_walk = {0};
	struct chunk *chunks = g_new(struct chunk, CHUNKS);
	struct ahead ahead = {.reader = reader,
		.filled = g_async_queue_new(),
		.empty = g_async_queue_new(),
		.failure = &of_walk};

	for (int i = 0; i < CHUNKS; i++)
		g_async_queue_push(ahead.empty, &chunks[i]);
	GThread *thread = g_thread_new("read-ahead", read_ahead, &ahead);
	enum status status = read_chunk(&ahead, each, context);
	g_thread_join(thread);
	if (status == STATUS_OK && ahead.status != STATUS_OK)
		status = failure_set(failure, ahead.status, "%s", of_walk.detail);
	g_async_queue_unref(ahead.filled);
	g_async_queue_unref(ahead.empty);
	g_free(chunks);
	return status;
}
