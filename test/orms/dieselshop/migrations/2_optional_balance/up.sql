-- SPDX-License-Identifier: 0BSD
CREATE TABLE account_new(
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  balance INTEGER,
  version INTEGER NOT NULL DEFAULT 1
);
INSERT INTO account_new SELECT id, balance, version FROM account;
DROP TABLE account;
ALTER TABLE account_new RENAME TO account;
