/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * What the engine keeps: the journal of reports, the global token rows with the
 * sequence number they include, what sites, domains and users have laid down
 * (entries), and a few named values. Drivers are behind it; no cursor, statement
 * or transaction crosses this header.
 *
 * All calls block. A store has one writer: the calls under "Writing" are made
 * by one thread at a time. Readers are handles of their own, one thread at a
 * time each, and never wait for the writer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* Numbers of evidence are multiples of this unit, so that sums in double are
 * exact in any order (up to 2^23 in magnitude) and what was added can be taken
 * away to the last bit. */
#define STORE_UNIT      0x1p-30
#define STORE_UNIT_BITS 30

/* Seconds before and after 1970: differences and sums of some are numbers still. */
#define STORE_MAX_TIME (INT64_C(1) << 53)

enum {
	STORE_MAX_USER = 255, /* bytes of a user name */
	STORE_MAX_TOKENS = 4096, /* tokens of a report */
	STORE_MAX_NAME = 320, /* bytes of an entry's name: a mail address fits */
	STORE_MAX_VALUE = 255, /* bytes of an entry's value */
};

enum label { LABEL_FORGET = 0, LABEL_HAM = 1, LABEL_SPAM = 2 };

/* What one report adds in one scope: to each token of the message's head, to
 * each token of its body, and to the bias. Gains are >= 0. Keys with bit
 * STORE_BODY_BIT set are the body's, so in an ascending list they come last. */
struct contribution {
	double head_sum, head_gain;
	double body_sum, body_gain;
	double bias_sum, bias_gain;
};

#define STORE_KEY_BITS 40
#define STORE_BODY_BIT (UINT64_C(1) << (STORE_KEY_BITS - 1))

enum report_flags {
	REPORT_CONSENT = 1, /* the reporter shares: it taught global too */
	REPORT_MUTED = 2, /* recorded, but moves no store and supersedes nothing */
	/* With LABEL_FORGET: a quick flip back undid it, from spam to ham or from
	 * ham to spam. */
	REPORT_FLIP_HAM = 4,
	REPORT_FLIP_SPAM = 8,
};

/* One press as the journal keeps it. Reports of the same user about the same
 * message supersede each other, but for muted ones: the newest counts. */
struct report {
	int64_t seq; /* order in the journal, > 0; given by store_append */
	const char *user; /* at most STORE_MAX_USER bytes; "" = site, no user */
	int64_t time; /* seconds since 1970 */
	uint64_t message; /* identity of the message */
	uint64_t sender; /* keyed hash of its author's address; 0 = none */
	uint64_t list; /* keyed hash of its List-Id; 0 = none */
	enum label label;
	unsigned flags; /* enum report_flags */
	double margin; /* of the global scope when the press came, in nats */
	bool retrained; /* margin and `global` are of the generation adopted last */
	struct contribution global; /* added to global; zero where not taught */
	struct contribution undone; /* taken from global: the superseded report's */
	const uint64_t *keys; /* distinct, ascending; NULL in headers */
	size_t count;
};

struct store_token {
	uint64_t key;
	double sum;
	double gain;
};

/* Global rows are written in ranges of their keys, so that nothing has to wait for all. */
enum { STORE_RANGE_BITS = 7, STORE_RANGES = 1 << STORE_RANGE_BITS };

static inline size_t store_range(uint64_t key)
{
	return (size_t)(key >> (STORE_KEY_BITS - STORE_RANGE_BITS)) % STORE_RANGES;
}

/* What the global rows include, and what is not tokens of it. */
struct store_checkpoint {
	int64_t seq; /* the last report that all rows include, and the bias */
	double bias_sum;
	double bias_gain;
	/* The last report that the rows of a range include, when it is a later one. */
	int64_t ahead[STORE_RANGES];
};

/* One line of what somebody has laid down. `scope` says who: "" = the site,
 * "@example.org" = a domain, else a user. Kind and name tell one line of a scope
 * from another. */
struct store_entry {
	const char *scope; /* at most STORE_MAX_USER bytes */
	int kind; /* the caller's, > 0 */
	const char *name; /* at most STORE_MAX_NAME bytes */
	const char *value; /* at most STORE_MAX_VALUE bytes; NULL = to be removed */
	int64_t time; /* of the last change, seconds since 1970 */
};

enum store_removal_kind {
	REMOVE_SHARED, /* what global was taught; the journal stays the user's own */
	REMOVE_USER, /* the user's journal and entries */
	REMOVE_OLD, /* rows of the journal up to `until` */
};

/* What is taken out of the store, on somebody's demand or because its time is over. */
struct store_removal {
	enum store_removal_kind kind;
	const char *user; /* with REMOVE_OLD: NULL = all users */
	/* The last number that goes; of REMOVE_SHARED 0 = all, of REMOVE_USER it is nothing. */
	int64_t until;
	/* Laid down in the same step (a withdrawn consent); NULL = none. */
	const struct store_entry *entry;
	/* A value that is set in the same step (to one byte); NULL = none. */
	const char *mark;
	int64_t reports; /* filled in: rows of the journal that were changed or deleted */
	int64_t entries; /* and entries that were deleted */
};

/* What one report adds to global in a new generation. */
struct store_retrained {
	int64_t seq; /* of the report */
	struct contribution global;
	double margin; /* of the global scope without this report */
};

/* Rows of a generation, with distinct keys and numbers. */
struct store_piece {
	const struct store_retrained *reports; /* others keep what they added */
	size_t report_count;
	const struct store_token *tokens; /* a gain of 0 takes a row away */
	size_t token_count;
};

/* What takes the place of the global rows as a whole. */
struct store_generation {
	struct store_piece rest; /* that has not been staged, or has changed since */
	struct store_checkpoint checkpoint;
	int entry_kind; /* all entries of this kind are replaced by these */
	const struct store_entry *entries;
	size_t entry_count;
};

/* Two names turn out to be one user's, or one domain's. */
struct store_merge {
	const char *from, *to; /* two names; neither is the site's */
	/* Laid down and removed in the same step: whose they are and which of two holds is the
	 * caller's to say. */
	const struct store_entry *entries;
	size_t entry_count;
	bool withdraw; /* what both shared is taken out, as with REMOVE_SHARED */
	int64_t reports; /* filled in: rows of the journal that are another's now */
	bool refold; /* filled in: the global rows and the checkpoint were forgotten */
};

/* What an opening did to a database of an older version. */
struct store_migration {
	int from, to; /* versions of the schema; 0 = nothing was migrated */
	char copy[4096]; /* path of the copy as it was before; "" = there is none: */
	char reason[256]; /* why not */
};

struct store;
struct store_reader;

/* A callback returns STATUS_OK to go on; anything else ends the walk and is
 * what the walk returns. Pointers are valid during the call only. */
typedef enum status store_report_fn(void *context, const struct report *report);
typedef enum status store_token_fn(void *context, const struct store_token *token);
typedef enum status store_entry_fn(void *context, const struct store_entry *entry);

/* --- Opening ------------------------------------------------------------- */

/* Opens the SQLite database at `path`, creating and migrating it as needed
 * (journal mode WAL, synchronous FULL). One process at a time writes: a second
 * one gets STATUS_BUSY. STATUS_NEWER: written by a newer version.
 * STATUS_CORRUPT: not a database, one of another program, or its schema is
 * damaged. STATUS_DENIED: its file may not even be read.
 * A database that cannot be written (read-only file system or file) opens
 * nevertheless, see store_writable; `failure` says why then, too. */
enum status store_open_sqlite(struct store **store, const char *path, struct failure *failure);

/* Opens an existing database for reading alone, beside the process that writes
 * it: store_writable is false. STATUS_NOTFOUND: there is none. */
enum status store_open_sqlite_readonly(
	struct store **store, const char *path, struct failure *failure);

/* A store in memory, for tests and evaluation. Never fails but for memory. */
enum status store_open_memory(struct store **store, struct failure *failure);

/* Closes *store and sets it to NULL; its readers must be closed before. */
void store_close(struct store **store);

/* Never NULL. A copy holds what people reported, too: erasures do not reach it. */
const struct store_migration *store_migration(const struct store *store);

/* False when the store was opened for reading, and when the last write failed because
 * of the disk (full, read-only, broken, damaged): the next one is tried all the same,
 * and when it succeeds this is true again. Any thread. */
bool store_writable(const struct store *store);

/* --- Writing ------------------------------------------------------------- */

/* Appends `count` reports in this order, all or none, and returns when they are
 * durable. Fills in each `seq`. STATUS_FULL, STATUS_READONLY, STATUS_IO: nothing
 * was appended, try again when there is room. */
enum status store_append(
	struct store *store, struct report *reports, size_t count, struct failure *failure);

/* The newest report of this user about this message with a seq < `before` (INT64_MAX: of
 * all) that is not muted, without its tokens; STATUS_NOTFOUND when there is none.
 * `report->user` is the caller's `user`. */
enum status store_find(struct store *store, const char *user, uint64_t message, int64_t before,
	struct report *report, struct failure *failure);

/* Replaces the global rows of these keys (a row with gain 0 is deleted) and the
 * checkpoint, in one durable step. Its sequence numbers are those of reports in the
 * journal, or 0; STATUS_INVALID otherwise. Reports up to `checkpoint->seq` that are
 * superseded or forgotten lose their tokens and keep label, time and numbers. */
enum status store_write_checkpoint(struct store *store, const struct store_token *tokens,
	size_t count, const struct store_checkpoint *checkpoint, struct failure *failure);

/* Puts these in the place of all global rows and the checkpoint, in one durable step. Rows
 * that are not `readable` are abandoned: store_compact gives their pages back. */
enum status store_replace_tokens(struct store *store, bool readable,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure);

/* Takes `removal` out of the store and replaces rows and checkpoint as above, in
 * one durable step: `tokens` are without what these reports had taught. With
 * REMOVE_USER and REMOVE_OLD the bytes are overwritten in the file as well
 * (store_compact finishes that in its log). What was staged is forgotten: it was made
 * with these reports. */
enum status store_remove(struct store *store, struct store_removal *removal,
	const struct store_token *tokens, size_t count, const struct store_checkpoint *checkpoint,
	struct failure *failure);

/* Writes rows of a generation beside the present ones, in pieces, so that nothing has
 * to wait for all of them. */
enum status store_stage(
	struct store *store, const struct store_piece *piece, struct failure *failure);

/* Forgets some of what is staged: about `rows` of it, so that nothing has to wait for all.
 * *more = false: nothing is left. */
enum status store_clear_stage(
	struct store *store, size_t rows, bool *more, struct failure *failure);

/* Puts a generation, staged rows and the rest, in the place of the global rows, in one
 * durable step: from now on its reports read with these numbers, every other one with
 * those that it was appended with. The former rows are left as what is staged: clear it.
 * STATUS_INVALID: impossible numbers, or a checkpoint as store_write_checkpoint refuses
 * it. */
enum status store_adopt(
	struct store *store, const struct store_generation *generation, struct failure *failure);

/* SQLite has what was committed in a log first and moves it into the database when that
 * is long enough, within some commit. store_log_is_due: much was committed since it was
 * moved, so that it is worth moving now, when nobody waits for a commit. */
bool store_log_is_due(const struct store *store);

/* Moves the log, as far as no reader needs an older state. When that fails nothing is
 * lost: a later commit moves it. */
void store_move_log(struct store *store);

/* What takes something out needs room before it frees any. After STATUS_FULL of such a
 * write: gives up the room that is kept for it (the file PATH-reserve: a quarter of the
 * database's size, 8 to 256 MiB, an eighth of the file system at most) and moves the log.
 * True: something was gained, so that the write is worth trying once more. */
bool store_make_room(struct store *store);

/* Once it is done: keeps room again: what was given up as far as there is any, and more
 * when there is twice as much. */
void store_keep_room(struct store *store);

/* Rewrites the database into as little room as it needs; nothing that was
 * deleted is anywhere in its files then. Takes time and room in proportion to
 * the database; readers go on. Where there is not that room, what was deleted is
 * overwritten all the same, and the database stays as large as it is.
 * STATUS_BUSY: a reader held on to an old state all the time; try again. */
enum status store_compact(struct store *store, struct failure *failure);

/* Of the next `users` (> 0) after `name` (bytewise; "" = the first, the site is none),
 * forgets those that have no reports any more: *count of them. `name` becomes the last
 * one that was looked at, "" = none is left; it has room for STORE_MAX_USER + 1. */
enum status store_forget_users(
	struct store *store, char *name, size_t users, int64_t *count, struct failure *failure);

/* Makes one user of two: the reports of `from` are `to`'s, with their numbers and in their
 * order, and `from` is gone; all in one durable step. Where both told of one message, the
 * newest report supersedes the others, as if it had been appended so: what those taught is
 * to leave global, so its rows and the checkpoint are forgotten, and the next global_load
 * folds the reports that count. The same after a withdrawal. */
enum status store_merge(struct store *store, struct store_merge *merge, struct failure *failure);

/* Keeps a copy of the database as it is beside it: PATH.`suffix`, for its owner alone. One
 * that is there already is left. Writes its path, cut to `room`; "" for a store in
 * memory. STATUS_FULL: there is not twice the room that it takes; then none is left. */
enum status store_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure);

/* Gives about `bytes` of room that is not used back to the file system, the last of the
 * database's size first; *returned = how many it were, 0 when nothing is left to be given.
 * A sixteenth of the database stays free for what comes next. */
enum status store_give_back(
	struct store *store, size_t bytes, int64_t *returned, struct failure *failure);

/* Lays down or removes `count` entries, all or none, durable on return. */
enum status store_put_entries(struct store *store, const struct store_entry *entries, size_t count,
	struct failure *failure);

/* Sets a named value of at most 64 KiB. */
enum status store_put(struct store *store, const char *name, const void *value, size_t size,
	struct failure *failure);

/* --- Reading ------------------------------------------------------------- */

enum status store_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);

/* Closes *reader and sets it to NULL; NULL is allowed. */
void store_reader_close(struct store_reader **reader);

/* Reads a named value into `value` (room for *size bytes, then the size found).
 * STATUS_NOTFOUND, STATUS_LIMIT when there is not room: *size says how much. */
enum status store_get(struct store_reader *reader, const char *name, void *value, size_t *size,
	struct failure *failure);

/* Walks the newest `limit` reports of the user that count (not superseded, not
 * forgotten, not muted), oldest first, with tokens. */
enum status store_user_reports(struct store_reader *reader, const char *user, size_t limit,
	store_report_fn *each, void *context, struct failure *failure);

/* Walks the oldest `limit` reports of the user with seq > `after`, ascending:
 * superseded, forgotten and muted ones too, with the tokens that they still have. The
 * rest is not read; where the next ones are far off, to find them costs 0.1 us for each
 * of the user's reports. */
enum status store_journal(struct store_reader *reader, const char *user, int64_t after,
	size_t limit, store_report_fn *each, void *context, struct failure *failure);

/* Whether a report of the user's has REPORT_CONSENT. */
enum status store_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);

/* Walks the entries of one scope, by kind and name (bytewise). `kind` 0 = all. */
enum status store_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);

/* The next scope with entries, after `scope` (bytewise; "" = the site, and the beginning):
 * `scope` becomes it, "" = none is left; it has room for STORE_MAX_USER + 1. */
enum status store_next_scope(struct store_reader *reader, char *scope, struct failure *failure);

/* Reads the checkpoint (zeroes when there is none yet). */
enum status store_read_checkpoint(
	struct store_reader *reader, struct store_checkpoint *checkpoint, struct failure *failure);

/* Walks all global token rows, in any order. */
enum status store_tokens(
	struct store_reader *reader, store_token_fn *each, void *context, struct failure *failure);

/* Walks the reports with seq > `after`, ascending, superseded ones too.
 * Starting from the rows of the newest checkpoint at `after`, adding `global` and
 * taking away `undone` of each in turn gives the present sums; tokens of ranges that are
 * ahead of a report include it already. */
enum status store_reports_after(struct store_reader *reader, int64_t after, store_report_fn *each,
	void *context, struct failure *failure);

/* Walks the reports of all users that count, ascending by seq, with tokens: one
 * state of the store, whatever is written meanwhile. */
enum status store_counting_reports(
	struct store_reader *reader, store_report_fn *each, void *context, struct failure *failure);

/* Where the journal begins and ends; zeroes when it is empty. */
struct store_span {
	int64_t first, last; /* numbers of reports */
	int64_t last_time; /* of the last one */
};

/* Quick, whatever the size. */
enum status store_read_span(
	struct store_reader *reader, struct store_span *span, struct failure *failure);

/* Of the first `count` reports of the journal the last one up to which all are older than
 * `time`; 0 when not even the first one is, or `count` is 0. Reports of a time after
 * `present` came while a clock was ahead, and are as old as those beside them: they are
 * passed over and not counted. */
enum status store_oldest_before(struct store_reader *reader, int64_t time, int64_t present,
	size_t count, int64_t *seq, struct failure *failure);

/* The number of the `count`-th report from the beginning of the journal, or of the user's
 * part of it (NULL = of all); of the last one when there are fewer; 0 when there is none,
 * or `count` is 0. */
enum status store_oldest(struct store_reader *reader, const char *user, size_t count, int64_t *seq,
	struct failure *failure);

/* One user's part of the journal. */
struct store_user {
	const char *name;
	int64_t reports; /* rows; 0 = only the name is left */
	int64_t last_time; /* of the newest */
};
typedef enum status store_user_fn(void *context, const struct store_user *user);

/* Walks the users whose names come after `after` (bytewise; "" = all, the site is none),
 * by name, until these have `rows` reports or more, where each user counts for one at
 * least: nothing has to wait for all. When it gives none, none is left. */
enum status store_users(struct store_reader *reader, const char *after, size_t rows,
	store_user_fn *each, void *context, struct failure *failure);

/* Quick, whatever the size. */
struct store_size {
	int64_t bytes; /* of the database on disk; 0 in memory */
	int64_t free; /* of them not used */
	int64_t log; /* of the log of what was written last, beside it */
};
enum status store_read_size(
	struct store_reader *reader, struct store_size *size, struct failure *failure);

struct store_stats {
	int64_t reports; /* rows of the journal */
	int64_t users; /* that reported */
	int64_t tokens; /* global rows as of the checkpoint */
	int64_t bytes; /* on disk; 0 in memory */
	int64_t last_seq; /* the last number given to a report; 0 = none */
};

enum status store_read_stats(
	struct store_reader *reader, struct store_stats *stats, struct failure *failure);
