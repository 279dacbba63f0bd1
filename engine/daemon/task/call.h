/* Calls carry no message: a question or a change in, a JSON object out. By SPAMD one comes
 * as a JSON object:
 *
 *   {"call": "entries", "scope": S, "kind": K}   what a scope has laid down; K may be left out
 *   {"call": "change", "scope": S, "entries": [{"kind": K, "name": N, "value": V or null}]}
 *   {"call": "policy", "user": U}                the policy, and how it came to be
 *   {"call": "export", "user": U, "after": SEQ}  a part of all that is kept of a user
 *   {"call": "erase", "user": U}
 *   {"call": "expire", "scope": "", "believe_clock": B}  housekeeping, now; B may be left
 *                                                out: true = the clock is right for certain
 *   {"call": "adopt", "scope": "", "generation": "challenger" or "previous"}
 *
 * A scope is "" (the site), "@example.org" or a user, however it is written.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/query/query.h"
#include "engine/service/scope/scope.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"

enum { CALL_MAX_BYTES = 1 << 20 };

struct call;
struct task;

/* What a client asks for, in its own words: texts are borrowed as long as there is the
 * call, NULL = not said. */
struct call_request {
	const char *name;
	const char *scope;
	const char *user; /* the scope where none is said */
	const char *kind; /* of entries */
	int64_t after;
	const char *generation;
	bool believe_clock;
	json_t *entries; /* a list, as above */
};

/* For whom a change is made, when, and who wants it. */
struct call_terms {
	struct service *service;
	struct clock_reading clock;
	enum authority authority;
};

enum call_right { CALL_AS_USER, CALL_AS_ADMINISTRATOR };

/* A row of the table of calls. A call reads, changes, or adopts: of `read` and `change` it
 * has the one that it does. */
struct call_kind {
	const char *name;
	enum call_right right; /* for a user; for other scopes it takes an administrator */
	bool queries; /* `read` needs a query that was begun for the scope */

	/* What this call must say. May be NULL. */
	enum status (*check)(const struct call *call, struct failure *failure);
	/* [loop] Carries the call out for who may ask: see run-call.c. */
	void (*start)(struct task *task);
	/* [pool] Adds what was asked for to `answer`. */
	enum status (*read)(const struct call *call, struct worker *worker, struct query *query,
		json_t *answer, struct failure *failure);
	/* [loop] Makes the change for the writer. */
	enum status (*change)(const struct call *call, const struct call_terms *terms,
		struct change **change, struct failure *failure);
	/* Adds to the receipt of a change; `provable`: an author can be proven
	 * (service_has_authserv_ids). May be NULL. */
	void (*receipt)(const struct call *call, const struct receipt *receipt, bool provable,
		json_t *json);
};

/* Takes the request's entries over, also after a failure. STATUS_INVALID with what is wrong:
 * also with a scope that means nobody. */
enum status call_new(struct call **call, const struct call_request *request,
	const struct user_naming *naming, struct failure *failure);

/* The same of a JSON object; STATUS_LIMIT for one that is too long. */
enum status call_parse(struct call **call, const char *text, size_t length,
	const struct user_naming *naming, struct failure *failure);
void call_free(struct call **call);

const struct call_kind *call_kind(const struct call *call);
const char *call_scope(const struct call *call); /* in its one form */
enum call_right call_right(const struct call *call);

/* Of a call that reads: `query` is NULL unless it queries, and stays the caller's. Any
 * thread. The answer is to be freed with free. */
enum status call_read(const struct call *call, struct worker *worker, struct query *query,
	char **answer, struct failure *failure);

/* Of the call that adopts: begins with the file of that name beside the database; as
 * change_adopt. */
enum status call_adoption(const struct call *call, struct service *service, const char *database,
	struct change **change, struct failure *failure);

/* What became of a change or an adoption, to be freed with free. */
char *call_receipt(
	const struct call *call, const struct receipt *receipt, int64_t time, bool provable);

/* run-call.c: for the table. */
void call_start_reading(struct task *task);
void call_start_change(struct task *task);
void call_start_expiry(struct task *task);
void call_start_adoption(struct task *task);
