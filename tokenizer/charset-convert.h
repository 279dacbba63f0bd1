/* Conversions from charsets to UTF-8. Opening one loads a file and takes tens of
 * kilobytes, so the last ones stay open, and one message may open few.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A real message is written in two or three; a sender may name a hundred in turn. */
enum { CONVERTERS_KEPT = 4, CONVERTERS_OPENED_MAX = 16 /* for one message */ };

/* Private. */
struct converter {
	char *charset; /* NULL = none */
	void *descriptor; /* of iconv(3) */
};
struct converters {
	struct converter list[CONVERTERS_KEPT];
	size_t next; /* to be given up */
	size_t opened; /* for this message */
};

/* A message begins. */
void converters_begin(struct converters *converters);
void converters_close(struct converters *converters);

/* Converts `length` bytes of `text` into `out` as far as `size` bytes go; sets *used. A
 * byte that cannot be converted becomes a space. False, with nothing written, when the
 * charset is unknown, or not open and the message has opened CONVERTERS_OPENED_MAX. */
bool converters_run(struct converters *converters, const char *charset, const char *text,
	size_t length, char *out, size_t size, size_t *used);
