/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The use cases: judge a message for its recipients, say why, take a report,
 * change what somebody has laid down, erase somebody. Every program and protocol
 * goes through here.
 *
 * Threads. One thread owns the service: it alone calls what is marked [owner].
 * What is marked [any] runs on any thread, one at a time for each object, with
 * scratch memory (worker) lent to it. What is marked [writer] runs on any thread
 * but never two at once. So a query is begin [owner], run [any], end [owner]; a
 * batch of reports is begin [owner], run [writer], end [owner]. There is no lock
 * on the way of a query. A single-threaded program calls them in that order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/clock-check.h"
#include "engine/service/entries.h"
#include "engine/service/event.h"
#include "engine/service/origin.h"
#include "engine/service/preferences.h"
#include "engine/service/user-name.h"
#include "engine/settings/service-settings.h"
#include "engine/store/store.h"

struct service;

/* Reads the global store from `store` (which must outlive the service) and
 * replays the journal after its checkpoint. Makes the installation's secret on
 * first use; a store that cannot be written and has none gives STATUS_READONLY. */
enum status service_open(struct service **service, struct store *store,
	const struct service_settings *settings, struct failure *failure);
void service_close(struct service **service);

/* Calls `each` for all in the settings that service_open and service_configure would
 * refuse, and for all lines of the file of trusted senders. Takes no store. */
void service_check(const struct service_settings *settings,
	void (*each)(void *context, const struct failure *failure), void *context);

/* What was damaged when it was opened; NULL = nothing. With *mended true the rows of the
 * global store could not be read and were made anew from the journal. Else the journal
 * is damaged, or the rows could not be written: queries are answered from what could be
 * read, and whatever would write is refused with STATUS_CORRUPT. */
const struct failure *service_damage(const struct service *service, bool *mended);

/* [owner] The process is to end: what takes long ends with its next step and has changed
 * nothing (an adoption) or as much as it came to (an expiry). */
void service_stop(struct service *service);

/* [owner] Takes other settings; user stores are folded anew where they depend on
 * them. Not while a batch, change or checkpoint is between begin and end. On
 * failure the former settings hold. */
enum status service_configure(
	struct service *service, const struct service_settings *settings, struct failure *failure);
const struct service_settings *service_settings(const struct service *service);

/* [owner] Is it known how the site's mail servers stamp what they find out? Until then no
 * author can be proven. */
bool service_has_authserv_ids(const struct service *service);

/* --- Workers ------------------------------------------------------------- */

/* What a thread needs to work: a tokenizer and a reader of the store. */
struct worker;

enum status worker_open(struct service *service, struct worker **worker, struct failure *failure);
void worker_close(struct worker **worker);

/* Its reader, for what needs no service: exports. */
struct store_reader *worker_reader(struct worker *worker);

/* --- Queries ------------------------------------------------------------- */

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

/* [any] Tokenizes and judges for each recipient; where many users' stores have to be
 * read, for some of them: see query_goes_on. When a user's store cannot be read that
 * verdict is global's, `personal` is false and the failure is returned with it: the
 * verdicts hold all the same. Of what is read for recipients after the first one, users' stores are
 * kept for the next query up to an eighth of user_cache_bytes, with those of domains up to
 * a quarter; beyond that they are freed as soon as they were judged by. */
enum status query_run(struct query *query, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

/* True when query_run is to be called once more with the same message, on any worker:
 * others' queries may come between, so that one message to many keeps no worker busy for
 * longer than some fifty milliseconds. */
bool query_goes_on(const struct query *query);

/* [owner] Between two query_run: gives the users' stores that were read so far to the
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

/* [owner] Keeps the users' stores for the next query; frees *query. */
void query_end(struct service *service, struct query **query);

/* The SMTP reply when a message cannot be judged: "421 4.3.2 ..." overloaded,
 * "452 4.2.2 ..." disk full, "451 4.3.0 ..." else. */
const char *service_smtp_reply(enum status status);

/* --- Reports ------------------------------------------------------------- */

/* What the person has just answered. Granted is kept: the user is not asked again.
 * Declined is kept unless it was granted before, and holds for this press. Neither counts
 * for somebody whom an administrator has barred from sharing. */
enum consent { CONSENT_DEFAULT, CONSENT_GRANTED, CONSENT_DECLINED };

enum outcome {
	OUTCOME_NEW, /* learned for the first time */
	OUTCOME_REPEAT, /* the same label again: nothing moved */
	OUTCOME_FLIP, /* the other label before: undone and learned anew */
	OUTCOME_FORGOTTEN, /* undone */
	OUTCOME_UNKNOWN, /* nothing to forget */
	OUTCOME_IGNORED, /* what was done says nothing: see the reason */
	OUTCOME_TRUSTED, /* spam of a trusted sender: recorded, nothing moved */
};

/* The name of an outcome, for replies and logs: "new", "repeat", ... */
const char *outcome_name(enum outcome outcome);

struct press; /* one report on its way in */

struct press_info {
	/* However it is written; "" = the site itself: teaches global whatever the consent. */
	const char *user;
	struct event event;
	enum consent consent;
	int64_t time; /* seconds since 1970 */
};

/* [owner] `info` is copied. STATUS_INVALID: a name that means nobody. */
enum status press_new(struct service *service, const struct press_info *info, struct press **press,
	struct failure *failure);

/* [any] Tokenizes. */
enum status press_run(struct press *press, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

struct answer {
	struct failure failure; /* STATUS_OK: durable (or nothing had to be written) */
	enum outcome outcome;
	bool taught_global;
	bool ask_consent; /* the user has not agreed to share: ask */
	enum label label; /* that was reported */
	const char *reason; /* why it is not as pressed; "" = it is */
	/* Of OUTCOME_TRUSTED: the site's entry, and where to unsubscribe. */
	const char *trusted;
	const struct origin_targets *unsubscribe;
	int64_t seq; /* of the journal; 0 when nothing was written */
	uint64_t identity; /* of the message */
};

/* Valid after the batch ended. */
const struct answer *press_answer(const struct press *press);

/* [owner] Frees *press; not while a batch holds it. */
void press_free(struct press **press);

struct batch;

/* [owner] Takes the presses (borrowed until batch_end), in this order. Only one
 * batch or checkpoint at a time is between begin and end. */
enum status batch_begin(struct service *service, struct press *const *presses, size_t count,
	struct batch **batch, struct failure *failure);

/* [writer] Learns and commits: all of the batch or nothing, but for presses whose users'
 * records are damaged. Those are refused, see their answers, and the others go on. */
enum status batch_run(struct batch *batch, struct failure *failure);

/* [owner] Publishes the users' stores; fills in the answers; frees *batch. */
void batch_end(struct service *service, struct batch **batch);

/* --- Changes --------------------------------------------------------------- */

/* What somebody lays down, or the erasure of a user. */
struct change;

/* Who lays it down: the user, or who speaks for that one; or an administrator for somebody
 * else. When an administrator declines for somebody, that one is barred from sharing:
 * change_run gives STATUS_DENIED then when the user changes the consent. */
enum authority { AS_USER, AS_ADMINISTRATOR };

/* [owner] Entries are checked (entries_check) and copied, scopes however they are written
 * (user_scope); a value of NULL removes one. Of one scope, kind and name the last counts. Consent that is not granted any more
 * takes what the user taught out of global, in a step after the others: see
 * change_goes_on. STATUS_LIMIT of change_run: a scope would have too many (entries_most);
 * nothing was taken. */
enum status change_entries(struct service *service, const struct store_entry *entries, size_t count,
	enum authority authority, struct change **change, struct failure *failure);

/* [owner] Erases a user, however the name is written: journal, entries, and the part in
 * global, from the database's files as well. */
enum status change_erase(
	struct service *service, const char *user, struct change **change, struct failure *failure);

/* A generation that the trainer made (generation.h): folded beside the running one,
 * then put in its place. While an adoption exists there are no checkpoints. */
struct adoption;

/* [owner] The generation in the file `path`. `keep` = where the present one is kept as
 * the way back to it; NULL = nowhere. STATUS_BUSY: another adoption exists; *adoption
 * is NULL then. */
enum status adoption_new(struct service *service, const char *path, const char *keep,
	struct adoption **adoption, struct failure *failure);

/* [any] Reads the file and folds the journal; takes its time. May be repeated.
 * STATUS_INVALID: it was made of another database.
 * STATUS_INTERRUPTED, here or from change_run: service_stop. */
enum status adoption_prepare(
	struct adoption *adoption, struct worker *worker, struct failure *failure);

/* [owner] What the writer does of it: brings it up to the present and puts it in
 * place. STATUS_BUSY of change_run: something was taken out of the journal meanwhile;
 * prepare it again. Takes over *adoption. */
struct change *change_adopt(struct service *service, struct adoption **adoption);

/* [owner] After a change_run that failed: gives it back. */
struct adoption *change_take_adoption(struct change *change);
void adoption_free(struct adoption **adoption);

/* [owner] Takes out what is past its time by the settings' retention, gives the room
 * back and makes room below the budgets (bytes; also most tokens of global), in small
 * steps: see change_goes_on. Ends early while an adoption exists, or after service_stop.
 * What goes by age or idleness goes only when the clock is believed (clock-check.h), and
 * not all at once (retention.most), unless the reading is certain. */
struct change *change_expire(struct service *service, const struct clock_reading *clock);

/* What an expiry took out: reports by why they went. */
struct expired {
	int64_t by_age, by_count, by_idleness, by_budget;
	int64_t users; /* without reports: forgotten */
	int64_t bytes; /* given back to the file system */
	bool postponed; /* it ended early */
	bool capped; /* more is past its time than one expiry takes */
	enum clock_doubt doubt; /* for which nothing went by age or idleness */
};

struct receipt {
	struct expired expired; /* of an expiry */
	int64_t reports; /* erased, withdrawn or expired */
	int64_t entries; /* laid down, removed or erased; each once */
	size_t tokens; /* of global that changed */
	int64_t seq; /* global includes the journal up to here */
	bool compacted; /* the files hold nothing of what was erased */
};

/* [writer] Not while a batch or checkpoint is between begin and end. Durable on
 * STATUS_OK. STATUS_BUSY of an erasure: erased, but the files could not be
 * rewritten; it can be repeated. */
enum status change_run(struct change *change, struct failure *failure);

/* True when change_run is to be called once more for the next step, though it gave
 * STATUS_OK: an adoption makes many small ones, and batches may come between them. So do
 * an erasure and a withdrawal while much is to be written or cleared before; after
 * service_stop the next step gives STATUS_INTERRUPTED. */
bool change_goes_on(const struct change *change);

/* True when the next step may take its time, since nobody waits for what it does: those
 * of an expiry, and of an adoption all but the last. */
bool change_is_patient(const struct change *change);

/* Valid after change_run. */
const struct receipt *change_receipt(const struct change *change);

/* [owner] Publishes the change; frees *change. */
void change_end(struct service *service, struct change **change);

/* --- Write-behind of the global store ------------------------------------ */

/* [owner] Tokens changed since the last checkpoint. */
size_t service_dirty(const struct service *service);

/* [owner] Whether one is to be written now: `tokens` have changed since the last, or the
 * one that was begun goes on, or there has been none (the first is written whole, and
 * so should be small). */
bool service_checkpoint_is_due(const struct service *service, size_t tokens);

/* [writer] Writes changed rows and the sequence number they include. Not while
 * a batch is between begin and end. */
enum status service_checkpoint(struct service *service, struct failure *failure);

/* [writer] Begins a checkpoint or goes on with it: writes about `most` changed rows. */
enum status service_checkpoint_some(struct service *service, size_t most, struct failure *failure);

/* [owner] True when service_checkpoint_some is to be called once more; batches and changes
 * may come between. */
bool service_checkpoint_goes_on(const struct service *service);

/* [owner] Whether the store has much to tidy up of what was committed, see store_move_log;
 * [writer] does so. */
bool service_log_is_due(const struct service *service);
void service_move_log(struct service *service);

/* [owner] Whether the last batch or step of a checkpoint left the store larger than the
 * settings allow: an expiry is due. */
bool service_is_over_budget(const struct service *service);

/* --- State --------------------------------------------------------------- */

struct service_stats {
	size_t global_tokens;
	size_t global_bytes;
	size_t cached_users;
	size_t cached_bytes;
	int64_t last_seq;
	int64_t checkpoint_seq;
	/* When an expiry ended well last, with a clock that was believed; seconds since 1970,
	 * 0 = never. */
	int64_t expired_at;
	bool over_budget;
	bool writable;
};

/* [owner] */
void service_read_stats(const struct service *service, struct service_stats *stats);
