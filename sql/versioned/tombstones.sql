-- SPDX-License-Identifier: 0BSD
-- The tombstones of one table: the last version under each key that has no row
-- any more. Each table has its own, since keys compare by the affinity and
-- collation of their columns.
--
-- version  the last version under that key
-- live     the mark: not NULL if a row lived under the key when an INSERT of
--          that key last began. With tombstones=off it is the time of that, in
--          unix ms. It is kept in mode strict, with tombstones=off and with
--          on_stale=log only
-- at       when versioned_forget() first met the tombstone, in unix ms; the
--          mark of `settle` is negative
--
-- A key that is the rowid is the rowid here, too: then the INSERT has no NOT
-- NULL to check, and the DELETE of which it is part needs no journal of its
-- own.
CREATE TABLE $tombstones(
  $key_columns, version INTEGER, live INTEGER, at INTEGER $key_end
