/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Calls that carry no message: a JSON object in, a JSON object out.
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
 * A scope is "" (the site), "@example.org" or a user, however it is written. */
#pragma once

#include "engine/base/status.h"
#include "engine/daemon/loop/writer.h"
#include "engine/service/service.h"

enum { CALL_MAX_BYTES = 1 << 20 };

struct call;

/* What a call needs: rights, and who carries it out. */
enum call_right { CALL_AS_USER, CALL_AS_ADMINISTRATOR };
enum call_work { CALL_READS, CALL_CHANGES, CALL_ADOPTS };

/* STATUS_INVALID, STATUS_LIMIT with what is wrong: also with a scope that means nobody. */
enum status call_parse(struct call **call, const char *text, size_t length,
	const struct user_naming *naming, struct failure *failure);
void call_free(struct call **call);

const char *call_name(const struct call *call);
const char *call_scope(const struct call *call); /* in its one form */
enum call_right call_right(const struct call *call);
enum call_work call_work(const struct call *call);

/* Of CALL_READS. `query` was begun for call_scope and is ended by the caller, NULL
 * unless call_queries. Any thread. The answer is to be freed with free. */
bool call_queries(const struct call *call);
enum status call_read(struct call *call, struct worker *worker, struct query *query, char **answer,
	struct failure *failure);

/* Of CALL_ADOPTS: begins to adopt the file of that name beside the database; as
 * adoption_new. */
enum status call_adoption(const struct call *call, struct service *service, const char *database,
	struct adoption **adoption, struct failure *failure);

/* Is it an expiry? Then the housekeeping counts it. */
bool call_expires(const struct call *call);

/* Of CALL_CHANGES: makes the change for the writer, `by_administrator` for somebody else;
 * and what became of it, with "warnings": what to know of the
 * entries. `provable`: an author can be proven (service_has_authserv_ids). */
enum status call_change(const struct call *call, struct service *service,
	const struct clock_reading *clock, bool by_administrator, struct change **change,
	struct failure *failure);
char *call_receipt(
	const struct call *call, const struct receipt *receipt, int64_t time, bool provable);
