-- SPDX-License-Identifier: 0BSD
-- The side table of a table that is fenced with a lease: the row whose UPDATE
-- has set the token. `note` writes it, `taken` reads and removes it. A note
-- stays only where an UPDATE was skipped after its BEFORE triggers.
CREATE TABLE $side($key_columns $key_end
