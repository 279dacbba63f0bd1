/* A service over a store, with one worker: opening, pressing, asking, changing. A test has one
 * at a time; another beside it is the test's own.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

extern struct store *store;
extern struct service *service;
extern struct worker *worker;
extern struct service_settings settings;
extern struct failure failure;
extern int64_t now; /* for what is laid down */

/* --- Opening ------------------------------------------------------------------------- */

/* The store, the service over it with the settings as they are, and the worker. */
void open_memory(void);
void open_file(void); /* SQLite's, in the folder */

/* The same with the defaults, and the end of all of them: fixtures of a TCase. */
void setup_memory(void);
void setup_file(void);
void teardown(void);

/* The service and the worker alone. */
void open_service(void);
void close_service(void);
void reopen_service(void);

/* --- Using --------------------------------------------------------------------------- */

/* One press in a batch of its own; it is done, and to be freed. */
struct press *press_alone(const struct press_info *info, const char *text, size_t length);

/* Its answer; what that points to is gone. */
struct answer press_text(const struct press_info *info, const char *text, size_t length);

/* What a user is told of a message. */
struct verdict judge_text(const char *user, const char *text, size_t length);

struct policy_view policy(const char *user);
size_t count_entries(const char *scope);

/* Makes all steps of a change and ends it; the receipt of what was made. */
enum status try_change(struct change *change, struct receipt *receipt);
struct receipt run_change(struct change *change);

/* One entry, by the user. */
struct receipt lay_down(const char *scope, int kind, const char *name, const char *value);
struct receipt erase(const char *user);
