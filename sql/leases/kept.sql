-- SPDX-License-Identifier: 0BSD
-- kept: a lease is not deleted. Its token would begin again, and a holder from
-- before could write once more.

-- SQL ERROR lease kept:
-- A statement would delete a row of `interlock_leases`, give a lease another
-- name, or give it a smaller token.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: release the lease by `lease_release`; its row must stay
CREATE TRIGGER "interlock_leases_kept" BEFORE DELETE ON "interlock_leases"
BEGIN
  SELECT RAISE(ABORT,'lease kept: a lease is not deleted');
END
