-- SPDX-License-Identifier: Apache-2.0
-- What the site (scope ''), a domain ('@example.org') or a user has laid down:
-- consent, lists, policy.
CREATE TABLE entry (
	scope BLOB NOT NULL,
	kind  INTEGER NOT NULL,
	name  BLOB NOT NULL,
	value BLOB NOT NULL,
	time  INTEGER NOT NULL,
	PRIMARY KEY (scope, kind, name)
) WITHOUT ROWID;

-- Keyed hashes of a reported message's author and List-Id; 0 = none.
ALTER TABLE journal ADD COLUMN sender INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal ADD COLUMN list INTEGER NOT NULL DEFAULT 0;
