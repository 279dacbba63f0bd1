/* Private to the milter session: frames.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "engine/base/buffer.h"

/* What the mail server says. */
enum {
	MILTER_NEGOTIATE = 'O',
	MILTER_MACROS = 'D',
	MILTER_CONNECT = 'C',
	MILTER_HELO = 'H',
	MILTER_MAIL = 'M',
	MILTER_RCPT = 'R',
	MILTER_DATA = 'T',
	MILTER_HEADER = 'L',
	MILTER_END_OF_HEADER = 'N',
	MILTER_BODY = 'B',
	MILTER_END_OF_BODY = 'E',
	MILTER_ABORT = 'A',
	MILTER_QUIT_COMMAND = 'Q',
	MILTER_QUIT_NEW = 'K',
	MILTER_UNKNOWN = 'U',
};

/* What a filter says. */
enum {
	MILTER_CONTINUE = 'c',
	MILTER_ACCEPT = 'a',
	MILTER_INSERT = 'i',
	MILTER_CHANGE = 'm',
	MILTER_REPLY = 'y',
};

void milter_put_number(struct buffer *output, uint32_t number);

/* Of the frame that deletes a field whose name has so many bytes: the head, the index,
 * the name, no value. */
#define MILTER_DELETE_BYTES(name_length) (5 + 4 + (name_length) + 2)

/* The head of a frame with `length` bytes of data. */
void milter_put_head(struct buffer *output, char command, size_t length);
