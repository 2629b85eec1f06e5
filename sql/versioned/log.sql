-- SPDX-License-Identifier: 0BSD
-- The log of a table with on_stale=log: which writes would have been refused.
-- It does not grow: it has a counter for each kind, and a few examples.
--
-- kind     stale, same, ahead, blind, replace or invalid
-- slot     0: the counter of the kind. From 1 on: its last examples
-- n        of a counter, how many rows were written so. Of an example, which of
--          these rows it was, counted from 1
-- key      of the row, as SQL literals
-- carried  the version that the write carried, as a literal; NULL: none
-- found    the version that the row had
-- at       when, in unix ms
--
-- A row with an empty kind is a mark: `key` and `found` say which row, and
-- which version. In slot 0 it stands only while a trigger gives the row another
-- version than the write has. In slot 1 it says that a program has sent that
-- version, and stands until a write is next noted (noted_others.sql).
CREATE TABLE $log(
  kind TEXT NOT NULL, slot INTEGER NOT NULL, n INTEGER, key TEXT,
  carried TEXT, found INTEGER, at INTEGER,
  PRIMARY KEY(kind,slot)) WITHOUT ROWID
