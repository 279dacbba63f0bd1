/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The use cases: score a message for a user, say why, take a report. Every
 * program and protocol goes through here.
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
#include "engine/store/store.h"

struct service_settings {
	double junk_probability;  /* a message at or above it is spam; (0, 1) */
	double threshold;         /* the score that stands for it */
	double label_error;       /* how often reporters press wrongly; [0, 0.5] */
	bool default_consent;     /* does a press teach global when nothing else tells */
	size_t user_reports;      /* newest reports of a user that count, >= 1 */
	size_t user_cache_bytes;  /* for users' stores in memory */
	size_t global_tokens;     /* most tokens of the global store; 0 = no limit */
};

extern const struct service_settings service_defaults;

struct service;

/* Reads the global store from `store` (which must outlive the service) and
 * replays the journal after its checkpoint. Makes the installation's secret on
 * first use; a store that cannot be written and has none gives STATUS_READONLY. */
enum status service_open(struct service **service, struct store *store,
	const struct service_settings *settings, struct failure *failure);
void service_close(struct service **service);

/* [owner] Takes other settings; user stores are folded anew where they depend
 * on them. */
void service_configure(struct service *service, const struct service_settings *settings);
const struct service_settings *service_settings(const struct service *service);

/* --- Workers ------------------------------------------------------------- */

/* What a thread needs to work: a tokenizer and a reader of the store. */
struct worker;

enum status worker_open(struct service *service, struct worker **worker, struct failure *failure);
void worker_close(struct worker **worker);

/* --- Queries ------------------------------------------------------------- */

/* One token's part in a verdict. Strings are owned by the query. */
struct reason {
	const char *field;
	const char *text;
	double everybody; /* part of the margin that is global's, in nats */
	double own;       /* part that is the user's own */
};

struct verdict {
	bool spam;
	double score;       /* threshold + log_odds - log_odds(junk_probability) */
	double threshold;
	double probability; /* of spam */
	double log_odds;
	double uncertainty; /* standard deviation of the margin, in nats */
	double margin;      /* sum of bias and all tokens, before uncertainty */
	double bias;        /* part of the margin that no token brings */
	bool personal;      /* the user's own reports took part */
	size_t tokens;      /* of the message */
	size_t known;       /* of them known to global or the user */
	uint64_t identity;  /* of the message */
	/* Only when asked for: all tokens that took part, strongest first. */
	const struct reason *reasons;
	size_t reason_count;
};

struct query;

/* [owner] `user` "" = global only; longer than STORE_MAX_USER: STATUS_INVALID.
 * NULL out of memory is STATUS_NOMEM. */
enum status query_begin(struct service *service, const char *user, bool explain,
	struct query **query, struct failure *failure);

/* [any] Tokenizes and scores. When the user's store cannot be read the verdict
 * is global's, `personal` is false and the failure is returned with it: the
 * verdict holds all the same. */
enum status query_run(struct query *query, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

/* Valid after query_run, until query_end. */
const struct verdict *query_verdict(const struct query *query);

/* [owner] Keeps the user's store for the next query; frees *query. */
void query_end(struct service *service, struct query **query);

/* --- Reports ------------------------------------------------------------- */

enum consent { CONSENT_DEFAULT, CONSENT_GRANTED, CONSENT_DECLINED };

enum outcome {
	OUTCOME_NEW,      /* learned for the first time */
	OUTCOME_REPEAT,   /* the same label again: nothing moved */
	OUTCOME_FLIP,     /* the other label before: undone and learned anew */
	OUTCOME_FORGOTTEN, /* undone */
	OUTCOME_UNKNOWN,  /* nothing to forget */
};

/* The name of an outcome, for replies and logs: "new", "repeat", ... */
const char *outcome_name(enum outcome outcome);

struct press; /* one report on its way in */

/* [owner] `user` "" = the site itself: teaches global whatever the consent. */
enum status press_new(struct service *service, const char *user, enum label label,
	enum consent consent, int64_t time, struct press **press, struct failure *failure);

/* [any] Tokenizes. */
enum status press_run(struct press *press, struct worker *worker, const char *message,
	size_t length, struct failure *failure);

struct answer {
	enum status status; /* STATUS_OK: durable (or nothing had to be written) */
	enum outcome outcome;
	bool taught_global;
	bool ask_consent;   /* the user has not been asked: ask */
	int64_t seq;        /* of the journal; 0 when nothing was written */
	uint64_t identity;  /* of the message */
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

/* [writer] Learns and commits: all of the batch or nothing. */
enum status batch_run(struct batch *batch, struct failure *failure);

/* [owner] Publishes the users' stores; fills in the answers; frees *batch. */
void batch_end(struct service *service, struct batch **batch);

/* --- Write-behind of the global store ------------------------------------ */

/* [owner] Tokens changed since the last checkpoint. */
size_t service_dirty(const struct service *service);

/* [writer] Writes changed rows and the sequence number they include. Not while
 * a batch is between begin and end. */
enum status service_checkpoint(struct service *service, struct failure *failure);

/* --- State --------------------------------------------------------------- */

struct service_stats {
	size_t global_tokens;
	size_t global_bytes;
	size_t cached_users;
	size_t cached_bytes;
	int64_t last_seq;
	int64_t checkpoint_seq;
	bool writable;
};

/* [owner] */
void service_read_stats(const struct service *service, struct service_stats *stats);
