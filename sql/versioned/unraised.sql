-- SPDX-License-Identifier: 0BSD
-- unraised: a condition of `validate`, `verify_restore` and `verify_moved`. The
-- row under NEW's key is not above the tombstone of that key.
--
-- It reads the row and not NEW: `restore` has raised the row, or a trigger of
-- the user's has changed or removed it.
EXISTS(SELECT 1 FROM $tombstones WHERE $tombstone_new
AND version>=(SELECT $lowest FROM $table WHERE $self_new))
