-- SPDX-License-Identifier: 0BSD
-- The tombstones of one table: under each dead key the last version that it
-- had. One table each, since keys compare by the type and collation of their
-- columns.
--
-- version  the last version under that key
-- live     the mark: not NULL if a row lived under the key when an INSERT of
--          that key last began; with tombstones=off the unix ms of that. Kept
--          in mode strict and with tombstones=off only
-- at       when versioned_forget() first saw it, in unix ms; negative: the mark
--          of `settle`
--
-- A key that is the rowid is the rowid here, too: an INSERT then has nothing
-- to check, and the DELETE that it is part of needs no journal of its own.
CREATE TABLE $tombstones(
  $key_columns, version INTEGER, live INTEGER, at INTEGER $key_end
