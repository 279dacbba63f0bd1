/* The filter's side of the milter protocol (versions 2 to 6), sans-IO: bytes in,
 * one message after another out; replies in, bytes out. It never blocks, never
 * logs and holds at most the configured sizes.
 *
 * Source of the format: Sendmail's include/libmilter/mfdef.h, as Postfix'
 * src/milter/milter8.c speaks it. A frame is a length in four bytes (of command and
 * data, highest byte first), a command byte, data; strings end in NUL.
 *
 * We ask not to answer (NR_*) at any stage but the end of the body, so that a
 * message costs one round trip; where the mail server insists, the session answers
 * "continue" by itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"
#include "engine/protocol/forged-fields.h"

struct milter_limits {
	size_t message; /* bytes of a message that are kept; the rest is passed over */
	size_t recipients; /* more of them are passed over */
};

enum milter_event {
	MILTER_NEED_MORE,
	MILTER_MESSAGE, /* complete: see milter_session_message; reply, then milter_session_next */
	MILTER_QUIT, /* the mail server is done: close */
	MILTER_ERROR, /* see milter_session_error; close */
};

/* Borrowed from the session until milter_session_next. */
struct milter_message {
	/* RFC 5322 with CRLF, not terminated. It has a Received line that names the client,
	 * as the mail server's own will, above the others: what stands above that was
	 * written by filters that the mail server asked before us. */
	const char *text;
	size_t length;
	bool truncated; /* there was more */
	const char *client; /* address, or "" when not known */
	const char *sender; /* without angle brackets; "" for bounces */
	const char *queue_id; /* "" = not told */
	/* Of a client that has authenticated itself, or where the mail server tells no name the
	 * mechanism (RFC 4954); "" = none. */
	const char *login;
	/* Terminated addresses, one after another: as the mail server resolved them where it
	 * tells an address ({rcpt_addr}), else as in RCPT. One that no mailbox can have is "". */
	const char *recipients;
	size_t recipient_count;
	size_t recipients_lost; /* beyond the limit */
	const struct forged_fields *forged;
};

struct milter_session;

/* NULL when out of memory. */
struct milter_session *milter_session_new(const struct milter_limits *limits);
void milter_session_free(struct milter_session **session);

/* Before the first byte: there is no room for this mail server. It is negotiated with
 * all the same, and whatever it then asks is answered with `reply` (see milter_reply;
 * kept by the caller), or with "accept" when that is NULL. No message comes. */
void milter_session_refuse(struct milter_session *session, const char *reply);

/* Takes the bytes that arrived. After MILTER_MESSAGE further bytes are kept until
 * milter_session_next; after MILTER_QUIT and MILTER_ERROR they are ignored. */
enum milter_event milter_session_feed(
	struct milter_session *session, const char *data, size_t length);

/* The message was replied to: goes on with what has been kept. */
enum milter_event milter_session_next(struct milter_session *session);

/* What the session itself has to say (negotiation, "continue"): to be sent and
 * cleared by the caller after each feed. */
struct buffer *milter_session_output(struct milter_session *session);

const struct milter_message *milter_session_message(const struct milter_session *session);
const char *milter_session_error(const struct milter_session *session);

/* True before the negotiation and while a command has come in part: what is missing is
 * on its way, so that there is no reason to wait long. */
bool milter_session_unfinished(const struct milter_session *session);
/* Commands taken so far. */
size_t milter_session_commands(const struct milter_session *session);

/* Bytes held, for the accounting of memory. */
size_t milter_session_size(const struct milter_session *session);

/* --- Replies at the end of a message: modifications, then one verdict ------------ */

/* Inserts a field at the top of the header. Control characters in `value` become
 * spaces. */
void milter_add_header(struct buffer *output, const char *name, const char *value);
/* Deletes all these fields. */
void milter_delete_forged(struct buffer *output, const struct forged_fields *forged);
void milter_accept(struct buffer *output);
/* `reply` is "554 5.7.1 text": code, enhanced code (RFC 3463), text. */
void milter_reply(struct buffer *output, const char *reply);
