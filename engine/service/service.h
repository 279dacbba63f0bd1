/* The use cases: judge a message for its recipients, say why, take a report,
 * change what somebody has laid down, erase somebody. Every program and protocol
 * goes through here.
 *
 * Threads. One thread owns the service: it alone calls what is marked [owner].
 * What is marked [any] runs on any thread, one at a time for each object, with
 * scratch memory (worker) lent to it. What is marked [writer] runs on any thread
 * but never two at once. So a query is begin [owner], run [any], end [owner]; a
 * batch of reports is begin [owner], run [writer], end [owner]. There is no lock
 * on the way of a query. A single-threaded program calls them in that order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/settings/service-settings.h"
#include "engine/store/store.h"

struct service;

/* Reads the global evidence from `store` (which must outlive the service) and
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
 * global evidence could not be read and were made anew from the journal. Else the journal
 * is damaged, or the rows could not be written: queries are answered from what could be
 * read, and whatever would write is refused with STATUS_CORRUPT. */
const struct failure *service_damage(const struct service *service, bool *mended);

/* [owner] The process is to end: what takes long ends with its next step and has changed
 * nothing (an adoption) or as much as it came to (an expiry). */
void service_stop(struct service *service);

/* [owner] Takes other settings; users' folds are folded anew where they depend on
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
