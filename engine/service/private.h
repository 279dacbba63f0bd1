/* What the files of this folder share and nobody else sees.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "engine/model/model.h"
#include "engine/service/evidence/evidence.h"
#include "engine/service/service.h"
#include "engine/service/site.h"
#include "tokenizer/tokenizer.h"

struct service {
	struct store *store;
	struct store_reader *reader; /* the writer's */
	struct service_settings settings; /* its pointers are NULL: the site has them */
	struct site *site;
	struct user_rules rules;
	struct tokenizer_secret secret;
	struct global *global;
	struct failure damage; /* found when it was opened */
	bool mended;
	struct users *users;
	_Atomic bool adopting; /* an adoption exists */
	_Atomic bool stopping; /* what takes long is to end */
	bool in_doubt; /* [writer] the last batch was written or was not */
	_Atomic bool settled; /* and what is there has been read: users' folds are stale */
	bool rows_late; /* [writer] the store has SERVICE_ROWS_LATE */
	bool rows_stale; /* [writer] and all of its rows are to be replaced */
	_Atomic int64_t removals; /* withdrawals, erasures and expiries so far */
	_Atomic int64_t expired_at; /* see service_stats */
	_Atomic bool over_budget;
};

/* The store's values with expired_at, and with what is known of the clock. */
#define SERVICE_EXPIRED_AT "expired-at"
#define SERVICE_CLOCK      "clock"

/* Set while the store's rows have what was taken out of the journal already: then a start
 * makes them anew from the journal. */
#define SERVICE_ROWS_LATE "rows-late"

/* Numbers of one message's tokens in one scope. */
struct scratch {
	double sums[TOKENIZER_MAX_TOKENS];
	double gains[TOKENIZER_MAX_TOKENS];
};

struct worker {
	struct tokenizer *tokenizer;
	struct store_reader *reader;
	uint64_t keys[TOKENIZER_MAX_TOKENS];
	struct scratch everybody;
	struct scratch own;
};

/* [owner] What settings and site say together. */
void service_set_rules(struct service *service);

/* Writes the user, or the scope, that somebody names. STATUS_INVALID when it means nobody:
 * nothing may be learned or laid down for nobody by mistake. */
enum status service_user(const struct service *service, const char *text,
	char user[STORE_MAX_USER + 1], struct failure *failure);
enum status service_scope(const struct service *service, const char *text,
	char scope[STORE_MAX_USER + 1], struct failure *failure);

/* STATUS_CORRUPT when nothing may be written, see service_damage. */
enum status service_check_sound(const struct service *service, struct failure *failure);

/* [writer] Where the last batch was written or was not: reads what is there. Who pressed was
 * told to try again, which says nothing new then. */
enum status service_settle(struct service *service, struct failure *failure);

/* [owner] Once it was: users' folds are folded anew. */
void service_publish_settled(struct service *service);

/* [writer] A change may have been written or not: nothing more is, until a start has read
 * what is there. */
void service_doubt(struct service *service);

/* [writer] Looks whether there is more than the settings allow, and notes it for
 * service_is_over_budget. */
void service_note_budget(struct service *service);

/* A keyed hash for the journal; 0 for "". */
uint64_t worker_digest(const struct worker *worker, const char *name, const char *text);
