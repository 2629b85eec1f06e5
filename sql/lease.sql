-- SPDX-License-Identifier: 0BSD
-- Leases by plain SQL, for engines that load no extension: the statements of
-- lease_acquire, lease_renew, lease_release and lease_assert, over the same
-- table. They need SQLite 3.34 and no RETURNING.
--
-- The parameters: :name, :owner, :token, :ttl_ms, and :now, the time in unix ms
-- of the machine that runs the statement. Machines must have clocks that agree
-- within a small part of the duration. The driver tells how many rows an UPDATE
-- or INSERT has changed: 1 or 0.

-- ---- once a database ------------------------------------------------------

-- STATEMENT table
CREATE TABLE IF NOT EXISTS "interlock_leases"(
  name TEXT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  token INTEGER NOT NULL CHECK(typeof(token)='integer' AND token>0),
  expires INTEGER NOT NULL CHECK(typeof(expires)='integer' AND expires>=0)
) WITHOUT ROWID;

-- STATEMENT kept
CREATE TRIGGER IF NOT EXISTS "interlock_leases_kept"
BEFORE DELETE ON "interlock_leases"
BEGIN
  SELECT RAISE(ABORT,'lease kept: a lease is not deleted');
END;

-- STATEMENT grows
CREATE TRIGGER IF NOT EXISTS "interlock_leases_grows"
BEFORE UPDATE ON "interlock_leases"
WHEN NEW.token<OLD.token OR NEW.name<>OLD.name
BEGIN
  SELECT RAISE(ABORT,'lease kept: a token never gets smaller');
END;

-- STATEMENT replaced
CREATE TRIGGER IF NOT EXISTS "interlock_leases_replaced"
BEFORE INSERT ON "interlock_leases"
WHEN EXISTS(SELECT 1 FROM interlock_leases
  WHERE name=NEW.name AND token>=NEW.token)
BEGIN
  SELECT RAISE(ABORT,'lease kept: a token never gets smaller');
END;

-- ---- lease_acquire --------------------------------------------------------
-- Run `begin`, which makes the row of a new lease and otherwise changes
-- nothing, and then `acquire`. If `acquire` has changed a row, this owner has
-- the lease, and `token` returns its token. Run the three in one transaction
-- (BEGIN IMMEDIATE), or let the owner be a text that is used for one
-- acquisition only, such as a UUID: only then is the token that `token` returns
-- certainly that of this acquisition.

-- STATEMENT begin
INSERT INTO interlock_leases(name, owner, token, expires)
SELECT :name, :owner, max(1, :now - 1), 0
WHERE NOT EXISTS(SELECT 1 FROM interlock_leases WHERE name = :name);

-- STATEMENT acquire
UPDATE interlock_leases SET owner = :owner,
  token = max(token + 1, :now + 0), expires = :now + :ttl_ms
WHERE name = :name AND (owner = :owner OR expires <= :now);

-- STATEMENT token
SELECT token FROM interlock_leases
WHERE name = :name AND owner = :owner AND expires > :now;

-- ---- lease_renew ----------------------------------------------------------

-- STATEMENT renew
UPDATE interlock_leases SET expires = max(expires, :now + :ttl_ms)
WHERE name = :name AND token = :token AND expires > 0;

-- ---- lease_release --------------------------------------------------------

-- STATEMENT release
UPDATE interlock_leases SET expires = 0
WHERE name = :name AND token = :token AND expires > 0;

-- ---- lease_assert ---------------------------------------------------------
-- Within the transaction that writes under the lease: no row means that the
-- lease is lost, and the program must roll back.

-- STATEMENT assert
SELECT 1 FROM interlock_leases
WHERE name = :name AND token = :token AND expires > :now;
