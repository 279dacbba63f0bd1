/* A byte buffer that grows up to a hard maximum.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Fields are public for reading. A zeroed struct with `limit` set is a valid
 * empty buffer. Once an append would pass `limit` or memory runs out, `failed`
 * is set and every further append does nothing: write straight through, check
 * once at the end. */
struct buffer {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit; /* bytes; 0 = nothing may be appended */
	bool failed;
};

#define BUFFER_INIT(maximum) ((struct buffer){.limit = (maximum)})

void buffer_append(struct buffer *buffer, const void *data, size_t length);
void buffer_append_string(struct buffer *buffer, const char *string);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Makes room for `length` more bytes and returns where they go, or NULL (and
 * `failed`). The caller writes there and then adds to `length`. */
char *buffer_reserve(struct buffer *buffer, size_t length);

/* Removes the first `length` bytes (at most all). */
void buffer_consume(struct buffer *buffer, size_t length);

/* Forgets the content and a failure, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Releases the memory; the buffer is then empty and usable again. */
void buffer_free(struct buffer *buffer);
