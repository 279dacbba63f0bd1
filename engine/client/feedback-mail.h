/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Feedback that arrives as mail: the reported messages are attached as message/rfc822,
 * and the mail around them may say what they are. The forms that are known:
 *  - an ARF report (RFC 5965, RFC 6430): Feedback-Type of message/feedback-report;
 *  - Zimbra: X-Zimbra-Spam-Report-Type and -Sender;
 *  - Nextcloud Mail and Roundcube's email_learn: the subject;
 *  - a mail of anybody with messages attached, which says nothing. */
#pragma once

#include <stddef.h>

#include <glib.h>

#include "engine/base/status.h"

enum feedback_kind { FEEDBACK_UNSAID, FEEDBACK_SPAM, FEEDBACK_HAM };

/* Attached messages that are taken of one mail; further ones are refused as a whole. */
enum { FEEDBACK_MESSAGES_MAX = 100 };

struct feedback_mail {
	enum feedback_kind kind;
	char *reporter;      /* address that the mail names; NULL = none. Anybody may write
			      * one: trust it only where the way in is guarded. */
	GPtrArray *messages; /* of GBytes, at least one */
};

/* Takes a mail apart; the caller frees `mail` whatever happens. STATUS_INVALID: no
 * message is attached, too many are, or an ARF report is of something that is
 * neither spam nor its opposite. */
enum status feedback_mail_parse(
	struct feedback_mail *mail, const char *data, size_t length, struct failure *failure);
void feedback_mail_free(struct feedback_mail *mail);
