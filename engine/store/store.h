/* What the engine keeps: the journal of reports, the global token rows with the
 * sequence number they include, what sites, domains and users have laid down
 * (entries), and a few named values. Drivers are behind it; no cursor, statement
 * or transaction crosses this header.
 *
 * All calls block. A store has one writer: the calls under "Writing" are made
 * by one thread at a time. Readers are handles of their own, one thread at a
 * time each, and never wait for the writer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
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
	int64_t seq; /* order in the journal, > 0; given by store_commit */
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

/* --- Changes --------------------------------------------------------------- */

enum store_removal_kind {
	REMOVE_SHARED, /* what global was taught; the journal stays the user's own */
	REMOVE_USER, /* the user's journal and entries */
	REMOVE_OLD, /* rows of the journal up to `until` */
};

/* What is taken out of the store, on somebody's demand or because its time is over. What a
 * generation that is not in place yet has brought is forgotten with it: it was made with
 * these reports. With REMOVE_USER and REMOVE_OLD the bytes are overwritten in the files as
 * well (TIDY_ALL finishes that). */
struct store_removal {
	enum store_removal_kind kind;
	const char *user; /* with REMOVE_OLD: NULL = all users */
	/* The last number that goes; of REMOVE_SHARED 0 = all, of REMOVE_USER it is nothing. */
	int64_t until;
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

/* A generation comes in pieces, so that nothing has to wait for all of it; the last one
 * puts it in the place of the global rows: from then on its reports read with these
 * numbers, every other one with those that it was appended with. The former rows are left
 * for TIDY_FORMER, as are those of a generation that never came to its last piece. */
struct store_generation {
	struct store_piece piece;
	/* Of the last piece; NULL = others follow, and what is below is nothing. */
	const struct store_checkpoint *checkpoint;
	int entry_kind; /* all entries of this kind are replaced by these */
	const struct store_entry *entries;
	size_t entry_count;
};

/* Makes one user, or domain, of two: the reports of `from` are `to`'s, with their numbers
 * and in their order, and `from` is gone. Where both told of one message, the newest report
 * supersedes the others, as if it had been appended so: what those taught is to leave
 * global, so its rows and the checkpoint are forgotten, and the next global_load folds the
 * reports that count. The same after a withdrawal. */
struct store_merge {
	const char *from, *to; /* two names; neither is the site's */
	bool withdraw; /* what both shared is taken out, as with REMOVE_SHARED */
	int64_t reports; /* filled in: rows of the journal that are another's now */
	bool refold; /* filled in: the global rows and the checkpoint were forgotten */
};

enum store_rows_how {
	ROWS_CHANGED, /* these replace those of their keys; a gain of 0 deletes one */
	ROWS_ALL, /* these replace all */
	ROWS_ALL_UNREADABLE, /* likewise; those that are there cannot be read */
};

/* Rows of the global evidence and what they include from then on. The numbers of the checkpoint
 * are those of reports in the journal, or 0. Reports up to its `seq` that are superseded or
 * forgotten lose their tokens and keep label, time and numbers. */
struct store_rows {
	enum store_rows_how how;
	const struct store_token *tokens;
	size_t count;
	const struct store_checkpoint *checkpoint;
};

/* A named value of at most 64 KiB. */
struct store_value {
	const char *name;
	const void *bytes;
	size_t size;
};

/* What is written in one step. What is left out (NULL, 0) stays as it is. */
struct store_change {
	struct store_merge *merge;
	struct store_removal *removal;
	const struct store_rows *rows;
	const struct store_generation *generation;
	struct report *reports; /* appended in this order; each `seq` is filled in */
	size_t report_count;
	const struct store_entry *entries; /* laid down; a value of NULL removes one */
	size_t entry_count;
	const struct store_value *values;
	size_t value_count;
	/* It takes something out: on a full disk it may use the room that is kept for that. */
	bool frees;
};

/* What a store does for itself, in the order of effort. */
enum store_tidying {
	/* What was committed is put where the next commits and reads are faster: a moment,
	 * when nobody waits. See store_is_untidy. */
	TIDY_BRIEF,
	/* Some of what a former generation, or an unfinished one, has left is deleted. */
	TIDY_FORMER,
	/* Some of what deletions have left: names of users who have no reports any more, and
	 * room that is not used, which goes back to the file system. A sixteenth of the
	 * database stays free for what comes next. */
	TIDY_SOME,
	/* Nothing that was deleted is anywhere in the files any more. Takes time and room in
	 * proportion to the database; readers go on. Where there is not that room, what was
	 * deleted is overwritten all the same, and the database stays as large as it is. */
	TIDY_ALL,
};

struct store_tidied {
	bool more; /* of TIDY_FORMER and TIDY_SOME: call it again */
	int64_t users; /* names that were forgotten */
	int64_t bytes; /* given back to the file system */
};

/* What an opening did to a database of an older version. */
struct store_migration {
	int from, to; /* versions of the schema; 0 = nothing was migrated */
	char copy[4096]; /* path of the copy as it was before; "" = there is none: */
	char reason[256]; /* why not */
};

struct store;
struct store_reader;

/* --- Opening ------------------------------------------------------------- */

enum store_mode {
	STORE_WRITE, /* as the one who writes; made and migrated as needed */
	STORE_READ, /* beside the one who writes; it must be there */
};

/* Opens "memory:", a store for tests and evaluation that never fails but for memory, or
 * the SQLite database at a path ("sqlite:PATH" or PATH; journal mode WAL, synchronous
 * FULL).
 *
 * STATUS_BUSY: another process writes it. STATUS_NEWER: written by a newer version.
 * STATUS_CORRUPT: not a database, one of another program, or its schema is damaged.
 * STATUS_DENIED: its file may not even be read. STATUS_NOTFOUND with STORE_READ: there is
 * none.
 * A database that cannot be written (read-only file system or file) opens nevertheless, see
 * store_writable; `failure` says why then, too. */
enum status store_open(
	struct store **store, const char *uri, enum store_mode mode, struct failure *failure);

/* Closes *store and sets it to NULL; its readers must be closed before. */
void store_close(struct store **store);

/* Never NULL. A copy holds what people reported, too: erasures do not reach it. */
const struct store_migration *store_migration(const struct store *store);

/* False when the store was opened for reading, and when the last write failed because
 * of the disk (full, read-only, broken, damaged): the next one is tried all the same,
 * and when it succeeds this is true again. Any thread. */
bool store_writable(const struct store *store);

/* --- Writing ------------------------------------------------------------- */

/* Writes all of the change or nothing, and returns when it is durable.
 * STATUS_INVALID: impossible numbers, too long a name, or a checkpoint past the journal.
 * STATUS_FULL, STATUS_READONLY, STATUS_IO: nothing was written, try again when there is
 * room.
 * STATUS_UNCERTAIN: it was written or it was not; who goes on has to read what is there. */
enum status store_commit(
	struct store *store, const struct store_change *change, struct failure *failure);

/* Whether TIDY_BRIEF is worth its moment: much was committed since. Any thread. */
bool store_is_untidy(const struct store *store);

/* *tidied (may be NULL) is filled in. STATUS_BUSY of TIDY_ALL: a reader held on to an old
 * state all the time; try again. */
enum status store_tidy(struct store *store, enum store_tidying effort, struct store_tidied *tidied,
	struct failure *failure);

/* Keeps a copy of the database as it is beside it: PATH.`suffix`, for its owner alone. One
 * that is there already is left. Writes its path, cut to `room`; "" for a store in
 * memory. STATUS_FULL: there is not twice the room that it takes; then none is left. */
enum status store_keep_copy(
	struct store *store, const char *suffix, char *copy, size_t room, struct failure *failure);

/* --- Reading ------------------------------------------------------------- */

/* A callback returns STATUS_OK to go on; anything else ends the walk and is
 * what the walk returns. Pointers are valid during the call only. */
typedef enum status store_report_fn(void *context, const struct report *report);
typedef enum status store_token_fn(void *context, const struct store_token *token);
typedef enum status store_entry_fn(void *context, const struct store_entry *entry);

enum status store_reader_open(
	struct store *store, struct store_reader **reader, struct failure *failure);

/* Closes *reader and sets it to NULL; NULL is allowed. */
void store_reader_close(struct store_reader **reader);

/* Reads a named value into `value` (room for *size bytes, then the size found).
 * STATUS_NOTFOUND, STATUS_LIMIT when there is not room: *size says how much. */
enum status store_get(struct store_reader *reader, const char *name, void *value, size_t *size,
	struct failure *failure);

/* What a press is about, and what its user told of that before. */
struct store_lookup {
	const char *user;
	uint64_t message;
	int64_t before; /* reports with a smaller number alone; INT64_MAX = all */
	/* Filled in: the newest one that is not muted, without its tokens; `report.user` is
	 * the `user` of above. */
	bool found;
	struct report report;
	struct failure failure; /* STATUS_CORRUPT: this user's rows are damaged */
};

/* Fills in all of them, at once where the store is far away. Fails only when it could look
 * up none: what is one user's is in `failure` of that look-up. */
enum status store_find(struct store_reader *reader, struct store_lookup *lookups, size_t count,
	struct failure *failure);

/* Which reports a walk gives. All of it zero: every report, with the tokens that it still
 * has. */
struct store_selection {
	const char *user; /* NULL = of all users */
	bool counting; /* those that count: not superseded, not forgotten, not muted */
	bool headers; /* without tokens, which is quicker */
	int64_t after; /* those with a greater number alone */
	/* The first ones; with `user` and `counting` the newest ones. 0 = all */
	size_t limit;
};

/* Walks the selected reports, ascending by number. The walk sees one state of the store,
 * whatever is written meanwhile.
 *
 * The present sums are the rows of the newest checkpoint, plus `global` and minus `undone` of
 * each report after it (`after` = the checkpoint's number). Rows of a range that is ahead of
 * a report include that report already.
 * A walk of one user's reports from a number on costs 0.1 us for each report of that user,
 * where the next ones are far away in the journal. */
enum status store_reports(struct store_reader *reader, const struct store_selection *selection,
	store_report_fn *each, void *context, struct failure *failure);

/* Whether the user has a report with REPORT_CONSENT. Quick. */
enum status store_shares(
	struct store_reader *reader, const char *user, bool *shares, struct failure *failure);

/* Reads the checkpoint (zeroes when there is none yet) and walks all global rows, in any
 * order, as of one state. `each` NULL = the checkpoint alone. */
enum status store_tokens(struct store_reader *reader, struct store_checkpoint *checkpoint,
	store_token_fn *each, void *context, struct failure *failure);

/* Walks the entries of one scope, by kind and name (bytewise). `kind` 0 = all. */
enum status store_entries(struct store_reader *reader, const char *scope, int kind,
	store_entry_fn *each, void *context, struct failure *failure);

/* The next scope with entries, after `scope` (bytewise; "" = the site, and the beginning):
 * `scope` becomes it, "" = none is left; it has room for STORE_MAX_USER + 1. */
enum status store_next_scope(struct store_reader *reader, char *scope, struct failure *failure);

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

struct store_stats {
	int64_t bytes; /* of the database on disk; 0 in memory */
	int64_t free; /* of them not used */
	int64_t log; /* of the log of what was written last, beside it */
	/* Where the journal begins and ends, zeroes when it is empty; and the time of the last
	 * report. */
	int64_t first_seq, last_seq, last_time;
	int64_t given; /* the last number given to a report, be it gone; 0 = none */
	/* Counted when asked for: */
	int64_t reports; /* rows of the journal */
	int64_t users; /* that reported */
	int64_t tokens; /* global rows as of the checkpoint */
};

/* Quick, whatever the size, unless it is to `count`. */
enum status store_read_stats(struct store_reader *reader, bool count, struct store_stats *stats,
	struct failure *failure);
