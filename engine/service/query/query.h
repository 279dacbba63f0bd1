/* A message is judged for its recipients: verdicts and reasons, what a user pressed before,
 * a user's policy, and the answer to a support case.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/origin/origin.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"
#include "engine/store/store.h"

/* One token's part in a verdict. Strings are owned by the query. */
struct reason {
	const char *field;
	const char *text;
	double everybody; /* part of the margin that is global's, in nats */
	double own; /* part that is the user's own */
};

struct verdict {
	bool spam; /* score >= threshold */
	enum action action; /* what is to happen to the message */
	const char *reply; /* for SMTP: "554 5.7.1 ..." with ACTION_REJECT, else "" */
	bool spared; /* junk and not rejected only because the score is uncertain */
	struct list_match match; /* the entry that decided before the score, if any */
	struct policy policy; /* the recipient's */
	/* site's threshold + log_odds - log_odds(junk_probability); an entry that
	 * blocks or allows lifts it 100 above the threshold or puts it 100 below. */
	double score;
	double threshold; /* the recipient's junk score */
	double probability; /* of spam */
	double log_odds;
	double uncertainty; /* standard deviation of the margin, in nats */
	double margin; /* sum of bias and all tokens, before uncertainty */
	double bias; /* part of the margin that no token brings */
	double own_shift; /* by which the user's presses have moved the threshold, in score */
	bool personal; /* the user's own reports took part */
	size_t tokens; /* of the message */
	size_t known; /* of them known to global or the user */
	uint64_t identity; /* of the message */
	/* Only when asked for: all tokens that took part, strongest first. */
	const struct reason *reasons;
	size_t reason_count;
};

enum { QUERY_MAX_USERS = 1000 }; /* and one for all who were too many */

struct query;

/* [owner] One message for `count` recipients, 1 to QUERY_MAX_USERS + 1, however their
 * addresses are written (user_name). A user "" gets global's verdict, and so does a name
 * that means nobody, with what its domain has laid down: who sends the mail chooses it,
 * so it is no failure. With `explain` the first one's verdict has its reasons.
 * STATUS_INVALID: too many. */
enum status query_begin(struct service *service, const char *const *users, size_t count,
	bool explain, struct query **query, struct failure *failure);

/* [owner] Between query_begin and query_run: who asks may know the verdicts, not what users
 * have pressed and laid down. Reasons are everybody's alone, and entries of users and domains
 * have no names. */
void query_hide_own(struct query *query);

/* [owner] Between query_begin and query_run: will that read no file? */
bool query_is_warm(const struct query *query);

/* [any] Tokenizes and judges for each recipient; where many users' folds have to be
 * read, for some of them: see query_goes_on. When a user's fold cannot be read that
 * verdict is global's, `personal` is false and the failure is returned with it: the
 * verdicts hold all the same. Of what is read for recipients after the first one, users' folds are
 * kept for the next query up to an eighth of user_cache_bytes, with those of domains up to
 * a quarter; beyond that they are freed as soon as they were judged by. */
enum status query_run(struct query *query, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

/* True when query_run is to be called once more with the same message, on any worker:
 * others' queries may come between, so that one message to many keeps no worker busy for
 * longer than some fifty milliseconds. */
bool query_goes_on(const struct query *query);

/* [owner] Between two query_run: gives the users' folds that were read so far to the
 * cache, so that those who wait hold none. */
void query_hand_over(struct service *service, struct query *query);

/* How many of the recipients' names mean nobody; the first one, as query_begin was given
 * it (borrowed), or NULL. */
size_t query_nobodies(const struct query *query, const char **first);

/* Valid after the last query_run, until query_end. Users are named in their one form. */
size_t query_count(const struct query *query);
const char *query_user(const struct query *query, size_t recipient);
const struct verdict *query_verdict(const struct query *query, size_t recipient);
const struct origin *query_origin(const struct query *query);

/* Is the author on the site's list of trusted senders, and has the site said how
 * its mail servers sign? */
bool query_trusts(const struct query *query);
bool query_has_authserv_ids(const struct query *query);

/* The recipient whose verdict holds where a protocol has one answer for all of them: the
 * mildest among those whom no word of their own makes milder than they would be without.
 * Such a word is a user's entry or press, and for recipients of other domains one of the
 * domain. So what one allows helps no message past another. Where all of them are made
 * milder it is the least mild, of those by their domain's word before those by their own. */
size_t query_joint(const struct query *query);

/* What one user pressed before about a message, its author and its list. */
struct past_press {
	bool known;
	int64_t time;
	enum label label;
	bool muted;
};
struct past_counts {
	size_t spam, ham; /* presses: a mind that was changed counts with both */
	int64_t last; /* time of the last one */
};
struct past {
	struct past_press message;
	struct past_counts sender, list;
};

/* [any] After query_run: the first recipient's past with this message; the site has
 * none. */
enum status query_past(
	struct query *query, struct worker *worker, struct past *past, struct failure *failure);

/* How a user's threshold came to be. */
struct threshold_move {
	int64_t time;
	enum label label;
	double shift; /* of the threshold after it, in score; negative = sooner junk */
};
enum { POLICY_MOVES = 10 };
struct policy_view {
	struct policy policy;
	double threshold; /* that is in force: junk score plus shift */
	double shift;
	double limit; /* the shift's */
	double junk_min, junk_max;
	int64_t changed; /* when the user's own policy entries were; 0 = never */
	enum consent_state consent;
	int64_t consent_time;
	size_t spam, ham; /* reports that count */
	struct threshold_move moves[POLICY_MOVES]; /* the last ones, oldest first */
	size_t move_count;
};

/* [any] In place of query_run: the first recipient's policy. */
enum status query_policy(struct query *query, struct worker *worker, struct policy_view *view,
	struct failure *failure);

/* [owner] Keeps the users' folds for the next query; frees *query. */
void query_end(struct service *service, struct query **query);

/* The SMTP reply when a message cannot be judged: "421 4.3.2 ..." overloaded,
 * "452 4.2.2 ..." disk full, "451 4.3.0 ..." else. */
const char *service_smtp_reply(enum status status);

/* --- Diagnosis ------------------------------------------------------------- */

enum { DIAGNOSIS_STEPS = 7 };

struct diagnosis_step {
	const char *name; /* "list", "policy", "authentication", ... */
	char finding[720]; /* a sentence or two */
	char advice[720]; /* what to do next; "" = nothing */
};

struct diagnosis {
	struct diagnosis_step steps[DIAGNOSIS_STEPS];
};

/* What is known of the case. */
struct diagnosis_case {
	const struct verdict *verdict;
	const struct origin *origin;
	const struct past *past;
	bool trusted; /* the author is on the site's list of trusted senders */
	const char *user; /* "" = nobody in particular */
	bool has_authserv_ids; /* the site has said how its mail servers sign */
};

void diagnose(struct diagnosis *diagnosis, const struct diagnosis_case *given);
