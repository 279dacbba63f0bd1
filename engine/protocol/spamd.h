/* The server's side of one SPAMD exchange (SPAMC/1.0 to 1.5), sans-IO: bytes
 * in, one request out; a reply in, bytes out. It never blocks, never logs and
 * holds at most the configured sizes.
 *
 * Source of the format: SpamAssassin's spamd/PROTOCOL, as its clients (spamc,
 * Exim, Haraka) are measured to read it. One request a connection; the server
 * closes after the reply.
 *
 * RSPAMC/1.x in place of SPAMC is what Exim's variant=rspamd speaks (rspamd's old
 * protocol): CHECK alone, with a Rcpt line for each recipient, and a reply of its
 * own form.
 *
 * Own extensions, ignored by other servers: the request header
 * `Accept: application/json` asks for a JSON body in place of the text one
 * (with TELL too); `Context:` carries a JSON object with what SPAMD has no header
 * for (recipients, event, consent); and the commands STATS (counters), DIAGNOSE (a
 * message, explained step by step) and CALL (a JSON object in, one out) answer
 * JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/buffer.h"

enum spamd_command {
	SPAMD_CHECK,
	SPAMD_SYMBOLS,
	SPAMD_REPORT,
	SPAMD_REPORT_IFSPAM,
	SPAMD_PROCESS,
	SPAMD_HEADERS,
	SPAMD_TELL,
	SPAMD_PING,
	SPAMD_SKIP,
	SPAMD_STATS,
	SPAMD_DIAGNOSE,
	SPAMD_CALL,
};

/* What a TELL asks for. Of "Set: local,remote" only the local part is done:
 * nothing is reported to others. */
enum spamd_tell {
	SPAMD_TELL_NOTHING, /* neither Set nor Remove named local */
	SPAMD_TELL_SPAM, /* Message-class: spam, Set: local */
	SPAMD_TELL_HAM, /* Message-class: ham, Set: local */
	SPAMD_TELL_FORGET, /* Remove: local */
};

/* Codes of a reply: sysexits(3) numbers, as SPAMD uses them. */
enum spamd_code {
	SPAMD_OK = 0,
	SPAMD_USAGE = 64,
	SPAMD_DATAERR = 65,
	SPAMD_UNAVAILABLE = 69,
	SPAMD_SOFTWARE = 70,
	SPAMD_IOERR = 74,
	SPAMD_TEMPFAIL = 75,
	SPAMD_PROTOCOL = 76,
	SPAMD_NOPERM = 77,
	SPAMD_TIMEOUT = 79,
};

/* The last value that passes; one more is refused. */
struct spamd_limits {
	size_t message; /* bytes of a message */
	size_t line; /* bytes of a request or header line, without its end */
	size_t headers; /* header lines, without the blank one */
	size_t recipients; /* Rcpt lines that are kept; more are counted */
};

/* Borrowed from the session; valid until it is freed. */
struct spamd_request {
	enum spamd_command command;
	enum spamd_tell tell;
	int version; /* 10 * major + minor: 12 for SPAMC/1.2; 10 to 15 */
	const char *user; /* "" when absent; any octets, terminated: 0x01 stands for NUL */
	bool rspamc;
	/* Of Rcpt lines, without angle brackets: terminated names as user one after another;
	 * recipient_count of them. */
	const char *recipients;
	size_t recipient_count;
	size_t recipients_lost; /* beyond the limit */
	bool json;
	const char *context; /* "" when absent; without control characters */
	const char *message; /* never NULL; not terminated */
	size_t length;
};

enum spamd_event {
	SPAMD_NEED_MORE, /* feed more, or the end of input */
	SPAMD_REQUEST, /* complete: see spamd_session_request */
	SPAMD_ERROR, /* see spamd_session_error; reply with it and close */
};

struct spamd_session;

/* NULL when out of memory. */
struct spamd_session *spamd_session_new(const struct spamd_limits *limits);
void spamd_session_free(struct spamd_session **session);

/* Takes the bytes that arrived. After SPAMD_REQUEST or SPAMD_ERROR further
 * bytes are ignored and the same event is returned. */
enum spamd_event spamd_session_feed(struct spamd_session *session, const char *data, size_t length);

/* The peer has sent all (half-close): completes a request without
 * Content-length, or says what was missing. */
enum spamd_event spamd_session_end(struct spamd_session *session);

/* True until the blank line after the headers has come: which time-out holds. */
bool spamd_session_in_headers(const struct spamd_session *session);

/* Bytes held for this exchange, for the accounting of memory. */
size_t spamd_session_size(const struct spamd_session *session);

/* NULL unless the event was SPAMD_REQUEST. */
const struct spamd_request *spamd_session_request(const struct spamd_session *session);

/* Why the event was SPAMD_ERROR: the code and the words (borrowed, without
 * control characters) for spamd_reply_error and for the log. SPAMD_OK and ""
 * when there was no error. */
enum spamd_code spamd_session_error(const struct spamd_session *session, const char **text);

/* What a scan found, as far as the protocol shows it. */
struct spamd_verdict {
	bool spam;
	double score;
	double threshold;
	double reject; /* for RSPAMC: score from which on it is rejected */
	const char *action; /* for RSPAMC: "no action", "tag", "add header", "reject" */
	const char *symbols; /* comma list, no white space: "HAMLET_SPAM,..."; may be NULL */
	const char *report; /* free text, for REPORT; lines end in \n; may be NULL */
	const char *json; /* for Accept: application/json; may be NULL */
};

struct spamd_told {
	bool set; /* something was learned: DidSet: local */
	bool removed; /* something was unlearned: DidRemove: local */
	const char *json; /* may be NULL */
};

/* Appends the reply to a scan (CHECK to HEADERS) to `output`; check
 * output->failed. The form follows the request's command and version. For PROCESS and HEADERS the message is
 * rewritten: X-Spam-Flag (if spam), X-Spam-Level, X-Spam-Status and
 * X-Hamlet-Score at the top (after an mbox line), every X-Spam* and X-Hamlet*
 * header from outside removed, with the line ending that the message uses. It
 * grows by less than 16 KiB, which is what spamc allows.
 *
 * A SKIP has no reply: just close. */
void spamd_reply_verdict(struct buffer *output, const struct spamd_request *request,
	const struct spamd_verdict *verdict);
void spamd_reply_told(
	struct buffer *output, const struct spamd_request *request, const struct spamd_told *told);
void spamd_reply_pong(struct buffer *output);
void spamd_reply_json(struct buffer *output, const char *json);

/* One status line and nothing after it: with a blank line spamc -L would take
 * an error for success. Control characters in `text` become spaces. */
void spamd_reply_error(struct buffer *output, enum spamd_code code, const char *text);
