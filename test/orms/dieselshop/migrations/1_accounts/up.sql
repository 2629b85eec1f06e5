-- SPDX-License-Identifier: 0BSD
CREATE TABLE account(
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  balance INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1
);
SELECT versioned('account');
