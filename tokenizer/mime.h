/* Message bytes to header fields, parts and decoded text, in message order: in one pass,
 * without an object for each of them. GMime reads single fields (mime-field.h) and odd
 * encodings (mime-text.h), never a message.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mime_kind { MIME_MULTIPART, MIME_MESSAGE, MIME_PLAIN, MIME_HTML, MIME_OTHER };

/* One header field; the strings are borrowed and not terminated. */
struct mime_header {
	const char *name; /* as written */
	size_t name_length;
	const char *value; /* raw: encoded, with folding and line breaks */
	size_t length;
	bool cut; /* a NUL ends it early */
	bool nested; /* of an attached message, not of the outer one */
};

/* One node of the MIME tree. Strings are borrowed; NULL where the part says
 * nothing. */
struct mime_part {
	enum mime_kind kind;
	const char *type; /* "text/html", as written */
	const char *charset;
	const char *file_name;
	size_t size; /* encoded bytes of the content */
	unsigned depth; /* 0 = the message itself */
};

struct mime_handler {
	void (*header)(void *context, const struct mime_header *header);
	void (*part)(void *context, const struct mime_part *part);
	/* Decoded content of the part last told of. UTF-8 but for stray bytes,
	 * which stand for windows-1252. TOKENIZER_MAX_TEXT bytes at most in all. */
	void (*text)(void *context, enum mime_kind kind, const char *text, size_t length);
	void *context;
};

enum mime_encoding { MIME_IDENTITY, MIME_BASE64, MIME_QUOTED_PRINTABLE, MIME_UUENCODE };

/* What the header section of an entity says of its content (RFC 2045, RFC 2183). The
 * strings are valid until it is cleared; NULL = not told. */
struct mime_content {
	enum mime_kind kind;
	enum mime_encoding encoding;
	bool digest; /* of a multipart: its parts are messages */
	char *type;
	const char *boundary; /* of a multipart */
	const char *charset, *file_name; /* of neither a multipart nor a message */
	/* Private. */
	struct _GMimeContentType *content_type;
	struct _GMimeContentDisposition *disposition;
};

struct mime_reader; /* scratch memory */

struct mime_reader *mime_reader_new(void); /* NULL when out of memory */
void mime_reader_free(struct mime_reader **reader);

/* Walks the message. Any bytes are allowed; bounds are those of tokenizer.h. */
void mime_walk(struct mime_reader *reader, const char *message, size_t length,
	const struct mime_handler *handler);

/* Decodes the encoded words (RFC 2047) of an unfolded header value into `out`, as UTF-8,
 * and returns the length, at most `size`. */
size_t mime_decode_words(
	struct mime_reader *reader, const char *value, size_t length, char *out, size_t size);

/* Calls `each` for the address of each mailbox of a list; returns their number. */
size_t mime_read_addresses(
	const char *value, void (*each)(void *context, const char *address), void *context);
