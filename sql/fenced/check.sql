-- SPDX-License-Identifier: 0BSD
-- check: an UPDATE that sets the token sets no smaller one.
--
-- UPDATE OF fires for a column in the SET list, changed or not. An UPDATE that
-- does not mention the token passes. A program that writes back every column
-- also passes where the token is what it was, NULL included.

-- SQL ERROR fenced:
-- The token that a write carries is smaller than the row's, or is none, or, on
-- a table that is fenced with a lease, is not the current token of that lease.
-- Most often the writer has lost its lease, or has released it: another owner
-- may hold it now. The text names the table and the column. On a table with a
-- lease it also says so if the statement carries no token at all.
-- Code: SQLITE_CONSTRAINT_TRIGGER
-- Retry: nothing
-- Cure: stop working under that lease: call lease_acquire for a new token, read
--   what the other holder has written, and go on from there
CREATE TRIGGER $trigger BEFORE UPDATE OF $token ON $table
WHEN NEW.$token IS NOT OLD.$token
 AND NOT(typeof(NEW.$token)='integer' AND NEW.$token>=ifnull(OLD.$token,0))
BEGIN
  SELECT RAISE(ABORT,'fenced: $label');
END
