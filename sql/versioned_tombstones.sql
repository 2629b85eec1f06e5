-- SPDX-License-Identifier: 0BSD
-- The tombstones of one table: under each dead key the last version that it
-- had. One table each, since keys compare by the type and collation of their
-- columns.
--
-- version  the last version under that key
-- live     1: written by `note` for a row that may be about to be replaced
-- at       when, in unix ms
CREATE TABLE $tombstones(
  $key_columns, version INTEGER, live INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY($keys)) WITHOUT ROWID
