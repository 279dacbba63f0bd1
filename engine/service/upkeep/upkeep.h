/* What changes the store beside reports: entries that are laid down, erasures, expiry,
 * generations that are adopted; and the rows of global, which are written behind the
 * journal.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/clock-check.h"
#include "engine/service/upkeep/generation.h"
#include "engine/service/upkeep/renaming.h"
#include "engine/store/store.h"

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

/* [owner] Adopts the generation in the file `path`, which the trainer made (generation.h):
 * folded beside the running one by change_prepare, then put in its place. `keep` = where the
 * present one is kept as the way back to it; NULL = nowhere. While this change exists there
 * are no checkpoints. STATUS_BUSY: another one exists.
 * STATUS_INVALID of change_prepare: the generation was made of another database.
 * STATUS_BUSY of change_run: something was taken out of the journal meanwhile; prepare it
 * again. STATUS_INTERRUPTED of both: service_stop. */
enum status change_adopt(struct service *service, const char *path, const char *keep,
	struct change **change, struct failure *failure);

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

/* [any] Before the first change_run: what takes its time. May be repeated. */
enum status change_prepare(struct change *change, struct worker *worker, struct failure *failure);

/* [writer] Not while a batch or checkpoint is between begin and end. Durable on
 * STATUS_OK. STATUS_BUSY of an erasure: erased, but the files could not be
 * rewritten; it can be repeated. */
enum status change_run(struct change *change, struct failure *failure);

/* True when the change has another step: call change_run once more. Batches may run between
 * two steps. An adoption and an expiry have many steps; so have an erasure and a withdrawal
 * that have much to prepare. After service_stop the next step gives STATUS_INTERRUPTED. */
bool change_goes_on(const struct change *change);

/* True when nobody waits for the next step, so that it may run at a low priority: each step of
 * an expiry, and each of an adoption but the last. */
bool change_is_patient(const struct change *change);

/* Valid after change_run. */
const struct receipt *change_receipt(const struct change *change);

/* [owner] Publishes the change; frees *change. */
void change_end(struct service *service, struct change **change);

/* --- Write-behind of the global evidence ------------------------------------ */

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

/* [owner] Whether the store has much to tidy up of what was committed, see TIDY_BRIEF;
 * [writer] does so. */
bool service_is_untidy(const struct service *service);
void service_tidy(struct service *service);

/* [owner] Whether the last batch or step of a checkpoint left the store larger than the
 * settings allow: an expiry is due. */
bool service_is_over_budget(const struct service *service);
