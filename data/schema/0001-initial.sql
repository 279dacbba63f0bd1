-- SPDX-License-Identifier: Apache-2.0
-- Evidence is kept as integers in units of 2^-30: zero takes no room, small
-- numbers take few bytes, and sums are exact.

CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE user (
	id   INTEGER PRIMARY KEY,
	name BLOB NOT NULL UNIQUE
);

-- One row a report, in the order of arrival, so that a group commit writes the
-- tail of the file and not a page for each user.
CREATE TABLE journal (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	user       INTEGER NOT NULL,
	time       INTEGER NOT NULL,
	message    INTEGER NOT NULL,            -- identity, 64 bits
	label      INTEGER NOT NULL,            -- 0 forget, 1 ham, 2 spam
	flags      INTEGER NOT NULL,
	supersedes INTEGER,                     -- seq of the same message's report before
	margin     REAL NOT NULL,
	head_sum   INTEGER NOT NULL,            -- what it added to global
	head_gain  INTEGER NOT NULL,
	body_sum   INTEGER NOT NULL,
	body_gain  INTEGER NOT NULL,
	bias_sum   INTEGER NOT NULL,
	bias_gain  INTEGER NOT NULL,
	undone_head_sum  INTEGER NOT NULL,      -- what it took from global
	undone_head_gain INTEGER NOT NULL,
	undone_body_sum  INTEGER NOT NULL,
	undone_body_gain INTEGER NOT NULL,
	undone_bias_sum  INTEGER NOT NULL,
	undone_bias_gain INTEGER NOT NULL,
	tokens     BLOB                         -- packed keys; NULL once stripped
);

-- Serves the look-up of one message and the walk through a user's reports: the
-- newest one of each message counts, and label and flags say whether it does, so
-- that a walk reads no row but those it gives.
CREATE INDEX journal_user ON journal (user, message, seq, label, flags);

-- The global store as of meta 'checkpoint'.
CREATE TABLE token (
	key  INTEGER PRIMARY KEY,
	sum  INTEGER NOT NULL,
	gain INTEGER NOT NULL
);
