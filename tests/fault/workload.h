/* What the tests of a failing disk have the engine do, and what must hold of it
 * whatever happened.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"

/* A store in a file with the service on it and one worker; zeroed = closed. */
struct engine {
	const char *path;
	struct store *store;
	struct service *service;
	struct worker *worker;
};

/* `path` must live as long. On failure everything is closed. */
enum status engine_open(struct engine *engine, const char *path, struct failure *failure);
void engine_close(struct engine *engine);

enum step_kind {
	STEP_PRESS, /* `count` reports in one batch: numbers from `number` on */
	STEP_CHECKPOINT,
	STEP_CHECKPOINT_SOME, /* a piece of one; the log is moved when it is due */
	STEP_ENTRY, /* the user blocks one of the senders */
	STEP_WITHDRAW, /* the user shares no more */
	STEP_ERASE, /* the user is taken out */
	STEP_EXPIRE, /* what the user has reported beyond WORKLOAD_KEPT reports is taken out */
	STEP_ADOPT, /* a generation takes over */
	STEP_REOPEN, /* everything is closed and opened again */
};

/* Newest reports of each user that are kept. */
enum { WORKLOAD_KEPT = 10 };

/* Messages with numbers from LARGE to twice that are large ones. */
enum { LARGE = 5000 };

struct step {
	enum step_kind kind;
	const char *user;
	unsigned number, count;
	enum label label;
};

/* Steps in which every way of writing to the store has its turn; to be unref'd. A long
 * workload fills SQLite's log, so that SQLite moves it into the database. */
GArray *workload_steps(bool is_long);

/* Who reports. */
enum { WORKLOAD_USER_COUNT = 6 };
extern const char *const WORKLOAD_USERS[WORKLOAD_USER_COUNT];

/* The message with this number. */
GString *workload_mail(unsigned number);

/* The reports that are acknowledged, one line each, as the test saw them. */
struct ledger {
	GPtrArray *lines;
};
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

/* As the ledger writes a report; to be freed. */
char *ledger_line(const char *user, uint64_t identity, enum label label);

/* Makes a step; what is acknowledged goes into the ledger. `scratch` = a folder. */
enum status engine_do(struct engine *engine, const struct step *step, struct ledger *ledger,
	const char *scratch, struct failure *failure);

/* What the engine says: the journal's reports, as the ledger has them, and the
 * verdicts on some messages for all users to the last bit; to be freed. NULL: it
 * cannot be read. */
char *engine_state(struct engine *engine, struct failure *failure);

/* The verdicts alone; they must be there whatever the disk does. */
char *engine_verdicts(struct engine *engine);

/* The same; *worst = what was wrong with them, if anything. */
char *engine_verdicts_with(struct engine *engine, enum status *worst);

/* How the journal's part of the state must look. */
char *ledger_text(const struct ledger *ledger);

/* Writes a checkpoint, then: are the rows to the last bit what the reports that count
 * add up to, and is the file sound? NULL = yes; else what is wrong, to be freed. */
char *engine_check(struct engine *engine);
