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
