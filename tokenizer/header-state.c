/* Shapes of header fields, and tokens under their names.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tokenizer/header-state.h"

#include <string.h>

#include "tokenizer/ascii.h"

void header_fields_init(struct header_fields *fields, const struct emit *emit)
{
	fields->name = emit_head_field(emit, "header-name");
	fields->order = emit_head_field(emit, "header-order");
	fields->shape = emit_head_field(emit, "header-shape");
	fields->received = emit_head_field(emit, "received");
	fields->host = emit_head_field(emit, "received-host");
	fields->domain = emit_head_field(emit, "received-domain");
	fields->route = emit_head_field(emit, "received-shape");
	fields->zone = emit_head_field(emit, "date-zone");
	fields->words = emit_head_field(emit, "attached-header");
	fields->subject_pairs = emit_head_field(emit, "subject-pair");
	fields->subject_shouts = emit_head_field(emit, "subject-shout");
}

void header_begin(struct header_state *state, struct emit *emit, const struct header_fields *fields,
	struct mime_reader *reader)
{
	*state = (struct header_state){.emit = emit, .fields = fields, .reader = reader};
}

size_t header_shape(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0;
	int last = -1;

	for (size_t i = 0; i < length && used < size; i++) {
		unsigned char class = ascii_shape[(unsigned char)text[i]];
		if (class != last)
			out[used++] = (char)class;
		last = class;
	}
	return used;
}

void header_emit_shape(struct header_state *state, const char *name, size_t name_length,
	const char *value, size_t length)
{
	char shape[HEADER_MAX_NAME + 1 + 64];
	size_t used = name_length;

	memcpy(shape, name, used);
	shape[used++] = ' ';
	used += header_shape(value, length < 200 ? length : 200, shape + used, 64);
	emit_token(state->emit, &state->fields->shape, shape, used);
}
