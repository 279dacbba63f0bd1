/* Private to the SPAMD session: what the header lines of a request say.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/protocol/spamd-slice.h"
#include "engine/protocol/spamd.h"

enum spamd_class { SPAMD_CLASS_NONE, SPAMD_CLASS_SPAM, SPAMD_CLASS_HAM, SPAMD_CLASS_OTHER };

/* The places that a Set or Remove header names. */
struct spamd_places {
	bool local;
	bool remote;
};

/* Empty when zeroed, but for the limits of the buffers. */
struct spamd_headers {
	struct buffer user; /* terminated; no data when there was no header */
	struct buffer context; /* the same */
	struct buffer recipients; /* terminated, one after another */
	size_t recipient_count, recipients_lost;
	size_t recipients_max;
	bool json;
	bool has_length;
	size_t content_length; /* SIZE_MAX when it does not fit */
	enum spamd_class class;
	struct spamd_places set;
	struct spamd_places remove;
	unsigned int seen; /* a bit for each header that has come */
};

/* Takes one line, without its end. Names are read in any case; unknown headers
 * are ignored. Returns SPAMD_OK, or the code of the refusal and in *text (a
 * literal) its words. */
enum spamd_code spamd_headers_line(
	struct spamd_headers *headers, struct slice line, const char **text);

/* What a TELL with these headers asks for, or a refusal as above. */
enum spamd_code spamd_headers_tell(
	const struct spamd_headers *headers, enum spamd_tell *tell, const char **text);

void spamd_headers_free(struct spamd_headers *headers);
