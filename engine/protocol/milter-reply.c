/* Writes the packets of milter replies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/protocol/milter-frame.h"

#include <string.h>

#include "engine/protocol/milter.h"

void milter_put_number(struct buffer *output, uint32_t number)
{
	const unsigned char bytes[] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
		(unsigned char)(number >> 8), (unsigned char)number};

	buffer_append(output, bytes, sizeof(bytes));
}

void milter_put_head(struct buffer *output, char command, size_t length)
{
	milter_put_number(output, (uint32_t)(length + 1));
	buffer_append(output, &command, 1);
}

static void put_clean(struct buffer *output, const char *text)
{
	for (; *text; text++) {
		char c = (unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text;
		buffer_append(output, &c, 1);
	}
	buffer_append(output, "", 1);
}

void milter_add_header(struct buffer *output, const char *name, const char *value)
{
	milter_put_head(output, MILTER_INSERT, 4 + strlen(name) + 1 + strlen(value) + 1);
	milter_put_number(output, 0);
	put_clean(output, name);
	put_clean(output, value);
}

/* The name as the mail server wrote it, which it compares with. */
static void delete_field(struct buffer *output, const char *name, size_t index)
{
	size_t length = strlen(name);

	milter_put_head(output, MILTER_CHANGE, 4 + length + 2);
	milter_put_number(output, (uint32_t)index);
	buffer_append(output, name, length + 1);
	buffer_append(output, "", 1);
}

/* From the last of a name on: deleting one renumbers those after it. */
void milter_delete_forged(struct buffer *output, const struct forged_fields *forged)
{
	for (const struct forged_name *name = forged->names; name; name = name->next) {
		for (size_t index = name->count; index > 0; index--)
			delete_field(output, name->name, index);
	}
}

void milter_accept(struct buffer *output)
{
	milter_put_head(output, MILTER_ACCEPT, 0);
}

/* A percent sign is doubled: Sendmail takes the text for a format. */
void milter_reply(struct buffer *output, const char *reply)
{
	size_t length = strlen(reply) + 1;

	for (const char *c = reply; *c; c++)
		length += *c == '%';
	milter_put_head(output, MILTER_REPLY, length);
	for (; *reply; reply++) {
		char c = (unsigned char)*reply < 0x20 || *reply == 0x7F ? ' ' : *reply;
		buffer_append(output, &c, 1);
		if (c == '%')
			buffer_append(output, &c, 1);
	}
	buffer_append(output, "", 1);
}
