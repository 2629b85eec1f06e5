-- SPDX-License-Identifier: 0BSD
-- grows: the token of a lease never gets smaller.
CREATE TRIGGER "interlock_leases_grows" BEFORE UPDATE ON "interlock_leases"
WHEN NEW.token<OLD.token OR NEW.name<>OLD.name
BEGIN
  SELECT RAISE(ABORT,'lease kept: a token never gets smaller');
END
