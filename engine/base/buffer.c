/* A buffer grows by doubling, up to its limit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t SMALLEST_CAPACITY = 256;

char *buffer_reserve(struct buffer *buffer, size_t length)
{
	if (buffer->failed || length > buffer->limit - buffer->length) {
		buffer->failed = true;
		return NULL;
	}
	if (length > buffer->capacity - buffer->length) {
		size_t wanted = buffer->capacity ? buffer->capacity : SMALLEST_CAPACITY;

		while (wanted - buffer->length < length && wanted <= buffer->limit / 2)
			wanted *= 2;
		if (wanted - buffer->length < length)
			wanted = buffer->limit;
		char *data = realloc(buffer->data, wanted);
		if (!data) {
			buffer->failed = true;
			return NULL;
		}
		buffer->data = data;
		buffer->capacity = wanted;
	}
	return buffer->data + buffer->length;
}

void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	if (length == 0)
		return;
	char *room = buffer_reserve(buffer, length);
	if (room) {
		memcpy(room, data, length);
		buffer->length += length;
	}
}

void buffer_append_string(struct buffer *buffer, const char *string)
{
	buffer_append(buffer, string, strlen(string));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);

	int length = vsnprintf(NULL, 0, format, arguments);
	char *room = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length + 1);
	if (room) {
		vsnprintf(room, (size_t)length + 1, format, again);
		buffer->length += (size_t)length;
	} else {
		buffer->failed = true;
	}
	va_end(again);
	va_end(arguments);
}

void buffer_consume(struct buffer *buffer, size_t length)
{
	if (length > buffer->length)
		length = buffer->length;
	if (length == 0)
		return;
	buffer->length -= length;
	memmove(buffer->data, buffer->data + length, buffer->length);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = BUFFER_INIT(buffer->limit);
}
