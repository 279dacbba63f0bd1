-- SPDX-License-Identifier: Apache-2.0
-- What reports add to global in the generation that was adopted last, in place of
-- what they added when they came in. A report without a row here came later.
CREATE TABLE retrained (
	report        INTEGER PRIMARY KEY,     -- its seq
	new_margin    REAL NOT NULL,
	new_head_sum  INTEGER NOT NULL,
	new_head_gain INTEGER NOT NULL,
	new_body_sum  INTEGER NOT NULL,
	new_body_gain INTEGER NOT NULL,
	new_bias_sum  INTEGER NOT NULL,
	new_bias_gain INTEGER NOT NULL
);

-- A generation that is being written, in pieces; empty otherwise. When it is
-- adopted these take the place of the tables whose names they begin with.
CREATE TABLE token_next (
	key  INTEGER PRIMARY KEY,
	sum  INTEGER NOT NULL,
	gain INTEGER NOT NULL
);
CREATE TABLE retrained_next (
	report        INTEGER PRIMARY KEY,
	new_margin    REAL NOT NULL,
	new_head_sum  INTEGER NOT NULL,
	new_head_gain INTEGER NOT NULL,
	new_body_sum  INTEGER NOT NULL,
	new_body_gain INTEGER NOT NULL,
	new_bias_sum  INTEGER NOT NULL,
	new_bias_gain INTEGER NOT NULL
);
