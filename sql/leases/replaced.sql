-- SPDX-License-Identifier: 0BSD
-- replaced: a REPLACE fires no DELETE trigger (recursive_triggers is off by
-- default), so it is refused here.
CREATE TRIGGER "interlock_leases_replaced" BEFORE INSERT ON "interlock_leases"
WHEN EXISTS(SELECT 1 FROM interlock_leases
  WHERE name=NEW.name AND token>=NEW.token)
BEGIN
  SELECT RAISE(ABORT,'lease kept: a token never gets smaller');
END
