/* Feedback that arrives as mail: the reported messages are attached as message/rfc822 or
 * message/global in any transfer encoding, as files *.eml, or, of some providers, as
 * text/rfc822-headers. The mail around them may say what they are. The forms that are known:
 *  - an ARF report (RFC 5965, RFC 6430): Feedback-Type of message/feedback-report;
 *  - Zimbra: X-Zimbra-Spam-Report-Type and -Sender;
 *  - Nextcloud Mail and Roundcube's email_learn: the subject;
 *  - a mail of anybody with messages attached, which says nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include <glib.h>

#include "engine/base/status.h"

enum feedback_kind { FEEDBACK_UNSAID, FEEDBACK_SPAM, FEEDBACK_HAM };

/* Attached messages that are taken of one mail; further ones are counted. */
enum { FEEDBACK_MESSAGES_MAX = 1000 };

struct feedback_mail {
	enum feedback_kind kind;
	char *reporter; /* address that the mail names; NULL = none. Anybody may write
			      * one: trust it only where the way in is guarded. */
	GPtrArray *messages; /* of GBytes */
	unsigned left_out; /* messages beyond FEEDBACK_MESSAGES_MAX */
	char *report; /* an ARF report's Feedback-Type, "" without one; NULL = no report */
};

/* Takes a mail apart; the caller frees `mail` whatever happens. A mail without attached
 * messages has none in `messages`. STATUS_INVALID: this is no mail, or one whose address
 * fields are made to cost much. */
enum status feedback_mail_parse(
	struct feedback_mail *mail, const char *data, size_t length, struct failure *failure);
void feedback_mail_free(struct feedback_mail *mail);
