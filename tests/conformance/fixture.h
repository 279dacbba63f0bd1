/* A store of one driver, in a folder of its own: opening it again, appending to it, and what
 * a walk over it saw. One test has one store; there are others beside it where two are compared.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/store/store.h"
#include "tests/unit/folder.h"
#include "tests/unit/store-verbs.h"
#include "tests/unit/unit.h"

extern const char *path; /* the store's URI; with SQLite its file, in the folder */
extern struct store *store;
extern struct store_reader *reader;
extern struct failure failure;

/* For a test that every driver has to pass: it begins with open_driver(_i). */
extern const int driver_count;
#define for_every_driver(tcase, test) tcase_add_loop_test(tcase, test, 0, driver_count)

/* --- Opening ------------------------------------------------------------------------- */

void open_driver(int driver);
void open_sqlite(void);
enum status open_store(void);
void open_again(void); /* with a reader */
void close_store(void);
void reopen(void); /* where the store outlives that */
void remove_store(void); /* after each test */

/* The same numbers in each test. */
uint64_t next_random(uint64_t below);

/* --- Writing ------------------------------------------------------------------------- */

/* Each number another one. */
struct contribution contribution(double sum, double gain);

/* Of five tokens, at 1000 + message. */
struct report report(const char *user, uint64_t message, enum label label);

/* They return the number of the last report. */
int64_t append(const char *user, uint64_t message, enum label label);
int64_t append_shared(const char *user, uint64_t message); /* spam, with consent */
int64_t append_many(uint64_t count); /* of bob's; a multiple of 500 */

void remove_old(const char *user, int64_t until, int64_t expected);

/* --- What a walk saw ------------------------------------------------------------------ */

/* As text: reports are "message:label ", entries "scope/kind/name=value@time ". */
extern char seen[65536];
extern size_t seen_tokens;

enum status on_report(void *context, const struct report *one);
const char *user_reports(const char *user, size_t limit);
const char *reports_after(int64_t seq);
const char *all_counting(void);

enum status on_entry(void *context, const struct store_entry *entry);
const char *entries(const char *scope);

/* Users are "name:reports@time "; who has "stop" in the name ends the walk. The context is
 * the text, of 256 bytes. */
enum status on_user(void *context, const struct store_user *user);
const char *users_after(const char *after, size_t rows);

/* The context is three numbers: sums, gains, rows. */
enum status sum_tokens(void *context, const struct store_token *token);

/* --- The suite, by theme -------------------------------------------------------------- */

void add_reports(TCase *every);
void add_entries(TCase *every);
void add_changes(TCase *every);
void add_rows(TCase *every);
void add_alike(TCase *every, TCase *sqlite);
void add_sqlite(TCase *sqlite);
void add_sqlite_trouble(TCase *sqlite);
